/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/ports.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/io.h"
#include "drivers/serial.h"
#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct ports_range {
	uint16_t first;
	uint16_t count; /* 0: it is not there */
};

static bool ports_meet(const struct ports_range *range, uint16_t first, uint32_t count)
{
	return first < range->first + range->count && first + count > range->first;
}

const char *ports_user(uint16_t first, uint32_t count)
{
	/* The 8259s stay silent for good; who writes PCI's configuration moves all devices. */
	static const struct ports_range pics[] = {{0x20, 2}, {0xa0, 2}};
	static const struct ports_range pci = {0xcf8, 8};
	const struct acpi_power *power = &acpi_info.power;
	const struct ports_range pm[] = {{power->pm1a_control, power->pm1a_control ? 2 : 0},
					 {power->pm1b_control, power->pm1b_control ? 2 : 0},
					 {power->smi_command, power->smi_command ? 1 : 0}};

	if (serial_console_has(first, count))
		return "the serial console";
	if (ports_meet(&pci, first, count))
		return "PCI's configuration and the reset register";
	for (size_t i = 0; i < ARRAY_SIZE(pics); i++)
		if (ports_meet(&pics[i], first, count))
			return "the 8259s";
	for (size_t i = 0; i < ARRAY_SIZE(pm); i++)
		if (ports_meet(&pm[i], first, count))
			return "power management";
	return NULL;
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
