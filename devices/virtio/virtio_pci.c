/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device as a PCI function (VIRTIO 1.2, 4.1): its configuration space, what
 * lies in its BARs, and the window to them in the configuration space.
 */
#include "devices/pci/pci_regs.h"
#include "devices/virtio/virtio_internal.h"
#include "kernel/panic.h"

#include <string.h>

#define VIRTIO_PCI_VENDOR 0x1af4
#define VIRTIO_PCI_DEVICE 0x1040 /* and the device's type */

/* A BAR of memory, a page for each structure; and one for MSI-X, which the front answers for. */
#define BAR	      0
#define BAR_COMMON    0x0000u
#define BAR_ISR	      0x1000u
#define BAR_CONFIG    0x2000u
#define BAR_NOTIFY    0x3000u
#define BAR_SIZE      0x4000u
#define BAR_PAGE      0x1000u
#define COMMON_LENGTH 64u
#define ISR_LENGTH    1u
#define NOTIFY_STRIDE 4u

#define MSIX_BAR      2
#define MSIX_BAR_SIZE 0x1000u
#define MSIX_TABLE    0x000u
#define MSIX_PBA      0x800u

_Static_assert((VIRTIO_QUEUES_MAX + 1) * 16 <= MSIX_PBA - MSIX_TABLE, "the table is too long");
_Static_assert(VIRTIO_QUEUES_MAX *NOTIFY_STRIDE <= BAR_SIZE - BAR_NOTIFY, "too many queues");

/* Capabilities (4.1.4): type, and what follows the two bytes that every one begins with. */
#define CAP_COMMON 1
#define CAP_NOTIFY 2
#define CAP_ISR	   3
#define CAP_DEVICE 4
#define CAP_PCI	   5
#define CAP_HEAD   2

struct virtio_pci_cap {
	uint8_t len, type, bar, id;
	uint8_t padding[2];
	uint32_t offset, length;
	uint32_t more; /* CAP_NOTIFY: distance of queues; CAP_PCI: data */
} __packed;

_Static_assert(offsetof(struct virtio_pci_cap, offset) + CAP_HEAD == 8, "4.1.4");
_Static_assert(sizeof(struct virtio_pci_cap) + CAP_HEAD == 20, "4.1.4.4");

/* Where the window's fields are in the capability. */
#define WINDOW_BAR    4u
#define WINDOW_OFFSET 8u
#define WINDOW_LENGTH 12u
#define WINDOW_DATA   16u
#define WINDOW_SIZE   20u

_Static_assert(WINDOW_DATA - WINDOW_BAR == VIRTIO_WINDOW_SET, "what the driver sets");

static unsigned add_cap(struct virtio *v, uint8_t type, uint32_t offset, uint32_t length,
			uint32_t more)
{
	bool longer = type == CAP_NOTIFY || type == CAP_PCI;
	size_t size = sizeof(struct virtio_pci_cap) - (longer ? 0 : sizeof(uint32_t));
	struct virtio_pci_cap cap = {.len = (uint8_t)(size + CAP_HEAD),
				     .type = type,
				     .bar = BAR,
				     .offset = offset,
				     .length = length,
				     .more = more};
	unsigned at = host_config_add(&v->pci, PCI_CAP_VENDOR, &cap, size);

	BUG_ON(!at); /* no guest and no config has a say in how long they are together */
	return at;
}

void virtio_pci_init(struct virtio *v)
{
	const struct host_config_ids ids = {
		.vendor = VIRTIO_PCI_VENDOR,
		.device = VIRTIO_PCI_DEVICE + v->ops->id,
		.subsystem_vendor = VIRTIO_PCI_VENDOR,
		.subsystem = VIRTIO_PCI_DEVICE + v->ops->id,
		.class_code = v->ops->class_code,
		.revision = 1,
		.pin = 1,
	};
	struct host_region *regions = v->hd->regions;
	unsigned msix;

	host_config_init(&v->pci, &ids);
	add_cap(v, CAP_COMMON, BAR_COMMON, COMMON_LENGTH, 0);
	add_cap(v, CAP_ISR, BAR_ISR, ISR_LENGTH, 0);
	if (v->config_size)
		add_cap(v, CAP_DEVICE, BAR_CONFIG, v->config_size, 0);
	add_cap(v, CAP_NOTIFY, BAR_NOTIFY, v->queue_count * NOTIFY_STRIDE, NOTIFY_STRIDE);
	v->window = add_cap(v, CAP_PCI, 0, 0, 0);
	msix = host_config_add_msix(&v->pci, virtio_vectors(v), MSIX_BAR, MSIX_TABLE, MSIX_BAR,
				    MSIX_PBA);
	BUG_ON(!msix);
	regions[BAR] = (struct host_region){.size = BAR_SIZE,
					    .wide = true,
					    .doorbell_offset = BAR_NOTIFY,
					    .doorbell_size = v->queue_count * NOTIFY_STRIDE};
	regions[MSIX_BAR] = (struct host_region){.size = MSIX_BAR_SIZE};
	regions[HOST_REGION_CONFIG] = (struct host_region){.size = HOST_CONFIG_SIZE};
}

