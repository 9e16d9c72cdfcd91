/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a checkpoint has of a function: the bits of its configuration that can
 * change, MSI-X's table and pending bits, where its BARs answer, the pin's
 * level. What follows from these (the command in force, maps, bus numbers,
 * mapped pages, the lines) is made anew, as after a guest's write.
 */
#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "kernel/grace.h"

#include <string.h>

/* The configuration. */

static bool pci_saved_touches(unsigned at, unsigned reg, unsigned size)
{
	return at >= reg && at < reg + size;
}

/* The bits of byte @at that are not as when the function was made: software's, and the bus's. */
static uint8_t pci_saved_mask(const struct pci_function *f, unsigned at)
{
	const struct pci_config_byte *b = &f->config.bytes[at];
	uint32_t control;

	if (at == PCI_STATUS)
		return b->writable | b->clear | PCI_STATUS_INTERRUPT;
	if (f->msi && at >= f->msi) {
		control = pci_config_read(&f->config, f->msi + PCI_MSI_CONTROL, 2);
		if (control & PCI_MSI_MASKS &&
		    pci_saved_touches(at, f->msi + PCI_MSI_MASK(control & PCI_MSI_WIDE) + 4u, 4))
			return UINT8_MAX;
	}
	return b->writable | b->clear;
}

static size_t pci_saved_config_save(void *state, uint8_t *buf, size_t size)
{
	const struct pci_config *c = &((const struct pci_function *)state)->config;
	size_t i;

	for (i = 0; i < c->size && size >= c->size; i++)
		buf[i] = c->bytes[i].value;
	return c->size;
}

static const char *pci_saved_config_check(const void *state, const uint8_t *data, size_t len)
{
	const struct pci_function *f = state;
	unsigned i;

	if (len != f->config.size)
		return "of another size";
	for (i = 0; i < len; i++)
		if ((data[i] ^ f->config.bytes[i].value) & ~pci_saved_mask(f, i))
			return "another function's";
	return NULL;
}

static const char *pci_saved_config_load(void *state, const uint8_t *data, size_t len)
{
	struct pci_function *f = state;
	size_t i;

	for (i = 0; i < len; i++)
		f->config.bytes[i].value = data[i];
	return NULL;
}

static const struct device_blob pci_saved_config = {
	.save = pci_saved_config_save,
	.check = pci_saved_config_check,
	.load = pci_saved_config_load,
};

/* MSI-X: the table, then the pending bits. */

static size_t pci_saved_msix_table(const struct pci_msix *m)
{
	return m->vectors * sizeof(*m->table);
}

static size_t pci_saved_msix_pending(const struct pci_msix *m)
{
	return (m->vectors + 63) / 64 * sizeof(*m->pending);
}

static size_t pci_saved_msix_save(void *state, uint8_t *buf, size_t size)
{
	const struct pci_msix *m = &((const struct pci_function *)state)->msix;
	size_t table = pci_saved_msix_table(m), pending = pci_saved_msix_pending(m);

	if (m->vectors && size >= table + pending) {
		memcpy(buf, m->table, table);
		memcpy(buf + table, m->pending, pending);
	}
	return table + pending;
}

static const char *pci_saved_msix_check(const void *state, const uint8_t *data, size_t len)
{
	const struct pci_msix *m = &((const struct pci_function *)state)->msix;
	size_t table = pci_saved_msix_table(m), i;
	uint32_t entry[4];

	if (len != table + pci_saved_msix_pending(m))
		return "of another size";
	for (i = 0; i < m->vectors; i++) {
		memcpy(entry, data + i * sizeof(entry), sizeof(entry));
		if (entry[0] & 3 || entry[PCI_MSIX_ENTRY_CONTROL] & ~PCI_MSIX_ENTRY_MASK)
			return "an entry that cannot be";
	}
	for (i = m->vectors; i < 8 * (len - table); i++)
		if (data[table + i / 8] & 1u << i % 8)
			return "a vector that is not there";
	return NULL;
}

static const char *pci_saved_msix_load(void *state, const uint8_t *data, size_t len)
{
	struct pci_msix *m = &((struct pci_function *)state)->msix;
	size_t table = pci_saved_msix_table(m);

	if (m->vectors) {
		memcpy(m->table, data, table);
		memcpy(m->pending, data + table, len - table);
	}
	return NULL;
}

static const struct device_blob pci_saved_msix = {
	.save = pci_saved_msix_save,
	.check = pci_saved_msix_check,
	.load = pci_saved_msix_load,
};

/* BARs. */

/* While one is being sized it answers where it did, and the register does not say where. */
static const char *pci_saved_region_check(const void *state)
{
	const struct pci_region *r = state;
	uint64_t limit = r->desc.wide ? PCI_GPA_LIMIT : r->desc.io ? BIT(16) : BIT(32);

	if (r->sizing && (!r->desc.size || (r->sizing > 1 && !r->desc.wide)))
		return "sizing";
	return r->base && (!r->desc.size || r->base & r->mask || r->base >= limit) ? "base" : NULL;
}

static const struct device_field pci_saved_region_fields[] = {
	DEVICE_FIELD(struct pci_region, sizing, .max = 3),
	DEVICE_FIELD(struct pci_region, base),
	{},
};

static const struct device_state pci_saved_region = {
	.name = "bar",
	.version = 1,
	.size = sizeof(struct pci_region),
	.fields = pci_saved_region_fields,
	.check = pci_saved_region_check,
};

/* The function. */

const struct device_field pci_function_fields[] = {
	DEVICE_FIELD_BLOB("config", &pci_saved_config),
	DEVICE_FIELD_BLOB("msix", &pci_saved_msix),
	DEVICE_FIELD_STRUCTS(struct pci_function, regions, &pci_saved_region),
	DEVICE_FIELD(struct pci_function, level),
	DEVICE_FIELD(struct pci_function, gone),
	{},
};

const char *pci_function_post_load(void *state)
{
	struct pci_function *f = state;
	struct pci_root *root = f->bus->root;
	unsigned i;

	spin_lock(&root->lock);
	spin_lock(&f->lock);
	for (i = 0; i < PCI_REGIONS; i++)
		if (f->regions[i].desc.size)
			pci_region_update(&f->regions[i]);
	pci_command_update(f);
	pci_irq_restore(f);
	spin_unlock(&f->lock);
	pci_decode_update(root);
	spin_unlock(&root->lock);
	if (f->ops->command)
		f->ops->command(f->opaque, f->command);
	return NULL;
}

static const struct device_state pci_function_saved = PCI_FUNCTION_STATE("pci-function");

const struct device_ref pci_function_ref = {.type = &pci_function_saved};
