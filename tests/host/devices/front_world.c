/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/devices/front_world.h"

#include "devices/pci/pci_regs.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_io.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/irq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ADDRESS	 0xcf8
#define DATA	 0xcfc
#define ENABLE	 0x80000000u
#define GSI_BASE 16u

unsigned front_messages;
uint64_t front_message_address;
uint32_t front_message_data;

static bool levels[IRQ_LINES];

static void sink_set(void *opaque, unsigned line, bool level)
{
	(void)opaque;
	levels[line] = level;
}

static struct irq_sink sink = {.set = sink_set};

static void message(void *opaque, uint64_t address, uint32_t data)
{
	(void)opaque;
	front_messages++;
	front_message_address = address;
	front_message_data = data;
}

static const struct irq_controller_ops controller = {.message = message};

void front_start(void)
{
	plug_start("[device \"pci0\"]\ntype = pci\n", true);
	memset(levels, 0, sizeof(levels));
	front_messages = 0;
	assert_int_equal(irq_add_sink(plug_vm, &sink), 0);
	assert_int_equal(irq_set_controller(plug_vm, &controller, NULL), 0);
	front_reset();
}

void front_end(void)
{
	irq_clear_controller(plug_vm);
	irq_remove_sink(plug_vm, &sink);
	plug_end();
}

int front_add(const char *id, const char *keys)
{
	return plug_add("pci-front", id, keys);
}

void front_reset(void)
{
	device_reset_all(plug_vm);
}

unsigned front_make(const char *keys)
{
	unsigned devfn;

	if (front_add("front", keys))
		fail_msg("%s", fake_log);
	front_reset();
	for (devfn = 8; devfn < 256; devfn++)
		if (front_config(devfn, PCI_VENDOR_ID, 4) != FRONT_NOBODY)
			return devfn;
	fail_msg("the guest sees no function");
	return FRONT_NOBODY;
}

uint32_t front_in(uint64_t port, unsigned width)
{
	return hook_io_read(plug_vm->vcpus[0], (uint16_t)port, width) &
	       (UINT32_MAX >> (32 - 8 * width));
}

void front_out(uint64_t port, unsigned width, uint32_t value)
{
	hook_io_write(plug_vm->vcpus[0], (uint16_t)port, width, value);
}

uint64_t front_read(uint64_t gpa, unsigned width)
{
	return hook_memory_read(plug_vm->vcpus[0], gpa, width) & (UINT64_MAX >> (64 - 8 * width));
}

void front_write(uint64_t gpa, unsigned width, uint64_t value)
{
	hook_memory_write(plug_vm->vcpus[0], gpa, width, value);
}

uint32_t front_config(unsigned function, unsigned offset, unsigned width)
{
	if (offset >= 256)
		return (uint32_t)front_read(GUEST_PCI_CONFIG + function * 4096u + offset, width);
	front_out(ADDRESS, 4, ENABLE | function << 8 | (offset & 0xfc));
	return front_in(DATA + (offset & 3), width);
}

void front_config_out(unsigned function, unsigned offset, unsigned width, uint32_t value)
{
	if (offset >= 256) {
		front_write(GUEST_PCI_CONFIG + function * 4096u + offset, width, value);
		return;
	}
	front_out(ADDRESS, 4, ENABLE | function << 8 | (offset & 0xfc));
	front_out(DATA + (offset & 3), width, value);
}

unsigned front_find(uint32_t id)
{
	unsigned devfn;

	for (devfn = 0; devfn < 256; devfn++)
		if (front_config(devfn, PCI_VENDOR_ID, 4) == id)
			return devfn;
	return FRONT_NOBODY;
}

unsigned front_cap(unsigned function, uint8_t id)
{
	unsigned at = front_config(function, PCI_CAPABILITIES, 1), i;

	for (i = 0; at && i < 48; i++) {
		if (front_config(function, at, 1) == id)
			return at;
		at = front_config(function, at + PCI_CAP_NEXT, 1);
	}
	fail_msg("no capability %#x", id);
	return 0;
}

uint64_t front_bar(unsigned function, unsigned bar)
{
	unsigned reg = PCI_BAR0 + 4 * bar;
	uint64_t low = front_config(function, reg, 4);

	if (low & PCI_BAR_IO)
		return low & PCI_BAR_IO_MASK;
	if (low & PCI_BAR_WIDE)
		low |= (uint64_t)front_config(function, reg + 4, 4) << 32;
	return low & ~UINT64_C(15);
}

void front_set_bar(unsigned function, unsigned bar, uint64_t address)
{
	unsigned reg = PCI_BAR0 + 4 * bar;
	uint32_t low = front_config(function, reg, 4);

	front_config_out(function, reg, 4, (uint32_t)address);
	if (!(low & PCI_BAR_IO) && low & PCI_BAR_WIDE)
		front_config_out(function, reg + 4, 4, (uint32_t)(address >> 32));
}

void front_command(unsigned function, uint32_t command)
{
	front_config_out(function, PCI_COMMAND, 2, command);
}

unsigned front_gsi(unsigned function)
{
	return GSI_BASE + ((function >> 3) + front_config(function, PCI_INTERRUPT_PIN, 1) - 1) % 4;
}

bool front_line(unsigned gsi)
{
	return levels[gsi];
}
