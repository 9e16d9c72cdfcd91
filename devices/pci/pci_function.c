/* SPDX-License-Identifier: BSD-2-Clause */
/* How functions come to a bus, and go. */
#include "devices/pci/pci_function.h"

#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "kernel/grace.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PCI_IO_MIN     4u
#define PCI_IO_MAX     0x1000u /* a bridge's granule; PCI itself says 256 */
#define PCI_MEMORY_MIN 16u
#define PCI_MEMORY_MAX BIT(29) /* of what has to lie below 4 GiB: the largest window there */
#define PCI_WIDE_MAX   BIT(40)
#define PCI_ROM_MIN    0x800u
#define PCI_ROM_MAX    0x1000000u

static const struct pci_function_ops pci_no_ops;

struct pci_bus *pci_bus_of(struct device *dev, struct device *bus)
{
	struct pci_bus *found = bus ? device_iface(dev->vm, bus->id, PCI_BUS_KIND) : NULL;

	if (!found)
		device_log(dev, LOG_ERROR, "key bus: device %s has no PCI bus",
			   bus ? bus->id : "(none)");
	return found;
}

void pci_function_name(const struct pci_function *f, char *buf, size_t size)
{
	if (f->bus->number < 0)
		snprintf(buf, size, "??:%02x.%u", PCI_SLOT(f->devfn), PCI_FN(f->devfn));
	else
		snprintf(buf, size, "%02x:%02x.%u", (unsigned)f->bus->number, PCI_SLOT(f->devfn),
			 PCI_FN(f->devfn));
}

uint32_t pci_function_config(struct pci_function *f, unsigned offset, unsigned width)
{
	uint32_t value;

	spin_lock(&f->lock);
	value = pci_config_read(&f->config, offset, width);
	spin_unlock(&f->lock);
	return value;
}

/* What a device asks for. */

static int pci_refuse(struct device *dev, const char *what, unsigned number)
{
	device_log(dev, LOG_ERROR, "PCI function: %s (%u)", what, number);
	return -EINVAL;
}

static int pci_check_bar(struct device *dev, const struct pci_bar *b, unsigned number, bool last)
{
	uint64_t min = b->io ? PCI_IO_MIN : PCI_MEMORY_MIN;
	uint64_t max = b->io ? PCI_IO_MAX : b->wide ? PCI_WIDE_MAX : PCI_MEMORY_MAX;

	if (!b->size)
		return 0;
	if (b->size & (b->size - 1))
		return pci_refuse(dev, "the size of a BAR is no power of two", number);
	if (b->size < min || b->size > max) {
		device_log(dev, LOG_ERROR, "BAR %u of 0x%lx bytes: expected 0x%lx to 0x%lx", number,
			   b->size, min, max);
		return -EINVAL;
	}
	if (b->wide && (b->io || last))
		return pci_refuse(dev, "a 64-bit BAR needs the next one's place", number);
	if (b->io && b->prefetchable)
		return pci_refuse(dev, "ports are not prefetchable", number);
	return b->ops ? 0 : pci_refuse(dev, "a BAR without handlers", number);
}

