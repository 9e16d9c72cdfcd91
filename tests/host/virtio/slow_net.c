/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/virtio/slow_net.h"

#include "tests/host/backend/world.h"
#include "vmm/device.h"
#include "vmm/vm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct slow_net slow_net;

static bool slow_send(void *opaque, const struct net_frame *frame)
{
	struct slow_net *n = opaque;
	size_t i;

	if (!n->room)
		return false;
	n->room--;
	n->sent++;
	n->last_len = 0;
	n->offload = frame->offload;
	for (i = 0; i < frame->piece_count; i++) {
		assert_true(n->last_len + frame->pieces[i].len <= sizeof(n->last));
		memcpy(n->last + n->last_len, frame->pieces[i].data, frame->pieces[i].len);
		n->last_len += frame->pieces[i].len;
	}
	assert_int_equal(n->last_len, frame->len);
	return true;
}

static void slow_receive_ready(void *opaque)
{
	((struct slow_net *)opaque)->ready++;
}

static void slow_gone(void *opaque)
{
	((struct slow_net *)opaque)->frontend = NULL;
}

static const struct net_backend_ops slow_ops = {
	.base.gone = slow_gone,
	.send = slow_send,
	.receive_ready = slow_receive_ready,
};

static int slow_create(struct device *dev, const struct device_config *config)
{
	struct frontend *frontend;
	int err = device_connect(dev, device_config_device(config, "frontend")->id,
				 &net_frontend_kind, &slow_ops.base, &slow_net, &frontend);

	if (!err)
		slow_net.frontend = container_of(frontend, struct net_frontend, base);
	return err;
}

static const struct device_key slow_keys[] = {
	{.name = "frontend", .kind = KEY_FRONTEND, .help = "the network card"},
	{},
};

DEVICE_TYPE(slow_net_type, .name = "slow-net", .help = "for tests", .keys = slow_keys,
	    .create = slow_create);

void slow_net_plug(void)
{
	assert_non_null(world_add(0, "slow-net", "slow", "frontend = card\n"));
}

void slow_net_unplug(void)
{
	slow_net.frontend = NULL;
	world_del(0, "slow");
}

bool slow_net_give(const uint8_t *frame, size_t len, struct net_offload offload)
{
	struct net_piece pieces[3];
	size_t at = 0, n, count = 0;

	while (at < len) {
		n = count < 2 ? (size_t)rand() % (len - at) + 1 : len - at;
		pieces[count++] = (struct net_piece){frame + at, n};
		at += n;
	}
	return slow_net.frontend->receive(slow_net.frontend->opaque,
					  &(struct net_frame){pieces, count, len, offload});
}

void slow_net_let(unsigned room)
{
	slow_net.room = room;
	slow_net.frontend->send_ready(slow_net.frontend->opaque);
}
