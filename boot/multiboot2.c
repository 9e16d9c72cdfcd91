/* SPDX-License-Identifier: BSD-2-Clause */
/* The Multiboot2 information structure → struct boot_info. Pure C. */
#include "boot/multiboot2.h"

#include <errno.h>
#include <string.h>

/* Where the result goes while the tags are walked. */
struct parse {
	struct boot_info *info;
	struct multiboot2_faults *faults;
};

/* Copies [@s, @s + @len), no NUL in it, to @out of @room bytes. */
static void copy(struct parse *p, char *out, size_t room, const char *s, size_t len)
{
	if (len >= room) {
		len = room - 1;
		p->faults->cut++;
	}
	memcpy(out, s, len);
	out[len] = '\0';
}

/* The length of the string at @s that must end within @tag; negative if it does not. */
static ptrdiff_t string_length(const struct multiboot2_tag *tag, const char *s)
{
	const char *end = (const char *)tag + tag->size;
	const char *nul = s < end ? memchr(s, '\0', end - s) : NULL;

	return nul ? nul - s : -1;
}

static bool read_string(struct parse *p, const struct multiboot2_tag *tag, char *out, size_t room)
{
	const char *s = (const char *)(tag + 1);
	ptrdiff_t len = string_length(tag, s);

	if (len < 0)
		return false;
	copy(p, out, room, s, len);
	return true;
}

static bool read_module(struct parse *p, const struct multiboot2_tag *tag)
{
	const struct multiboot2_tag_module *raw = (const void *)tag;
	struct boot_module *module;
	ptrdiff_t len, name;

	if (tag->size < sizeof(*raw) || raw->end < raw->start)
		return false;
	len = string_length(tag, raw->string);
	if (len < 0)
		return false;
	if (p->info->module_count == BOOT_MAX_MODULES) {
		p->faults->dropped++;
		return true;
	}
	module = &p->info->modules[p->info->module_count++];
	module->phys = raw->start;
	module->size = raw->end - raw->start;

	for (name = 0; name < len && raw->string[name] != ' '; name++)
		;
	copy(p, module->name, sizeof(module->name), raw->string, name);
	return true;
}

static enum boot_range_type range_type(uint32_t type)
{
	switch (type) {
	case MULTIBOOT2_MEMORY_RAM:
		return BOOT_RAM;
	case MULTIBOOT2_MEMORY_ACPI:
		return BOOT_ACPI_RECLAIM;
	case MULTIBOOT2_MEMORY_NVS:
		return BOOT_ACPI_NVS;
	case MULTIBOOT2_MEMORY_BAD:
		return BOOT_BAD;
	default:
		return BOOT_RESERVED;
	}
}

static bool read_mmap(struct parse *p, const struct multiboot2_tag *tag)
{
	const struct multiboot2_tag_mmap *mmap = (const void *)tag;
	const char *at = (const char *)(mmap + 1);
	const char *end = (const char *)tag + tag->size;

	if (tag->size < sizeof(*mmap) || mmap->entry_size < sizeof(struct multiboot2_mmap_entry) ||
	    mmap->entry_size % 8)
		return false;
	for (; (size_t)(end - at) >= mmap->entry_size; at += mmap->entry_size) {
		const struct multiboot2_mmap_entry *entry = (const void *)at;

		/* Empty, or running past the end of the address space: no memory of ours. */
		if (!entry->length || entry->base > UINT64_MAX - entry->length)
			continue;
		if (p->info->range_count == BOOT_MAX_RANGES) {
			p->faults->dropped++;
			continue;
		}
		p->info->ranges[p->info->range_count++] = (struct boot_range){
			.start = entry->base,
			.end = entry->base + entry->length,
			.type = range_type(entry->type),
		};
	}
	return true;
}

