/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/virtio/guest.h"

#include "kernel/slab.h"
#include "vmm/guest_memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define GRANULES_COUNT (GUEST_RAM / GUEST_GRANULE)

#define CAP_VENDOR 0x09
#define CAP_MSIX   0x11

#define NEXT	 1
#define WRITE	 2
#define INDIRECT 4
#define AVAIL	 0x80
#define USED	 0x8000

struct guest_front front;
struct guest_places places;
struct guest_queue guest_queues[GUEST_QUEUES];

static uint8_t *granules[GRANULES_COUNT];
static struct guest_memory memory = {
	.size = GUEST_RAM,
	.low_end = GUEST_RAM,
	.high_end = GUEST_HIGH_BASE,
	.granules = granules,
	.granule_count = GRANULES_COUNT,
};
static const char *plug_url;

/* Memory. */

static int each_piece(gpa_t gpa, size_t len, uint8_t *buf, bool write)
{
	size_t n;

	if (gpa > GUEST_RAM || len > GUEST_RAM - gpa)
		return -EFAULT;
	for (; len; gpa += n, buf += n, len -= n) {
		n = MIN(len, (size_t)(GUEST_GRANULE - gpa % GUEST_GRANULE));
		if (!guest_memory_ptr(&memory, gpa, n))
			return -EFAULT;
		if (write)
			memcpy(guest_memory_ptr(&memory, gpa, n), buf, n);
		else
			memcpy(buf, guest_memory_ptr(&memory, gpa, n), n);
	}
	return 0;
}

int guest_read(struct vm *vm, gpa_t gpa, void *buf, size_t len)
{
	(void)vm;
	return each_piece(gpa, len, buf, false);
}

int guest_write(struct vm *vm, gpa_t gpa, const void *buf, size_t len)
{
	(void)vm;
	return each_piece(gpa, len, (uint8_t *)buf, true);
}

void *guest_at(gpa_t gpa)
{
	return guest_memory_ptr(&memory, gpa, 1);
}

void guest_put(gpa_t gpa, const void *data, size_t len)
{
	assert_int_equal(guest_write(NULL, gpa, data, len), 0);
}

void guest_get(gpa_t gpa, void *data, size_t len)
{
	assert_int_equal(guest_read(NULL, gpa, data, len), 0);
}

static void put16(gpa_t gpa, uint16_t value)
{
	guest_put(gpa, &value, 2);
}

static uint16_t get16(gpa_t gpa)
{
	uint16_t value;

	guest_get(gpa, &value, 2);
	return value;
}

static uint32_t get32(gpa_t gpa)
{
	uint32_t value;

	guest_get(gpa, &value, 4);
	return value;
}

/* The front. */

static void front_intx(void *opaque, bool level)
{
	struct guest_front *f = opaque;

	f->intx_edges += level && !f->intx;
	f->intx = level;
}

static void front_message(void *opaque, unsigned vector)
{
	struct guest_front *f = opaque;

	assert_true(vector < places.vectors);
	assert_true(f->mode == HOST_IRQ_MSIX);
	f->messages[vector]++;
}

static enum host_irq_mode front_mode(void *opaque)
{
	return ((struct guest_front *)opaque)->mode;
}

static bool front_master(void *opaque)
{
	return ((struct guest_front *)opaque)->master;
}

static void front_vanished(void *opaque)
{
	(void)opaque;
}

static const struct host_front_ops front_ops = {
	.intx = front_intx,
	.message = front_message,
	.irq_mode = front_mode,
	.master = front_master,
	.vanished = front_vanished,
};

static int front_create(struct device *dev, const struct device_config *config)
{
	int err = host_device_open(dev, plug_url, HOST_BUS_PCI, &front_ops, &front, &front.hd);

	(void)config;
	if (!err)
		dev->state = front.hd;
	return err;
}

static void front_destroy(struct device *dev)
{
	host_device_close(dev->state);
	front.hd = NULL;
}

