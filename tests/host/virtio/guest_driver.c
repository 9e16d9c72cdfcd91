/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver: what it writes where, by VIRTIO 1.2, chapter 2 and 3.1. */
#include "tests/host/virtio/guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NEXT	 1
#define WRITE	 2
#define INDIRECT 4
#define AVAIL	 0x80
#define USED	 0x8000

struct guest_queue guest_queues[GUEST_QUEUES];

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

/* The device's life. */

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

/* Split queues (2.7). */

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

static uint16_t split_next(struct guest_queue *q)
{
	while (q->held[q->next])
		q->next = (q->next + 1) % q->size;
	return q->next;
}

static uint16_t split_take(struct guest_queue *q)
{
	q->held[split_next(q)] = true;
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

/* Packed queues (2.8). */

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

static uint16_t packed_free_id(const struct guest_queue *q)
{
	uint16_t id = 0;

	while (q->lengths[id])
		id++;
	return id;
}

static uint16_t packed_add(struct guest_queue *q, const struct guest_buf *bufs, unsigned out,
			   unsigned in, gpa_t table)
{
	unsigned i, n = table ? 1 : out + in;
	uint16_t id = packed_free_id(q), first = q->avail, first_flags = 0, flags;

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
	/* The two bytes may have been read one by one, while the device wrote both. */
	flags = get16(at + 14);
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

uint16_t guest_next_id(struct guest_queue *q)
{
	return q->packed ? packed_free_id(q) : split_next(q);
}

bool guest_used(struct guest_queue *q, uint16_t *id, uint32_t *len)
{
	return q->packed ? packed_used(q, id, len) : split_used(q, id, len);
}

void guest_notify(const struct guest_queue *q)
{
	notify_out(q->notify, (uint16_t)q->index);
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

bool guest_wants_kick(struct guest_queue *q)
{
	bool wanted;

	/* What was made available is seen before this asks (2.7.13.4.1, 2.8.21.3.1). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	wanted = is_wanted(q);
	q->kicked = q->avail;
	return wanted;
}

bool guest_kick(struct guest_queue *q)
{
	bool wanted = guest_wants_kick(q);

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
