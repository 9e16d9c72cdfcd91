/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/pci tests/host/devices/pci_info_fake.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: vmm/device_key_value.c lib/parse.c kernel/boot_info.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: devices/chipset/reset_control.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "tests/host/devices/fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ADDRESS 0xcf8
#define DATA	0xcfc
#define RESET	0xcf9
#define ENABLE	0x80000000u
#define HOST_ID 0x00081b36u

static const unsigned widths[] = {1, 2, 4};

/* A second function, with every kind of bit at every byte of its second half. */
static struct device other_device = {.id = "other"};
static struct pci_function *other;
#define OTHER_DEVFN PCI_DEVFN(31, 7)
#define OTHER_MIXED 128
#define MIXED_VALUE 0xa5
#define MIXED_WRITE 0x0f
#define MIXED_CLEAR 0x30

static uint32_t config_in(uint16_t function, unsigned offset, unsigned width)
{
	fake_out(ADDRESS, 4, ENABLE | (uint32_t)function << 8 | (offset & 0xfc));
	return fake_in((uint16_t)(DATA + (offset & 3)), width);
}

static void config_out(uint16_t function, unsigned offset, unsigned width, uint32_t value)
{
	fake_out(ADDRESS, 4, ENABLE | (uint32_t)function << 8 | (offset & 0xfc));
	fake_out((uint16_t)(DATA + (offset & 3)), width, value);
}

static uint32_t ones(unsigned width)
{
	return UINT32_MAX >> (32 - 8 * width);
}

static int make_other(uint8_t devfn, struct pci_function **out)
{
	struct pci_bus *bus = device_iface(&fake_vm, NULL, PCI_BUS_KIND);
	uint8_t bytes[PCI_CONFIG_SIZE] = {0x78, 0x56, 0x34, 0x12};
	struct pci_function_desc desc = {.config = bytes, .config_size = sizeof(bytes)};
	struct pci_config *c;
	unsigned i;
	int err;

	assert_non_null(bus);
	memset(bytes + OTHER_MIXED, MIXED_VALUE, sizeof(bytes) - OTHER_MIXED);
	other_device.vm = &fake_vm;
	assert_int_equal(pci_function_make(&other_device, bus, devfn, &desc, out), 0);
	c = &(*out)->config;
	for (i = OTHER_MIXED; i < PCI_CONFIG_SIZE; i++) {
		pci_config_set_writable(c, i, 1, MIXED_WRITE);
		pci_config_set_clear(c, i, 1, MIXED_CLEAR);
	}
	err = pci_function_publish(*out);
	if (err) {
		pci_function_free(*out);
		*out = NULL;
	}
	return err;
}

static void add_other(void)
{
	assert_int_equal(make_other(OTHER_DEVFN, &other), 0);
}

static int setup(void **state)
{
	(void)state;
	fake_start(1);
	assert_non_null(fake_create("pci", "pci0", NULL));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	pci_function_free(other);
	other = NULL;
	return 0;
}

/* As BIOSes and Linux look for it. */
static void test_detection(void **state)
{
	(void)state;
	assert_int_equal(fake_in(ADDRESS, 4), 0);
	fake_outb(ADDRESS + 3, 1);
	assert_int_equal(fake_in(ADDRESS, 4), 0);
	fake_out(ADDRESS, 4, ENABLE);
	assert_int_equal(fake_in(ADDRESS, 4), ENABLE);
	assert_int_equal(fake_in(DATA, 4), HOST_ID);
}

static void test_address(void **state)
{
	unsigned port, w;

	(void)state;
	fake_out(ADDRESS, 4, UINT32_MAX);
	assert_int_equal(fake_in(ADDRESS, 4), 0x80fffffc);
	fake_out(ADDRESS, 4, ENABLE | 0x08);
	for (port = ADDRESS - 3; port < DATA; port++)
		for (w = 0; w < 3; w++)
			if (port != ADDRESS || widths[w] != 4) {
				fake_out((uint16_t)port, widths[w], 0);
				if (port + widths[w] <= DATA)
					assert_int_equal(fake_in((uint16_t)port, widths[w]),
							 ones(widths[w]));
			}
	assert_int_equal(fake_in(ADDRESS, 4), ENABLE | 0x08);
	fake_out(ADDRESS, 4, 0x08);
	assert_int_equal(fake_in(DATA, 4), UINT32_MAX);
	assert_int_equal(fake_in(ADDRESS, 4), 0x08);
}

