/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of functions, as keys have them. */
#include "devices/pci/pci_bus.h"
#include "vmm/device.h"

#include <errno.h>

/* A hexadecimal number of at most @max, up to @end; -1: there is none. */
static int pci_hex(const char **text, int max)
{
	const char *s = *text;
	int value = 0, digit;

	for (; *s; s++) {
		if (*s >= '0' && *s <= '9')
			digit = *s - '0';
		else if (*s >= 'a' && *s <= 'f')
			digit = *s - 'a' + 10;
		else if (*s >= 'A' && *s <= 'F')
			digit = *s - 'A' + 10;
		else
			break;
		value = value * 16 + digit;
		if (value > max)
			return -1;
	}
	if (s == *text)
		return -1;
	*text = s;
	return value;
}

int pci_address_parse(struct device *dev, const struct pci_bus *bus, const char *key,
		      const char *text, uint8_t *devfn)
{
	const char *at = text;
	uint32_t taken = pci_bus_slots(bus);
	int slot, fn = 0;

	if (!*text) {
		for (slot = 0; slot < (int)PCI_SLOTS && (taken >> slot & 1); slot++)
			;
		if (slot == (int)PCI_SLOTS) {
			device_log(dev, LOG_ERROR, "key %s: the PCI bus has no free device number",
				   key);
			return -ENOSPC;
		}
		*devfn = PCI_DEVFN(slot, 0);
		return 0;
	}
	slot = pci_hex(&at, (int)PCI_SLOTS - 1);
	if (slot >= 0 && *at == '.') {
		at++;
		fn = pci_hex(&at, 7);
	}
	if (slot < 0 || fn < 0 || *at) {
		device_log(dev, LOG_ERROR,
			   "key %s: '%s': expected DEVICE.FUNCTION or DEVICE, hexadecimal, 0 to "
			   "1f.7",
			   key, text);
		return -EINVAL;
	}
	*devfn = PCI_DEVFN(slot, fn);
	return 0;
}
