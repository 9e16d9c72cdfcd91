/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest loaders: each knows one image format. The first whose probe says yes
 * loads; it puts the image into guest memory and sets vCPU 0's registers.
 */
#ifndef VMM_LOADER_H
#define VMM_LOADER_H

#include "lib/compiler.h"
#include "vmm/types.h"

#include <stdbool.h>
#include <stddef.h>

struct vm;
struct boot_module;

#define LOAD_MAX_MODULES 16

/* What a VM's [boot] section asks for, as modules of our own. */
struct load_request {
	const struct boot_module *kernel;
	const struct boot_module *initrd; /* or NULL */
	/* `module = module:NAME ARGS`, repeated: for Multiboot kernels; an initrd comes first. */
	const struct boot_module *modules[LOAD_MAX_MODULES];
	const char *module_args[LOAD_MAX_MODULES];
	size_t module_count;
	const char *cmdline; /* never NULL */
	gpa_t rsdp;	     /* of the firmware tables, 0: the VM has none */
};

struct loader {
	const char *name; /* "Linux bzImage": for logs */
	bool (*probe)(const void *image, size_t size);
	/* 0, or a negative errno that was logged with what is wrong with which image. */
	int (*load)(struct vm *vm, const struct load_request *request);
};
#define LOADER(ident_, ...) TABLE_ENTRY(loaders, struct loader, ident_) = {__VA_ARGS__}

/* Loads what the VM's config names, on a VM whose memory, vCPUs and devices exist. */
int loader_run(struct vm *vm) __must_check;

/* The guest's memory map as firmware would tell it (e820), from guest memory and reservations. */
#define E820_RAM      1u
#define E820_RESERVED 2u
#define E820_ACPI     3u
struct e820_entry {
	uint64_t start, size;
	uint32_t type;
} __packed;
size_t guest_e820(struct vm *vm, struct e820_entry *entries, size_t max);

/*
 * Firmware tables that a device (ACPI) puts into guest memory, provided as
 * interface FIRMWARE_KIND by the device with the id FIRMWARE_ID. A loader
 * calls build() when it loads: then all devices exist, whatever their order,
 * and a reset VM gets fresh tables.
 */
#define FIRMWARE_KIND "firmware"
#define FIRMWARE_ID   "acpi"
struct firmware_tables {
	/* Writes the tables for the devices and vCPUs that exist; a negative errno was logged. */
	int (*build)(struct firmware_tables *tables);
	gpa_t rsdp; /* of the RSDP, after build() */
};

/* The text screen that a kernel finds when it starts, provided by a VGA. */
#define BOOT_SCREEN_KIND "boot-screen"
struct boot_screen {
	uint8_t mode; /* of the VGA BIOS */
	uint8_t columns, rows;
	uint8_t points; /* a character's height */
};

#endif
