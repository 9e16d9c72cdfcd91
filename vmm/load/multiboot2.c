/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot2 kernels (Multiboot2 Specification version 2.0), i386 entry.
 */
#include "kernel/boot_info.h"
#include "kernel/version.h"
#include "lib/multiboot2.h"
#include "vmm/guest_memory.h"
#include "vmm/load/elf.h"
#include "vmm/load/load_blob.h"
#include "vmm/loader.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define MB2_SEARCH   32768 /* 3.1: the header is within these bytes, 8-byte aligned */
#define MB2_E820_MAX 16
#define MB2_RSDP1    20 /* bytes of an ACPI 1.0 RSDP; its revision is byte 15 */
#define MB2_RSDP2    36

struct mb2_header {
	uint32_t magic, architecture, length, checksum;
};

/* 3.1.3: how each tag of the header begins. */
struct mb2_htag {
	uint16_t type, flags;
	uint32_t size;
};

/* 3.1.5: the addresses of a flat image. */
struct mb2_htag_address {
	struct mb2_htag tag;
	struct load_flat flat;
};

struct mb2_wants {
	struct mb2_htag_address address; /* tag.type 0: an ELF */
	uint32_t entry;			 /* 0: the ELF's */
	size_t offset;			 /* of the header in the file */
};

static bool mb2_find(const void *image, size_t size, struct mb2_header *header, size_t *offset)
{
	size_t at, end = MIN(size, (size_t)MB2_SEARCH);

	for (at = 0; at + sizeof(*header) <= end; at += 8) {
		memcpy(header, (const uint8_t *)image + at, sizeof(*header));
		if (header->magic == MULTIBOOT2_HEADER_MAGIC &&
		    header->magic + header->architecture + header->length + header->checksum == 0 &&
		    header->length <= end - at) {
			*offset = at;
			return true;
		}
	}
	return false;
}

static bool mb2_probe(const void *image, size_t size)
{
	struct mb2_header header;
	size_t offset;

	return mb2_find(image, size, &header, &offset) &&
	       header.architecture == MULTIBOOT2_ARCH_I386;
}

/* The information tags that we give (3.6); one that is asked for and is not here is an error. */
static bool mb2_gives(uint32_t type)
{
	static const uint8_t given[] = {MULTIBOOT2_TAG_CMDLINE, MULTIBOOT2_TAG_LOADER_NAME,
					MULTIBOOT2_TAG_MODULE,	MULTIBOOT2_TAG_MEMINFO,
					MULTIBOOT2_TAG_MMAP,	MULTIBOOT2_TAG_ACPI_OLD,
					MULTIBOOT2_TAG_ACPI_NEW};

	return type < 32 && memchr(given, (int)type, sizeof(given));
}

static int mb2_check_request(struct vm *vm, const uint8_t *data, const struct mb2_htag *tag)
{
	uint32_t type;
	size_t at;

	for (at = sizeof(*tag); at + sizeof(type) <= tag->size; at += sizeof(type)) {
		memcpy(&type, data + at, sizeof(type));
		if (mb2_gives(type) || (tag->flags & MULTIBOOT2_HTAG_OPTIONAL))
			continue;
		vm_log(vm, LOG_ERROR, "kernel needs Multiboot2 information of type %u: not given",
		       type);
		return -ENOEXEC;
	}
	return 0;
}

static int mb2_header_tag(struct vm *vm, const uint8_t *data, const struct mb2_htag *tag,
			  struct mb2_wants *wants)
{
	switch (tag->type) {
	case MULTIBOOT2_HTAG_INFO_REQUEST:
		return mb2_check_request(vm, data, tag);
	case MULTIBOOT2_HTAG_ADDRESS:
		if (tag->size < sizeof(wants->address))
			return -ENOEXEC;
		memcpy(&wants->address, data, sizeof(wants->address));
		return 0;
	case MULTIBOOT2_HTAG_ENTRY:
		if (tag->size < sizeof(*tag) + sizeof(wants->entry))
			return -ENOEXEC;
		memcpy(&wants->entry, data + sizeof(*tag), sizeof(wants->entry));
		return 0;
	case MULTIBOOT2_HTAG_CONSOLE:
	case MULTIBOOT2_HTAG_MODULE_ALIGN: /* always */
	case MULTIBOOT2_HTAG_EFI_BS:
	case MULTIBOOT2_HTAG_ENTRY_EFI32:
	case MULTIBOOT2_HTAG_ENTRY_EFI64:
	case MULTIBOOT2_HTAG_RELOCATABLE: /* it may be moved; it need not be */
		return 0;
	default:
		if (tag->flags & MULTIBOOT2_HTAG_OPTIONAL)
			return 0;
		vm_log(vm, LOG_ERROR, "kernel needs what Multiboot2 header tag %u asks: not given",
		       tag->type);
		return -ENOEXEC;
	}
}

static int mb2_read_header(struct vm *vm, const struct boot_module *kernel, struct mb2_wants *wants)
{
	const uint8_t *data = kernel->data;
	struct mb2_header header;
	struct mb2_htag tag;
	size_t at;
	int err;

	memset(wants, 0, sizeof(*wants));
	if (!mb2_find(data, kernel->size, &header, &wants->offset))
		return -ENOEXEC;
	data += wants->offset;
	for (at = sizeof(header); at + sizeof(tag) <= header.length;) {
		memcpy(&tag, data + at, sizeof(tag));
		if (tag.type == MULTIBOOT2_HTAG_END)
			return 0;
		if (tag.size < sizeof(tag) || tag.size > header.length - at)
			break;
		err = mb2_header_tag(vm, data + at, &tag, wants);
		if (err)
			return err;
		at += ALIGN_UP((size_t)tag.size, 8);
	}
	vm_log(vm, LOG_ERROR, "kernel %s: its Multiboot2 header has no end", kernel->name);
	return -ENOEXEC;
}

