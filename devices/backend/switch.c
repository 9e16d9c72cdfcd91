/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A learning Ethernet switch: devices of type `switch` that name the same
 * switch, in any VMs, are its ports, and each is the backend of a network card.
 * A frame goes to the port that its destination was last seen at, or to all
 * others when that is not known or is a group; never back to where it came
 * from. There is no way from one switch to another but through a guest.
 *
 * Frames wait in the ring of the receiver's port, and are given to the guest by
 * a worker, some at a time. What does not fit is dropped and counted: a guest
 * that takes nothing holds nobody up. A checksum that the sender left out, and a
 * frame to be cut into segments, go as they are to a guest that takes such
 * frames; for others the worker does it.
 *
 * Spec: IEEE 802.1D-2004, 7.7 (forwarding), 7.8 (learning), 7.9 (ageing).
 * Keys: frontend, switch, mac-limit.
 * Locks: switches_lock or a network card's frontend.lock, then a switch's lock;
 * no frontend is called with either of the switch's. `cut`, `cutting` and
 * `pieces` are the worker's. It uses a frontend between two of its CPU's
 * quiescent points, for which that one stays.
 */
#include "devices/backend/switch.h"

#include "kernel/slab.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define SWITCH_RING	   (256u << 10)
#define SWITCH_QUOTA	   (128u << 10) /* bytes for a guest before others get the CPU … */
#define SWITCH_QUOTA_FRAME (2u << 10)	/* … of a frame so many at least */

#define MAC_GROUP 0x01 /* of the first byte: the address of many */

/* Before each frame in a ring. */
struct switch_record {
	uint32_t len;
	struct net_offload offload;
};

struct spinlock switches_lock = SPINLOCK_INIT;
struct list_head switches = LIST_HEAD_INIT(switches);

/* To the guest. */

/* There is something to give to it. Under the switch's lock. */
static void switch_kick(struct switch_port *port)
{
	if (port->active || port->stalled)
		return;
	port->active = true;
	work_queue(&port->work);
}

/* The ring's oldest frame, where it lies. Under the switch's lock; false: there is none to give. */
static bool switch_next(struct switch_port *port, struct net_frame *frame)
{
	const struct ring *ring = &port->ring;
	struct net_piece *pieces = port->pieces;
	struct switch_record record;
	size_t at;

	if (!port->frontend || !ring_peek(ring, ring->tail, &record, sizeof(record)))
		return false;
	at = (ring->tail + sizeof(record)) & (ring->size - 1);
	pieces[0].data = (const uint8_t *)ring->data + at;
	pieces[0].len = MIN((size_t)record.len, ring->size - at);
	pieces[1].data = (const uint8_t *)ring->data;
	pieces[1].len = record.len - pieces[0].len;
	*frame = (struct net_frame){pieces, pieces[1].len ? 2 : 1, record.len, record.offload};
	return true;
}

/*
 * Makes of @frame what the guest takes: false: it cannot be made. A frame whose cutting has begun
 * goes on so, whatever the guest takes now.
 */
static bool switch_finish(struct switch_port *port, uint8_t takes, struct net_frame *frame)
{
	if (!port->cutting && frame->offload.flags & NET_TODO & ~takes) {
		if (!net_cut_start(&port->cut, frame))
			return false;
		port->cutting = true;
	}
	if (port->cutting)
		*frame = port->cut.segment;
	return true;
}

/* The ring's oldest frame has been given, or is dropped. Under the switch's lock. */
static void switch_over(struct switch_port *port, bool dropped)
{
	struct switch_record record;

	port->counts.drops[SWITCH_DROP_OFFLOAD] += dropped;
	port->counts.finished += port->cutting;
	port->cutting = false;
	ring_peek(&port->ring, port->ring.tail, &record, sizeof(record));
	port->ring.tail += sizeof(record) + record.len;
}

/* One frame, or segment; how many bytes, or 0: there is none, or the guest takes none. */
static size_t switch_give(struct switch_port *port)
{
	struct spinlock *lock = &port->sw->lock;
	struct net_frontend *frontend;
	struct net_frame frame;
	bool more, possible, taken, rest;

	spin_lock(lock);
	frontend = port->frontend;
	more = switch_next(port, &frame);
	port->retry = false;
	port->active = more;
	spin_unlock(lock);
	if (!more)
		return 0;
	possible = switch_finish(port, READ_ONCE(frontend->takes), &frame);
	taken = !possible || frontend->receive(frontend->opaque, &frame);
	rest = taken && port->cutting && net_cut_next(&port->cut);
	spin_lock(lock);
	if (taken) {
		port->counts.received += possible;
		port->counts.received_bytes += possible ? frame.len : 0;
		if (!rest)
			switch_over(port, !possible);
	} else if (!port->retry) {
		port->stalled = true;
		port->active = false;
		more = false;
	}
	spin_unlock(lock);
	return more ? frame.len : 0;
}

