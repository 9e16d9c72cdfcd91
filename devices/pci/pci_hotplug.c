/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hot plug on the root bus: registers by which the guest's ACPI methods learn
 * which slots have changed, and let go of what is to leave. devices/acpi_node.h
 * has the registers, devices/chipset/acpi_hotplug.c the methods.
 *
 * Spec: ACPI 6.4, 5.6.4.1 and 6.3.
 * Keys: io. Lock: lock over the registers; the event's comes after it.
 */
#include "devices/acpi_node.h"
#include "devices/pci/pci_function.h"
#include "kernel/slab.h"
#include "kernel/spinlock.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>

#define HOTPLUG_GPE	   1
#define HOTPLUG_SLOTS	   32u
#define HOTPLUG_FUNCTIONS  8u
#define HOTPLUG_SLOT(slot) (UINT32_C(1) << (slot))

struct hotplug {
	struct spinlock lock;
	struct device *dev;
	const struct pci_bus *bus;
	const struct acpi_gpe *gpe;
	struct acpi_hotplug acpi;
	struct acpi_node node; /* its ports are not for PCI's BARs */
	struct pci_slot_listener listener;
	uint32_t up, down; /* UP and DOWN: R, write 1 to clear */
	uint32_t ejected;  /* EJECT: W; what deferred() has not ended yet */
	uint32_t leaving;  /* what it ends now: the guest knows */
};

/* The devices of a slot, in order of functions. */
struct hotplug_slot {
	struct device *devices[HOTPLUG_FUNCTIONS];
	unsigned count;
};

static void hotplug_take_device(void *opaque, struct device *dev)
{
	struct hotplug_slot *slot = opaque;

	if (slot->count < HOTPLUG_FUNCTIONS)
		slot->devices[slot->count++] = dev;
}

/* Those that nobody can ask to leave are soldered on. */
static uint32_t hotplug_slots(void *opaque)
{
	struct hotplug *h = opaque;
	uint32_t slots = 0;
	unsigned n, i;

	for (n = 0; n < HOTPLUG_SLOTS; n++) {
		struct hotplug_slot slot = {.count = 0};

		pci_bus_slot_devices(h->bus, n, hotplug_take_device, &slot);
		for (i = 0; i < slot.count && slot.devices[i]->type->unplug;)
			i++;
		if (i == slot.count)
			slots |= HOTPLUG_SLOT(n);
	}
	return slots;
}

static void hotplug_changed(void *opaque, const struct pci_bus *bus, unsigned slot,
			    bool occupied __unused)
{
	struct hotplug *h = opaque;
	bool tell;

	if (bus != h->bus)
		return;
	spin_lock(&h->lock);
	tell = !(h->leaving & HOTPLUG_SLOT(slot));
	h->down &= ~HOTPLUG_SLOT(slot);
	if (tell)
		h->up |= HOTPLUG_SLOT(slot);
	spin_unlock(&h->lock);
	if (tell)
		h->gpe->raise(h->gpe->opaque, HOTPLUG_GPE);
}

static bool hotplug_ask(void *opaque, const struct pci_bus *bus, unsigned slot)
{
	struct hotplug *h = opaque;

	if (bus != h->bus || !h->gpe->enabled(h->gpe->opaque, HOTPLUG_GPE))
		return false;
	spin_lock(&h->lock);
	h->down |= HOTPLUG_SLOT(slot);
	spin_unlock(&h->lock);
	h->gpe->raise(h->gpe->opaque, HOTPLUG_GPE);
	return true;
}

/* The guest let go of all functions of a slot. */
static void hotplug_end_slot(struct hotplug *h, unsigned n)
{
	struct hotplug_slot slot = {.count = 0};
	unsigned i;

	pci_bus_slot_devices(h->bus, n, hotplug_take_device, &slot);
	for (i = 0; i < slot.count; i++) {
		if (!slot.devices[i]->type->unplug) {
			vm_log_guest(h->dev->vm, LOG_WARN,
				     "%s: the guest ejects slot %u, but %s is soldered on",
				     h->dev->id, n, slot.devices[i]->id);
			return;
		}
	}
	while (slot.count) {
		struct device *dev = slot.devices[--slot.count];

		vm_log_guest(dev->vm, LOG_INFO, "%s: the guest has let go of it", dev->id);
		if (device_destroy(dev))
			vm_log_guest(dev->vm, LOG_WARN, "%s: %s stays in slot %u", h->dev->id,
				     dev->id, n);
	}
}