static void front_reset(struct device *dev)
{
	host_device_reset(dev->state);
	host_device_drain(dev->state);
}

DEVICE_TYPE(front_type, .name = "front", .help = "shows a host device", .create = front_create,
	    .destroy = front_destroy, .reset = front_reset);

/* What the driver finds. */

static uint32_t pci_in(unsigned offset, unsigned width)
{
	uint64_t value;

	assert_int_equal(host_device_read(front.hd, HOST_REGION_CONFIG, offset, width, &value), 0);
	return (uint32_t)value;
}

static void find_cap(unsigned at)
{
	struct guest_place place = {pci_in(at + 4, 1), pci_in(at + 8, 4), pci_in(at + 12, 4)};

	if (pci_in(at, 1) == CAP_MSIX)
		places.vectors = (pci_in(at + 2, 2) & 0x7ff) + 1;
	if (pci_in(at, 1) != CAP_VENDOR)
		return;
	switch (pci_in(at + 3, 1)) {
	case 1:
		places.common = place;
		break;
	case 2:
		places.notify = place;
		places.notify_multiplier = pci_in(at + 16, 4);
		break;
	case 3:
		places.isr = place;
		break;
	case 4:
		places.config = place;
		break;
	case 5:
		places.window = at;
		break;
	}
	assert_true(place.offset + place.length <= front.hd->regions[place.bar].size);
}

struct host_device *guest_plug(const char *url)
{
	unsigned at, n = 0;

	memset(&front, 0, sizeof(front));
	memset(&places, 0, sizeof(places));
	front.master = true;
	front.mode = HOST_IRQ_MSIX;
	plug_url = url;
	front.dev = world_add(0, "front", "card", "");
	if (!front.dev)
		return NULL;
	for (at = pci_in(0x34, 1); at; at = pci_in(at + 1, 1)) {
		assert_true(n++ < 48);
		find_cap(at);
	}
	return front.hd;
}

void guest_unplug(void)
{
	world_del(0, "card");
	front.dev = NULL;
}

/* Zeroes, between pages that nobody may touch. */
static void granule_clear(uint8_t **granule)
{
	size_t size = GUEST_GRANULE + 2 * PAGE_SIZE;
	uint8_t *pages;

	if (*granule) {
		assert_int_equal(madvise(*granule, GUEST_GRANULE, MADV_DONTNEED), 0);
		return;
	}
	pages = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(pages != MAP_FAILED);
	*granule = pages + PAGE_SIZE;
	assert_int_equal(mprotect(*granule, GUEST_GRANULE, PROT_READ | PROT_WRITE), 0);
}

struct host_device *guest_start(const char *url)
{
	unsigned i;

	world_start();
	for (i = 0; i < GRANULES_COUNT; i++)
		granule_clear(&granules[i]);
	world_vms[0].memory = &memory;
	return guest_plug(url);
}

void guest_end(void)
{
	world_end();
}

static uint64_t bar_in(const struct guest_place *place, unsigned offset, unsigned width)
{
	uint64_t value;

	assert_int_equal(
		host_device_read(front.hd, place->bar, place->offset + offset, width, &value), 0);
	return value;
}

static void bar_out(const struct guest_place *place, unsigned offset, unsigned width,
		    uint64_t value)
{
	assert_int_equal(
		host_device_write(front.hd, place->bar, place->offset + offset, width, value), 0);
}

uint64_t common_in(unsigned reg, unsigned width)
{
	return bar_in(&places.common, reg, width);
}

void common_out(unsigned reg, unsigned width, uint64_t value)
{
	bar_out(&places.common, reg, width, value);
}

uint64_t config_in(unsigned offset, unsigned width)
{
	return bar_in(&places.config, offset, width);
}

void config_out(unsigned offset, unsigned width, uint64_t value)
{
	bar_out(&places.config, offset, width, value);
}

