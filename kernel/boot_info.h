/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boot loader told us, in our own form; boot/ fills it once, the
 * rest only reads it. All physical addresses in bytes.
 */
#ifndef KERNEL_BOOT_INFO_H
#define KERNEL_BOOT_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_MAX_RANGES	 256
#define BOOT_MAX_MODULES 64
#define BOOT_MAX_CMDLINE 1024
#define BOOT_MAX_STRING	 256

enum boot_range_type { BOOT_RAM, BOOT_RESERVED, BOOT_ACPI_RECLAIM, BOOT_ACPI_NVS, BOOT_BAD };

struct boot_range {
	uint64_t start, end; /* [start, end) */
	enum boot_range_type type;
};

struct boot_module {
	uint64_t phys;		    /* of its first byte */
	uint64_t size;		    /* bytes */
	const void *data;	    /* by the direct map, once that exists */
	char name[BOOT_MAX_STRING]; /* first word of the module's string */
	int use;		    /* by boot_module_use(): so many, or -1 that writes; atomic */
};

struct boot_framebuffer {
	bool present;
	bool text; /* EGA text at phys, width x height cells */
	uint64_t phys;
	uint32_t pitch, width, height; /* bytes, pixels (or cells), pixels */
	uint8_t bpp;
	uint8_t red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
};

struct boot_info {
	char loader[BOOT_MAX_STRING];
	char cmdline[BOOT_MAX_CMDLINE];
	struct boot_range ranges[BOOT_MAX_RANGES];
	size_t range_count;
	struct boot_module modules[BOOT_MAX_MODULES];
	size_t module_count;
	uint32_t rsdp_size; /* 0 = the loader gave none, 20 = revision 0, 36 = revision 2 */
	uint8_t rsdp[36];   /* a copy of the RSDP itself */
	struct boot_framebuffer fb;
	bool uefi;
};

extern struct boot_info boot_info;

/* The module of that name (exact), or NULL. */
const struct boot_module *boot_module_find(const char *name);

/* Whether a guest writes to it, so that it is nothing that we, or other VMs, are made of. */
static inline bool boot_module_is_written(const struct boot_module *module)
{
	return __atomic_load_n(&module->use, __ATOMIC_SEQ_CST) < 0;
}

/* For as long as a guest reads it, or for one that writes to it, alone. False: that cannot be. */
static inline bool __attribute__((warn_unused_result))
boot_module_use(const struct boot_module *module, bool write)
{
	int *use = &boot_info.modules[module - boot_info.modules].use;
	int old = __atomic_load_n(use, __ATOMIC_SEQ_CST);

	do
		if (old < 0 || (write && old))
			return false;
	while (!__atomic_compare_exchange_n(use, &old, write ? -1 : old + 1, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return true;
}

static inline void boot_module_unuse(const struct boot_module *module)
{
	__atomic_add_fetch(&boot_info.modules[module - boot_info.modules].use,
			   boot_module_is_written(module) ? 1 : -1, __ATOMIC_SEQ_CST);
}

/*
 * One more, of @size bytes at @data, which stays. The shell's task, which alone adds. -EEXIST;
 * -ENOSPC: BOOT_MAX_MODULES; -ENAMETOOLONG.
 */
int boot_module_add(const char *name, const void *data, uint64_t size)
	__attribute__((warn_unused_result));

#endif
