/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of any kind with anything left to do in them, through the switch, to
 * cards that take different things and have room now and then: nothing is left to
 * do that a card does not take, what was summed is right, and what was cut is,
 * put together, what was sent.
 */
/* fuzz-runs: 4000 */
/* test-sources: devices/backend/switch.c devices/backend/switch_table.c */
/* test-sources: devices/backend/switch_info.c devices/backend/net_null.c vmm/net_frontend.c */
/* test-sources: devices/backend/net_offload.c lib/ring.c tests/host/backend/world.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
/* test-sources: tests/host/backend/net_reference.c */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/vm_config_text.c */
/* test-sources: vmm/device_key_value.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c */
/* test-sources: vmm/frontend.c vmm/irq.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c */
/* test-sources: vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
#include "devices/backend/net_offload.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "tests/host/backend/net_reference.h"
#include "tests/host/backend/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CARDS 3

struct time_scale time_scale = {.ns_mult = UINT64_C(1) << 32, .tsc_mult = UINT64_C(1) << 32};

void console_printf(const char *fmt, ...)
{
	(void)fmt;
}

struct input {
	const uint8_t *data;
	size_t left;
};

struct card {
	struct net_frontend front;
	unsigned room;
	bool wants;
};

/* What is on its way: one frame at a time. */
static uint8_t frame[NET_FRAME_MAX + 64], payload[NET_FRAME_MAX];
static size_t frame_len;
static struct net_offload sent;
static struct reference as; /* what the frame is, where `known` */
static bool known;
static size_t cut[CARDS]; /* bytes of payload that came in segments */