uint8_t isr_in(void)
{
	return (uint8_t)bar_in(&places.isr, 0, 1);
}

/* The driver: the device's life. */

uint8_t guest_status(void)
{
	return (uint8_t)common_in(COMMON_STATUS, 1);
}

static void add_status(uint8_t bit)
{
	common_out(COMMON_STATUS, 1, guest_status() | bit);
}

uint64_t guest_offered(void)
{
	uint64_t low;

	common_out(COMMON_DFSELECT, 4, 0);
	low = common_in(COMMON_DF, 4);
	common_out(COMMON_DFSELECT, 4, 1);
	return low | common_in(COMMON_DF, 4) << 32;
}

bool guest_negotiate(uint64_t features)
{
	features |= VIRTIO_F_VERSION_1;
	common_out(COMMON_STATUS, 1, 0);
	while (guest_status())
		assert_true(world_work_one());
	memset(guest_queues, 0, sizeof(guest_queues));
	add_status(VIRTIO_STATUS_ACKNOWLEDGE);
	add_status(VIRTIO_STATUS_DRIVER);
	common_out(COMMON_GFSELECT, 4, 0);
	common_out(COMMON_GF, 4, (uint32_t)features);
	common_out(COMMON_GFSELECT, 4, 1);
	common_out(COMMON_GF, 4, features >> 32);
	add_status(VIRTIO_STATUS_FEATURES_OK);
	return guest_status() & VIRTIO_STATUS_FEATURES_OK;
}

static uint64_t agreed(void)
{
	uint64_t low;

	common_out(COMMON_GFSELECT, 4, 0);
	low = common_in(COMMON_GF, 4);
	common_out(COMMON_GFSELECT, 4, 1);
	return low | common_in(COMMON_GF, 4) << 32;
}

struct guest_queue *guest_queue_init_at(unsigned index, uint16_t size, const gpa_t parts[3],
					uint16_t vector)
{
	struct guest_queue *q = &guest_queues[index];
	uint64_t features = agreed();

	assert_true(index < GUEST_QUEUES);
	memset(q, 0, sizeof(*q));
	common_out(COMMON_Q_SELECT, 2, index);
	if (size)
		common_out(COMMON_Q_SIZE, 2, size);
	q->index = index;
	q->size = (uint16_t)common_in(COMMON_Q_SIZE, 2);
	q->packed = features & VIRTIO_F_RING_PACKED;
	q->event_index = features & VIRTIO_F_EVENT_IDX;
	q->desc = parts[0];
	q->driver = parts[1];
	q->device = parts[2];
	q->avail_wrap = q->used_wrap = true;
	q->free = q->size;
	q->vector = vector;
	q->notify = (uint32_t)common_in(COMMON_Q_NOFF, 2) * places.notify_multiplier;
	common_out(COMMON_Q_DESC, 4, (uint32_t)q->desc);
	common_out(COMMON_Q_DESC + 4, 4, q->desc >> 32);
	common_out(COMMON_Q_DRIVER, 8, q->driver);
	common_out(COMMON_Q_DEVICE, 4, (uint32_t)q->device);
	common_out(COMMON_Q_DEVICE + 4, 4, q->device >> 32);
	common_out(COMMON_Q_MSIX, 2, vector);
	assert_int_equal(common_in(COMMON_Q_MSIX, 2), vector);
	common_out(COMMON_Q_ENABLE, 2, 1);
	return q;
}

struct guest_queue *guest_queue_init(unsigned index, uint16_t size, gpa_t desc, uint16_t vector)
{
	const gpa_t parts[3] = {desc, desc + 0x4000, desc + 0x5000};

	/* What a driver zeroes. */
	for (unsigned i = 0; i < 0x8000; i += PAGE_SIZE)
		memset(guest_at(desc + i), 0, PAGE_SIZE);
	return guest_queue_init_at(index, size, parts, vector);
}