static bool read_framebuffer(struct parse *p, const struct multiboot2_tag *tag)
{
	const struct multiboot2_tag_framebuffer *raw = (const void *)tag;
	struct boot_framebuffer *fb = &p->info->fb;

	if (tag->size < offsetof(struct multiboot2_tag_framebuffer, red_shift))
		return false;
	if (raw->type != MULTIBOOT2_FB_RGB && raw->type != MULTIBOOT2_FB_TEXT)
		return true; /* a palette: none of our drivers draws on that */
	if (raw->type == MULTIBOOT2_FB_RGB && tag->size < sizeof(*raw))
		return false;
	*fb = (struct boot_framebuffer){
		.present = true,
		.text = raw->type == MULTIBOOT2_FB_TEXT,
		.phys = raw->addr,
		.pitch = raw->pitch,
		.width = raw->width,
		.height = raw->height,
		.bpp = raw->bpp,
	};
	if (raw->type == MULTIBOOT2_FB_RGB) {
		fb->red_pos = raw->red_shift;
		fb->red_size = raw->red_bits;
		fb->green_pos = raw->green_shift;
		fb->green_size = raw->green_bits;
		fb->blue_pos = raw->blue_shift;
		fb->blue_size = raw->blue_bits;
	}
	return true;
}

/* Revision 0 is 20 bytes, later ones 36 (ACPI 6.5, 5.2.5.3); the new one wins. */
static bool read_rsdp(struct parse *p, const struct multiboot2_tag *tag)
{
	uint32_t want = tag->type == MULTIBOOT2_TAG_ACPI_NEW ? sizeof(p->info->rsdp) : 20;

	if (tag->size - sizeof(*tag) < want)
		return false;
	if (p->info->rsdp_size < want) {
		memcpy(p->info->rsdp, tag + 1, want);
		p->info->rsdp_size = want;
	}
	return true;
}

/* False when the tag makes no sense; one that we do not know is no fault. */
static bool read_tag(struct parse *p, const struct multiboot2_tag *tag)
{
	switch (tag->type) {
	case MULTIBOOT2_TAG_CMDLINE:
		return read_string(p, tag, p->info->cmdline, sizeof(p->info->cmdline));
	case MULTIBOOT2_TAG_LOADER_NAME:
		return read_string(p, tag, p->info->loader, sizeof(p->info->loader));
	case MULTIBOOT2_TAG_MODULE:
		return read_module(p, tag);
	case MULTIBOOT2_TAG_MMAP:
		return read_mmap(p, tag);
	case MULTIBOOT2_TAG_FRAMEBUFFER:
		return read_framebuffer(p, tag);
	case MULTIBOOT2_TAG_EFI32:
	case MULTIBOOT2_TAG_EFI64:
		p->info->uefi = true;
		return true;
	case MULTIBOOT2_TAG_ACPI_OLD:
	case MULTIBOOT2_TAG_ACPI_NEW:
		return read_rsdp(p, tag);
	default:
		return true;
	}
}

int multiboot2_parse(const void *mbi, size_t max, struct boot_info *info,
		     struct multiboot2_faults *faults)
{
	const struct multiboot2_info *head = mbi;
	struct parse parse = {.info = info, .faults = faults};
	const char *at, *end;

	memset(info, 0, sizeof(*info));
	memset(faults, 0, sizeof(*faults));
	if ((uintptr_t)mbi % 8 || max < sizeof(*head) || head->total_size < sizeof(*head) ||
	    head->total_size > max)
		return -EINVAL;

	at = (const char *)(head + 1);
	end = (const char *)mbi + head->total_size;
	while ((size_t)(end - at) >= sizeof(struct multiboot2_tag)) {
		const struct multiboot2_tag *tag = (const void *)at;

		if (tag->type == MULTIBOOT2_TAG_END)
			return 0;
		if (tag->size < sizeof(*tag) || tag->size > (size_t)(end - at))
			break;
		if (!read_tag(&parse, tag))
			faults->malformed++;
		if (ALIGN_UP((size_t)tag->size, 8) > (size_t)(end - at))
			break;
		at += ALIGN_UP((size_t)tag->size, 8);
	}
	faults->malformed++; /* ended without the end tag */
	return 0;
}