static int pci_check(struct device *dev, const struct pci_function_desc *d)
{
	uint8_t type = d->config[PCI_HEADER_TYPE] & ~PCI_HEADER_MULTI;
	unsigned i, bars = type == PCI_HEADER_BRIDGE ? PCI_BRIDGE_BARS : PCI_BARS;
	int err = 0;

	if (d->config_size != PCI_CONFIG_SIZE && d->config_size != PCI_CONFIG_SIZE_EXT)
		return pci_refuse(dev, "configuration of neither 256 nor 4096 bytes",
				  (unsigned)d->config_size);
	if (type > PCI_HEADER_BRIDGE)
		return pci_refuse(dev, "header of an unknown type", type);
	if (d->config[PCI_INTERRUPT_PIN] > PCI_PINS)
		return pci_refuse(dev, "interrupt pin beyond D", d->config[PCI_INTERRUPT_PIN]);
	for (i = 0; !err && i < PCI_BARS; i++) {
		if (i >= bars && d->bars[i].size)
			return pci_refuse(dev, "a bridge has two BARs", i);
		err = pci_check_bar(dev, &d->bars[i], i, i + 1 == bars);
		if (!err && d->bars[i].size && i && d->bars[i - 1].size && d->bars[i - 1].wide)
			return pci_refuse(dev, "the place of a BAR is a 64-bit one's", i);
	}
	if (err || !d->rom.size)
		return err;
	if (d->rom.io || d->rom.wide || d->rom.size < PCI_ROM_MIN || d->rom.size > PCI_ROM_MAX)
		return pci_refuse(dev, "ROM: expected 32-bit memory of 2 KiB to 16 MiB",
				  (unsigned)d->rom.size);
	return pci_check_bar(dev, &d->rom, PCI_BAR_ROM, false);
}

static int pci_no_read(void *opaque __unused, struct vcpu *vcpu __unused, uint64_t offset __unused,
		       unsigned width __unused, uint64_t *value)
{
	*value = UINT64_MAX;
	return 0;
}

static int pci_no_write(void *opaque __unused, struct vcpu *vcpu __unused, uint64_t offset __unused,
			unsigned width __unused, uint64_t value __unused)
{
	return 0;
}

static void pci_function_set_regions(struct pci_function *f, const struct pci_function_desc *d)
{
	unsigned i;

	for (i = 0; i < PCI_REGIONS; i++) {
		struct pci_region *r = &f->regions[i];

		r->f = f;
		r->desc = i == PCI_BAR_ROM ? d->rom : d->bars[i];
		r->reg = (uint8_t)(PCI_BAR0 + 4 * i);
		r->mask = r->desc.size - 1;
		r->ops.read = r->desc.ops && r->desc.ops->read ? r->desc.ops->read : pci_no_read;
		r->ops.write =
			r->desc.ops && r->desc.ops->write ? r->desc.ops->write : pci_no_write;
	}
	f->regions[PCI_BAR_ROM].reg = f->is_bridge ? PCI_BRIDGE_ROM : PCI_ROM;
}

void pci_function_free(struct pci_function *f)
{
	if (!f)
		return;
	pci_config_free(&f->config);
	kfree(f->msix.table);
	kfree(f->msix.pending);
	kfree(f);
}

int pci_function_make(struct device *dev, struct pci_bus *bus, uint8_t devfn,
		      const struct pci_function_desc *desc, struct pci_function **out)
{
	int err = pci_check(dev, desc);
	struct pci_function *f = err ? NULL : kzalloc(sizeof(*f));

	if (!f)
		return err ? err : -ENOMEM;
	spinlock_init(&f->lock);
	f->dev = dev;
	f->bus = bus;
	f->devfn = devfn;
	f->is_bridge = (desc->config[PCI_HEADER_TYPE] & ~PCI_HEADER_MULTI) == PCI_HEADER_BRIDGE;
	f->ops = desc->ops ? desc->ops : &pci_no_ops;
	f->opaque = desc->opaque;
	f->pin = desc->config[PCI_INTERRUPT_PIN];
	if (f->pin)
		f->route = pci_irq_route(bus, devfn, f->pin);
	pci_function_set_regions(f, desc);
	err = pci_config_create(&f->config, desc->config, desc->config_size);
	if (!err)
		err = pci_caps_define(f);
	if (!err)
		err = pci_pages_check(f);
	if (err)
		pci_function_free(f);
	else
		*out = f;
	return err;
}

/* Room for one more function and its windows. What was there goes to @old, to be freed later. */

struct pci_room {
	struct pci_list *list;
	struct pci_map *maps[PCI_SPACES];
};

static void pci_room_free(struct pci_room *room)
{
	unsigned i;

	kfree(room->list);
	for (i = 0; i < PCI_SPACES; i++)
		kfree(room->maps[i]);
}

