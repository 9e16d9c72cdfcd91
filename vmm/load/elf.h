/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF executables for x86, 32 and 64 bits (System V ABI, chapters 4 and 5).
 */
#ifndef VMM_LOAD_ELF_H
#define VMM_LOAD_ELF_H

#include "lib/compiler.h"
#include "vmm/types.h"

struct boot_module;
struct vm;

/* What of guest memory a kernel took. */
struct load_extent {
	gpa_t entry; /* physical */
	gpa_t end;   /* first byte behind the kernel, BSS included */
};

/*
 * Puts all loadable segments of @image into guest memory at their physical
 * addresses, which must be RAM at or above 1 MiB. 0, or a negative errno
 * that was logged with the segment and the reason.
 */
int elf_load(struct vm *vm, const struct boot_module *image,
	     struct load_extent *extent) __must_check;

/* The addresses of an image that is no ELF, as both Multiboot versions tell them in their header.
 */
struct load_flat {
	uint32_t header_addr, load_addr, load_end_addr, bss_end_addr;
};

/*
 * As elf_load for a flat image whose Multiboot header is at @offset of the
 * file. extent->entry is left alone.
 */
int flat_load(struct vm *vm, const struct boot_module *image, const struct load_flat *flat,
	      uint64_t offset, struct load_extent *extent) __must_check;

#endif
