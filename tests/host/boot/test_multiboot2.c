/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/multiboot2.c on honest and on hostile structures. */
/* test-sources: boot/multiboot2.c */
#include "boot/multiboot2.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct boot_info info;
static struct multiboot2_faults faults;

/* A structure under construction, in a heap block of its exact size for the sanitizer to guard. */
struct mbi {
	uint8_t *bytes;
	size_t size;
};

static void mbi_append(struct mbi *mbi, const void *data, size_t size)
{
	mbi->bytes = realloc(mbi->bytes, mbi->size + size);
	assert_non_null(mbi->bytes);
	memcpy(mbi->bytes + mbi->size, data, size);
	mbi->size += size;
}

static void mbi_begin(struct mbi *mbi)
{
	*mbi = (struct mbi){0};
	mbi_append(mbi, &(struct multiboot2_info){0}, sizeof(struct multiboot2_info));
}

/* A tag of @size bytes of @body, and its padding. */
static void mbi_tag(struct mbi *mbi, uint32_t type, const void *body, size_t size)
{
	static const uint8_t zeros[8];
	struct multiboot2_tag tag = {.type = type, .size = sizeof(tag) + size};

	mbi_append(mbi, &tag, sizeof(tag));
	mbi_append(mbi, body, size);
	mbi_append(mbi, zeros, -size & 7);
}

static void mbi_string(struct mbi *mbi, uint32_t type, const char *s)
{
	mbi_tag(mbi, type, s, strlen(s) + 1);
}

static void mbi_module(struct mbi *mbi, uint32_t start, uint32_t end, const char *s)
{
	uint8_t body[8 + 1024] = {0};

	memcpy(body, &start, 4);
	memcpy(body + 4, &end, 4);
	memcpy(body + 8, s, strlen(s));
	mbi_tag(mbi, MULTIBOOT2_TAG_MODULE, body, 8 + strlen(s) + 1);
}

static void mbi_mmap(struct mbi *mbi, uint32_t entry_size, const void *entries, size_t size)
{
	uint8_t *body = calloc(1, 8 + size);

	assert_non_null(body);
	memcpy(body, &entry_size, 4);
	memcpy(body + 8, entries, size);
	mbi_tag(mbi, MULTIBOOT2_TAG_MMAP, body, 8 + size);
	free(body);
}

/* Ends, parses and frees the structure. */
static int mbi_parse(struct mbi *mbi)
{
	uint32_t total;
	int err;

	mbi_tag(mbi, MULTIBOOT2_TAG_END, "", 0);
	total = mbi->size;
	memcpy(mbi->bytes, &total, 4);
	err = multiboot2_parse(mbi->bytes, mbi->size, &info, &faults);
	free(mbi->bytes);
	return err;
}

