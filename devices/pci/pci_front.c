/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI's front-end: shows a guest one host device as a PCI function. What
 * happens from then on: the guest's accesses go to (region, offset) of the
 * host device wherever its BARs were moved, interrupts and DMA come back. The
 * bus does what all functions do; configuration registers that it does not
 * know are the host device's, read there each time.
 *
 * No lock: nothing changes after create() but what one store changes.
 */
#include "devices/pci/pci_front.h"

#include "kernel/boot_info.h"
#include "vmm/device.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What the host device asks for. */

static void pci_front_intx(void *opaque, bool level)
{
	struct pci_front *front = opaque;
	struct pci_function *f = READ_ONCE(front->function);

	if (f)
		pci_function_intx(f, level);
}

static void pci_front_message(void *opaque, unsigned vector)
{
	struct pci_front *front = opaque;
	struct pci_function *f = READ_ONCE(front->function);

	if (f)
		pci_function_message(f, vector);
}

static enum host_irq_mode pci_front_irq_mode(void *opaque)
{
	static const enum host_irq_mode modes[] = {
		[PCI_IRQ_INTX] = HOST_IRQ_INTX,
		[PCI_IRQ_MSI] = HOST_IRQ_MSI,
		[PCI_IRQ_MSIX] = HOST_IRQ_MSIX,
	};
	struct pci_front *front = opaque;
	struct pci_function *f = READ_ONCE(front->function);

	return f ? modes[pci_function_irq_mode(f)] : HOST_IRQ_INTX;
}

static bool pci_front_master(void *opaque)
{
	struct pci_front *front = opaque;
	struct pci_function *f = READ_ONCE(front->function);

	return f && pci_function_master(f);
}

static void pci_front_vanished(void *opaque)
{
	struct pci_front *front = opaque;
	struct pci_function *f = READ_ONCE(front->function);

	if (f)
		pci_function_vanish(f);
	device_log(front->dev, LOG_WARN, "its host device has vanished: it reads all ones");
}

static void pci_front_where(void *opaque, char *buf, size_t size)
{
	struct pci_front *front = opaque;
	struct pci_function *f = READ_ONCE(front->function);

	if (f)
		pci_function_name(f, buf, size);
	else
		snprintf(buf, size, "nowhere");
}

const struct host_front_ops pci_front_host_ops = {
	.intx = pci_front_intx,
	.message = pci_front_message,
	.irq_mode = pci_front_irq_mode,
	.master = pci_front_master,
	.vanished = pci_front_vanished,
	.where = pci_front_where,
};

/* What the guest does. */

static int pci_front_bar_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset,
			      unsigned width, uint64_t *value)
{
	const struct pci_front_region *r = opaque;
	int err = host_device_read(r->front->hd, r->number, offset, width, value);

	if (err != -ENODEV)
		return err;
	*value = UINT64_MAX;
	return 0;
}

static int pci_front_bar_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset,
			       unsigned width, uint64_t value)
{
	const struct pci_front_region *r = opaque;
	int err = host_device_write(r->front->hd, r->number, offset, width, value);

	return err == -ENODEV ? 0 : err;
}

const struct hook_ops pci_front_bar_ops = {
	.read = pci_front_bar_read,
	.write = pci_front_bar_write,
};

static int pci_front_rom_read(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width,
			      uint64_t *value)
{
	struct pci_front_region rom = {opaque, HOST_REGION_ROM};

	return pci_front_bar_read(&rom, vcpu, offset, width, value);
}

const struct hook_ops pci_front_rom_ops = {.read = pci_front_rom_read};

/* Beyond its end there is nothing, as in a ROM that was never written. */
static int pci_front_module_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset,
				 unsigned width, uint64_t *value)
{
	const struct pci_front *front = opaque;
	uint64_t size = front->rom->size;

	*value = UINT64_MAX;
	if (offset < size && !READ_ONCE(front->hd->vanished))
		memcpy(value, (const uint8_t *)front->rom->data + offset,
		       MIN((uint64_t)width, size - offset));
	return 0;
}

const struct hook_ops pci_front_module_ops = {.read = pci_front_module_read};

static void pci_front_failed(const struct pci_front *front, const char *what, unsigned offset,
			     int err)
{
	if (err != -ENODEV)
		vm_log_guest(front->dev->vm, LOG_WARN,
			     "%s: its host device cannot %s configuration register %#x (error %d)",
			     front->dev->id, what, offset, -err);
}

/* The bits of an access that are the host device's. */
static uint32_t pci_front_live(const struct pci_front *front, unsigned offset, unsigned width)
{
	uint32_t mask = 0;
	unsigned i;

	for (i = 0; i < width && offset + i < PCI_FRONT_CONFIG_MAX; i++)
		if (!(front->bus_has[(offset + i) / 8] & 1u << (offset + i) % 8))
			mask |= UINT32_C(0xff) << (8 * i);
	return mask;
}

static void pci_front_config_read(void *opaque, unsigned offset, unsigned width, uint32_t *value)
{
	const struct pci_front *front = opaque;
	uint32_t live = pci_front_live(front, offset, width);
	uint64_t v;
	int err;

	if (!live)
		return;
	err = host_device_read(front->hd, HOST_REGION_CONFIG, offset, width, &v);
	if (err) {
		pci_front_failed(front, "read", offset, err);
		*value = UINT32_MAX;
		return;
	}
	*value = (*value & ~live) | ((uint32_t)v & live);
}

static void pci_front_config_written(void *opaque, unsigned offset, unsigned width, uint32_t value)
{
	const struct pci_front *front = opaque;
	int err = host_device_write(front->hd, HOST_REGION_CONFIG, offset, width, value);

	if (err)
		pci_front_failed(front, "write", offset, err);
}

static void pci_front_eoi(void *opaque)
{
	const struct pci_front *front = opaque;

	host_device_eoi(front->hd);
}

static void pci_front_function_reset(void *opaque)
{
	const struct pci_front *front = opaque;

	host_device_reset(front->hd);
}

const struct pci_function_ops pci_front_function_ops = {
	.config_read = pci_front_config_read,
	.config_written = pci_front_config_written,
	.eoi = pci_front_eoi,
	.reset = pci_front_function_reset,
};
