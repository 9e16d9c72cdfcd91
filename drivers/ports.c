/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/ports.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/paging.h"
#include "drivers/serial_claim.h"
#include "kernel/boot_info.h"
#include "kernel/page_alloc.h"
#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct ports_range {
	uint16_t first;
	uint16_t count; /* 0: it is not there */
	const char *user;
};

static bool ports_meet(const struct ports_range *range, uint16_t first, uint32_t count)
{
	return range->count && first < range->first + range->count && first + count > range->first;
}

/* Whether we write to a screen: it is mapped then. */
static bool ports_have_screen(void)
{
	const struct boot_framebuffer *fb = &boot_info.fb;

	return fb->present && paging_uses_device(ALIGN_DOWN(fb->phys, PAGE_SIZE), PAGE_SIZE);
}

static const char *ports_find(const struct ports_range *ranges, size_t n, uint16_t first,
			      uint32_t count)
{
	for (size_t i = 0; i < n; i++)
		if (ports_meet(&ranges[i], first, count))
			return ranges[i].user;
	return NULL;
}

const char *ports_claim(uint16_t first, uint32_t count, const void *owner, const char *user)
{
	static const struct ports_range fixed[] = {
		{0xcf8, 8, "PCI's configuration and the reset register"},
		{0x20, 2, "the 8259s"}, /* they stay silent for good */
		{0xa0, 2, "the 8259s"},
		{0x61, 1, "the causes of NMIs"},
		{0x64, 1, "the keyboard controller, which resets the machine"},
		{0x92, 1, "the fast reset"},
		{0x70, 8, "the clock and the switch of NMIs"}, /* often seen at 0x74, too */
	};
	const struct acpi_power *power = &acpi_info.power;
	const struct ports_range found[] = {
		{power->pm1a_control, power->pm1a_control ? 2 : 0, "power management"},
		{power->pm1b_control, power->pm1b_control ? 2 : 0, "power management"},
		{power->smi_command, power->smi_command ? 1 : 0, "power management"},
		{power->reset_port, power->reset_port_known, "the reset register"},
		{0x3c0, ports_have_screen() ? 0x20 : 0, "the registers of its screen"},
	};
	const char *other = ports_find(fixed, ARRAY_SIZE(fixed), first, count);

	if (!other)
		other = ports_find(found, ARRAY_SIZE(found), first, count);
	return other ? other : serial_claim(first, count, owner, user);
}

void ports_release(uint16_t first, uint32_t count, const void *owner)
{
	serial_release(first, count, owner);
}

uint32_t ports_read(uint16_t port, unsigned width)
{
	if (width == 1)
		return io_in8(port);
	return width == 2 ? io_in16(port) : io_in32(port);
}

void ports_write(uint16_t port, unsigned width, uint32_t value)
{
	if (width == 1)
		io_out8(port, (uint8_t)value);
	else if (width == 2)
		io_out16(port, (uint16_t)value);
	else
		io_out32(port, value);
}