static void test_all_tags(void **state)
{
	const struct multiboot2_mmap_entry map[] = {
		{.base = 0, .length = 0x9fc00, .type = 1},
		{.base = 0x100000, .length = 0x3ff00000, .type = 1},
		{.base = 0x40000000, .length = 0x1000, .type = 3},
		{.base = 0x40001000, .length = 0x1000, .type = 4},
		{.base = 0x40002000, .length = 0x1000, .type = 5},
		{.base = 0xfee00000, .length = 0x1000, .type = 77},
	};
	const struct multiboot2_tag_framebuffer fb = {.addr = 0xe0000000,
						      .pitch = 4096,
						      .width = 1024,
						      .height = 768,
						      .bpp = 32,
						      .type = MULTIBOOT2_FB_RGB,
						      .red_shift = 16,
						      .red_bits = 8,
						      .green_shift = 8,
						      .green_bits = 8,
						      .blue_bits = 8};
	struct mbi mbi;

	(void)state;
	mbi_begin(&mbi);
	mbi_string(&mbi, MULTIBOOT2_TAG_CMDLINE, "loglevel=debug cpus=2");
	mbi_string(&mbi, MULTIBOOT2_TAG_LOADER_NAME, "GRUB 2.06");
	mbi_module(&mbi, 0x1000000, 0x1234567, "vmlinuz  quiet console=ttyS0");
	mbi_module(&mbi, 0x2000000, 0x2000000, "empty");
	mbi_module(&mbi, 0x3000000, 0x3000001, "");
	mbi_mmap(&mbi, 24, map, sizeof(map));
	mbi_tag(&mbi, MULTIBOOT2_TAG_FRAMEBUFFER, (const char *)&fb + 8, sizeof(fb) - 8);
	mbi_tag(&mbi, MULTIBOOT2_TAG_EFI64, "12345678", 8);
	mbi_tag(&mbi, 12345, "who knows", 9);
	assert_int_equal(mbi_parse(&mbi), 0);

	assert_int_equal(faults.malformed + faults.dropped + faults.cut, 0);
	assert_string_equal(info.cmdline, "loglevel=debug cpus=2");
	assert_string_equal(info.loader, "GRUB 2.06");
	assert_int_equal(info.module_count, 3);
	assert_int_equal(info.modules[0].phys, 0x1000000);
	assert_int_equal(info.modules[0].size, 0x234567);
	assert_string_equal(info.modules[0].name, "vmlinuz");
	assert_int_equal(info.modules[1].size, 0);
	assert_string_equal(info.modules[2].name, "");
	assert_int_equal(info.range_count, 6);
	assert_int_equal(info.ranges[1].end, 0x40000000);
	assert_int_equal(info.ranges[0].type, BOOT_RAM);
	assert_int_equal(info.ranges[2].type, BOOT_ACPI_RECLAIM);
	assert_int_equal(info.ranges[3].type, BOOT_ACPI_NVS);
	assert_int_equal(info.ranges[4].type, BOOT_BAD);
	assert_int_equal(info.ranges[5].type, BOOT_RESERVED);
	assert_true(info.fb.present && !info.fb.text && info.uefi);
	assert_int_equal(info.fb.phys, 0xe0000000);
	assert_int_equal(info.fb.red_pos, 16);
}

static void test_rsdp(void **state)
{
	struct mbi mbi;

	(void)state;
	/* Both revisions, the newer one first: it stays. */
	mbi_begin(&mbi);
	mbi_tag(&mbi, MULTIBOOT2_TAG_ACPI_NEW, "new new new new new new new new new ", 36);
	mbi_tag(&mbi, MULTIBOOT2_TAG_ACPI_OLD, "old old old old old ", 20);
	assert_int_equal(mbi_parse(&mbi), 0);
	assert_int_equal(info.rsdp_size, 36);
	assert_memory_equal(info.rsdp, "new ", 4);

	mbi_begin(&mbi);
	mbi_tag(&mbi, MULTIBOOT2_TAG_ACPI_NEW, "short", 5);
	mbi_tag(&mbi, MULTIBOOT2_TAG_ACPI_OLD, "old old old old old ", 20);
	assert_int_equal(mbi_parse(&mbi), 0);
	assert_int_equal(info.rsdp_size, 20);
	assert_int_equal(faults.malformed, 1);
}

static void test_bad_strings(void **state)
{
	char longer[2 * BOOT_MAX_CMDLINE];
	struct mbi mbi;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	mbi_begin(&mbi);
	mbi_string(&mbi, MULTIBOOT2_TAG_CMDLINE, longer);
	mbi_tag(&mbi, MULTIBOOT2_TAG_LOADER_NAME, "no end!!", 8);
	mbi_tag(&mbi, MULTIBOOT2_TAG_LOADER_NAME, "", 0);
	longer[BOOT_MAX_STRING] = '\0';
	mbi_module(&mbi, 0, 1, longer);
	assert_int_equal(mbi_parse(&mbi), 0);
	assert_int_equal(strlen(info.cmdline), BOOT_MAX_CMDLINE - 1);
	assert_int_equal(strlen(info.modules[0].name), BOOT_MAX_STRING - 1);
	assert_string_equal(info.loader, "");
	assert_int_equal(faults.cut, 2);
	assert_int_equal(faults.malformed, 2);
}

