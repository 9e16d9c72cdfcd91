/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot kernels (Multiboot Specification version 0.6.96): ELF, or a flat
 * image that tells its addresses in the header.
 */
#include "kernel/boot_info.h"
#include "kernel/version.h"
#include "vmm/guest_memory.h"
#include "vmm/load/elf.h"
#include "vmm/load/load_blob.h"
#include "vmm/loader.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define MB1_SEARCH	 8192 /* 3.1: the header is within these bytes, 4-byte aligned */
#define MB1_HEADER_MAGIC 0x1badb002u
#define MB1_BOOT_MAGIC	 0x2badb002u
#define MB1_NEEDS_KNOWN	 0x0007u /* 3.1.2: of bits 0-15 */
#define MB1_NEEDS_MASK	 0xffffu
#define MB1_NEEDS_VIDEO	 BIT(2)
#define MB1_HAS_ADDRESS	 BIT(16)

struct mb1_header {
	uint32_t magic, flags, checksum;
	struct load_flat flat;
	uint32_t entry_addr;
};
_Static_assert(sizeof(struct mb1_header) == 32, "3.1.1");

/* 3.3 Boot information, as far as we fill it. */
#define MB1_INFO_MEMORY	 BIT(0)
#define MB1_INFO_CMDLINE BIT(2)
#define MB1_INFO_MODULES BIT(3)
#define MB1_INFO_MMAP	 BIT(6)
#define MB1_INFO_LOADER	 BIT(9)

struct mb1_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
	uint32_t mmap_length, mmap_addr, drives_length, drives_addr, config_table, loader_name;
	uint32_t apm_table, vbe[6], framebuffer[7];
};
_Static_assert(offsetof(struct mb1_info, mmap_length) == 44, "3.3");
_Static_assert(offsetof(struct mb1_info, loader_name) == 64, "3.3");

struct mb1_module {
	uint32_t start, end, string, reserved;
};

struct mb1_mmap {
	uint32_t size; /* of the rest */
	struct e820_entry entry;
} __packed;
_Static_assert(sizeof(struct mb1_mmap) == 24, "3.3");

#define MB1_E820_MAX 16

static bool mb1_find(const void *image, size_t size, struct mb1_header *header, size_t *offset)
{
	size_t at;

	memset(header, 0, sizeof(*header));
	for (at = 0; at + 12 <= MIN(size, (size_t)MB1_SEARCH); at += 4) {
		memcpy(header, (const uint8_t *)image + at, MIN(sizeof(*header), size - at));
		if (header->magic == MB1_HEADER_MAGIC &&
		    header->magic + header->flags + header->checksum == 0) {
			*offset = at;
			return true;
		}
	}
	return false;
}

static bool mb1_probe(const void *image, size_t size)
{
	struct mb1_header header;
	size_t offset;

	return mb1_find(image, size, &header, &offset);
}

static int mb1_load_kernel(struct vm *vm, const struct boot_module *kernel,
			   struct load_extent *extent)
{
	struct mb1_header header;
	size_t offset = 0;

	if (!mb1_find(kernel->data, kernel->size, &header, &offset))
		return -ENOEXEC;
	if (header.flags & MB1_NEEDS_MASK & ~MB1_NEEDS_KNOWN) {
		vm_log(vm, LOG_ERROR, "kernel %s: Multiboot header needs unknown features 0x%x",
		       kernel->name, header.flags & MB1_NEEDS_MASK & ~MB1_NEEDS_KNOWN);
		return -ENOEXEC;
	}
	if (header.flags & MB1_NEEDS_VIDEO)
		vm_log_guest(vm, LOG_WARN, "kernel %s asks for a video mode; the VM has no display",
			     kernel->name);
	if (header.flags & MB1_HAS_ADDRESS) {
		extent->entry = header.entry_addr;
		return flat_load(vm, kernel, &header.flat, offset, extent);
	}
	return elf_load(vm, kernel, extent);
}

static void mb1_put_memory(struct vm *vm, struct load_blob *blob, struct mb1_info *info)
{
	struct e820_entry entries[MB1_E820_MAX];
	size_t i, n = guest_e820(vm, entries, MB1_E820_MAX);
	struct mb1_mmap mmap = {.size = sizeof(mmap) - sizeof(mmap.size)};
	gpa_t at;

	info->flags |= MB1_INFO_MEMORY | MB1_INFO_MMAP;
	info->mem_lower = (uint32_t)(entries[0].size >> 10);
	info->mem_upper = (uint32_t)((vm->memory->low_end - 0x100000) >> 10);
	info->mmap_length = (uint32_t)(n * sizeof(mmap));
	for (i = 0; i < n; i++) {
		mmap.entry = entries[i];
		at = load_blob_put(blob, &mmap, sizeof(mmap), i ? 1 : 8);
		if (i == 0)
			info->mmap_addr = (uint32_t)at;
	}
}

static void mb1_put_modules(struct load_blob *blob, struct mb1_info *info,
			    const struct load_placed *placed, size_t count)
{
	struct mb1_module modules[LOAD_MAX_MODULES + 1] = {{0}};
	size_t i;

	for (i = 0; i < count; i++) {
		modules[i].start = (uint32_t)placed[i].start;
		modules[i].end = (uint32_t)placed[i].end;
		modules[i].string =
			(uint32_t)load_blob_put_words(blob, placed[i].name, placed[i].args);
	}
	info->flags |= MB1_INFO_MODULES;
	info->mods_count = (uint32_t)count;
	info->mods_addr = (uint32_t)load_blob_put(blob, modules, count * sizeof(modules[0]), 4);
}

static void mb1_put_info(struct vm *vm, const struct load_request *req, struct load_blob *blob,
			 const struct load_placed *placed, size_t count)
{
	struct mb1_info info = {.flags = MB1_INFO_CMDLINE | MB1_INFO_LOADER};

	(void)load_blob_take(blob, sizeof(info), 1);
	info.cmdline = (uint32_t)load_blob_put_words(blob, req->kernel->name, req->cmdline);
	info.loader_name = (uint32_t)load_blob_put_words(blob, "Alcazar", ALCAZAR_VERSION);
	mb1_put_memory(vm, blob, &info);
	mb1_put_modules(blob, &info, placed, count);
	memcpy(blob->data, &info, sizeof(info));
}

static int mb1_load(struct vm *vm, const struct load_request *req)
{
	static const struct load_multiboot how = {
		.magic = MB1_BOOT_MAGIC,
		.load_kernel = mb1_load_kernel,
		.put_info = mb1_put_info,
	};

	return load_multiboot(vm, req, &how);
}

LOADER(multiboot1_loader, .name = "Multiboot 1", .probe = mb1_probe, .load = mb1_load);
