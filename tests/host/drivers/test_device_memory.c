/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: drivers/device_memory.c kernel/boot_info.c */
/* What of the machine's memory may be a guest's, and that it is mapped once. */
#include "drivers/device_memory.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/paging.h"
#include "kernel/boot_info.h"
#include "kernel/slab.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OURS 0xfed00000u /* a page that we have mapped */

struct acpi_info acpi_info;

static uint8_t window[0x4000];
static uint64_t window_phys;
static unsigned maps;
static bool no_memory;

bool paging_uses_device(uint64_t phys, uint64_t size)
{
	assert_true(phys % 4096 == 0 && size % 4096 == 0 && size);
	return phys <= OURS && phys + size > OURS;
}

void *paging_map_guest_device(uint64_t phys, size_t size)
{
	assert_true(phys % 4096 == 0 && size % 4096 == 0);
	maps++;
	window_phys = phys;
	return no_memory ? NULL : window;
}

static bool objects_fail;

void *kmalloc(size_t size)
{
	return objects_fail ? NULL : malloc(size);
}

void kfree(const void *p)
{
	free((void *)p);
}

static int setup(void **state)
{
	(void)state;
	boot_info.range_count = 0;
	boot_info.module_count = 0;
	acpi_info.mcfg_count = 0;
	maps = 0;
	no_memory = objects_fail = false;
	return 0;
}

static void range(uint64_t start, uint64_t end, enum boot_range_type type)
{
	boot_info.ranges[boot_info.range_count++] = (struct boot_range){start, end, type};
}

static int try(uint64_t phys, uint64_t size, const char **why)
{
	volatile void *memory;

	return device_memory_map(phys, size, &memory, why);
}

static void refused(uint64_t phys, uint64_t size, const char *reason)
{
	const char *why;

	assert_int_equal(try(phys, size, &why), -EPERM);
	if (!strstr(why, reason))
		fail_msg("%#lx: expected '%s' in: %s", phys, reason, why);
	assert_int_equal(maps, 0);
}

static void test_what_is_no_device(void **state)
{
	const char *why;

	(void)state;
	range(0x100000, 0x80000000, BOOT_RAM);
	range(0x80000000, 0x80010000, BOOT_ACPI_RECLAIM);
	range(0x80010000, 0x80020000, BOOT_ACPI_NVS);
	range(0x80020000, 0x80030000, BOOT_BAD);
	range(0xf0000000, 0x100000000, BOOT_RESERVED);
	range(0x100000000, 0x100000800, BOOT_RAM);
	boot_info.modules[0] = (struct boot_module){.phys = 0xfc000000, .size = 1};
	boot_info.module_count = 1;

	refused(0x100000, 1, "is RAM");
	refused(0x7fffffff, 1, "is RAM");
	refused(0xf0000, 0x10001, "is RAM");
	refused(0x80000000, 16, "ACPI's tables");
	refused(0x80010000, 16, "ACPI's memory");
	refused(0x80020000, 16, "bad RAM");
	refused(0xfc000800, 4, "has a module");
	refused(0xfbfff000, 0x1001, "has a module");
	/* A byte of the page is as good as all of it. */
	refused(0xfed00ff0, 16, "Alcazar uses itself");
	refused(0xfecff000, 0x2000, "Alcazar uses itself");
	/* Also when the local APIC is not used by memory. */
	refused(0xfee00ff0, 16, "Alcazar uses itself");
	refused(0xfeeffffc, 4, "Alcazar uses itself");
	refused(0x100000ffc, 4, "is RAM");
	/* Where it only touches them, and where the firmware has reserved it. */
	assert_int_equal(try(0xa0000, 0x20000, &why), 0);
	assert_int_equal(try(0x80030000, 0x1000, &why), 0);
	assert_int_equal(try(0xfbfff000, 0x1000, &why), 0);
	assert_int_equal(try(0xfed01000, 0x1000, &why), 0);
	assert_int_equal(try(0xfef00000, 0x1000, &why), 0);
	assert_int_equal(try(0x100001000, 0x1000, &why), 0);
}

/* By it a guest would move the machine's devices, the hypervisor's among them. */
static void test_pci_configuration(void **state)
{
	const char *why;

	(void)state;
	/* As most firmware does it: reserved, which is what devices are, too. */
	range(0xb0000000, 0xc0000000, BOOT_RESERVED);
	acpi_info.mcfg[0] = (struct acpi_mcfg){.phys = 0xb0000000, .last_bus = 0xff};
	acpi_info.mcfg[1] = (struct acpi_mcfg){
		.phys = UINT64_C(0x4000000000), .segment = 1, .first_bus = 0x80, .last_bus = 0x80};
	acpi_info.mcfg_count = 2;
	refused(0xb0000000, 1, "PCI's configuration");
	refused(0xbffffffc, 4, "PCI's configuration");
	refused(0xaffff000, 0x20000000, "PCI's configuration");
	refused(0x4008000000, 4, "PCI's configuration");
	refused(0x40080ff000, 4, "PCI's configuration");
	assert_int_equal(try(0xaffff000, 0x1000, &why), 0);
	assert_int_equal(try(0xc0000000, 0x1000, &why), 0);
	assert_int_equal(try(0x4007fff000, 0x1000, &why), 0);
	assert_int_equal(try(0x4008100000, 0x1000, &why), 0);
}

static void test_mapped_once(void **state)
{
	volatile void *at;
	const char *why;

	(void)state;
	assert_int_equal(device_memory_map(0xe0001010, 0x20, &at, &why), 0);
	assert_ptr_equal(at, window + 0x10);
	assert_int_equal(window_phys, 0xe0001000);
	assert_int_equal(device_memory_map(0xe0001ffe, 2, &at, &why), 0);
	assert_ptr_equal(at, window + 0xffe);
	assert_int_equal(maps, 1);
	/* More than there is. */
	assert_int_equal(device_memory_map(0xe0001ffe, 3, &at, &why), 0);
	assert_int_equal(maps, 2);
	assert_int_equal(device_memory_map(0xe0002000, 0x1000, &at, &why), 0);
	assert_ptr_equal(at, window + 0x1000);
	assert_int_equal(maps, 2);
}

static void test_no_memory(void **state)
{
	const char *why;

	(void)state;
	no_memory = true;
	assert_int_equal(try(0xd0000000, 0x1000, &why), -ENOMEM);
	assert_non_null(strstr(why, "cannot be mapped"));
	objects_fail = true;
	assert_int_equal(try(0xd0000000, 0x1000, &why), -ENOMEM);
	no_memory = objects_fail = false;
	assert_int_equal(try(0xd0000000, 0x1000, &why), 0);
}

static void test_widths(void **state)
{
	static const unsigned widths[] = {1, 2, 4, 8};
	uint8_t bytes[24];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		unsigned width = widths[i];
		uint64_t mask = UINT64_MAX >> (64 - 8 * width), value;

		memset(bytes, 0xa5, sizeof(bytes));
		device_memory_write(bytes + 5, width, UINT64_C(0x8877665544332211));
		assert_int_equal(device_memory_read(bytes + 5, width),
				 UINT64_C(0x8877665544332211) & mask);
		memcpy(&value, bytes + 5, width);
		assert_int_equal(bytes[4], 0xa5);
		assert_int_equal(bytes[5 + width], 0xa5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_is_no_device, setup),
		cmocka_unit_test_setup(test_pci_configuration, setup),
		cmocka_unit_test_setup(test_mapped_once, setup),
		cmocka_unit_test_setup(test_no_memory, setup),
		cmocka_unit_test_setup(test_widths, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
