/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hot plug of PCI devices in the DSDT: an object for each slot that has _EJ0,
 * and a method that tells the operating system which slots changed, called by
 * the general-purpose event of the registers (ACPI 6.4, 5.6.4.1, 5.6.6, 6.3.3).
 */
#include "devices/chipset/acpi_tables.h"
#include "devices/chipset/aml.h"

#include <stdio.h>

#define PCI_SLOTS     32u
#define BUS_CHECK     0 /* 5.6.6: values of Notify */
#define DEVICE_CHECK  1
#define EJECT_REQUEST 3
#define SLOT_NAME     5 /* "S1F_" */

static void acpi_slot_name(char name[SLOT_NAME], unsigned slot)
{
	snprintf(name, SLOT_NAME, "S%02X_", slot & 0xff);
}

static void acpi_put_slot(struct aml *a, unsigned slot)
{
	struct aml_block device, method;
	char name[SLOT_NAME];

	acpi_slot_name(name, slot);
	device = aml_device(a, name);
	aml_name(a, "_ADR"); /* all functions: 6.1.1 */
	aml_integer(a, slot << 16);
	aml_name(a, "_SUN");
	aml_integer(a, slot);
	method = aml_method(a, "_EJ0", 1);
	aml_store(a, UINT64_C(1) << slot, "PHEJ");
	aml_end(a, method);
	aml_end(a, device);
}

/* Acknowledges what @reg says, and passes it on: what changes from here on is told anew. */
static void acpi_put_tell(struct aml *a, const char *reg, uint32_t slots, uint8_t what)
{
	struct aml_block block;
	char name[SLOT_NAME];
	unsigned slot;

	aml_load_local(a, reg);
	aml_store_local(a, reg);
	for (slot = 0; slot < PCI_SLOTS; slot++) {
		if (!(slots & UINT32_C(1) << slot))
			continue;
		acpi_slot_name(name, slot);
		block = aml_if_local(a, UINT64_C(1) << slot);
		aml_notify(a, name, what);
		aml_end(a, block);
	}
}

/* Linux looks for who has gone when it is told of the bus, not of a slot. Local0 is UP. */
static void acpi_put_check(struct aml *a, uint32_t slots)
{
	struct aml_block block = aml_if_local(a, slots);

	aml_notify(a, "\\_SB_.PCI0", BUS_CHECK);
	aml_end(a, block);
}

/* An edge: the event's status is cleared before the method runs. */
static void acpi_put_event(struct aml *a, unsigned gpe)
{
	struct aml_block scope = aml_scope(a, "\\_GPE"), method;
	char name[SLOT_NAME];

	snprintf(name, sizeof(name), "_E%02X", gpe & 0xff);
	method = aml_method(a, name, 0);
	aml_path(a, "\\_SB_.PCI0.PHNT");
	aml_end(a, method);
	aml_end(a, scope);
}

void acpi_put_hotplug(struct aml *a, const struct acpi_hotplug *hotplug)
{
	uint32_t slots = hotplug->slots(hotplug->opaque);
	struct aml_block scope = aml_scope(a, "PCI0"), block;
	unsigned slot;

	aml_region_io(a, "PHPR", hotplug->port, ACPI_HOTPLUG_PORTS);
	block = aml_field(a, "PHPR");
	aml_field_dword(a, "PHUP");
	aml_field_dword(a, "PHDN");
	aml_field_dword(a, "PHEJ");
	aml_end(a, block);
	for (slot = 0; slot < PCI_SLOTS; slot++)
		if (slots & UINT32_C(1) << slot)
			acpi_put_slot(a, slot);
	block = aml_method(a, "PHNT", 0);
	acpi_put_tell(a, "PHUP", slots, DEVICE_CHECK);
	acpi_put_check(a, slots);
	acpi_put_tell(a, "PHDN", slots, EJECT_REQUEST);
	aml_end(a, block);
	aml_end(a, scope);
	acpi_put_event(a, hotplug->gpe);
}