static void hotplug_deferred(struct device *dev)
{
	struct hotplug *h = dev->state;
	uint32_t ejected;
	unsigned n;

	spin_lock(&h->lock);
	ejected = h->leaving = h->ejected;
	h->ejected = 0;
	spin_unlock(&h->lock);
	for (n = 0; n < HOTPLUG_SLOTS; n++)
		if (ejected & HOTPLUG_SLOT(n))
			hotplug_end_slot(h, n);
	spin_lock(&h->lock);
	h->leaving = 0;
	spin_unlock(&h->lock);
}

static int hotplug_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
			uint64_t *value)
{
	struct hotplug *h = opaque;

	if (width != 4 || offset % 4)
		return -EINVAL;
	spin_lock(&h->lock);
	*value = offset == ACPI_HOTPLUG_UP ? h->up : offset == ACPI_HOTPLUG_DOWN ? h->down : 0;
	spin_unlock(&h->lock);
	return 0;
}

static int hotplug_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
			 uint64_t value)
{
	struct hotplug *h = opaque;

	if (width != 4 || offset % 4)
		return -EINVAL;
	spin_lock(&h->lock);
	if (offset == ACPI_HOTPLUG_UP)
		h->up &= ~(uint32_t)value;
	else if (offset == ACPI_HOTPLUG_DOWN)
		h->down &= ~(uint32_t)value;
	else
		h->ejected |= (uint32_t)value;
	spin_unlock(&h->lock);
	if (offset == ACPI_HOTPLUG_EJECT && value)
		device_defer(h->dev);
	return 0;
}

static const struct hook_ops hotplug_ops = {.read = hotplug_read, .write = hotplug_write};

static void hotplug_reset(struct device *dev)
{
	struct hotplug *h = dev->state;

	spin_lock(&h->lock);
	h->up = h->down = h->ejected = 0;
	spin_unlock(&h->lock);
}

/* What the guest let go of just before. */
static const char *hotplug_post_load(void *state)
{
	const struct hotplug *h = state;

	if (h->ejected)
		device_defer(h->dev);
	return NULL;
}

static const struct device_field hotplug_fields[] = {
	DEVICE_FIELD(struct hotplug, up),
	DEVICE_FIELD(struct hotplug, down),
	DEVICE_FIELD(struct hotplug, ejected),
	{},
};

static const struct device_state hotplug_saved = {
	.name = "pci-hotplug",
	.version = 1,
	.size = sizeof(struct hotplug),
	.lock = DEVICE_STATE_LOCK(struct hotplug, lock),
	.fields = hotplug_fields,
	.post_load = hotplug_post_load,
};

static void hotplug_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int hotplug_create(struct device *dev, const struct device_config *config)
{
	uint16_t io = (uint16_t)device_config_uint(config, "io");
	struct hotplug *h = kzalloc(sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	dev->state = h;
	h->dev = dev;
	h->bus = pci_bus_of(dev, device_config_device(config, "bus"));
	h->gpe = device_iface(dev->vm, device_config_device(config, "events")->id, ACPI_GPE_KIND);
	if (!h->bus || !h->gpe) {
		if (!h->gpe)
			device_log(dev, LOG_ERROR,
				   "events: expected a device that has them, as pm");
		return -EINVAL;
	}
	h->acpi = (struct acpi_hotplug){io, HOTPLUG_GPE, hotplug_slots, h};
	h->node = (struct acpi_node){.hid = ACPI_HID_BOARD, .io = {{io, ACPI_HOTPLUG_PORTS}}};
	h->listener = (struct pci_slot_listener){hotplug_changed, hotplug_ask, h};
	err = device_provide(dev, ACPI_HOTPLUG_KIND, &h->acpi);
	if (!err)
		err = device_provide(dev, ACPI_NODE_KIND, &h->node);
	if (!err)
		err = device_hook_io(dev, io, ACPI_HOTPLUG_PORTS, &hotplug_ops, h);
	if (!err)
		err = device_provide(dev, PCI_SLOTS_KIND, &h->listener);
	return err;
}

static const struct device_key hotplug_keys[] = {
	{.name = "bus", .kind = KEY_DEVICE, .def = "pci0", .help = "the root bus"},
	{.name = "events", .kind = KEY_DEVICE, .def = "pm", .help = "whose SCI tells the guest"},
	{.name = "io",
	 .kind = KEY_UINT,
	 .def = "0xae00",
	 .max = 0x10000 - ACPI_HOTPLUG_PORTS,
	 .help = "first I/O port"},
	{},
};

MACHINE_PART(hotplug_part, .machine = "pc",
	     .text = "[device \"pci-hotplug\"]\ntype = pci-hotplug\n");

DEVICE_TYPE(hotplug_type, .name = "pci-hotplug", .help = "PCI devices come and go, told by ACPI",
	    .keys = hotplug_keys, .create = hotplug_create, .destroy = hotplug_destroy,
	    .reset = hotplug_reset, .deferred = hotplug_deferred, .saved = &hotplug_saved);