static int pci_room_make(struct pci_room *room, unsigned functions)
{
	size_t windows = (size_t)functions * PCI_REGIONS;
	unsigned i;

	room->list = kzalloc(sizeof(*room->list) + functions * sizeof(room->list->items[0]));
	for (i = 0; i < PCI_SPACES; i++)
		room->maps[i] =
			kzalloc(sizeof(struct pci_map) + windows * sizeof(struct pci_window));
	if (room->list && room->maps[PCI_PORTS] && room->maps[PCI_MEMORY])
		return 0;
	pci_room_free(room);
	return -ENOMEM;
}

/*
 * The root is locked. Readers of the old maps, which are not changed any more,
 * find what was true until now.
 */
static void pci_room_swap(struct pci_root *root, struct pci_room *room, struct pci_function *f)
{
	struct pci_room old = {root->list, {root->maps[PCI_PORTS], root->maps[PCI_MEMORY]}};
	unsigned i;

	for (i = 0; old.list && i < old.list->count; i++)
		if (old.list->items[i])
			room->list->items[room->list->count++] = old.list->items[i];
	if (f) {
		room->list->items[room->list->count++] = f;
		pci_pages_enter(root, f);
	}
	grace_publish(root->list, room->list);
	pci_decode_build(root, room->maps);
	for (i = 0; i < PCI_SPACES; i++)
		grace_publish(root->maps[i], room->maps[i]);
	*room = old;
}

int pci_root_init(struct pci_root *root)
{
	struct pci_room room;
	int err = pci_room_make(&room, 0);

	if (err)
		return err;
	root->bus.root = root;
	root->bus.last = PCI_BUSES - 1;
	list_init(&root->paged);
	pci_room_swap(root, &room, NULL);
	return 0;
}

void pci_root_free(struct pci_root *root)
{
	struct pci_room room = {root->list, {root->maps[PCI_PORTS], root->maps[PCI_MEMORY]}};

	pci_room_free(&room);
}

static unsigned pci_slot_count(const struct pci_bus *bus, unsigned slot)
{
	unsigned i, n = 0;

	for (i = 0; i < 8; i++)
		n += bus->functions[PCI_DEVFN(slot, i)] != NULL;
	return n;
}

/* Software looks for functions 1 to 7 of a device only where it is told to (6.2.1). */
static void pci_slot_update(struct pci_bus *bus, unsigned slot)
{
	bool multi = pci_slot_count(bus, slot) > 1;
	unsigned i;

	for (i = 0; i < 8; i++) {
		struct pci_function *f = bus->functions[PCI_DEVFN(slot, i)];
		uint8_t type;

		if (!f)
			continue;
		type = f->is_bridge | (multi ? PCI_HEADER_MULTI : 0);
		spin_lock(&f->lock);
		pci_config_set(&f->config, PCI_HEADER_TYPE, 1, type);
		pci_config_set_initial(&f->config, PCI_HEADER_TYPE, 1, type);
		spin_unlock(&f->lock);
	}
}

/* The slot has got its first function, or lost its last. */
static void pci_tell_slot(const struct pci_function *f, bool occupied)
{
	struct vm *vm = f->dev->vm;
	const struct pci_slot_listener *l;

	if (vm->state != VM_RUNNING && vm->state != VM_PAUSED)
		return;
	if (pci_slot_count(f->bus, PCI_SLOT(f->devfn)) != (occupied ? 1 : 0))
		return;
	l = device_iface(vm, NULL, PCI_SLOTS_KIND);
	if (l)
		l->changed(l->opaque, f->bus, PCI_SLOT(f->devfn), occupied);
}

bool pci_function_unplug(const struct pci_function *f)
{
	const struct pci_slot_listener *l = device_iface(f->dev->vm, NULL, PCI_SLOTS_KIND);

	return l && l->ask(l->opaque, f->bus, PCI_SLOT(f->devfn));
}

/* The root is locked. Decoding follows by pci_decode_update(). */
static void pci_function_silence(struct pci_function *f)
{
	spin_lock(&f->lock);
	WRITE_ONCE(f->gone, true);
	WRITE_ONCE(f->command, 0);
	pci_irq_update(f);
	spin_unlock(&f->lock);
}

