/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mechanism #1 against a model of it: any ports around it, any width, any
 * value; functions with masks from the input. Each byte that a guest reads is
 * what the model says.
 */
/* test-sources: devices/pci tests/host/devices/pci_info_fake.c */
/* test-sources: devices/chipset/reset_control.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "tests/host/devices/fake.h"

#include <stdlib.h>
#include <string.h>

#define FUNCTIONS   4 /* of which the first is the host bridge */
#define FIRST_PORT  0xcf4
#define ADDRESS	    0xcf8
#define DATA	    0xcfc
#define ADDRESS_MAX 0x80fffffc

static struct device fuzz_device = {.id = "fuzz"};
static struct pci_function *functions[FUNCTIONS - 1];

/* What there is, told by nothing that is under test but the host bridge's first contents. */
static struct {
	uint32_t address;
	unsigned devfn[FUNCTIONS];
	struct pci_config_byte config[FUNCTIONS][PCI_CONFIG_SIZE];
} model;

struct input {
	const uint8_t *data;
	size_t left;
};

static uint32_t take(struct input *in, size_t n)
{
	uint32_t value = 0;

	n = MIN(n, in->left);
	memcpy(&value, in->data, n);
	in->data += n;
	in->left -= n;
	return value;
}

static void add_function(struct input *in, struct pci_bus *bus, unsigned n)
{
	static const uint8_t zeroes[PCI_CONFIG_SIZE];
	const struct pci_function_desc desc = {.config = zeroes, .config_size = sizeof(zeroes)};
	unsigned i, count = take(in, 1) % 16;
	struct pci_function *f;

	model.devfn[n] = take(in, 1);
	fuzz_device.vm = &fake_vm;
	if (pci_function_make(&fuzz_device, bus, (uint8_t)model.devfn[n], &desc, &f))
		abort();
	for (i = 0; i < count; i++) {
		unsigned width = 1u << take(in, 1) % 3;
		unsigned offset =
			PCI_CAP_FIRST + take(in, 1) % (PCI_CONFIG_SIZE - PCI_CAP_FIRST - 4);

		pci_config_set_initial(&f->config, offset, width, take(in, 4));
		pci_config_set_writable(&f->config, offset, width, take(in, 4));
		pci_config_set_clear(&f->config, offset, width, take(in, 4));
	}
	pci_config_reset(&f->config);
	for (i = 0; i < n; i++)
		if (model.devfn[i] == model.devfn[n])
			break;
	functions[n - 1] = f;
	if (pci_function_publish(f))
		model.devfn[n] = PCI_DEVFNS; /* nowhere */
	if ((i < n) != (model.devfn[n] == PCI_DEVFNS))
		abort();
}

/* Once all are there: the header's multi-function bit knows the others. */
static void copy_functions(struct pci_bus *bus)
{
	unsigned n;

	for (n = 0; n < FUNCTIONS; n++) {
		const struct pci_function *f = n ? functions[n - 1] : bus->functions[0];

		memcpy(model.config[n], f->config.bytes, sizeof(model.config[n]));
	}
}

/* The byte of the model that data port @port leads to: its function, or FUNCTIONS. */
static unsigned lookup(unsigned port, unsigned *offset)
{
	unsigned n;

	*offset = (model.address & 0xfc) + port - DATA;
	for (n = 0; n < FUNCTIONS; n++)
		if (model.address >> 31 && model.devfn[n] < PCI_DEVFNS &&
		    (model.address >> 8 & 0xffff) == model.devfn[n])
			break;
	return n;
}

static uint8_t model_read(unsigned port)
{
	unsigned offset, n;

	if (port < DATA || port > DATA + 3)
		return 0xff;
	n = lookup(port, &offset);
	return n < FUNCTIONS ? model.config[n][offset].value : 0xff;
}

static void model_write(unsigned port, uint8_t value)
{
	unsigned offset, n, bit;

	if (port < DATA || port > DATA + 3)
		return;
	n = lookup(port, &offset);
	for (bit = 1; n < FUNCTIONS && bit < 0x100; bit <<= 1) {
		struct pci_config_byte *b = &model.config[n][offset];

		if (b->writable & bit)
			b->value = (uint8_t)((b->value & ~bit) | (value & bit));
		if (b->clear & value & bit)
			b->value &= (uint8_t)~bit;
	}
}

static void do_write(unsigned port, unsigned width, uint32_t value)
{
	unsigned i;

	fake_out((uint16_t)port, width, value);
	if (port == ADDRESS && width == 4) {
		model.address = value & ADDRESS_MAX;
		return;
	}
	for (i = 0; i < width; i++)
		model_write(port + i, (uint8_t)(value >> (8 * i)));
}

static void check_read(unsigned port, unsigned width)
{
	uint32_t value = fake_in((uint16_t)port, width), expected = 0;
	unsigned i;

	if (port == 0xcf9 && width == 1)
		return; /* the reset register's */
	for (i = 0; i < width; i++)
		expected |= (uint32_t)model_read(port + i) << (8 * i);
	if (port == ADDRESS && width == 4)
		expected = model.address;
	if (value != expected)
		abort();
}

static void do_reset(void)
{
	unsigned n, i;

	fake_reset();
	model.address = 0;
	for (n = 0; n < FUNCTIONS; n++)
		for (i = 0; i < PCI_CONFIG_SIZE; i++)
			model.config[n][i].value = model.config[n][i].initial;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct pci_bus *bus;
	unsigned n;

	memset(&model, 0, sizeof(model));
	fake_start(1);
	if (!fake_create("pci", "pci0", NULL) || !fake_create("reset-control", "reset", NULL))
		abort();
	bus = device_iface(&fake_vm, "pci0", PCI_BUS_KIND);
	for (n = 1; n < FUNCTIONS; n++)
		add_function(&in, bus, n);
	copy_functions(bus);
	while (in.left) {
		unsigned op = take(&in, 1), port = FIRST_PORT + (op & 0xf);
		unsigned width = 1u << (op >> 4 & 3) % 3;

		if (op == 0xff)
			do_reset();
		else if (op >> 6 == 3) /* straight to a function */
			do_write(ADDRESS, 4, 0x80000000 | model.devfn[op & 3] << 8 | take(&in, 1));
		else if (op >> 6)
			do_write(port, width, take(&in, width));
		check_read(port, width);
	}
	fake_end();
	for (n = 1; n < FUNCTIONS; n++)
		pci_function_free(functions[n - 1]);
	return 0;
}
