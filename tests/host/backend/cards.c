/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/backend/cards.h"

#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "tests/host/backend/world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct time_scale time_scale = {.ns_mult = UINT64_C(1) << 32, .tsc_mult = UINT64_C(1) << 32};

char printed[8192];

void console_printf(const char *fmt, ...)
{
	size_t at = strlen(printed);
	va_list args;

	va_start(args, fmt);
	vsnprintf(printed + at, sizeof(printed) - at, fmt, args);
	va_end(args);
}

static bool card_receive(void *opaque, const struct net_frame *frame)
{
	struct card *c = opaque;
	bool ok;
	size_t i;

	spin_lock(&c->front.base.lock);
	ok = c->room > 0;
	c->wants = !ok;
	if (ok) {
		c->room--;
		c->got++;
		c->last_len = 0;
		c->offload = frame->offload;
		for (i = 0; i < frame->piece_count; i++) {
			memcpy(c->last + c->last_len, frame->pieces[i].data, frame->pieces[i].len);
			c->last_len += frame->pieces[i].len;
		}
		assert_int_equal(c->last_len, frame->len);
	}
	spin_unlock(&c->front.base.lock);
	if (!ok && c->meanwhile)
		c->meanwhile(c);
	return ok;
}

static void card_send_ready(void *opaque)
{
	(void)opaque;
}

static void card_link(void *opaque, bool up)
{
	struct card *c = opaque;

	c->up = up;
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
	c->room = 1000000;
	return device_provide_frontend(dev, &c->front.base);
}

DEVICE_TYPE(card_type, .name = "card", .help = "a network card", .create = card_create,
	    .destroy = card_destroy);

struct card *card(unsigned i)
{
	char id[8];

	snprintf(id, sizeof(id), "c%u", i);
	return device_iface(&world_vms[i / 2], id, net_frontend_kind.name);
}

void plug(unsigned i, const char *keys)
{
	char id[8], text[128];

	snprintf(id, sizeof(id), "p%u", i);
	snprintf(text, sizeof(text), "frontend = c%u\nswitch = lan\n%s", i, keys);
	assert_non_null(world_add(i / 2, "switch", id, text));
}

const uint8_t all[6] = {255, 255, 255, 255, 255, 255};
uint8_t frame[NET_FRAME_MAX + 1];
struct net_offload offload;

bool put(unsigned i, unsigned source, const uint8_t *to, size_t len)
{
	struct card *c = card(i);
	struct net_piece pieces[3] = {{frame, 5}, {frame + 5, 4}, {frame + 9, len - 9}};
	struct net_frame f = {pieces, len < 9 ? 1 : 3, len, offload};
	bool ok;

	if (len < 9)
		pieces[0].len = len;
	memcpy(frame, to, 6);
	memset(frame + 6, 0, 6);
	frame[6] = 2;
	frame[10] = (uint8_t)(source >> 8);
	frame[11] = (uint8_t)source;
	frame[20]++;
	spin_lock(&c->front.base.lock);
	ok = net_backend(&c->front)->send(c->front.base.backend_opaque, &f);
	spin_unlock(&c->front.base.lock);
	return ok;
}

const uint8_t *mac(unsigned i)
{
	static uint8_t macs[8][6];

	macs[i % 8][0] = 2;
	macs[i % 8][5] = (uint8_t)(i + 1);
	return macs[i % 8];
}

void send(unsigned from, const uint8_t *to)
{
	assert_true(put(from, from + 1, to, 60));
	world_work();
}

void check_got(unsigned a, unsigned b, unsigned c, unsigned d)
{
	const unsigned expected[4] = {a, b, c, d};
	unsigned i;

	for (i = 0; i < 4; i++) {
		if (!card(i))
			continue;
		assert_int_equal(card(i)->got, expected[i]);
		if (expected[i])
			assert_memory_equal(card(i)->last, frame, card(i)->last_len);
		card(i)->got = 0;
	}
}

void let_in(unsigned i, unsigned room)
{
	struct card *c = card(i);

	spin_lock(&c->front.base.lock);
	c->room = room;
	if (c->wants)
		net_backend(&c->front)->receive_ready(c->front.base.backend_opaque);
	c->wants = false;
	spin_unlock(&c->front.base.lock);
}

const char *info(void)
{
	printed[0] = '\0';
	TABLE_START(info_topics)->run(NULL);
	return printed;
}

int cards_setup(void **state)
{
	unsigned i;
	char id[8];

	(void)state;
	world_start();
	memset(&offload, 0, sizeof(offload));
	for (i = 0; i < 4; i++) {
		snprintf(id, sizeof(id), "c%u", i);
		assert_non_null(world_add(i / 2, "card", id, ""));
		assert_false(card(i)->up);
		plug(i, "");
		assert_true(card(i)->up);
	}
	return 0;
}

int cards_teardown(void **state)
{
	(void)state;
	world_end();
	assert_string_equal(info(), "no switch\n");
	return 0;
}