/* Every width at every offset reads the same bytes. */
static void check_space(uint16_t function, const uint8_t *bytes)
{
	unsigned offset, w;
	uint32_t expected;

	for (offset = 0; offset < PCI_CONFIG_SIZE; offset++)
		for (w = 0; w < 3; w++) {
			if ((offset & 3) + widths[w] > 4)
				continue;
			expected = 0;
			memcpy(&expected, bytes + offset, widths[w]);
			assert_int_equal(config_in(function, offset, widths[w]), expected);
		}
}

static void test_host_bridge(void **state)
{
	static const uint8_t header[PCI_CONFIG_SIZE] = {
		0x36, 0x1b, 0x08, 0, 0x06, 0, 0, 0, 0, 0, 0, 0x06,
	};

	(void)state;
	check_space(0, header);
}

static void test_hostile_writes(void **state)
{
	static const uint32_t values[] = {0, 0xffffffff, 0xa5a5a5a5, 0x5a5a5a5a};
	uint8_t expected[PCI_CONFIG_SIZE] = {0x36, 0x1b, 0x08, 0, 0x06, 0x00, 0, 0, 0, 0, 0, 6};
	unsigned offset, w, v;

	(void)state;
	for (v = 0; v < ARRAY_SIZE(values); v++)
		for (offset = 0; offset < PCI_CONFIG_SIZE; offset++)
			for (w = 0; w < 3; w++)
				config_out(0, offset, widths[w], values[v]);
	expected[PCI_COMMAND] = 0x46;				 /* parity errors, from 0x5a */
	expected[PCI_CACHE_LINE] = expected[PCI_LATENCY] = 0x5a; /* kept, to no effect */
	check_space(0, expected);
	config_out(0, PCI_COMMAND, 2, 0xffff);
	assert_int_equal(config_in(0, PCI_COMMAND, 4), 0x0146);
	fake_out(ADDRESS, 4, 0x04);
	fake_out(DATA, 4, 0);
	assert_int_equal(config_in(0, PCI_COMMAND, 4), 0x0146);
	fake_reset();
	assert_int_equal(fake_in(ADDRESS, 4), 0);
	assert_int_equal(config_in(0, PCI_COMMAND, 4), 0x0006);
}

/* What a byte of `other` becomes. */
static uint8_t mixed(uint8_t old, uint8_t written)
{
	old = (uint8_t)((old & ~MIXED_WRITE) | (written & MIXED_WRITE));
	return (uint8_t)(old & ~(written & MIXED_CLEAR));
}

static void test_masks(void **state)
{
	static const uint32_t values[] = {0, 0x00ff10ee, 0xffffffff};
	uint8_t bytes[PCI_CONFIG_SIZE] = {0x78, 0x56, 0x34, 0x12};
	unsigned offset, w, v, i;

	(void)state;
	memset(bytes + OTHER_MIXED, MIXED_VALUE, sizeof(bytes) - OTHER_MIXED);
	add_other();
	check_space(OTHER_DEVFN, bytes);
	for (v = 0; v < ARRAY_SIZE(values); v++)
		for (offset = OTHER_MIXED; offset < PCI_CONFIG_SIZE; offset++)
			for (w = 0; w < 3; w++) {
				if ((offset & 3) + widths[w] > 4)
					continue;
				config_out(OTHER_DEVFN, offset, widths[w], values[v]);
				for (i = 0; i < widths[w]; i++)
					bytes[offset + i] = mixed(bytes[offset + i],
								  (uint8_t)(values[v] >> (8 * i)));
				check_space(OTHER_DEVFN, bytes);
			}
	pci_function_reset(other);
	memset(bytes + OTHER_MIXED, MIXED_VALUE, sizeof(bytes) - OTHER_MIXED);
	check_space(OTHER_DEVFN, bytes);
}

/* An access that ends behind the last data port: its bytes before are the register's. */
static void test_across_the_end(void **state)
{
	(void)state;
	add_other();
	assert_int_equal(config_in(OTHER_DEVFN, 0xfd, 4), 0xffa5a5a5);
	assert_int_equal(config_in(OTHER_DEVFN, 0xff, 4), 0xffffffa5);
	assert_int_equal(config_in(OTHER_DEVFN, 0xff, 2), 0xffa5);
	config_out(OTHER_DEVFN, 0xff, 4, 0);
	assert_int_equal(config_in(OTHER_DEVFN, 0xff, 1), 0xa0);
	assert_int_equal(config_in(OTHER_DEVFN, 0xfc, 2), 0xa5a5);
	/* Beginning before the first, too. */
	fake_out(ADDRESS, 4, ENABLE | OTHER_DEVFN << 8);
	assert_int_equal(fake_in(DATA - 2, 4), 0x5678ffff);
}

