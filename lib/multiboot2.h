/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Constants and structures of the Multiboot2 Specification version 2.0,
 * chapters 3.1 and 3.6: GRUB boots us by it, and we boot guests by it.
 *
 * The first half is shared with assembly.
 */
#ifndef LIB_MULTIBOOT2_H
#define LIB_MULTIBOOT2_H

/* 3.1.1 The header in our image, and 3.6.1 the value in EAX at hand-over. */
#define MULTIBOOT2_HEADER_MAGIC	    0xe85250d6
#define MULTIBOOT2_ARCH_I386	    0
#define MULTIBOOT2_BOOTLOADER_MAGIC 0x36d76289

/* 3.1.4 and later: the header's tags. */
#define MULTIBOOT2_HTAG_END	      0
#define MULTIBOOT2_HTAG_INFO_REQUEST  1
#define MULTIBOOT2_HTAG_ADDRESS	      2
#define MULTIBOOT2_HTAG_ENTRY	      3
#define MULTIBOOT2_HTAG_CONSOLE	      4
#define MULTIBOOT2_HTAG_FRAMEBUFFER   5
#define MULTIBOOT2_HTAG_MODULE_ALIGN  6
#define MULTIBOOT2_HTAG_EFI_BS	      7
#define MULTIBOOT2_HTAG_ENTRY_EFI32   8
#define MULTIBOOT2_HTAG_ENTRY_EFI64   9
#define MULTIBOOT2_HTAG_RELOCATABLE   10
#define MULTIBOOT2_HTAG_OPTIONAL      1
#define MULTIBOOT2_HTAG_PREFER_LOWEST 1

/* 3.6.2 The tags of the information structure. */
#define MULTIBOOT2_TAG_END	   0
#define MULTIBOOT2_TAG_CMDLINE	   1
#define MULTIBOOT2_TAG_LOADER_NAME 2
#define MULTIBOOT2_TAG_MODULE	   3
#define MULTIBOOT2_TAG_MEMINFO	   4
#define MULTIBOOT2_TAG_MMAP	   6
#define MULTIBOOT2_TAG_FRAMEBUFFER 8
#define MULTIBOOT2_TAG_EFI32	   11
#define MULTIBOOT2_TAG_EFI64	   12
#define MULTIBOOT2_TAG_ACPI_OLD	   14
#define MULTIBOOT2_TAG_ACPI_NEW	   15

#ifndef __ASSEMBLER__

#include "lib/compiler.h"

#include <stddef.h>
#include <stdint.h>

struct multiboot2_info {
	uint32_t total_size; /* of everything, this included */
	uint32_t reserved;
};
_Static_assert(sizeof(struct multiboot2_info) == 8, "3.6.2");

struct multiboot2_tag {
	uint32_t type;
	uint32_t size; /* without the padding to the next multiple of 8 */
};
_Static_assert(sizeof(struct multiboot2_tag) == 8, "3.6.2");

struct multiboot2_tag_module {
	struct multiboot2_tag tag;
	uint32_t start; /* physical */
	uint32_t end;	/* first byte after it */
	char string[];
};
_Static_assert(offsetof(struct multiboot2_tag_module, string) == 16, "3.6.6");

struct multiboot2_tag_mmap {
	struct multiboot2_tag tag;
	uint32_t entry_size; /* of each entry: step by it, it may grow */
	uint32_t entry_version;
};
_Static_assert(sizeof(struct multiboot2_tag_mmap) == 16, "3.6.8");

struct multiboot2_mmap_entry {
	uint64_t base;
	uint64_t length;
	uint32_t type; /* MULTIBOOT2_MEMORY_… */
	uint32_t reserved;
};
_Static_assert(offsetof(struct multiboot2_mmap_entry, length) == 8, "3.6.8");
_Static_assert(offsetof(struct multiboot2_mmap_entry, type) == 16, "3.6.8");
_Static_assert(sizeof(struct multiboot2_mmap_entry) == 24, "3.6.8");

/* 3.6.8: what a range is; any other value is reserved too. */
#define MULTIBOOT2_MEMORY_RAM  1
#define MULTIBOOT2_MEMORY_ACPI 3
#define MULTIBOOT2_MEMORY_NVS  4
#define MULTIBOOT2_MEMORY_BAD  5

/* 3.6.12 */
#define MULTIBOOT2_FB_RGB  1
#define MULTIBOOT2_FB_TEXT 2

struct multiboot2_tag_framebuffer {
	struct multiboot2_tag tag;
	uint64_t addr;
	uint32_t pitch; /* bytes a line */
	uint32_t width;
	uint32_t height;
	uint8_t bpp;
	uint8_t type;
	uint16_t reserved;
	/* Here on only for type 1, direct RGB. */
	uint8_t red_shift, red_bits;
	uint8_t green_shift, green_bits;
	uint8_t blue_shift, blue_bits;
} __packed;
_Static_assert(offsetof(struct multiboot2_tag_framebuffer, pitch) == 16, "3.6.12");
_Static_assert(offsetof(struct multiboot2_tag_framebuffer, bpp) == 28, "3.6.12");
_Static_assert(offsetof(struct multiboot2_tag_framebuffer, red_shift) == 32, "3.6.12");

#endif
#endif