static void switch_work(struct work *work)
{
	struct switch_port *port = container_of(work, struct switch_port, work);
	size_t given, turn;

	for (turn = 0; turn < SWITCH_QUOTA; turn += MAX(given, (size_t)SWITCH_QUOTA_FRAME)) {
		given = switch_give(port);
		if (!given)
			return; /* and the port may be gone */
	}
	work_queue(work);
}

static void switch_receive_ready(void *opaque)
{
	struct switch_port *port = opaque;

	spin_lock(&port->sw->lock);
	port->stalled = false;
	port->retry = true;
	if (ring_used(&port->ring))
		switch_kick(port);
	spin_unlock(&port->sw->lock);
}

/* From the guest: all under the switch's lock. */

static void switch_drop(struct switch_port *port, enum switch_drop why)
{
	port->counts.drops[why]++;
}

static void switch_queue(struct switch_port *to, const struct net_frame *frame)
{
	struct switch_record record = {(uint32_t)frame->len, frame->offload};
	size_t i;

	if (!to->frontend)
		return;
	if (ring_space(&to->ring) < sizeof(record) + frame->len) {
		switch_drop(to, SWITCH_DROP_FULL);
		return;
	}
	ring_put(&to->ring, &record, sizeof(record));
	for (i = 0; i < frame->piece_count; i++)
		ring_put(&to->ring, frame->pieces[i].data, frame->pieces[i].len);
	switch_kick(to);
}

static void switch_flood(struct switch_port *from, const struct net_frame *frame)
{
	unsigned i;

	for (i = 0; i < SWITCH_PORTS; i++)
		if (from->sw->ports[i] && i != from->index)
			switch_queue(from->sw->ports[i], frame);
}

/* The addresses, gathered from the first pieces. The frame is long enough. */
static void switch_header(const struct net_frame *frame, uint8_t header[NET_HEADER])
{
	size_t at = 0, i, n;

	for (i = 0; at < NET_HEADER; i++) {
		n = MIN(NET_HEADER - at, frame->pieces[i].len);
		memcpy(header + at, frame->pieces[i].data, n);
		at += n;
	}
}

static void switch_forward(struct switch_port *from, const struct net_frame *frame)
{
	uint32_t now = (uint32_t)(time_ns() / NSEC_PER_SEC);
	struct net_switch *sw = from->sw;
	uint8_t header[NET_HEADER];
	const uint8_t *to = header, *source = header + NET_MAC_LEN;
	unsigned port;

	if (frame->len < NET_HEADER || frame->len > NET_FRAME_MAX) {
		switch_drop(from, SWITCH_DROP_LENGTH);
		return;
	}
	if (!net_offload_valid(frame)) {
		switch_drop(from, SWITCH_DROP_OFFLOAD);
		return;
	}
	switch_header(frame, header);
	if (source[0] & MAC_GROUP) {
		switch_drop(from, SWITCH_DROP_SOURCE);
		return;
	}
	from->counts.sent++;
	from->counts.sent_bytes += frame->len;
	if (!switch_table_learn(&sw->table, source, from->index, from->mac_limit, now))
		from->counts.unlearned++;
	port = to[0] & MAC_GROUP ? SWITCH_NO_PORT : switch_table_find(&sw->table, to, now);
	if (port == from->index) {
		switch_drop(from, SWITCH_DROP_SAME);
	} else if (port != SWITCH_NO_PORT) {
		switch_queue(sw->ports[port], frame);
	} else {
		from->counts.flooded++;
		switch_flood(from, frame);
	}
}

static bool switch_send(void *opaque, const struct net_frame *frame)
{
	struct switch_port *port = opaque;

	spin_lock(&port->sw->lock);
	switch_forward(port, frame);
	spin_unlock(&port->sw->lock);
	return true;
}

static void switch_gone(void *opaque)
{
	struct switch_port *port = opaque;

	spin_lock(&port->sw->lock);
	port->frontend = NULL;
	switch_table_forget(&port->sw->table, port->index);
	spin_unlock(&port->sw->lock);
}

static const struct net_backend_ops switch_ops = {
	.base.gone = switch_gone,
	.send = switch_send,
	.receive_ready = switch_receive_ready,
};

/* Ports come and go, and with them the switch. */

static struct net_switch *switch_find(const char *name)
{
	struct net_switch *sw;

