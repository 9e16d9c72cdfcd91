/* SPDX-License-Identifier: BSD-2-Clause */
/* Spec: PCI Local Bus Specification 3.0, 6.1, 6.7, 6.8; PCI Bus Power Management 1.2, 3.2. */
#include "devices/hostdev/host_config.h"

#include "devices/pci/pci_regs.h"

#include <string.h>

#define HOST_CONFIG_CAPS 0x40

#define MSI_CONTROL_WIDE      0x0080
#define MSI_CONTROL_MASKS     0x0100
#define MSI_CONTROL_COUNT(n)  ((n) << 1)
#define MSI_BODY	      22
#define MSIX_BODY	      10
#define PM_CAPABILITY_VERSION 3
#define PM_BODY		      6

static void put(uint8_t *at, uint32_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

void host_config_init(struct host_config *config, const struct host_config_ids *ids)
{
	memset(config, 0, sizeof(*config));
	config->end = HOST_CONFIG_CAPS;
	put(config->bytes + PCI_VENDOR_ID, ids->vendor, 2);
	put(config->bytes + PCI_DEVICE_ID, ids->device, 2);
	put(config->bytes + PCI_REVISION_ID, ids->revision, 1);
	put(config->bytes + PCI_CLASS, ids->class_code, 3);
	put(config->bytes + PCI_SUBSYSTEM_VENDOR_ID, ids->subsystem_vendor, 2);
	put(config->bytes + PCI_SUBSYSTEM_ID, ids->subsystem, 2);
	put(config->bytes + PCI_INTERRUPT_PIN, ids->pin, 1);
}

unsigned host_config_add(struct host_config *config, uint8_t id, const void *body, size_t len)
{
	unsigned at = config->end;

	if (len > HOST_CONFIG_SIZE - 2 || at > HOST_CONFIG_SIZE - 2 - len)
		return 0;
	config->bytes[at] = id;
	memcpy(config->bytes + at + 2, body, len);
	config->bytes[config->last_cap ? config->last_cap + 1u : PCI_CAPABILITIES] = (uint8_t)at;
	config->bytes[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
	config->last_cap = (uint8_t)at;
	config->end = (uint16_t)ALIGN_UP(at + 2 + len, 4);
	return at;
}

unsigned host_config_add_msi(struct host_config *config, unsigned vectors)
{
	uint8_t body[MSI_BODY] = {0};
	unsigned log2 = 0;

	while (1u << log2 < vectors)
		log2++;
	put(body, MSI_CONTROL_WIDE | MSI_CONTROL_MASKS | MSI_CONTROL_COUNT(log2), 2);
	return host_config_add(config, PCI_CAP_MSI, body, sizeof(body));
}

unsigned host_config_add_msix(struct host_config *config, unsigned vectors, unsigned bar,
			      uint32_t offset, unsigned pba_bar, uint32_t pba_offset)
{
	uint8_t body[MSIX_BODY];

	put(body, vectors - 1, 2);
	put(body + 2, offset | bar, 4);
	put(body + 6, pba_offset | pba_bar, 4);
	return host_config_add(config, PCI_CAP_MSIX, body, sizeof(body));
}

unsigned host_config_add_pm(struct host_config *config)
{
	uint8_t body[PM_BODY] = {PM_CAPABILITY_VERSION};

	return host_config_add(config, PCI_CAP_PM, body, sizeof(body));
}

void host_config_set(struct host_config *config, unsigned offset, uint32_t value, unsigned width)
{
	put(config->bytes + offset, value, width);
}

uint64_t host_config_read(const struct host_config *config, uint64_t offset, unsigned width)
{
	uint64_t value = 0;

	if (width > 4 || offset > HOST_CONFIG_SIZE - width)
		return UINT64_MAX;
	memcpy(&value, config->bytes + offset, width);
	return value;
}
