/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-runs: 6000 */
/*
 * A guest and devices that do anything to PCI: functions of any shape on three
 * buses, configuration by both mechanisms, ports and memory anywhere, MSI-X
 * tables, interrupts, resets, functions that come and go. After each step:
 * what both mechanisms read is the same, the identity of a function has not
 * changed, each access went to whom the registers say, and each pin is as its
 * functions want it.
 */
/* test-sources: devices/pci tests/host/devices/pci_info_fake.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: vmm/device_key_value.c lib/parse.c kernel/boot_info.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/devices/pci_model.c */
/* test-sources: devices/chipset/reset_control.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "kernel/command.h"
#include "tests/host/devices/fake.h"
#include "tests/host/devices/pci_info_fake.h"
#include "tests/host/devices/pci_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS 6
#define BUSES	  3
#define ADDRESS	  0xcf8
#define DATA	  0xcfc
#define ENABLE	  0x80000000u
#define ECAM	  0xe0000000u

#define CHECK(condition_)                                                   \
	do {                                                                \
		if (!(condition_)) {                                        \
			fprintf(stderr, "%d: %s\n", __LINE__, #condition_); \
			abort();                                            \
		}                                                           \
	} while (0)

struct card {
	struct device dev;
	struct pci_function *f; /* NULL: it is not there */
	uint8_t identity[4];
	bool level;
};

static struct card cards[FUNCTIONS];
static struct pci_bus *buses[BUSES];
static uint32_t address; /* of mechanism #1 */
/* The region that the last access reached, and how many did. */
static const struct pci_region *reached;
static unsigned reaches;

struct input {
	const uint8_t *data;
	size_t left;
};

static uint64_t take(struct input *in, size_t n)
{
	uint64_t value = 0;

	n = MIN(n, in->left);
	memcpy(&value, in->data, n);
	in->data += n;
	in->left -= n;
	return value;
}

/* The opaque of a region: which one of which card it is. */
static char tags[FUNCTIONS][PCI_REGIONS];

static void reach(void *opaque, uint64_t offset, unsigned width)
{
	unsigned at = (unsigned)((char *)opaque - &tags[0][0]);
	const struct pci_region *r = &cards[at / PCI_REGIONS].f->regions[at % PCI_REGIONS];

	CHECK(offset + width <= r->desc.size && offset < r->desc.size);
	CHECK(!r->desc.io || (width <= 4 && offset % width == 0));
	reached = r;
	reaches++;
}

static int card_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
		     uint64_t *value)
{
	reach(opaque, offset, width);
	*value = offset;
	return offset & 0x40 ? -5 : 0;
}

static int card_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
		      uint64_t value __unused)
{
	reach(opaque, offset, width);
	return 0;
}

static const struct hook_ops card_ops = {.read = card_read, .write = card_write};

/* Devices call back from within what they are told. */
static void card_command(void *opaque, uint16_t command)
{
	struct card *c = opaque;

	if (c->f) {
		pci_function_intx(c->f, c->level);
		CHECK(!(command & PCI_COMMAND_MASTER) || (c->f->command & PCI_COMMAND_MASTER));
	}
}

static void card_reset(void *opaque)
{
	struct card *c = opaque;

	c->level = false;
	pci_function_intx(c->f, false);
	pci_function_message(c->f, 0);
}

static void card_config_read(void *opaque __unused, unsigned offset, unsigned width,
			     uint32_t *value __unused)
{
	CHECK(width <= 4 && offset + width <= PCI_CONFIG_SIZE_EXT);
}

static void card_config_written(void *opaque __unused, unsigned offset, unsigned width,
				uint32_t value)
{
	CHECK(width <= 4 && offset + width <= PCI_CONFIG_SIZE_EXT);
	CHECK(width == 4 || value < BIT(8 * width));
}

static const struct pci_function_ops card_function_ops = {
	.config_read = card_config_read,
	.config_written = card_config_written,
	.command = card_command,
	.reset = card_reset,
};

