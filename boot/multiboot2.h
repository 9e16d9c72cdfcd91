/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a Multiboot2 loader hands over, read into our own form.
 */
#ifndef BOOT_MULTIBOOT2_H
#define BOOT_MULTIBOOT2_H

#include "kernel/boot_info.h"
#include "lib/compiler.h"
#include "lib/multiboot2.h"

#include <stddef.h>
#include <stdint.h>

/* What was not understood or did not fit; all zero for an honest loader. */
struct multiboot2_faults {
	uint32_t malformed; /* tags that make no sense, skipped; or no end tag */
	uint32_t dropped;   /* modules or memory ranges beyond our limits */
	uint32_t cut;	    /* strings that were longer than our buffers */
};

/*
 * Reads the structure at @mbi, of which at most @max bytes may be looked at,
 * into @info; everything is copied. Nothing that the loader wrote is trusted:
 * sizes are bounded, strings need their NUL, a range needs a positive length.
 *
 * Returns 0, or -EINVAL when the structure itself is unusable. Lesser faults
 * are counted in @faults, and the rest is used.
 * Context: any; touches only its arguments.
 */
int __must_check multiboot2_parse(const void *mbi, size_t max, struct boot_info *info,
				  struct multiboot2_faults *faults);

#endif
