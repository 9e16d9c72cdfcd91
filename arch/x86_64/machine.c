/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/machine.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/desc.h"
#include "arch/x86_64/io.h"

/* ACPI 6.5, 4.8.3.2.1. */
#define PM1_CONTROL_SCI_EN	BIT(0)
#define PM1_CONTROL_SLP_EN	BIT(13)
#define PM1_CONTROL_SLP_TYPE(t) ((t) << 10)
#define PM1_CONTROL_GBL_RLS	BIT(2) /* write-only */

#define PORT_POST	   0x80 /* a write takes about a microsecond */
#define PORT_KEYBOARD	   0x64
#define KEYBOARD_BUSY	   0x02
#define KEYBOARD_RESET	   0xfe
#define PORT_RESET_CONTROL 0xcf9
#define RESET_CONTROL_FULL 0x02
#define RESET_CONTROL_NOW  0x06

static void delay_us(unsigned us)
{
	while (us--)
		io_out8(PORT_POST, 0);
}

void machine_reset(void)
{
	const struct acpi_power *power = &acpi_info.power;
	struct desc_pointer no_idt = {0};

	if (power->reset_port_known) {
		io_out8(power->reset_port, power->reset_value);
		delay_us(50000);
	}
	io_out8(PORT_RESET_CONTROL, RESET_CONTROL_FULL);
	io_out8(PORT_RESET_CONTROL, RESET_CONTROL_NOW);
	delay_us(50000);
	/*
	 * Where this is an INIT and no more, MSRs stay, IA32_FEATURE_CONTROL's lock among them;
	 * not all firmware knows to leave that alone. So it comes late.
	 */
	for (int i = 0; i < 10000 && io_in8(PORT_KEYBOARD) & KEYBOARD_BUSY; i++)
		delay_us(1);
	io_out8(PORT_KEYBOARD, KEYBOARD_RESET);
	delay_us(50000);
	/* An exception that nobody can take. */
	__asm__ volatile("lidt %0; int3" : : "m"(no_idt));
}

/* The firmware may have left the registers in its own hands (ACPI 6.5, 4.8.2.5). */
static void enable_acpi(const struct acpi_power *power)
{
	if (!power->smi_command || io_in16(power->pm1a_control) & PM1_CONTROL_SCI_EN)
		return;
	io_out8(power->smi_command, power->acpi_enable);
	for (int i = 0; i < 300; i++) {
		if (io_in16(power->pm1a_control) & PM1_CONTROL_SCI_EN)
			return;
		delay_us(10000);
	}
}

static void sleep_by(uint16_t port, uint8_t type)
{
	uint16_t kept = io_in16(port) & ~(PM1_CONTROL_GBL_RLS | PM1_CONTROL_SLP_TYPE(7));

	io_out16(port, kept | PM1_CONTROL_SLP_TYPE(type));
	io_out16(port, kept | PM1_CONTROL_SLP_TYPE(type) | PM1_CONTROL_SLP_EN);
}

bool machine_can_off(void)
{
	return acpi_info.power.s5_known && acpi_info.power.pm1a_control;
}

void machine_off(void)
{
	const struct acpi_power *power = &acpi_info.power;

	enable_acpi(power);
	sleep_by(power->pm1a_control, power->s5_type_a);
	if (power->pm1b_control)
		sleep_by(power->pm1b_control, power->s5_type_b);
	delay_us(2000000);
}
