/* SPDX-License-Identifier: BSD-2-Clause */
/* A Multiboot2 ELF64 kernel sees its command line, modules, memory map and RSDP. */
#include "lib/multiboot2.h"
#include "tests/guest/lib/guest.h"

#include <string.h>

static const struct multiboot2_tag *find_tag(uint32_t type)
{
	const struct multiboot2_info *info = (const void *)(uint64_t)guest_info;
	const uint8_t *at = (const uint8_t *)(info + 1),
		      *end = (const uint8_t *)info + info->total_size;
	const struct multiboot2_tag *tag;

	for (; at + sizeof(*tag) <= end; at += ALIGN_UP(tag->size, 8)) {
		tag = (const struct multiboot2_tag *)at;
		if (tag->type == type)
			return tag;
		if (tag->type == MULTIBOOT2_TAG_END)
			break;
	}
	return NULL;
}

GUEST_TEST(magic)
{
	CHECK(guest_magic == MULTIBOOT2_BOOTLOADER_MAGIC, "0x%x", guest_magic);
	CHECK(find_tag(MULTIBOOT2_TAG_END), "no end tag");
}

GUEST_TEST(command_line)
{
	const struct multiboot2_tag *tag = find_tag(MULTIBOOT2_TAG_CMDLINE);

	CHECK(tag && !strcmp((const char *)(tag + 1), "one two=3"), "\"%s\"",
	      tag ? (const char *)(tag + 1) : "");
}

GUEST_TEST(module)
{
	const struct multiboot2_tag_module *m = (const void *)find_tag(MULTIBOOT2_TAG_MODULE);

	if (!m) {
		guest_fail("no module");
		return;
	}
	CHECK(!strcmp(m->string, "data.txt with arguments"), "\"%s\"", m->string);
	CHECK(m->end - m->start == 6, "%u bytes", m->end - m->start);
	CHECK(!memcmp((const void *)(uint64_t)m->start, "hello\n", 6), "wrong bytes");
	CHECK(m->start % 4096 == 0, "at 0x%x", m->start);
}

GUEST_TEST(memory_map)
{
	const struct multiboot2_tag_mmap *map = (const void *)find_tag(MULTIBOOT2_TAG_MMAP);
	const struct multiboot2_mmap_entry *e;
	uint64_t ram = 0;
	uint32_t at;

	for (at = sizeof(*map); map && at < map->tag.size; at += map->entry_size) {
		e = (const void *)((const uint8_t *)map + at);
		if (e->type == MULTIBOOT2_MEMORY_RAM)
			ram += e->length;
	}
	CHECK(ram > 60 << 20 && ram <= 64 << 20, "%llu bytes", (unsigned long long)ram);
}

GUEST_TEST(acpi)
{
	const struct multiboot2_tag *tag = find_tag(MULTIBOOT2_TAG_ACPI_NEW);
	const uint8_t *rsdp;
	uint8_t sum = 0;
	unsigned i;

	if (!tag) {
		guest_fail("no RSDP");
		return;
	}
	rsdp = (const uint8_t *)(tag + 1);
	for (i = 0; i < 36; i++)
		sum += rsdp[i];
	CHECK(!memcmp(rsdp, "RSD PTR ", 8) && sum == 0, "checksum %u", sum);
}