void guest_driver_ok(void)
{
	add_status(VIRTIO_STATUS_DRIVER_OK);
}

void guest_drive(uint64_t features, unsigned queues)
{
	unsigned i;

	assert_true(guest_negotiate(features));
	common_out(COMMON_MSIX, 2, 0);
	for (i = 0; i < queues; i++)
		guest_queue_init(i, 0, 0x100000 + i * 0x8000, (uint16_t)(i + 1));
	guest_driver_ok();
}

/* The driver: split queues (VIRTIO 1.2, 2.7). */

void guest_write_desc(gpa_t table, unsigned index, uint64_t addr, uint32_t len, uint16_t flags,
		      uint16_t next)
{
	guest_put(table + 16 * index, &addr, 8);
	guest_put(table + 16 * index + 8, &len, 4);
	put16(table + 16 * index + 12, flags);
	put16(table + 16 * index + 14, next);
}

void guest_write_packed(gpa_t table, unsigned index, uint64_t addr, uint32_t len, uint16_t id,
			uint16_t flags)
{
	guest_write_desc(table, index, addr, len, id, flags);
}

void guest_offer(struct guest_queue *q, uint16_t head, uint16_t step)
{
	put16(q->driver + 4 + 2 * (q->avail % q->size), head);
	q->avail += step;
	put16(q->driver + 2, q->avail);
}

static uint16_t split_take(struct guest_queue *q)
{
	while (q->held[q->next])
		q->next = (q->next + 1) % q->size;
	q->held[q->next] = true;
	return q->next;
}

static uint16_t split_add(struct guest_queue *q, const struct guest_buf *bufs, unsigned out,
			  unsigned in, gpa_t table)
{
	unsigned i, n = table ? 1 : out + in;
	uint16_t head = split_take(q), at = head, next;

	for (i = 0; table && i < out + in; i++)
		guest_write_desc(table, i, bufs[i].gpa, bufs[i].len,
				 (i < out ? 0 : WRITE) | (i + 1 < out + in ? NEXT : 0),
				 (uint16_t)(i + 1));
	if (table)
		guest_write_desc(q->desc, head, table, 16 * (out + in), INDIRECT, 0);
	for (i = 0; !table && i < out + in; i++, at = next) {
		next = i + 1 < n ? split_take(q) : 0;
		guest_write_desc(q->desc, at, bufs[i].gpa, bufs[i].len,
				 (i < out ? 0 : WRITE) | (i + 1 < n ? NEXT : 0), next);
	}
	q->lengths[head] = (uint16_t)n;
	guest_offer(q, head, 1);
	return head;
}

static void split_free(struct guest_queue *q, uint16_t head)
{
	uint16_t at = head, n = q->lengths[head];

	assert_int_not_equal(n, 0);
	q->lengths[head] = 0;
	q->free += n;
	for (; n; n--, at = get16(q->desc + 16 * at + 14))
		q->held[at] = false;
}

static bool split_used(struct guest_queue *q, uint16_t *id, uint32_t *len)
{
	gpa_t at = q->device + 4 + 8 * (q->used % q->size);

	if (get16(q->device + 2) == q->used)
		return false;
	*id = (uint16_t)get32(at);
	*len = get32(at + 4);
	q->used++;
	split_free(q, *id);
	return true;
}

/* The driver: packed queues (2.8). */

uint16_t guest_avail_flags(const struct guest_queue *q)
{
	return q->avail_wrap ? AVAIL : USED;
}

static void packed_step(const struct guest_queue *q, uint16_t *pos, bool *wrap, unsigned n)
{
	*pos += n;
	if (*pos >= q->size) {
		*pos -= q->size;
		*wrap = !*wrap;
	}
}