/* Other mechanisms will ask for more. */
static void test_bounds(void **state)
{
	static const unsigned offsets[] = {253, 254, 255, 256, 4095, UINT32_MAX - 1, UINT32_MAX};
	static const uint8_t zeroes[PCI_CONFIG_SIZE];
	struct pci_config config;
	unsigned i;

	(void)state;
	assert_int_equal(pci_config_create(&config, zeroes, sizeof(zeroes)), 0);
	for (i = 0; i < PCI_CONFIG_SIZE; i++)
		pci_config_set_writable(&config, i, 1, 0xff);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		pci_config_write(&config, offsets[i], 4, 0x11111111);
		assert_int_equal(pci_config_read(&config, offsets[i], 4), UINT32_MAX);
	}
	pci_config_write(&config, 0, 8, 0x11111111);
	assert_int_equal(pci_config_read(&config, 0, 8), UINT32_MAX);
	assert_int_equal(pci_config_read(&config, 252, 4), 0);
	assert_int_equal(pci_config_read(&config, 0, 4), 0);
	pci_config_free(&config);
}

static void test_absent(void **state)
{
	unsigned function, w, i;

	(void)state;
	add_other();
	for (function = 0; function <= UINT16_MAX; function++) {
		if (function == 0 || function == OTHER_DEVFN)
			continue;
		for (w = 0; w < 3; w++)
			for (i = 0; i + widths[w] <= 4; i++) {
				config_out((uint16_t)function, i, widths[w], 0);
				assert_int_equal(config_in((uint16_t)function, i, widths[w]),
						 ones(widths[w]));
			}
	}
	assert_int_equal(config_in(0, 0, 4), HOST_ID);
}

static void test_functions_come_and_go(void **state)
{
	struct pci_function *third;

	(void)state;
	add_other();
	assert_int_equal(config_in(OTHER_DEVFN, 0, 4), 0x12345678);
	assert_int_equal(make_other(OTHER_DEVFN, &third), -EBUSY);
	assert_non_null(strstr(fake_last_log, "1f.7, which is device other's"));
	assert_int_equal(make_other(0, &third), -EBUSY);
	assert_non_null(strstr(fake_last_log, "00.0, which is device pci0's"));
	assert_int_equal(config_in(OTHER_DEVFN, 0, 4), 0x12345678);
}

/* With both in either order, and with the register alone: it is reset by a byte, and only so. */
static void check_reset_register(bool bus)
{
	fake_out(ADDRESS, 4, 0x80000600);
	assert_int_equal(fake_in(ADDRESS, 4), bus ? 0x80000600 : UINT32_MAX);
	fake_out(ADDRESS, 2, 0x0600);
	fake_out(RESET, 2, 0x0606);
	fake_out(RESET, 4, 0x06060606);
	fake_out(ADDRESS - 1, 4, 0x06060606);
	assert_int_equal(fake_requests, 0);
	assert_int_equal(fake_inb(RESET), 0);
	fake_outb(RESET, 2);
	assert_int_equal(fake_inb(RESET), 2);
	assert_int_equal(fake_in(ADDRESS, 4), bus ? 0x80000600 : UINT32_MAX);
	assert_int_equal(fake_requests, 0);
	fake_outb(RESET, 6);
	assert_int_equal(fake_requests, 1 << VM_REQUEST_RESET);
}

static void test_reset_register(void **state)
{
	(void)state;
	assert_non_null(fake_create("reset-control", "reset", NULL));
	check_reset_register(true);
	fake_end();
	fake_start(1);
	assert_non_null(fake_create("reset-control", "reset", NULL));
	assert_non_null(fake_create("pci", "pci0", NULL));
	check_reset_register(true);
	fake_end();
	fake_start(1);
	assert_non_null(fake_create("reset-control", "reset", NULL));
	check_reset_register(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_detection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_address, setup, teardown),
		cmocka_unit_test_setup_teardown(test_host_bridge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_masks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_across_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_functions_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_register, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
