/* SPDX-License-Identifier: BSD-2-Clause */
/* The DSDT: \_S5, and an object for each thing that the VM's devices tell of themselves. */
#include "devices/chipset/acpi_tables.h"
#include "devices/chipset/aml.h"

#include <string.h>

#define DSDT_REVISION 2 /* integers are 64 bits */

/* "D07A": a letter, the number, a letter: a name segment of four. */
static void acpi_object_name(char name[5], char letter, unsigned n)
{
	static const char digits[] = "0123456789ABCDEF";

	name[0] = letter;
	name[1] = digits[n >> 8 & 0xf];
	name[2] = digits[n >> 4 & 0xf];
	name[3] = digits[n & 0xf];
	name[4] = 0;
}

static void acpi_put_resources(struct aml *a, const struct acpi_node *node)
{
	struct aml_resources r;
	unsigned i;

	aml_name(a, "_CRS");
	r = aml_resources(a);
	for (i = 0; i < ACPI_NODE_IO; i++)
		if (node->io[i].count)
			aml_io(a, node->io[i].port, node->io[i].count);
	if (node->memory_size)
		aml_memory(a, node->memory, node->memory_size);
	if (node->irqs)
		aml_irqs(a, node->irqs);
	aml_resources_end(a, r);
}

/* _UID tells objects of one _HID apart (6.1.12). */
static void acpi_put_node(struct aml *a, const struct acpi_machine *m, unsigned n)
{
	const struct acpi_node *node = m->nodes[n];
	struct aml_block block;
	unsigned uid = 0, i;
	char name[5];

	for (i = 0; i < n; i++)
		uid += !strcmp(m->nodes[i]->hid, node->hid);
	acpi_object_name(name, 'D', n);
	block = aml_device(a, name);
	aml_name(a, "_HID");
	aml_hid(a, node->hid);
	aml_name(a, "_UID");
	aml_integer(a, uid);
	acpi_put_resources(a, node);
	aml_end(a, block);
}

static void acpi_put_cpu(struct aml *a, unsigned n)
{
	struct aml_block block;
	char name[5];

	acpi_object_name(name, 'C', n);
	block = aml_device(a, name);
	aml_name(a, "_HID");
	aml_hid(a, ACPI_HID_CPU);
	aml_name(a, "_UID");
	aml_integer(a, n);
	aml_end(a, block);
}

static void acpi_put_s5(struct aml *a, uint8_t type)
{
	struct aml_block block;

	aml_name(a, "\\_S5_");
	block = aml_package(a, 4);
	aml_integer(a, type); /* for PM1a, PM1b, and two that are reserved */
	aml_integer(a, type);
	aml_integer(a, 0);
	aml_integer(a, 0);
	aml_end(a, block);
}

size_t acpi_dsdt_build(const struct acpi_machine *m, uint8_t *buf, size_t size, bool *overflow)
{
	struct aml a = {.buf = buf, .size = size};
	struct acpi_header header;
	struct aml_block block;
	unsigned i;

	acpi_header_init(&header, "DSDT", DSDT_REVISION);
	aml_bytes(&a, &header, sizeof(header));
	if (m->pm)
		acpi_put_s5(&a, m->pm->s5_type);
	if (m->pci)
		acpi_put_pic(&a);
	block = aml_scope(&a, "\\_SB_");
	for (i = 0; i < m->cpus; i++)
		acpi_put_cpu(&a, i);
	if (m->pci)
		acpi_put_pci(&a, m->pci);
	if (m->pci && m->hotplug)
		acpi_put_hotplug(&a, m->hotplug);
	for (i = 0; i < m->node_count; i++)
		acpi_put_node(&a, m, i);
	aml_end(&a, block);
	*overflow = a.overflow;
	return a.used;
}
