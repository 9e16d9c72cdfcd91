/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reset control register of Intel's chipsets, port 0xCF9, which ACPI tells
 * as the machine's reset register.
 *
 * Spec: 82371AB data sheet (April 1997), 4.3.5.2.
 * Keys: none. Lock: none, one byte.
 *
 * It lies within PCI's configuration address, which is accessed by four bytes:
 * the register answers accesses of one byte alone.
 */
#include "devices/acpi_node.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>

#define RESET_PORT   0xcf9
#define RESET_SYSTEM 0x02 /* hard reset */
#define RESET_CPU    0x04 /* 0 to 1: now */
#define RESET_FULL   0x08
#define RESET_KEPT   (RESET_SYSTEM | RESET_FULL)

struct reset_control {
	struct vm *vm;
	struct acpi_reset acpi;
	uint8_t value;
};

static int reset_control_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			      unsigned width __unused, uint64_t *value)
{
	struct reset_control *r = opaque;

	*value = r->value;
	return 0;
}

static int reset_control_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			       unsigned width __unused, uint64_t value)
{
	struct reset_control *r = opaque;

	r->value = value & RESET_KEPT;
	if (value & RESET_CPU)
		vm_request(r->vm, VM_REQUEST_RESET, "port 0xcf9");
	return 0;
}

static const struct hook_ops reset_control_ops = {
	.read = reset_control_read,
	.write = reset_control_write,
};

static void reset_control_reset(struct device *dev)
{
	struct reset_control *r = dev->state;

	r->value = 0;
}

static const struct device_field reset_control_fields[] = {
	DEVICE_FIELD(struct reset_control, value, .max = RESET_KEPT),
	{},
};

static const struct device_state reset_control_saved = {
	.name = "reset-control",
	.version = 1,
	.size = sizeof(struct reset_control),
	.fields = reset_control_fields,
};

static void reset_control_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int reset_control_create(struct device *dev, const struct device_config *config __unused)
{
	struct reset_control *r = kzalloc(sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	dev->state = r;
	r->vm = dev->vm;
	r->acpi.port = RESET_PORT;
	r->acpi.value = RESET_SYSTEM | RESET_CPU;
	err = device_provide(dev, ACPI_RESET_KIND, &r->acpi);
	if (!err)
		err = device_hook_io_register(dev, RESET_PORT, 1, &reset_control_ops, r);
	return err;
}

MACHINE_PART(reset_control_part, .machine = "pc",
	     .text = "[device \"reset\"]\ntype = reset-control\n");

DEVICE_TYPE(reset_control_type, .name = "reset-control", .help = "reset register, port 0xcf9",
	    .create = reset_control_create, .destroy = reset_control_destroy,
	    .reset = reset_control_reset, .saved = &reset_control_saved);
