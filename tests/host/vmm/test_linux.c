/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/load/linux.c tests/host/vmm/fake.c */
/* Kernels of all versions of Linux's boot protocol: where they go, what they are told, how entered.
 */
#include "kernel/boot_info.h"
#include "tests/host/vmm/fake.h"
#include "vmm/device.h"
#include "vmm/guest_memory.h"
#include "vmm/load/entry_state.h"
#include "vmm/loader.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

TABLE_DECLARE(loaders, struct loader);

#define RAM_SIZE  (UINT64_C(64) << 20)
#define SETUP	  0x400u /* one sector of set-up code */
#define CODE_SIZE 0x2000u
#define PARAMS	  0x10000u
#define CMDLINE	  0x20000u

static uint8_t *ram; /* of low addresses; what goes beyond its end is not kept */
static uint8_t image[SETUP + CODE_SIZE], ramdisk[100];
static struct guest_memory memory = {.low_end = RAM_SIZE, .high_end = GUEST_HIGH_BASE};
static struct vcpu vcpu;
static struct vm vm = {.name = "test", .memory = &memory, .vcpus = {&vcpu}};
static gpa_t entered_protected, entered_long;
static bool has_initrd = true;

bool guest_is_ram(const struct guest_memory *m, gpa_t gpa, uint64_t len)
{
	gpa_t end = gpa >= GUEST_HIGH_BASE ? m->high_end : m->low_end;

	return gpa <= end && len <= end - gpa;
}

int guest_write(struct vm *v, gpa_t gpa, const void *buf, size_t len)
{
	if (!guest_is_ram(v->memory, gpa, len))
		return -EFAULT;
	if (gpa + len <= RAM_SIZE)
		memcpy(ram + gpa, buf, len);
	return 0;
}

int entry_state_protected(struct vm *v, gpa_t entry)
{
	(void)v;
	entered_protected = entry;
	return 0;
}

int entry_state_long(struct vm *v, gpa_t entry)
{
	(void)v;
	entered_long = entry;
	return 0;
}

void vcpu_set_gpr(struct vcpu *v, unsigned n, uint64_t value)
{
	v->gpr[n] = value;
}

/* A text screen of 80x25 cells. */
void *device_iface(struct vm *v, const char *id, const char *kind)
{
	static struct boot_screen screen = {.mode = 3, .columns = 80, .rows = 25, .points = 16};

	(void)v;
	assert_null(id);
	assert_string_equal(kind, BOOT_SCREEN_KIND);
	return &screen;
}

size_t guest_e820(struct vm *v, struct e820_entry *entries, size_t max)
{
	(void)v;
	assert_true(max > 0);
	entries[0] = (struct e820_entry){0, RAM_SIZE, E820_RAM};
	return 1;
}

static void put(size_t at, uint64_t value, size_t size)
{
	memcpy(image + at, &value, size);
}

static uint64_t told(size_t at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, ram + PARAMS + at, size);
	return value;
}

/* A kernel of @version whose header ends at @end; behind that is code, 0xcc. */
static void make(unsigned version, size_t end)
{
	memset(image, 0xcc, sizeof(image));
	memset(image + 0x1f1, 0, end - 0x1f1);
	put(0x1f1, SETUP / 512 - 1, 1);
	put(0x1f4, CODE_SIZE / 16, version < 0x204 ? 2 : 4);
	put(0x1fe, 0xaa55, 2);
	put(0x200, 0xeb | (end - 0x202) << 8, 2);
	put(0x202, 0x53726448, 4);
	put(0x206, version, 2);
	put(0x211, 1, 1); /* loaded high */
	put(0x214, 0x100000, 4);
}

static void make_new(unsigned xloadflags)
{
	make(0x20f, 0x268);
	put(0x22c, 0x7fffffff, 4); /* initrd_addr_max */
	put(0x230, 0x200000, 4);   /* alignment */
	put(0x234, 1, 1);	   /* relocatable */
	put(0x236, xloadflags, 2);
	put(0x238, 2047, 4);	  /* cmdline_size */
	put(0x258, 0x1000000, 8); /* pref_address */
	put(0x260, 0x1000000, 4); /* init_size */
}