static uint16_t packed_add(struct guest_queue *q, const struct guest_buf *bufs, unsigned out,
			   unsigned in, gpa_t table)
{
	unsigned i, n = table ? 1 : out + in;
	uint16_t id = 0, first = q->avail, first_flags = 0, flags;

	while (q->lengths[id])
		id++;
	for (i = 0; table && i < out + in; i++)
		guest_write_packed(table, i, bufs[i].gpa, bufs[i].len, 0xeeee, i < out ? 0 : WRITE);
	for (i = 0; i < n; i++) {
		flags = guest_avail_flags(q) | (i + 1 < n ? NEXT : 0);
		flags |= table ? INDIRECT : i < out ? 0 : WRITE;
		if (!i)
			first_flags = flags;
		guest_write_packed(q->desc, q->avail, table ? table : bufs[i].gpa,
				   table ? 16 * (out + in) : bufs[i].len, id,
				   i ? flags : get16(q->desc + 16 * q->avail + 14));
		packed_step(q, &q->avail, &q->avail_wrap, 1);
	}
	put16(q->desc + 16 * first + 14, first_flags);
	q->lengths[id] = (uint16_t)n;
	return id;
}

static bool packed_used(struct guest_queue *q, uint16_t *id, uint32_t *len)
{
	gpa_t at = q->desc + 16 * q->used;
	uint16_t flags = get16(at + 14);

	if (!!(flags & AVAIL) != q->used_wrap || !!(flags & USED) != q->used_wrap)
		return false;
	*id = get16(at + 12);
	*len = get32(at + 8);
	assert_int_equal(!!(flags & WRITE), !!*len);
	assert_int_not_equal(q->lengths[*id], 0);
	q->free += q->lengths[*id];
	packed_step(q, &q->used, &q->used_wrap, q->lengths[*id]);
	q->lengths[*id] = 0;
	return true;
}

/* Either. */

uint16_t guest_add(struct guest_queue *q, const struct guest_buf *bufs, unsigned out, unsigned in,
		   gpa_t table)
{
	unsigned n = table ? 1 : out + in;

	assert_true(q->free >= n);
	q->free -= n;
	return q->packed ? packed_add(q, bufs, out, in, table) : split_add(q, bufs, out, in, table);
}

bool guest_used(struct guest_queue *q, uint16_t *id, uint32_t *len)
{
	return q->packed ? packed_used(q, id, len) : split_used(q, id, len);
}

void guest_notify(const struct guest_queue *q)
{
	bar_out(&places.notify, q->notify, 2, q->index);
}

/* Whether what was made available last is what the device wants to hear of. */
static bool is_wanted(const struct guest_queue *q)
{
	uint16_t desc, flags, last;
	bool wrap;

	if (!q->packed && !q->event_index)
		return !(get16(q->device) & 1);
	if (!q->packed)
		return (uint16_t)(q->avail - get16(q->device + 4 + 8 * q->size) - 1) <
		       (uint16_t)(q->avail - q->kicked);
	desc = get16(q->device);
	flags = get16(q->device + 2);
	if (flags != 2)
		return !flags;
	/* The device waits for the chain at that position: is it there? */
	last = desc & 0x7fff;
	wrap = desc >> 15;
	flags = get16(q->desc + 16 * last + 14);
	return !!(flags & AVAIL) == wrap && !!(flags & USED) != wrap;
}

bool guest_kick(struct guest_queue *q)
{
	bool wanted = is_wanted(q);

	q->kicked = q->avail;
	if (wanted)
		guest_notify(q);
	return wanted;
}

void guest_want_interrupt(struct guest_queue *q, bool on)
{
	if (!q->packed && q->event_index)
		put16(q->driver + 4 + 2 * q->size, on ? q->used : (uint16_t)(q->used - 1));
	else if (!q->packed)
		put16(q->driver, on ? 0 : 1);
	else if (!on)
		put16(q->driver + 2, 1);
	else if (q->event_index)
		guest_put(q->driver, &(uint32_t){2u << 16 | q->used | (q->used_wrap ? 0x8000u : 0)},
			  4);
	else
		put16(q->driver + 2, 0);
}