void pci_function_vanish(struct pci_function *f)
{
	struct pci_root *root = f->bus->root;

	spin_lock(&root->lock);
	pci_function_silence(f);
	pci_decode_update(root);
	spin_unlock(&root->lock);
}

/* From a task. The structure stays for whoever still finds it. */
static void pci_function_remove(void *opaque)
{
	struct pci_function *f = opaque;
	struct pci_root *root = f->bus->root;
	unsigned i;
	bool paged;

	spin_lock(&root->lock);
	pci_function_silence(f);
	paged = pci_pages_leave(f);
	grace_publish(f->bus->functions[f->devfn], NULL);
	for (i = 0; i < root->list->count; i++)
		if (root->list->items[i] == f)
			grace_publish(root->list->items[i], NULL);
	pci_slot_update(f->bus, PCI_SLOT(f->devfn));
	pci_decode_update(root);
	spin_unlock(&root->lock);
	if (paged)
		pci_pages_left(f->dev->vm);
	pci_tell_slot(f, false);
}

static unsigned pci_root_functions(const struct pci_root *root)
{
	unsigned i, n = 0;

	for (i = 0; i < root->list->count; i++)
		n += root->list->items[i] != NULL;
	return n;
}

int pci_function_publish(struct pci_function *f)
{
	struct pci_bus *bus = f->bus;
	struct pci_root *root = bus->root;
	const struct pci_function *other = bus->functions[f->devfn];
	unsigned count = pci_root_functions(root);
	struct pci_room room;
	int err;

	if (other) {
		device_log(f->dev, LOG_ERROR, "wants PCI function %02x.%u, which is device %s's",
			   PCI_SLOT(f->devfn), PCI_FN(f->devfn), other->dev->id);
		return -EBUSY;
	}
	if (count == PCI_FUNCTIONS_MAX) {
		device_log(f->dev, LOG_ERROR, "the VM has %u PCI functions already", count);
		return -ENOSPC;
	}
	err = pci_room_make(&room, count + 1);
	if (err)
		return err;
	spin_lock(&root->lock);
	grace_publish(bus->functions[f->devfn], f);
	pci_slot_update(bus, PCI_SLOT(f->devfn));
	pci_room_swap(root, &room, f);
	spin_unlock(&root->lock);
	err = device_own(f->dev, pci_function_remove, f);
	if (err)
		pci_function_remove(f);
	else
		pci_tell_slot(f, true);
	grace_synchronize();
	pci_room_free(&room);
	return err;
}

int pci_function_add(struct device *dev, struct pci_bus *bus, uint8_t devfn,
		     const struct pci_function_desc *desc, struct pci_function **out)
{
	struct pci_function *f;
	int err = pci_function_make(dev, bus, devfn, desc, &f);

	if (err)
		return err;
	*out = f;
	err = pci_function_publish(f);
	if (err) {
		/* The device may interrupt by it already, from any CPU. */
		WRITE_ONCE(*out, NULL);
		grace_synchronize();
		pci_function_free(f);
	}
	return err;
}

/* Slots. */

uint32_t pci_bus_slots(const struct pci_bus *bus)
{
	uint32_t slots = 0;
	unsigned i;

	for (i = 0; i < PCI_SLOTS; i++)
		slots |= pci_slot_count(bus, i) ? UINT32_C(1) << i : 0;
	return slots;
}

int pci_bus_number(const struct pci_bus *bus)
{
	return READ_ONCE(bus->number);
}

void pci_bus_slot_devices(const struct pci_bus *bus, unsigned slot,
			  void (*fn)(void *opaque, struct device *dev), void *opaque)
{
	unsigned i;

	for (i = 0; i < 8; i++) {
		struct pci_function *f = bus->functions[PCI_DEVFN(slot, i)];

		if (f)
			fn(opaque, f->dev);
	}
}
