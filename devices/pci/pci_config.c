/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/pci/pci_config.h"

#include "kernel/slab.h"

#include <errno.h>

int pci_config_create(struct pci_config *config, const uint8_t *initial, size_t size)
{
	size_t i;

	config->bytes = kcalloc(size, sizeof(*config->bytes));
	if (!config->bytes)
		return -ENOMEM;
	config->size = size;
	for (i = 0; i < size; i++)
		config->bytes[i].value = config->bytes[i].initial = initial[i];
	return 0;
}

void pci_config_free(struct pci_config *config)
{
	kfree(config->bytes);
	config->bytes = NULL;
}

void pci_config_reset(struct pci_config *config)
{
	size_t i;

	for (i = 0; i < config->size; i++)
		config->bytes[i].value = config->bytes[i].initial;
}

bool pci_config_inside(const struct pci_config *config, unsigned offset, unsigned width)
{
	return width <= 4 && offset <= config->size - width;
}

uint32_t pci_config_read(const struct pci_config *config, unsigned offset, unsigned width)
{
	uint32_t value = 0;
	unsigned i;

	if (!pci_config_inside(config, offset, width))
		return UINT32_MAX;
	for (i = 0; i < width; i++)
		value |= (uint32_t)config->bytes[offset + i].value << (8 * i);
	return value;
}

void pci_config_write(struct pci_config *config, unsigned offset, unsigned width, uint32_t value)
{
	unsigned i;

	if (!pci_config_inside(config, offset, width))
		return;
	for (i = 0; i < width; i++) {
		struct pci_config_byte *b = &config->bytes[offset + i];
		uint8_t written = (uint8_t)(value >> (8 * i));

		b->value = (uint8_t)((b->value & ~b->writable) | (written & b->writable));
		b->value &= (uint8_t) ~(written & b->clear);
	}
}

#define PCI_CONFIG_SET(name_, member_)                                                         \
	void name_(struct pci_config *config, unsigned offset, unsigned width, uint32_t value) \
	{                                                                                      \
		unsigned i;                                                                    \
                                                                                               \
		for (i = 0; i < width; i++)                                                    \
			config->bytes[offset + i].member_ = (uint8_t)(value >> (8 * i));       \
	}

PCI_CONFIG_SET(pci_config_set, value)
PCI_CONFIG_SET(pci_config_set_initial, initial)
PCI_CONFIG_SET(pci_config_set_writable, writable)
PCI_CONFIG_SET(pci_config_set_clear, clear)
