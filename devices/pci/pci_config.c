/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/pci/pci_config.h"

#include <stdbool.h>
#include <string.h>

void pci_config_define(struct pci_config *config, const struct pci_field *fields, size_t count)
{
	const struct pci_field *f;
	unsigned i;

	for (f = fields; f < fields + count; f++) {
		for (i = 0; i < f->width; i++) {
			config->value[f->offset + i] = (uint8_t)(f->value >> (8 * i));
			config->writable[f->offset + i] = (uint8_t)(f->writable >> (8 * i));
			config->clear[f->offset + i] = (uint8_t)(f->clear >> (8 * i));
		}
		memcpy(config->initial + f->offset, config->value + f->offset, f->width);
	}
}

void pci_config_reset(struct pci_config *config)
{
	memcpy(config->value, config->initial, sizeof(config->value));
}

static bool pci_config_inside(unsigned offset, unsigned width)
{
	return width <= 4 && offset <= PCI_CONFIG_SIZE - width;
}

uint32_t pci_config_read(const struct pci_config *config, unsigned offset, unsigned width)
{
	uint32_t value = 0;
	unsigned i;

	if (!pci_config_inside(offset, width))
		return UINT32_MAX;
	for (i = 0; i < width; i++)
		value |= (uint32_t)config->value[offset + i] << (8 * i);
	return value;
}

void pci_config_write(struct pci_config *config, unsigned offset, unsigned width, uint32_t value)
{
	unsigned i;

	if (!pci_config_inside(offset, width))
		return;
	for (i = 0; i < width; i++) {
		uint8_t *at = &config->value[offset + i];
		uint8_t written = (uint8_t)(value >> (8 * i));
		uint8_t writable = config->writable[offset + i];

		*at = (uint8_t)((*at & ~writable) | (written & writable));
		*at &= (uint8_t) ~(written & config->clear[offset + i]);
	}
}