static int mb2_load_kernel(struct vm *vm, const struct boot_module *kernel,
			   struct load_extent *extent)
{
	struct mb2_wants wants;
	int err = mb2_read_header(vm, kernel, &wants);

	if (err)
		return err;
	if (wants.address.tag.type) {
		extent->entry = wants.address.flat.load_addr;
		err = flat_load(vm, kernel, &wants.address.flat, wants.offset, extent);
	} else {
		err = elf_load(vm, kernel, extent);
	}
	if (wants.entry)
		extent->entry = wants.entry;
	return err;
}

/* A tag of @len bytes behind its header, as offset of what follows the header; 8-byte aligned. */
static uint8_t *mb2_tag(struct load_blob *blob, uint32_t type, size_t len)
{
	struct multiboot2_tag tag = {type, (uint32_t)(sizeof(tag) + len)};
	size_t at = load_blob_take(blob, tag.size, 8);

	if (blob->err)
		return NULL;
	memcpy(blob->data + at, &tag, sizeof(tag));
	return blob->data + at + sizeof(tag);
}

static void mb2_put(struct load_blob *blob, uint32_t type, const void *data, size_t len)
{
	uint8_t *to = mb2_tag(blob, type, len);

	if (to)
		memcpy(to, data, len);
}

static void mb2_put_memory(struct vm *vm, struct load_blob *blob)
{
	struct e820_entry entries[MB2_E820_MAX];
	size_t i, n = guest_e820(vm, entries, MB2_E820_MAX);
	const uint32_t basic[2] = {(uint32_t)(entries[0].size >> 10),
				   (uint32_t)((vm->memory->low_end - 0x100000) >> 10)};
	const uint32_t shape[2] = {sizeof(struct multiboot2_mmap_entry), 0};
	struct multiboot2_mmap_entry entry = {0};
	uint8_t *to;

	mb2_put(blob, MULTIBOOT2_TAG_MEMINFO, basic, sizeof(basic));
	to = mb2_tag(blob, MULTIBOOT2_TAG_MMAP, sizeof(shape) + n * sizeof(entry));
	if (!to)
		return;
	memcpy(to, shape, sizeof(shape));
	for (i = 0; i < n; i++) {
		/* The types of e820 and of 3.6.8 are the same numbers. */
		entry.base = entries[i].start;
		entry.length = entries[i].size;
		entry.type = entries[i].type;
		memcpy(to + sizeof(shape) + i * sizeof(entry), &entry, sizeof(entry));
	}
}

static void mb2_put_module(struct load_blob *blob, const struct load_placed *m)
{
	const uint32_t range[2] = {(uint32_t)m->start, (uint32_t)m->end};
	size_t name = strlen(m->name), args = strlen(m->args);
	uint8_t *to = mb2_tag(blob, MULTIBOOT2_TAG_MODULE, sizeof(range) + name + 1 + args + 1);

	if (!to)
		return;
	memcpy(to, range, sizeof(range));
	memcpy(to + sizeof(range), m->name, name);
	to[sizeof(range) + name] = args ? ' ' : 0;
	memcpy(to + sizeof(range) + name + 1, m->args, args + 1);
}

static void mb2_put_acpi(struct vm *vm, struct load_blob *blob, gpa_t gpa)
{
	uint8_t rsdp[MB2_RSDP2];

	if (!gpa || guest_read(vm, gpa, rsdp, sizeof(rsdp)))
		return;
	mb2_put(blob, MULTIBOOT2_TAG_ACPI_OLD, rsdp, MB2_RSDP1);
	if (rsdp[15] >= 2)
		mb2_put(blob, MULTIBOOT2_TAG_ACPI_NEW, rsdp, MB2_RSDP2);
}

static void mb2_put_info(struct vm *vm, const struct load_request *req, struct load_blob *blob,
			 const struct load_placed *placed, size_t count)
{
	static const char loader[] = "Alcazar " ALCAZAR_VERSION;
	struct multiboot2_info info = {0};
	size_t i;

	(void)load_blob_take(blob, sizeof(info), 8);
	mb2_put(blob, MULTIBOOT2_TAG_CMDLINE, req->cmdline, strlen(req->cmdline) + 1);
	mb2_put(blob, MULTIBOOT2_TAG_LOADER_NAME, loader, sizeof(loader));
	mb2_put_memory(vm, blob);
	for (i = 0; i < count; i++)
		mb2_put_module(blob, &placed[i]);
	mb2_put_acpi(vm, blob, req->rsdp);
	mb2_put(blob, MULTIBOOT2_TAG_END, "", 0);
	info.total_size = (uint32_t)blob->len;
	memcpy(blob->data, &info, sizeof(info));
}

static int mb2_load(struct vm *vm, const struct load_request *req)
{
	static const struct load_multiboot how = {
		.magic = MULTIBOOT2_BOOTLOADER_MAGIC,
		.load_kernel = mb2_load_kernel,
		.put_info = mb2_put_info,
	};

	return load_multiboot(vm, req, &how);
}

LOADER(multiboot2_loader, .name = "Multiboot 2", .probe = mb2_probe, .load = mb2_load);