/* The device's configuration: what is beyond it reads 0. */
static uint64_t config_read(struct virtio *v, uint64_t offset, unsigned width)
{
	uint64_t value = 0;

	if (offset >= v->config_size)
		return 0;
	spin_lock(&v->config_lock);
	memcpy(&value, v->config + offset, MIN(width, v->config_size - offset));
	spin_unlock(&v->config_lock);
	return value;
}

static void config_write(struct virtio *v, uint64_t offset, unsigned width, uint64_t value)
{
	if (!v->ops->config_write || width > v->config_size || offset > v->config_size - width)
		return;
	spin_lock(&v->lock);
	if (!(v->status & VIRTIO_RESETTING))
		v->ops->config_write(v, (unsigned)offset, width, value);
	spin_unlock(&v->lock);
}

static uint64_t bar_read(struct virtio *v, uint64_t offset, unsigned width)
{
	uint64_t in_page = offset % BAR_PAGE;

	switch (ALIGN_DOWN(offset, BAR_PAGE)) {
	case BAR_COMMON:
		return virtio_common_read(v, in_page, width);
	case BAR_ISR:
		/* 4.1.4.5: reading it ends the interrupt. */
		return in_page ? 0 : virtio_isr_take(v);
	case BAR_CONFIG:
		return config_read(v, in_page, width);
	default:
		return 0;
	}
}

static void bar_write(struct virtio *v, uint64_t offset, unsigned width, uint64_t value)
{
	switch (ALIGN_DOWN(offset, BAR_PAGE)) {
	case BAR_COMMON:
		virtio_common_write(v, offset - BAR_COMMON, width, value);
		break;
	case BAR_CONFIG:
		config_write(v, offset - BAR_CONFIG, width, value);
		break;
	default:
		break;
	}
}

void virtio_doorbell(struct host_device *hd, unsigned region __unused, uint64_t offset,
		     uint64_t value __unused)
{
	struct virtio *v = hd->state;
	uint64_t queue = (offset - BAR_NOTIFY) / NOTIFY_STRIDE;

	if (queue < v->queue_count && virtio_running(v))
		v->ops->notify(v, &v->queues[queue]);
}

/*
 * The window (4.1.4.9): the driver writes BAR, offset and length, then accesses
 * the data.
 */

struct window {
	uint32_t offset, length;
};

static uint32_t pci_get32(const struct virtio *v, unsigned at)
{
	uint32_t value;

	memcpy(&value, v->pci.bytes + at, sizeof(value));
	return value;
}

/* False: it leads nowhere. */
static bool window_get(struct virtio *v, struct window *w)
{
	bool is_bar;

	spin_lock(&v->lock);
	is_bar = v->pci.bytes[v->window + WINDOW_BAR] == BAR;
	w->offset = pci_get32(v, v->window + WINDOW_OFFSET);
	w->length = pci_get32(v, v->window + WINDOW_LENGTH);
	spin_unlock(&v->lock);
	return is_bar && (w->length == 1 || w->length == 2 || w->length == 4) &&
	       w->offset < BAR_SIZE && IS_ALIGNED(w->offset, w->length);
}

static bool is_window_data(const struct virtio *v, uint64_t offset)
{
	return offset >= v->window + WINDOW_DATA && offset < v->window + WINDOW_SIZE;
}

static uint64_t pci_read(struct virtio *v, uint64_t offset, unsigned width)
{
	struct window w;
	uint64_t value;

	if (!is_window_data(v, offset)) {
		spin_lock(&v->lock);
		value = host_config_read(&v->pci, offset, width);
		spin_unlock(&v->lock);
		return value;
	}
	value = window_get(v, &w) ? bar_read(v, w.offset, w.length) : UINT32_MAX;
	return value >> (8 * (offset - v->window - WINDOW_DATA));
}

/* Only the window's fields can be written here: the rest is the front's. */
static void pci_write(struct virtio *v, uint64_t offset, unsigned width, uint64_t value)
{
	unsigned i, at;
	struct window w;

	if (offset == v->window + WINDOW_DATA) {
		if (!window_get(v, &w))
			return;
		value &= UINT32_MAX >> (32 - 8 * w.length);
		/* A doorbell, too, rings. */
		(void)!host_device_write(v->hd, BAR, w.offset, w.length, value);
		return;
	}
	spin_lock(&v->lock);
	for (i = 0; i < width; i++) {
		at = (unsigned)offset + i - v->window;
		if (at == WINDOW_BAR || (at >= WINDOW_OFFSET && at < WINDOW_DATA))
			v->pci.bytes[offset + i] = (uint8_t)(value >> (8 * i));
	}
	spin_unlock(&v->lock);
}

uint8_t *virtio_window(struct virtio *v)
{
	return v->pci.bytes + v->window + WINDOW_BAR;
}

void virtio_pci_reset(struct virtio *v)
{
	memset(v->pci.bytes + v->window + WINDOW_BAR, 0, WINDOW_SIZE - WINDOW_BAR);
}

int virtio_read(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		uint64_t *value)
{
	struct virtio *v = hd->state;

	*value = 0;
	if (region == HOST_REGION_CONFIG)
		*value = pci_read(v, offset, width);
	else if (region == BAR)
		*value = bar_read(v, offset, width);
	return 0;
}

int virtio_write(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		 uint64_t value)
{
	struct virtio *v = hd->state;

	if (region == HOST_REGION_CONFIG)
		pci_write(v, offset, width, value);
	else if (region == BAR)
		bar_write(v, offset, width, value);
	return 0;
}