static void test_bad_ranges(void **state)
{
	const struct multiboot2_mmap_entry map[] = {
		{.base = 0x1000, .length = 0, .type = 1},
		{.base = UINT64_MAX - 10, .length = 100, .type = 1},
		{.base = 0x5000, .length = 0x1000, .type = 1},
	};
	struct mbi mbi;

	(void)state;
	mbi_begin(&mbi);
	mbi_mmap(&mbi, 24, map, sizeof(map) - 1); /* the last entry is cut: not used */
	mbi_mmap(&mbi, 0, map, sizeof(map));	  /* would never end */
	mbi_mmap(&mbi, 20, map, sizeof(map));
	mbi_mmap(&mbi, 48, map, sizeof(map));
	mbi_mmap(&mbi, UINT32_MAX - 7, map, sizeof(map));
	mbi_mmap(&mbi, 24, map, sizeof(map));
	mbi_tag(&mbi, MULTIBOOT2_TAG_MMAP, "1234", 4);
	mbi_module(&mbi, 0x2000, 0x1fff, "backwards");
	assert_int_equal(mbi_parse(&mbi), 0);
	assert_int_equal(info.range_count, 1);
	assert_int_equal(info.ranges[0].start, 0x5000);
	assert_int_equal(info.module_count, 0);
	assert_int_equal(faults.malformed, 4);
}

static void test_limits(void **state)
{
	struct multiboot2_mmap_entry map[BOOT_MAX_RANGES + 3];
	struct mbi mbi;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		map[i] = (struct multiboot2_mmap_entry){.base = i * 0x2000, .length = 1, .type = 1};
	mbi_begin(&mbi);
	mbi_mmap(&mbi, 24, map, sizeof(map));
	for (int i = 0; i < BOOT_MAX_MODULES + 2; i++)
		mbi_module(&mbi, 0, 1, "m");
	assert_int_equal(mbi_parse(&mbi), 0);
	assert_int_equal(info.range_count, BOOT_MAX_RANGES);
	assert_int_equal(info.module_count, BOOT_MAX_MODULES);
	assert_int_equal(faults.dropped, 5);
}

static void test_bad_structure(void **state)
{
	struct multiboot2_info head = {.total_size = 4};
	uint64_t words[4] = {0};

	(void)state;
	assert_int_equal(multiboot2_parse(&head, sizeof(head), &info, &faults), -EINVAL);
	head.total_size = 9;
	assert_int_equal(multiboot2_parse(&head, sizeof(head), &info, &faults), -EINVAL);
	assert_int_equal(multiboot2_parse(&head, 4, &info, &faults), -EINVAL);
	assert_int_equal(multiboot2_parse((char *)words + 4, 16, &info, &faults), -EINVAL);

	/* No end tag; then a tag longer than the structure, and one of no size. */
	head.total_size = 8;
	assert_int_equal(multiboot2_parse(&head, sizeof(head), &info, &faults), 0);
	assert_int_equal(faults.malformed, 1);
	words[0] = sizeof(words);
	words[1] = MULTIBOOT2_TAG_CMDLINE | UINT64_C(0xffffffff) << 32;
	assert_int_equal(multiboot2_parse(words, sizeof(words), &info, &faults), 0);
	assert_int_equal(faults.malformed, 1);
	words[1] = MULTIBOOT2_TAG_CMDLINE;
	assert_int_equal(multiboot2_parse(words, sizeof(words), &info, &faults), 0);
	assert_int_equal(faults.malformed, 1);
}

/* Any bytes at all: the sanitizers are the judge. */
static void test_noise(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		size_t size = 8 + rand() % 256;
		uint32_t *words = calloc(1, ALIGN_UP(size, 8));

		assert_non_null(words);
		for (size_t i = 0; i < size / 4; i++)
			words[i] = rand() % 8 ? rand() % 40 : rand();
		words[0] = size;
		(void)!multiboot2_parse(words, size, &info, &faults);
		free(words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_tags),    cmocka_unit_test(test_rsdp),
		cmocka_unit_test(test_bad_strings), cmocka_unit_test(test_bad_ranges),
		cmocka_unit_test(test_limits),	    cmocka_unit_test(test_bad_structure),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