/* Shapes that are right, but for 0x1f: what is refused is not looked at for long. */
static void take_region(struct input *in, struct pci_bar *bar, unsigned card, unsigned n)
{
	unsigned shape = (unsigned)take(in, 1), size = shape & 0x1f;
	bool rom = n == PCI_BAR_ROM;

	bar->ops = &card_ops;
	bar->opaque = &tags[card][n];
	bar->io = !rom && (shape & 0x40);
	bar->wide = !rom && (shape & 0x80) && (n < PCI_BARS - 1 || size == 0x1f);
	bar->prefetchable = !rom && !bar->io && (shape & 0x20);
	if (size == 0x1f) {
		bar->size = take(in, 6);
		return;
	}
	bar->wide &= !bar->io;
	if (size && (rom || !n || !bar[-1].wide || !bar[-1].size))
		bar->size = BIT(rom ? 11 + size % 14 : bar->io ? 2 + size % 11 : 4 + size % 26);
}

/* Any of those that the bus knows, in any order; then bytes anywhere. */
static void take_config(struct input *in, uint8_t *config, unsigned n)
{
	static const uint8_t ids[] = {PCI_CAP_PM, PCI_CAP_MSI, PCI_CAP_MSIX, PCI_CAP_PCIE,
				      PCI_CAP_VENDOR};
	unsigned i, j, caps = (unsigned)take(in, 1), count = (unsigned)take(in, 1) % 8;

	memset(config, 0, PCI_CONFIG_SIZE_EXT);
	config[0] = (uint8_t)(n + 1);
	config[PCI_INTERRUPT_PIN] = (uint8_t)(take(in, 1) % 5);
	for (i = 0; i < sizeof(ids); i++) {
		uint8_t at = (uint8_t)(PCI_CAP_FIRST + 0x24 * i);

		if (!(caps >> i & 1))
			continue;
		config[at] = ids[i];
		config[at + PCI_CAP_NEXT] = config[PCI_CAPABILITIES];
		config[PCI_CAPABILITIES] = at;
		for (j = 2; j < 10; j += 2)
			config[at + j] = (uint8_t)take(in, 1);
	}
	for (i = 0; i < count; i++)
		config[PCI_CAP_FIRST + take(in, 2) % (PCI_CONFIG_SIZE_EXT - PCI_CAP_FIRST)] =
			(uint8_t)take(in, 1);
}

static void add_card(struct input *in, unsigned n)
{
	struct pci_function_desc desc = {.ops = &card_function_ops, .opaque = &cards[n]};
	static uint8_t config[PCI_CONFIG_SIZE_EXT];
	struct card *c = &cards[n];
	unsigned i;

	if (c->f)
		return;
	take_config(in, config, n);
	desc.config = config;
	desc.config_size = n & 1 ? PCI_CONFIG_SIZE_EXT : PCI_CONFIG_SIZE;
	for (i = 0; i < PCI_BARS; i++)
		take_region(in, &desc.bars[i], n, i);
	take_region(in, &desc.rom, n, PCI_BAR_ROM);
	snprintf(c->dev.id, sizeof(c->dev.id), "card%u", n);
	c->dev.vm = &fake_vm;
	c->level = false;
	if (pci_function_add(&c->dev, buses[take(in, 1) % BUSES], (uint8_t)take(in, 1), &desc,
			     &c->f))
		c->f = NULL;
	else
		memcpy(c->identity, config, sizeof(c->identity));
}

static void remove_card(unsigned n)
{
	struct pci_function *f = cards[n].f;

	if (!f)
		return;
	fake_release(f);
	/* It may still call. */
	pci_function_intx(f, true);
	pci_function_message(f, 0);
	CHECK(!pci_function_master(f) && !f->asserted);
	pci_function_free(f);
	cards[n].f = NULL;
}

/* Whether the map has @r at byte @at. */
static bool has_window(const struct pci_map *map, const struct pci_region *r, uint64_t at)
{
	uint32_t i;

	for (i = 0; i < map->count; i++)
		if (map->windows[i].first <= at && at <= map->windows[i].last)
			return map->windows[i].region == r;
	return !r;
}

/* The maps say what the registers say, at both ends of whatever is seen. */
static void check_maps(const struct pci_root *root)
{
	unsigned i, n, space;

	for (space = 0; space < PCI_SPACES; space++) {
		const struct pci_map *map = root->maps[space];
		const struct pci_window *w = map->windows;

		for (i = 0; i < map->count; i++) {
			CHECK(w[i].first <= w[i].last && (!i || w[i - 1].last < w[i].first));
			CHECK(w[i].region == pci_model_owner(root, space == PCI_PORTS, w[i].first));
			CHECK(w[i].region == pci_model_owner(root, space == PCI_PORTS, w[i].last));
		}
	}
	for (i = 0; i < FUNCTIONS; i++)
		for (n = 0; cards[i].f && n < PCI_REGIONS; n++) {
			const struct pci_region *r = &cards[i].f->regions[n];
			const struct pci_map *map = root->maps[r->desc.io ? PCI_PORTS : PCI_MEMORY];

			if (r->desc.size && r->base)
				CHECK(has_window(map, pci_model_owner(root, r->desc.io, r->base),
						 r->base));
		}
}