static int load(const char *cmdline)
{
	static const struct boot_module initrd = {
		.name = "i", .data = ramdisk, .size = sizeof(ramdisk)};
	const struct boot_module kernel = {.name = "k", .data = image, .size = sizeof(image)};
	const struct load_request req = {.kernel = &kernel,
					 .initrd = has_initrd ? &initrd : NULL,
					 .cmdline = cmdline,
					 .rsdp = 0xe0000};
	const struct loader *linux_loader = TABLE_START(loaders);

	fake_log_clear();
	entered_protected = entered_long = 0;
	memset(ram, 0, RAM_SIZE);
	memset(&vcpu, 0, sizeof(vcpu));
	assert_true(linux_loader->probe(image, sizeof(image)));
	return linux_loader->load(&vm, &req);
}

static void test_64_bits(void **state)
{
	(void)state;
	make_new(3);
	assert_int_equal(load("quiet"), 0);
	assert_int_equal(entered_long, 0x1000200);
	assert_int_equal(entered_protected, 0);
	assert_int_equal(vcpu.gpr[GPR_RSI], PARAMS);
	assert_memory_equal(ram + 0x1000000, image + SETUP, CODE_SIZE);
	assert_int_equal(told(0x70, 8), 0xe0000);
	assert_int_equal(told(0x06, 2), 80 << 8 | 3);
	assert_int_equal(told(0x214, 4), 0x1000000);
}

/* memtest86+ and kernels for 32 bits: the same, but for the entry. */
static void test_32_bits(void **state)
{
	(void)state;
	make_new(0);
	assert_int_equal(load("quiet"), 0);
	assert_int_equal(entered_protected, 0x1000000);
	assert_int_equal(entered_long, 0);
	assert_int_equal(vcpu.gpr[GPR_RSI], PARAMS);
	assert_string_equal(ram + CMDLINE, "quiet");
	assert_int_equal(told(0x210, 1), 0xff);
	assert_int_equal(told(0x228, 4), CMDLINE);
	assert_int_equal(told(0x218, 4), RAM_SIZE - 4096); /* the initrd, as high as possible */
	assert_int_equal(told(0x21c, 4), sizeof(ramdisk));
	assert_int_equal(told(0x1e8, 1), 1);
}

/* What the header of an old kernel does not have is not taken from what is there instead. */
static void test_old(void **state)
{
	static const struct {
		unsigned version;
		size_t end;
	} kernels[] = {{0x202, 0x22c}, {0x203, 0x230}, {0x204, 0x230}, {0x204, 0x268},
		       {0x205, 0x236}, {0x206, 0x23c}, {0x207, 0x248}, {0x208, 0x250},
		       {0x209, 0x258}, {0x209, 0x268}};
	char line[257];

	(void)state;
	memset(line, 'x', sizeof(line));
	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		make(kernels[i].version, kernels[i].end);
		memset(image + 0x22c, 0xcc, kernels[i].end - 0x22c); /* of no version before */
		if (kernels[i].version >= 0x203)
			put(0x22c, 0x3ffffff, 4);
		if (kernels[i].version >= 0x205)
			put(0x234, 0, 1);
		if (kernels[i].version >= 0x206)
			put(0x238, 255, 4);
		line[255] = 0;
		assert_int_equal(load(line), 0);
		assert_int_equal(entered_protected, 0x100000);
		assert_memory_equal(ram + 0x100000, image + SETUP, CODE_SIZE);
		assert_int_equal(told(0x218, 4), RAM_SIZE - 4096);
		assert_int_equal(told(0x250, 8), 0); /* setup_data */
		/* KiB above 1 MiB, as kernels before e820 ask. */
		assert_int_equal(told(0x02, 2), 63 * 1024);
		assert_int_equal(told(0x1e0, 4), 63 * 1024);
		line[255] = 'x';
		line[256] = 0;
		assert_int_equal(load(line), -E2BIG);
		assert_true(fake_logged("cmdline is 256 characters long, the kernel takes 255"));
	}
}

