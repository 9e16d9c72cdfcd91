/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/devices/pci_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORLD_FUNCTIONS 300
#define WORLD_MESSAGES	4096
#define ADDRESS		0xcf8
#define DATA		0xcfc
#define ENABLE		0x80000000u

static struct world_function *functions[WORLD_FUNCTIONS];
static unsigned function_count;
static struct {
	uint64_t address;
	uint32_t data;
} messages[WORLD_MESSAGES];
static unsigned message_first, message_last;

static void note_message(void *opaque, uint64_t address, uint32_t data)
{
	(void)opaque;
	assert_true(message_last < WORLD_MESSAGES);
	messages[message_last].address = address;
	messages[message_last++].data = data;
}

static const struct irq_controller_ops controller = {.message = note_message};

bool world_message(uint64_t *address, uint32_t *data)
{
	if (message_first == message_last) {
		message_first = message_last = 0;
		return false;
	}
	*address = messages[message_first].address;
	*data = messages[message_first++].data;
	return true;
}

void world_start(void)
{
	message_first = message_last = 0;
	fake_start(1);
	assert_int_equal(irq_set_controller(&fake_vm, &controller, NULL), 0);
	assert_non_null(fake_create("pci", "pci0", NULL));
}

void world_end(void)
{
	fake_end();
	while (function_count) {
		struct world_function *w = functions[--function_count];

		pci_function_free(w->f);
		free(w);
	}
}

struct pci_bus *world_bus(const char *id)
{
	struct pci_bus *bus = device_iface(&fake_vm, id, PCI_BUS_KIND);

	assert_non_null(bus);
	return bus;
}

static void tell(struct world_function *w, const char *fmt, ...)
{
	size_t at = strlen(w->story);
	va_list args;

	va_start(args, fmt);
	vsnprintf(w->story + at, sizeof(w->story) - at, fmt, args);
	va_end(args);
}

const char *world_story(struct world_function *w)
{
	static char story[sizeof(w->story)];

	strcpy(story, w->story);
	w->story[0] = 0;
	return story;
}

static void told_written(void *opaque, unsigned offset, unsigned width, uint32_t value)
{
	tell(opaque, "w%x/%u=%x ", offset, width, value);
}

static void told_command(void *opaque, uint16_t command)
{
	tell(opaque, "c%x ", command);
}

static void told_eoi(void *opaque)
{
	tell(opaque, "eoi ");
}

static void told_reset(void *opaque)
{
	tell(opaque, "reset ");
}

static const struct pci_function_ops ops = {
	.config_written = told_written,
	.command = told_command,
	.eoi = told_eoi,
	.reset = told_reset,
};

/* What is read tells where: the offset, and ones above it. */
static int told_bar_read(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width,
			 uint64_t *value)
{
	(void)vcpu;
	tell(opaque, "r%lx/%u ", offset, width);
	*value = UINT64_C(0xf0f0f0f0f0f00000) | (offset & 0xffff);
	return 0;
}

static int told_bar_write(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width,
			  uint64_t value)
{
	(void)vcpu;
	tell(opaque, "W%lx/%u=%lx ", offset, width, value);
	((struct world_function *)opaque)->last = value;
	return 0;
}

static const struct hook_ops bar_ops = {.read = told_bar_read, .write = told_bar_write};

struct world_function *world_function(const char *id)
{
	struct world_function *w = calloc(1, sizeof(*w));

	assert_true(function_count < WORLD_FUNCTIONS);
	functions[function_count++] = w;
	snprintf(w->dev.id, sizeof(w->dev.id), "%s", id);
	w->dev.vm = &fake_vm;
	w->config[PCI_VENDOR_ID] = 0x34;
	w->config[PCI_VENDOR_ID + 1] = 0x12;
	w->config[PCI_DEVICE_ID] = 1;
	w->config[PCI_INTERRUPT_PIN] = 1;
	w->desc.config = w->config;
	w->desc.config_size = PCI_CONFIG_SIZE;
	w->desc.ops = &ops;
	w->desc.opaque = w;
	return w;
}

void world_cap(struct world_function *w, uint8_t at, uint8_t id)
{
	w->config[at] = id;
	w->config[at + PCI_CAP_NEXT] = w->config[PCI_CAPABILITIES];
	w->config[PCI_CAPABILITIES] = at;
}

void world_bar(struct world_function *w, unsigned number, struct pci_bar bar)
{
	bar.ops = &bar_ops;
	bar.opaque = w;
	*(number == PCI_BAR_ROM ? &w->desc.rom : &w->desc.bars[number]) = bar;
}

int world_add(struct world_function *w, struct pci_bus *bus, uint8_t devfn)
{
	return pci_function_add(&w->dev, bus, devfn, &w->desc, &w->f);
}

void world_remove(struct world_function *w)
{
	fake_release(w->f);
}

uint32_t config_in(uint16_t address, unsigned offset, unsigned width)
{
	fake_out(ADDRESS, 4, ENABLE | (uint32_t)address << 8 | (offset & 0xfc));
	return fake_in((uint16_t)(DATA + (offset & 3)), width);
}

void config_out(uint16_t address, unsigned offset, unsigned width, uint32_t value)
{
	fake_out(ADDRESS, 4, ENABLE | (uint32_t)address << 8 | (offset & 0xfc));
	fake_out((uint16_t)(DATA + (offset & 3)), width, value);
}

uint64_t ecam_in(uint16_t address, unsigned offset, unsigned width)
{
	return fake_mmio_read(0, WORLD_ECAM + ((gpa_t)address << 12) + offset, width);
}

void ecam_out(uint16_t address, unsigned offset, unsigned width, uint64_t value)
{
	fake_mmio_write(0, WORLD_ECAM + ((gpa_t)address << 12) + offset, width, value);
}