/* A region's address is its registers', unless it was just asked for its size. */
static void check_base(const struct pci_region *r)
{
	uint64_t base = pci_config_read(&r->f->config, r->reg, 4);

	if (!r->desc.size || r->sizing)
		return;
	if (r->desc.wide)
		base |= (uint64_t)pci_config_read(&r->f->config, r->reg + 4u, 4) << 32;
	base &= ~(r->desc.size - 1);
	if (base >= (r->desc.io ? BIT(16) : r->desc.wide ? BIT(52) : BIT(32)))
		base = 0;
	CHECK(r->base == base);
}

static void check_cards(const struct pci_root *root)
{
	unsigned want[PCI_PINS] = {0}, i, n;

	for (i = 0; i < FUNCTIONS; i++) {
		struct pci_function *f = cards[i].f;
		uint32_t command;

		if (!f)
			continue;
		for (n = 0; n < sizeof(cards[i].identity); n++)
			CHECK(f->config.bytes[n].value == cards[i].identity[n]);
		for (n = 0; n < PCI_REGIONS; n++)
			check_base(&f->regions[n]);
		command = pci_config_read(&f->config, PCI_COMMAND, 2);
		if (f->pm && (pci_config_read(&f->config, f->pm + 4u, 1) & 3))
			command |= PCI_COMMAND_INTX;
		if (f->pin && cards[i].level && !(command & PCI_COMMAND_INTX) &&
		    pci_function_irq_mode(f) == PCI_IRQ_INTX)
			want[f->route]++;
		CHECK(!!(pci_config_read(&f->config, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT) ==
		      (f->pin && cards[i].level));
	}
	for (i = 0; i < PCI_PINS; i++) {
		CHECK(root->pins[i].asserting == want[i]);
		CHECK(fake_line(16 + i) == (want[i] > 0));
	}
	CHECK(fake_line(10) == (want[0] + want[2] > 0));
	CHECK(fake_line(11) == (want[1] + want[3] > 0));
}

/* An access of a byte reaches its owner and nobody else; the MSI-X structures are the bus's. */
static void check_access(const struct pci_root *root, bool io, uint64_t at, bool write)
{
	const struct pci_region *r = pci_model_owner(root, io, at);

	if (io ? at >= ADDRESS && at < DATA + 4 : at >= ECAM && at < ECAM + 0x10000000ull)
		return;
	reaches = 0;
	reached = NULL;
	if (io && write)
		fake_out((uint16_t)at, 1, 0x5a);
	else if (io)
		fake_in((uint16_t)at, 1);
	else if (write)
		fake_mmio_write(0, at, 1, 0x5a);
	else
		fake_mmio_read(0, at, 1);
	if (r && r->has_msix && pci_msix_owns(r->f, (unsigned)(r - r->f->regions), at - r->base))
		r = NULL;
	CHECK(reached == r && reaches == (r ? 1 : 0));
}

static void do_config(struct input *in, unsigned op)
{
	uint16_t function = (uint16_t)take(in, 2);
	unsigned width = 1u << (op & 3) % 3, at = (unsigned)take(in, 2) % PCI_CONFIG_SIZE_EXT;
	const struct card *c = &cards[function % FUNCTIONS];
	uint64_t value = take(in, (op & 4) ? 8 : width), expected;

	/* Mostly somebody's, and mostly where there is something. */
	if ((op & 8) && c->f && c->f->bus->number >= 0)
		function = (uint16_t)(c->f->bus->number << 8 | c->f->devfn);
	if (op & 0x10)
		at %= 0x40;
	else if (op & 0x20)
		at %= PCI_CONFIG_SIZE;
	if (op & 4) {
		fake_mmio_write(0, ECAM + ((uint64_t)function << 12) + at, 8, value);
		fake_mmio_read(0, ECAM + ((uint64_t)function << 12) + at, 8);
	} else {
		address = ENABLE | (uint32_t)function << 8 | (at & 0xfc);
		fake_out(ADDRESS, 4, address);
		fake_out((uint16_t)(DATA + (at & 3)), width, (uint32_t)value);
	}
	/* Both see the same. */
	at &= 0xff;
	if ((at & 3) + width > 4)
		at &= ~3u;
	fake_out(ADDRESS, 4, ENABLE | (uint32_t)function << 8 | (at & 0xfc));
	expected = fake_mmio_read(0, ECAM + ((uint64_t)function << 12) + at, width);
	CHECK(fake_in((uint16_t)(DATA + (at & 3)), width) == (uint32_t)expected);
}

/* Around a card's region, or anywhere. */
static void do_access(struct input *in, unsigned op, const struct pci_root *root)
{
	const struct card *c = &cards[take(in, 1) % FUNCTIONS];
	uint64_t at = take(in, (op & 1) ? 2 : 7) & (BIT(52) - 1);
	const struct pci_region *r = c->f ? &c->f->regions[(op >> 1 & 7) % PCI_REGIONS] : NULL;
	unsigned width = 1u << (op >> 4 & 3);
	bool io = op & 8;

	if (r && r->desc.size && (op & 1)) {
		io = r->desc.io;
		at = r->base + (at < 0x8000 ? at % (r->desc.size + 8) : at - 0x10000);
	}
	if (io) {
		width = MIN(width, 4u);
		fake_out((uint16_t)at, width, (uint32_t)take(in, width));
		fake_in((uint16_t)at, width);
		at = (uint16_t)at;
	} else if (at + 16 < BIT(52)) {
		fake_mmio_write(0, at, width, take(in, width));
		fake_mmio_read(0, at, width);
	} else {
		return;
	}
	check_access(root, io, at, false);
	check_access(root, io, at, true);
}

static void do_device(struct input *in, unsigned op)
{
	unsigned n = (unsigned)take(in, 1) % FUNCTIONS;
	struct card *c = &cards[n];

	if (!c->f || (op & 0xf) == 0) {
		if ((op & 0x10) && c->f)
			remove_card(n);
		else
			add_card(in, n);
		return;
	}
	if (op & 1) {
		c->level = op & 2;
		pci_function_intx(c->f, c->level);
	} else {
		pci_function_message(c->f, (unsigned)take(in, 2));
	}
}

static void do_whole(struct input *in, unsigned op)
{
	char *argv[] = {"pci", "fake", NULL};

	if (op & 1) {
		fake_reset();
		address = 0;
	} else {
		fake_console[0] = 0;
		TABLE_START(info_topics)->run(argv);
	}
	if (op & 2)
		irq_line_eoi(&fake_vm, 16 + (unsigned)take(in, 1) % 4);
}

static void start(struct input *in)
{
	static const char *const first[] = {"addr=2", NULL}, *const second[] = {"bus=br1", NULL};
	unsigned i;

	address = 0;
	fake_start(1);
	fake_vm.devices = (struct device_manager *)cards; /* there is one: the fakes' */
	if (!fake_create("pci", "pci0", NULL) || !fake_create("reset-control", "reset", NULL) ||
	    !fake_create("pci-bridge", "br1", first) || !fake_create("pci-bridge", "br2", second) ||
	    !fake_create("isa-bridge", "isa0", NULL))
		abort();
	buses[0] = device_iface(&fake_vm, "pci0", PCI_BUS_KIND);
	buses[1] = device_iface(&fake_vm, "br1", PCI_BUS_KIND);
	buses[2] = device_iface(&fake_vm, "br2", PCI_BUS_KIND);
	for (i = 0; i < 2; i++)
		add_card(in, i);
	fake_reset();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct pci_function *left[FUNCTIONS];
	unsigned i;

	start(&in);
	while (in.left) {
		unsigned op = (unsigned)take(&in, 1);

		if (op < 0x60)
			do_config(&in, op);
		else if (op < 0xc0)
			do_access(&in, op, buses[0]->root);
		else if (op < 0xfc)
			do_device(&in, op);
		else
			do_whole(&in, op);
		check_cards(buses[0]->root);
		if (op < 0x60 || op >= 0xc0)
			check_maps(buses[0]->root);
	}
	/* Functions that are there go with the VM, and are freed when all is gone. */
	for (i = 0; i < FUNCTIONS; i++)
		left[i] = cards[i].f;
	fake_end();
	for (i = 0; i < FUNCTIONS; i++)
		pci_function_free(left[i]);
	memset(cards, 0, sizeof(cards));
	return 0;
}