/* 2.10 tells where it wants to be, 2.12 that it can be entered in 64 bits. */
static void test_middle(void **state)
{
	(void)state;
	for (unsigned version = 0x20a; version < 0x20c; version++) {
		make_new(1);
		put(0x206, version, 2);
		assert_int_equal(load(""), 0);
		assert_int_equal(entered_protected, 0x1000000);
	}
	make_new(1);
	put(0x206, 0x20c, 2);
	assert_int_equal(load(""), 0);
	assert_int_equal(entered_long, 0x1000200);
}

/* An old kernel does not tell how much it needs to unpack itself, nor is its initrd put there. */
static void test_room(void **state)
{
	(void)state;
	make(0x204, 0x230);
	memory.low_end = 0x100000 + 3 * CODE_SIZE;
	put(0x22c, 0xffffffff, 4);
	assert_int_equal(load(""), -ENOMEM);
	assert_true(fake_logged("initrd i (0 KiB) does not fit behind the kernel"));
	memory.low_end += 4096;
	assert_int_equal(load(""), 0);
	/* One that moves itself up to an address that it is aligned to. */
	make(0x205, 0x236);
	put(0x22c, 0xffffffff, 4);
	put(0x230, 0x400000, 4);
	put(0x234, 1, 1);
	memory.low_end = 0x400000 + 3 * CODE_SIZE;
	assert_int_equal(load(""), -ENOMEM);
	memory.low_end += 4096;
	assert_int_equal(load(""), 0);
	assert_int_equal(entered_protected, 0x100000);
	memory.low_end = 0x100000 + CODE_SIZE;
	assert_int_equal(load(""), -ENOMEM);
	assert_true(fake_logged("raise memory = in [vm]"));
	memory.low_end = RAM_SIZE;
}

static void test_no_initrd(void **state)
{
	(void)state;
	make_new(1);
	put(0x218, 0x12345678, 8);
	has_initrd = false;
	assert_int_equal(load(""), 0);
	assert_int_equal(told(0x218, 8), 0);
	has_initrd = true;
}

static void test_too_old(void **state)
{
	(void)state;
	make(0x201, 0x228);
	assert_int_equal(load(""), -ENOEXEC);
	assert_true(fake_logged("boot protocol 2.01, loaded high: expected a bzImage with 2.02"));
	make(0x204, 0x230);
	put(0x211, 0, 1);
	assert_int_equal(load(""), -ENOEXEC);
	assert_true(fake_logged("boot protocol 2.04, loaded low"));
	/* From 2.04 on the size is to be trusted. */
	make(0x204, 0x230);
	put(0x1f4, CODE_SIZE / 16 + 1, 4);
	assert_int_equal(load(""), -ENOEXEC);
	assert_true(fake_logged("cut short"));
}

/* Memory above 4 GiB is no place to be entered at; a kernel that can move comes down from there. */
static void test_above_4g(void **state)
{
	(void)state;
	memory.high_end = GUEST_HIGH_BASE + RAM_SIZE;
	for (unsigned bits64 = 0; bits64 < 2; bits64++) {
		make_new(bits64);
		put(0x258, GUEST_HIGH_BASE, 8);
		assert_int_equal(load(""), 0);
		assert_int_equal(entered_protected + entered_long, bits64 ? 0x200200 : 0x200000);
		put(0x234, 0, 1);
		assert_int_equal(load(""), -ENOMEM);
		assert_true(fake_logged("of memory from 0x100000000 on"));
		assert_true(fake_logged("none can be entered there"));
		assert_int_equal(entered_protected + entered_long, 0);
	}
	memory.high_end = GUEST_HIGH_BASE;
}

static int setup(void **state)
{
	(void)state;
	ram = malloc(RAM_SIZE);
	return ram ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(ram);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_64_bits),	 cmocka_unit_test(test_32_bits),
		cmocka_unit_test(test_old),	 cmocka_unit_test(test_too_old),
		cmocka_unit_test(test_above_4g), cmocka_unit_test(test_middle),
		cmocka_unit_test(test_room),	 cmocka_unit_test(test_no_initrd),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
