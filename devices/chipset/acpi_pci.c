/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tables tell of PCI: the root bus in the DSDT, and the MCFG. */
#include "devices/chipset/acpi_tables.h"
#include "devices/chipset/aml.h"

#define PIC_MODE   "\\PICF" /* what the kernel said: 0: it uses the 8259s, 1: the I/O APIC */
#define PRT_ANY_FN 0xffffu

/* The kernel says which interrupt controllers it uses (5.8.1). */
void acpi_put_pic(struct aml *a)
{
	struct aml_block block;

	aml_name(a, PIC_MODE);
	aml_integer(a, 0);
	block = aml_method(a, "\\_PIC", 1);
	aml_store_arg0(a, PIC_MODE);
	aml_end(a, block);
}

/* Where each pin of each device leads, by GSIs without a link in between (6.2.13). */
static void acpi_put_routes(struct aml *a, const char *name, const uint8_t gsi[ACPI_PCI_LINES])
{
	struct aml_block all, one;
	unsigned device, pin;

	aml_name(a, name);
	all = aml_package(a, ACPI_PCI_DEVICES * ACPI_PCI_LINES);
	for (device = 0; device < ACPI_PCI_DEVICES; device++) {
		for (pin = 0; pin < ACPI_PCI_LINES; pin++) {
			one = aml_package(a, 4);
			aml_integer(a, device << 16 | PRT_ANY_FN);
			aml_integer(a, pin);
			aml_integer(a, 0);
			aml_integer(a, gsi[(pin + device) % ACPI_PCI_LINES]);
			aml_end(a, one);
		}
	}
	aml_end(a, all);
}

static void acpi_put_prt(struct aml *a, const struct acpi_pci *pci)
{
	struct aml_block method, block;

	acpi_put_routes(a, "PRTA", pci->gsi);
	acpi_put_routes(a, "PRTP", pci->isa);
	method = aml_method(a, "_PRT", 0);
	block = aml_if(a, PIC_MODE);
	aml_return(a, "PRTA");
	aml_end(a, block);
	aml_return(a, "PRTP");
	aml_end(a, method);
}

static void acpi_put_windows(struct aml *a, const struct acpi_pci *pci)
{
	struct aml_resources r;
	unsigned i;

	aml_name(a, "_CRS");
	r = aml_resources(a);
	aml_window(a, AML_WINDOW_BUS, 0, pci->bus_last);
	aml_io(a, pci->config_port, pci->config_ports);
	for (i = 0; i < ACPI_PCI_WINDOWS; i++)
		if (pci->io[i].last)
			aml_window(a, AML_WINDOW_IO, pci->io[i].first, pci->io[i].last);
	for (i = 0; i < ACPI_PCI_WINDOWS; i++)
		if (pci->memory[i].last)
			aml_window(a, AML_WINDOW_MEMORY, pci->memory[i].first, pci->memory[i].last);
	if (pci->prefetchable.last)
		aml_window(a, AML_WINDOW_PREFETCHABLE, pci->prefetchable.first,
			   pci->prefetchable.last);
	aml_resources_end(a, r);
}

void acpi_put_pci(struct aml *a, const struct acpi_pci *pci)
{
	struct aml_block block = aml_device(a, "PCI0");

	aml_name(a, "_HID");
	aml_hid(a, ACPI_HID_PCI);
	aml_name(a, "_UID");
	aml_integer(a, 0);
	aml_name(a, "_BBN"); /* the number of the root bus (6.5.5) */
	aml_integer(a, 0);
	acpi_put_windows(a, pci);
	acpi_put_prt(a, pci);
	aml_end(a, block);
}
