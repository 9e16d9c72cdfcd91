/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/hostdev/host_config.c */
/* Configuration spaces of devices that are made in software. */
#include "devices/hostdev/host_config.h"

#include "devices/pci/pci_regs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct host_config_ids ids = {0x1234, 0x5678, 0x9abc, 0xdef0, 0x010203, 0x42, 1};

static uint32_t at(const struct host_config *config, unsigned offset, unsigned width)
{
	return (uint32_t)host_config_read(config, offset, width);
}

static void test_header(void **state)
{
	struct host_config config;
	unsigned i;

	(void)state;
	memset(&config, 0xff, sizeof(config));
	host_config_init(&config, &ids);
	assert_int_equal(at(&config, 0, 4), 0x56781234);
	assert_int_equal(at(&config, 4, 4), 0);
	assert_int_equal(at(&config, 8, 4), 0x01020342);
	assert_int_equal(at(&config, 0x2c, 4), 0xdef09abc);
	assert_int_equal(at(&config, 0x34, 4), 0);
	assert_int_equal(at(&config, 0x3c, 4), 0x100);
	for (i = 0x40; i < HOST_CONFIG_SIZE; i += 4)
		assert_int_equal(at(&config, i, 4), 0);
}

static void test_capabilities(void **state)
{
	struct host_config config;
	unsigned pm, msi, msix, vendor;

	(void)state;
	host_config_init(&config, &ids);
	pm = host_config_add_pm(&config);
	msi = host_config_add_msi(&config, 32);
	msix = host_config_add_msix(&config, 2048, 3, 0x1000, 5, 0x28000);
	vendor = host_config_add(&config, PCI_CAP_VENDOR, "\x05xyz", 4);
	assert_int_equal(at(&config, PCI_STATUS, 2), PCI_STATUS_CAPABILITIES);
	assert_int_equal(at(&config, PCI_CAPABILITIES, 1), pm);
	assert_int_equal(at(&config, pm, 4), 0x00030001 | msi << 8);
	assert_int_equal(at(&config, pm + 4, 4), 0);
	/* 64 bits, masks, 32 vectors. */
	assert_int_equal(at(&config, msi, 4), 0x018a0005 | msix << 8);
	assert_int_equal(msix - msi, 24);
	assert_int_equal(at(&config, msix, 4), 0x07ff0011 | vendor << 8);
	assert_int_equal(at(&config, msix + 4, 4), 0x1003);
	assert_int_equal(at(&config, msix + 8, 4), 0x28005);
	assert_int_equal(vendor - msix, 12);
	assert_int_equal(at(&config, vendor, 4), 0x78050009);
	assert_int_equal(at(&config, vendor + 4, 2), 0x7a79);
	assert_true(pm % 4 == 0 && msi % 4 == 0 && msix % 4 == 0 && vendor % 4 == 0);
}

/* As many as fit, and what is there stays as it is when one does not. */
static void test_full(void **state)
{
	static const uint8_t body[HOST_CONFIG_SIZE];
	struct host_config config, before;
	unsigned n;

	(void)state;
	host_config_init(&config, &ids);
	for (n = 0; host_config_add(&config, PCI_CAP_VENDOR, body, 14); n++)
		;
	assert_int_equal(n, (256 - 64) / 16);
	before = config;
	assert_int_equal(host_config_add(&config, PCI_CAP_VENDOR, body, 1), 0);
	assert_int_equal(host_config_add_msi(&config, 1), 0);
	assert_int_equal(host_config_add_msix(&config, 1, 0, 0, 0, 0), 0);
	assert_int_equal(host_config_add_pm(&config), 0);
	assert_memory_equal(&before, &config, sizeof(config));
	host_config_init(&config, &ids);
	assert_int_equal(host_config_add(&config, PCI_CAP_VENDOR, body, SIZE_MAX), 0);
	assert_int_equal(host_config_add(&config, PCI_CAP_VENDOR, body, 191), 0);
	assert_int_equal(host_config_add(&config, PCI_CAP_VENDOR, body, 190), 0x40);
}

static void test_access(void **state)
{
	struct host_config config;

	(void)state;
	host_config_init(&config, &ids);
	host_config_set(&config, 0xfc, 0x11223344, 4);
	host_config_set(&config, 0xfd, 0x9999, 1);
	assert_int_equal(at(&config, 0xfc, 4), 0x11229944);
	assert_int_equal(at(&config, 0xfe, 2), 0x1122);
	assert_int_equal(at(&config, 0xff, 1), 0x11);
	assert_true(host_config_read(&config, 0xff, 2) == UINT64_MAX);
	assert_true(host_config_read(&config, 0xfd, 4) == UINT64_MAX);
	assert_true(host_config_read(&config, 0x100, 1) == UINT64_MAX);
	assert_true(host_config_read(&config, UINT64_MAX, 1) == UINT64_MAX);
	assert_true(host_config_read(&config, 0xf0, 8) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_access),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
