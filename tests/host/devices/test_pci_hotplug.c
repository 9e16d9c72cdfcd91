/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/pci devices/chipset/pm.c vmm/irq.c kernel/boot_info.c lib/parse.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: vmm/device_key_value.c tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/devices/pci_info_fake.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/* Slots that get devices and lose them, by the registers that a guest's ACPI methods use. */
#include "devices/acpi_node.h"
#include "devices/pci/pci_function.h"
#include "tests/host/devices/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UP	   0xae00
#define DOWN	   0xae04
#define EJECT	   0xae08
#define GPE_STATUS 0x620
#define GPE_ENABLE 0x624
#define GPE	   2u /* event 1 */

static unsigned cards;

static void card_destroy(struct device *dev)
{
	pci_function_free(*(struct pci_function **)dev->state);
	free(dev->state);
	cards--;
}

static int card_create(struct device *dev, const struct device_config *config)
{
	const uint8_t bytes[256] = {0x78, 0x56, 0x34, 0x12};
	struct pci_function_desc desc = {.config = bytes, .config_size = sizeof(bytes)};
	struct pci_bus *bus = device_iface(dev->vm, "pci0", PCI_BUS_KIND);
	struct pci_function **f = calloc(1, sizeof(*f));
	uint8_t devfn;

	dev->state = f;
	cards++;
	if (pci_address_parse(dev, bus, "addr", device_config_string(config, "addr"), &devfn))
		return -1;
	return pci_function_add(dev, bus, devfn, &desc, f);
}

static bool card_unplug(struct device *dev)
{
	return pci_function_unplug(*(struct pci_function **)dev->state);
}

static const struct device_key card_keys[] = {
	{.name = "addr", .kind = KEY_STRING, .def = "", .help = "where"},
	{},
};

DEVICE_TYPE(card_type, .name = "card", .help = "a function", .keys = card_keys,
	    .create = card_create, .destroy = card_destroy, .unplug = card_unplug);
DEVICE_TYPE(chip_type, .name = "chip", .help = "one that is soldered on", .keys = card_keys,
	    .create = card_create, .destroy = card_destroy);

static int setup(void **state)
{
	(void)state;
	fake_start(1);
	assert_non_null(fake_create("pm", "pm", NULL));
	assert_non_null(fake_create("pci", "pci0", NULL));
	assert_non_null(fake_create("pci-hotplug", "pci-hotplug", NULL));
	fake_vm.state = VM_RUNNING;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	assert_int_equal(cards, 0);
	return 0;
}

static struct device *add(const char *type, const char *addr)
{
	char key[16];
	const char *const keys[] = {key, NULL};
	struct device *dev;

	snprintf(key, sizeof(key), "addr=%s", addr);
	dev = fake_create(type, addr, keys);
	assert_non_null(dev);
	return dev;
}

/* As the guest's method: acknowledges what it reads. */
static uint32_t take(uint16_t port)
{
	uint32_t value = fake_in(port, 4);

	fake_out(port, 4, value);
	return value;
}

static void test_comes_and_vanishes(void **state)
{
	struct device *dev;

	(void)state;
	fake_out(GPE_ENABLE, 1, GPE);
	dev = add("card", "5");
	assert_true(fake_line(9));
	fake_out(GPE_STATUS, 1, GPE);
	assert_false(fake_line(9));
	assert_int_equal(take(UP), 1u << 5);
	assert_int_equal(take(UP), 0);
	/* Taken away without a question: the guest looks, and finds nobody. */
	assert_int_equal(device_destroy(dev), 0);
	assert_true(fake_line(9));
	assert_int_equal(take(UP), 1u << 5);
	assert_int_equal(take(DOWN), 0);
}

static void test_guest_is_asked(void **state)
{
	struct device *dev = add("card", "1f"), *other = add("card", "1f.3");

	(void)state;
	assert_int_equal(take(UP), 1u << 31);
	fake_out(GPE_STATUS, 1, GPE);
	assert_false(dev->type->unplug(dev)); /* it does not listen */
	fake_out(GPE_ENABLE, 1, GPE);
	assert_false(fake_line(9));
	assert_true(other->type->unplug(other));
	assert_true(fake_line(9));
	fake_out(GPE_STATUS, 1, GPE);
	assert_int_equal(take(UP), 0);
	assert_int_equal(take(DOWN), 1u << 31);
	fake_out(EJECT, 4, 1u << 31 | 1u << 4); /* one is empty */
	assert_int_equal(cards, 2);
	fake_run_deferred();
	assert_int_equal(cards, 0);
	/* It knows already. */
	assert_false(fake_line(9));
	assert_int_equal(take(UP), 0);
	fake_out(EJECT, 4, 1u << 31);
	fake_run_deferred();
}

/* A request that a guest leaves lying ends with the device. */
static void test_request_ends_with_the_device(void **state)
{
	struct device *dev = add("card", "7");

	(void)state;
	fake_out(GPE_ENABLE, 1, GPE);
	assert_true(dev->type->unplug(dev));
	assert_int_equal(device_destroy(dev), 0);
	assert_int_equal(take(DOWN), 0);
	assert_int_equal(take(UP), 1u << 7);
}

static void test_soldered_on(void **state)
{
	const struct acpi_hotplug *h = device_iface(&fake_vm, NULL, ACPI_HOTPLUG_KIND);
	uint32_t before = h->slots(h->opaque);
	unsigned lines;

	(void)state;
	assert_false(before & 1); /* the host bridge */
	assert_true(before & 1u << 9);
	add("card", "8");
	add("chip", "9");
	add("card", "a");
	add("chip", "a.1");
	assert_int_equal(h->slots(h->opaque), before & ~(1u << 9 | 1u << 10));
	/* A guest may do so all day: what is said of it is limited. */
	lines = fake_unlimited;
	fake_out(EJECT, 4, UINT32_MAX);
	fake_run_deferred();
	assert_int_equal(cards, 3);
	assert_non_null(strstr(fake_last_log, "is soldered on"));
	assert_int_equal(fake_unlimited, lines);
}

static void test_registers(void **state)
{
	(void)state;
	add("card", "5");
	assert_int_equal(fake_in(UP, 4), 1u << 5);
	assert_int_equal(fake_in(UP, 2), 0xffff); /* by four bytes alone */
	assert_int_equal(fake_in(UP + 1, 4), UINT32_MAX);
	fake_out(UP, 1, 0x20);
	fake_out(UP, 4, ~(1u << 5)); /* others' bits */
	assert_int_equal(fake_in(UP, 4), 1u << 5);
	assert_int_equal(fake_in(EJECT, 4), 0);
	fake_reset();
	assert_int_equal(fake_in(UP, 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_comes_and_vanishes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_guest_is_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_request_ends_with_the_device, setup, teardown),
		cmocka_unit_test_setup_teardown(test_soldered_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_registers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
