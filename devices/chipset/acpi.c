/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables in guest memory, in the BIOS area, where a guest that is told
 * nothing looks for the RSDP (ACPI 6.4, 5.2.5.1). They describe the devices
 * that the VM has when its image is loaded. For kernels from before ACPI there
 * is a MultiProcessor table too, and what of the BIOS's data area they need to
 * search for it; for those that call the BIOS, handlers that refuse.
 *
 * Keys: none. Lock: none, it works when the loader asks.
 */
#include "devices/chipset/acpi_tables.h"
#include "devices/chipset/bios_stub.h"
#include "devices/chipset/mp_table.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/guest_memory.h"
#include "vmm/loader.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>

#define ACPI_BASE UINT64_C(0xe0000)
#define ACPI_SIZE UINT64_C(0x8000)
#define MP_BASE	  UINT64_C(0xf0000)
#define MP_SIZE	  UINT64_C(0x2000)

/* BIOS data area (MultiProcessor Specification 1.4, 4: where the table may be). */
#define BDA_EBDA      UINT64_C(0x40e) /* segment of the extended data area */
#define BDA_KB	      UINT64_C(0x413) /* KiB of memory below that */
#define EBDA_SEGMENT  0x9fc0
#define EBDA_START_KB 639

struct acpi {
	struct device *dev;
	struct firmware_tables tables;
};

static void acpi_add_node(struct acpi_machine *m, const struct acpi_node *node)
{
	for (; node; node = node->next) {
		if (m->node_count == ACPI_MAX_NODES) {
			m->too_many = true;
			return;
		}
		m->nodes[m->node_count++] = node;
	}
}

static void acpi_ask(void *opaque, struct device *dev)
{
	struct acpi_machine *m = opaque;
	const struct acpi_ioapic *ioapic = device_iface(dev->vm, dev->id, ACPI_IOAPIC_KIND);

	acpi_add_node(m, device_iface(dev->vm, dev->id, ACPI_NODE_KIND));
	if (!ioapic)
		return;
	if (m->ioapic_count == ACPI_MAX_IOAPICS)
		m->too_many = true;
	else
		m->ioapics[m->ioapic_count++] = ioapic;
}

/* Nothing that a device takes decides how large the tables are, but the limits here do. */
static int acpi_write(struct acpi *a, const struct acpi_machine *m, struct acpi_image *image)
{
	int err = acpi_image_build(image, m);

	if (!err)
		err = guest_write(a->dev->vm, image->base, image->data, image->used);
	if (err)
		device_log(a->dev, LOG_ERROR, "cannot write the tables: error %d", err);
	else if (m->too_many)
		vm_log_guest(a->dev->vm, LOG_WARN, "%s: tables: not all devices fit", a->dev->id);
	return err;
}

static int acpi_write_mp(struct acpi *a, const struct acpi_machine *m)
{
	struct acpi_image image = {.data = kzalloc(MP_SIZE), .size = MP_SIZE, .base = MP_BASE};
	const uint16_t ebda = EBDA_SEGMENT, kb = EBDA_START_KB;
	struct vm *vm = a->dev->vm;
	int err = image.data ? mp_table_build(&image, m) : -ENOMEM;

	if (!err)
		err = guest_write(vm, image.base, image.data, image.used);
	if (!err)
		err = guest_write(vm, BDA_EBDA, &ebda, sizeof(ebda));
	if (!err)
		err = guest_write(vm, BDA_KB, &kb, sizeof(kb));
	if (err)
		device_log(a->dev, LOG_ERROR, "cannot write the MP table: error %d", err);
	kfree(image.data);
	return err;
}

static int acpi_build(struct firmware_tables *tables)
{
	struct acpi *a = container_of(tables, struct acpi, tables);
	struct vm *vm = a->dev->vm;
	struct acpi_image image = {.size = ACPI_SIZE, .base = ACPI_BASE};
	struct acpi_machine *m = kzalloc(sizeof(*m));
	int err = -ENOMEM;

	image.data = kzalloc(image.size);
	if (m && image.data) {
		m->cpus = vm->vcpu_count;
		m->pm = device_iface(vm, NULL, ACPI_PM_KIND);
		m->reset = device_iface(vm, NULL, ACPI_RESET_KIND);
		m->lapic = device_iface(vm, NULL, ACPI_LAPIC_KIND);
		m->pci = device_iface(vm, NULL, ACPI_PCI_KIND);
		m->hotplug = device_iface(vm, NULL, ACPI_HOTPLUG_KIND);
		device_for_each(vm, acpi_ask, m);
		err = acpi_write(a, m, &image);
		if (!err && m->lapic)
			err = acpi_write_mp(a, m);
		if (!err && (err = bios_stub_write(vm)))
			device_log(a->dev, LOG_ERROR, "cannot write the vectors: error %d", err);
	} else {
		device_log(a->dev, LOG_ERROR, "cannot write the tables: no memory");
	}
	tables->rsdp = err ? 0 : image.base;
	kfree(image.data);
	kfree(m);
	return err;
}

static void acpi_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int acpi_create(struct device *dev, const struct device_config *config __unused)
{
	struct acpi *a = kzalloc(sizeof(*a));

	if (!a)
		return -ENOMEM;
	dev->state = a;
	a->dev = dev;
	a->tables.build = acpi_build;
	return device_provide(dev, FIRMWARE_KIND, &a->tables);
}

MACHINE_PART(acpi_part, .machine = "pc", .text = "[device \"" FIRMWARE_ID "\"]\ntype = acpi\n");

DEVICE_TYPE(acpi_type, .name = "acpi", .help = "ACPI tables for the devices that there are",
	    .create = acpi_create, .destroy = acpi_destroy, .saved = DEVICE_STATE_NONE("acpi"));
