/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that may fault by design: when the one at @from does, execution
 * goes on at @to with all registers as they were.
 */
#ifndef ARCH_X86_64_FIXUP_H
#define ARCH_X86_64_FIXUP_H

#include "lib/compiler.h"

#include <stdint.h>

struct fixup {
	uint64_t from;
	uint64_t to;
};
TABLE_DECLARE(fixup, struct fixup);

/* Inside an asm statement; @from and @to are its labels, as strings. */
#define FIXUP(from, to)                       \
	".pushsection table_fixup, \"a\"\n\t" \
	".balign 8\n\t"                       \
	".quad " from ", " to "\n\t"          \
	".popsection\n\t"

#endif
