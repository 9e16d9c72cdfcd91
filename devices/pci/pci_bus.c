/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/pci/pci_bus.h"

#include "kernel/grace.h"
#include "vmm/device.h"

#include <errno.h>

static void pci_function_unregister(void *opaque)
{
	struct pci_function *f = opaque;

	grace_publish(f->bus->functions[f->devfn], NULL);
}

int pci_function_register(struct device *dev, struct pci_bus *bus, uint8_t devfn,
			  struct pci_function *function)
{
	const struct pci_function *other = bus->functions[devfn];
	int err;

	if (other) {
		device_log(dev, LOG_ERROR, "wants PCI function %02x.%u, which is device %s's",
			   devfn >> 3, devfn & 7, other->dev->id);
		return -EBUSY;
	}
	function->dev = dev;
	function->bus = bus;
	function->devfn = devfn;
	err = device_own(dev, pci_function_unregister, function);
	if (!err)
		grace_publish(bus->functions[devfn], function);
	return err;
}

void pci_function_reset(struct pci_function *function)
{
	spin_lock(&function->lock);
	pci_config_reset(&function->config);
	spin_unlock(&function->lock);
}

/* There is bus 0 alone. */
static struct pci_function *pci_bus_find(const struct pci_bus *bus, uint16_t address)
{
	return address < PCI_DEVFNS ? grace_read(bus->functions[address]) : NULL;
}

uint32_t pci_bus_read(const struct pci_bus *bus, uint16_t address, unsigned offset, unsigned width)
{
	struct pci_function *f = pci_bus_find(bus, address);
	uint32_t value;

	if (!f)
		return UINT32_MAX;
	spin_lock(&f->lock);
	value = pci_config_read(&f->config, offset, width);
	spin_unlock(&f->lock);
	return value;
}

void pci_bus_write(const struct pci_bus *bus, uint16_t address, unsigned offset, unsigned width,
		   uint32_t value)
{
	struct pci_function *f = pci_bus_find(bus, address);

	if (!f)
		return;
	spin_lock(&f->lock);
	pci_config_write(&f->config, offset, width, value);
	spin_unlock(&f->lock);
}