static uint64_t take(struct input *in, size_t n)
{
	uint64_t value = 0;

	n = MIN(n, in->left);
	memcpy(&value, in->data, n);
	in->data += n;
	in->left -= n;
	return value;
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* A segment, after those that came before it. */
static void check_segment(size_t *done, const uint8_t *at, size_t len)
{
	struct reference r = as;

	r.len = len;
	r.payload = len - r.data;
	check(len > r.data && r.payload <= sent.gso_size && reference_right(&r, at));
	check(!memcmp(at + r.data, payload + *done, r.payload));
	*done += r.payload;
}

static void check_frame(unsigned index, uint8_t takes, const struct net_frame *f)
{
	static uint8_t bytes[NET_FRAME_MAX];
	size_t at = 0, i;

	check(f->len >= NET_HEADER && f->len <= NET_FRAME_MAX);
	check(!(f->offload.flags & NET_TODO & ~takes));
	for (i = 0; i < f->piece_count; at += f->pieces[i++].len) {
		check(f->pieces[i].len && at + f->pieces[i].len <= f->len);
		memcpy(bytes + at, f->pieces[i].data, f->pieces[i].len);
	}
	check(at == f->len);
	if (!(sent.flags & NET_TODO) || f->offload.flags & NET_TODO) {
		check(f->len == frame_len && !memcmp(bytes, frame, frame_len));
		check(!memcmp(&f->offload, &sent, sizeof(sent)));
		return;
	}
	check(f->offload.flags == NET_CSUM_VALID);
	if (known && sent.flags & (NET_TSO4 | NET_TSO6))
		check_segment(&cut[index], bytes, f->len);
	else if (known)
		check(f->len == frame_len && reference_right(&as, bytes));
}

static bool card_receive(void *opaque, const struct net_frame *f)
{
	struct card *c = opaque;

	spin_lock(&c->front.base.lock);
	c->wants = !c->room;
	c->room -= c->room > 0;
	if (!c->wants)
		check_frame(c->front.mac[5], c->front.takes, f);
	spin_unlock(&c->front.base.lock);
	return !c->wants;
}

static void card_send_ready(void *opaque)
{
	(void)opaque;
}

static void card_link(void *opaque, bool up)
{
	(void)opaque;
	(void)up;
}

static void card_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int card_create(struct device *dev, const struct device_config *config)
{
	struct card *c = kzalloc(sizeof(*c));

	(void)config;
	if (!c)
		return -ENOMEM;
	dev->state = c;
	net_frontend_init(&c->front);
	c->front.receive = card_receive;
	c->front.send_ready = card_send_ready;
	c->front.link = card_link;
	c->front.opaque = c;
	c->front.mac[5] = (uint8_t)(dev->id[1] - '0');
	return device_provide_frontend(dev, &c->front.base);
}

DEVICE_TYPE(card_type, .name = "card", .help = "a network card", .create = card_create,
	    .destroy = card_destroy);

static struct card *card(unsigned i)
{
	char id[8];

	snprintf(id, sizeof(id), "c%u", i);
	return device_iface(&world_vms[0], id, net_frontend_kind.name);
}

/* All that waits goes out; so there is one frame at a time. */
static void deliver(struct input *in)
{
	unsigned i, round;

	for (round = 0; round < 2000; round++) {
		bool waits = false;

		world_work();
		for (i = 0; i < CARDS; i++) {
			struct card *c = card(i);

			spin_lock(&c->front.base.lock);
			c->room = in->left ? (unsigned)take(in, 1) % 32 : 1000;
			if (c->wants && c->room) {
				c->wants = false;
				net_backend(&c->front)->receive_ready(c->front.base.backend_opaque);
			}
			waits |= c->wants;
			spin_unlock(&c->front.base.lock);
		}
		if (!waits && !world_work())
			return;
	}
	abort();
}

/* A frame of TCP or UDP, of which the sum or the cutting is left to the switch. */
static void make_known(struct input *in)
{
	as = (struct reference){.vlan = take(in, 1) & 1,
				.v6 = take(in, 1) & 1,
				.protocol = take(in, 1) & 1 ? 17 : 6,
				.ip_extra = take(in, 1) & 1 ? 8 : 0,
				.tcp_extra = take(in, 1) & 1 ? 12 : 0,
				.flags = (uint8_t)take(in, 1),
				.sequence = (uint32_t)take(in, 4),
				.payload =
					take(in, 1) % 8 ? take(in, 2) % 5000 : take(in, 2) % 65000};
	reference_make(&as, frame, payload);
	frame_len = as.len;
	sent = (struct net_offload){0};
	if (take(in, 1) % 8 == 0)
		return;
	reference_leave_sum(&as, frame);
	sent.flags = NET_CSUM_PARTIAL;
	sent.csum_start = (uint16_t)as.l4;
	sent.csum_offset = as.protocol == 6 ? 16 : 6;
	if (as.protocol != 6 || take(in, 1) % 4 == 0)
		return;
	sent.flags |= as.v6 ? NET_TSO6 : NET_TSO4;
	sent.flags |= take(in, 1) & 1 ? NET_TSO_ECN : 0;
	sent.gso_size = (uint16_t)(take(in, 2) % 9000 + 64);
	/* What is cut has something to be cut. */
	if (!as.payload)
		sent.flags = NET_CSUM_PARTIAL;
}

/* Anything at all, which may begin like one of those. */
static void make_any(struct input *in)
{
	size_t i;

	for (i = take(in, 1) % 16; i; i--)
		frame[take(in, 1)] = (uint8_t)take(in, 1);
	if (take(in, 1) & 1)
		frame_len = take(in, 2);
	sent.flags = (uint8_t)take(in, 1) & (NET_TODO | NET_CSUM_VALID);
	if (take(in, 1) & 1)
		sent.csum_start = (uint16_t)take(in, 2);
	if (take(in, 1) & 1)
		sent.csum_offset = (uint16_t)take(in, 2);
	if (take(in, 1) & 1)
		sent.gso_size = (uint16_t)take(in, 2);
}

static void send(struct input *in)
{
	unsigned i, from = (unsigned)take(in, 1) % CARDS;
	struct card *c = card(from);
	struct net_piece pieces[2];
	struct net_frame f = {pieces, 2, 0, {0}};

	make_known(in);
	known = take(in, 1) & 3;
	if (!known)
		make_any(in);
	f.len = frame_len;
	f.offload = sent;
	pieces[0] = (struct net_piece){frame, take(in, 1) % (frame_len + 1)};
	pieces[1] = (struct net_piece){frame + pieces[0].len, frame_len - pieces[0].len};
	memset(cut, 0, sizeof(cut));
	spin_lock(&c->front.base.lock);
	check(net_backend(&c->front)->send(c->front.base.backend_opaque, &f));
	spin_unlock(&c->front.base.lock);
	deliver(in);
	for (i = 0; i < CARDS && known; i++)
		check(!cut[i] || cut[i] == as.payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	char id[8], keys[64];
	unsigned i;

	for (i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 13 + i / 255);
	world_start();
	for (i = 0; i < CARDS; i++) {
		snprintf(id, sizeof(id), "c%u", i);
		snprintf(keys, sizeof(keys), "frontend = c%u\nswitch = lan\n", i);
		check(world_add(0, "card", id, ""));
		id[0] = 'p';
		check(world_add(0, "switch", id, keys));
	}
	while (in.left) {
		if (take(&in, 1) % 4 == 0)
			card((unsigned)take(&in, 1) % CARDS)->front.takes =
				(uint8_t)take(&in, 1) & NET_TODO;
		send(&in);
	}
	world_end();
	return 0;
}
