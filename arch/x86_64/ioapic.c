/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/ioapic.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/host.h"
#include "arch/x86_64/paging.h"

#include <errno.h>

#define WINDOW_SELECT	 0 /* in 32-bit words */
#define WINDOW_DATA	 4
#define REG_VERSION	 0x01
#define REG_REDIRECTION	 0x10 /* two registers an input */
#define ENTRY_ACTIVE_LOW BIT(13)
#define ENTRY_LEVEL	 BIT(15)
#define ENTRY_MASKED	 BIT(16)

struct ioapic {
	volatile uint32_t *window;
	uint32_t gsi_base;
	uint32_t inputs;
};

static struct ioapic ioapics[ACPI_MAX_IOAPICS];
static uint32_t ioapic_count;

static uint32_t reg_read(struct ioapic *io, uint32_t reg)
{
	io->window[WINDOW_SELECT] = reg;
	return io->window[WINDOW_DATA];
}

static void reg_write(struct ioapic *io, uint32_t reg, uint32_t v)
{
	io->window[WINDOW_SELECT] = reg;
	io->window[WINDOW_DATA] = v;
}

void ioapic_init(void)
{
	for (uint32_t i = 0; i < acpi_info.ioapic_count; i++) {
		const struct acpi_ioapic *told = &acpi_info.ioapics[i];
		struct ioapic *io = &ioapics[ioapic_count];

		io->window = paging_map_device(told->phys, 4096, PAGING_UC);
		if (!io->window || reg_read(io, REG_VERSION) == UINT32_MAX) {
			arch_host.warn("ioapic: none answers at %#x; its interrupts are not used",
				       told->phys);
			continue;
		}
		io->gsi_base = told->gsi_base;
		io->inputs = (reg_read(io, REG_VERSION) >> 16 & 0xff) + 1;
		for (uint32_t n = 0; n < io->inputs; n++)
			reg_write(io, REG_REDIRECTION + 2 * n, ENTRY_MASKED);
		ioapic_count++;
	}
}

uint32_t ioapic_inputs(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < ioapic_count; i++)
		n += ioapics[i].inputs;
	return n;
}

int ioapic_route(uint32_t gsi, uint8_t vector, uint32_t apic_id, bool level, bool active_low)
{
	for (uint32_t i = 0; i < ioapic_count; i++) {
		struct ioapic *io = &ioapics[i];
		uint32_t reg = REG_REDIRECTION + 2 * (gsi - io->gsi_base);

		if (gsi < io->gsi_base || gsi - io->gsi_base >= io->inputs)
			continue;
		reg_write(io, reg, ENTRY_MASKED);
		reg_write(io, reg + 1, apic_id << 24);
		reg_write(io, reg,
			  vector | (level ? ENTRY_LEVEL : 0) | (active_low ? ENTRY_ACTIVE_LOW : 0));
		return 0;
	}
	return -ENODEV;
}