	list_for_each_entry (sw, &switches, link)
		if (!strcmp(sw->name, name))
			return sw;
	return NULL;
}

/* Under switches_lock. */
static int switch_plug(struct net_switch *sw, struct switch_port *port)
{
	unsigned i;

	for (i = 0; i < SWITCH_PORTS && sw->ports[i];)
		i++;
	if (i == SWITCH_PORTS)
		return -ENOSPC;
	port->sw = sw;
	port->index = i;
	spin_lock(&sw->lock);
	sw->ports[i] = port;
	sw->port_count++;
	spin_unlock(&sw->lock);
	return 0;
}

static int switch_join(struct switch_port *port, const char *name)
{
	struct net_switch *fresh = kzalloc(sizeof(*fresh)), *sw;
	int err;

	if (!fresh)
		return -ENOMEM;
	strcpy(fresh->name, name); /* switch_create() knows its length */
	switch_table_init(&fresh->table, time_tsc());
	spin_lock(&switches_lock);
	sw = switch_find(name);
	if (!sw) {
		sw = fresh;
		list_add_tail(&sw->link, &switches);
	}
	err = switch_plug(sw, port);
	spin_unlock(&switches_lock);
	if (sw != fresh)
		kfree(fresh);
	if (err)
		device_log(port->dev, LOG_ERROR, "switch: %s has %u ports already", name,
			   SWITCH_PORTS);
	return err;
}

/* Nothing is given to the port's guest any more; waits for what is on its way. */
static void switch_stop(struct switch_port *port)
{
	struct spinlock *lock = &port->sw->lock;
	bool active;

	spin_lock(lock);
	port->frontend = NULL;
	spin_unlock(lock);
	do {
		task_yield();
		spin_lock(lock);
		active = port->active;
		spin_unlock(lock);
	} while (active);
}

/* A resource: goes after the connection, so that the guest sends nothing any more. */
static void switch_leave(void *opaque)
{
	struct switch_port *port = opaque;
	struct net_switch *sw = port->sw;
	bool last;

	switch_stop(port);
	spin_lock(&switches_lock);
	spin_lock(&sw->lock);
	sw->ports[port->index] = NULL;
	switch_table_forget(&sw->table, port->index);
	last = !--sw->port_count;
	spin_unlock(&sw->lock);
	if (last)
		list_del(&sw->link);
	spin_unlock(&switches_lock);
	if (last)
		kfree(sw);
}

static void switch_destroy(struct device *dev)
{
	struct switch_port *port = dev->state;

	kfree(port->ring.data);
	kfree(port);
}

static int switch_create(struct device *dev, const struct device_config *config)
{
	const char *name = device_config_string(config, "switch");
	struct switch_port *port = kzalloc(sizeof(*port));
	struct frontend *frontend;
	int err;

	if (!port)
		return -ENOMEM;
	dev->state = port;
	port->dev = dev;
	port->mac_limit = (unsigned)device_config_uint(config, "mac-limit");
	work_init(&port->work, switch_work);
	if (strlen(name) > SWITCH_NAME_MAX) {
		device_log(dev, LOG_ERROR, "switch: expected at most %u characters",
			   SWITCH_NAME_MAX);
		return -EINVAL;
	}
	ring_init(&port->ring, kmalloc(SWITCH_RING), SWITCH_RING);
	err = port->ring.data ? switch_join(port, name) : -ENOMEM;
	if (err)
		return err;
	err = device_own(dev, switch_leave, port);
	if (err) {
		switch_leave(port);
		return err;
	}
	err = device_connect(dev, device_config_device(config, "frontend")->id, &net_frontend_kind,
			     &switch_ops.base, port, &frontend);
	if (err)
		return err;
	spin_lock(&port->sw->lock);
	port->frontend = container_of(frontend, struct net_frontend, base);
	spin_unlock(&port->sw->lock);
	return 0;
}

static const struct device_key switch_keys[] = {
	{.name = "frontend", .kind = KEY_FRONTEND, .help = "the network card"},
	{.name = "switch",
	 .kind = KEY_STRING,
	 .help = "name of the switch: all that name it are its ports, of any VMs"},
	{.name = "mac-limit",
	 .kind = KEY_UINT,
	 .def = "16",
	 .min = 1,
	 .max = SWITCH_BUCKETS * SWITCH_WAYS,
	 .help = "addresses that may be behind this port"},
	{},
};

DEVICE_TYPE(switch_type, .name = "switch", .help = "a port of an Ethernet switch",
	    .keys = switch_keys, .create = switch_create, .destroy = switch_destroy,
	    .saved = DEVICE_STATE_NONE("switch"));
