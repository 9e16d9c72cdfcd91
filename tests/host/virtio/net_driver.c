/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/virtio/net_driver.h"

#include "tests/host/virtio/slow_net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct virtio_net *net;
struct guest_queue *rx = &guest_queues[0], *tx = &guest_queues[1];
struct guest_queue *control = &guest_queues[2];
uint8_t frame[70000];
const struct net_offload plain;

void plugged(void)
{
	net = container_of(front.hd->state, struct virtio_net, virtio);
}

int net_setup(void **state)
{
	unsigned i;

	(void)state;
	memset(&slow_net, 0, sizeof(slow_net));
	slow_net.room = 1000000;
	for (i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(frame, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0", 14);
	assert_non_null(guest_start("virtio-net:?mac=02:00:00:00:00:01"));
	plugged();
	return 0;
}

int net_teardown(void **state)
{
	(void)state;
	guest_end();
	return 0;
}

void replug(const char *url)
{
	guest_unplug();
	assert_non_null(guest_plug(url));
	plugged();
}

void put_header(gpa_t at, uint8_t flags, uint8_t gso, uint16_t size, uint16_t start,
		uint16_t offset)
{
	struct virtio_net_header h = {.flags = flags,
				      .gso_type = gso,
				      .gso_size = size,
				      .csum_start = start,
				      .csum_offset = offset};

	guest_put(at, &h, sizeof(h));
}

void send(size_t len)
{
	struct guest_buf bufs[2] = {{DATA, HEADER + 5}, {DATA + HEADER + 5, (uint32_t)len - 5}};

	guest_put(DATA + HEADER, frame, len);
	guest_add(tx, bufs, 2, 0, 0);
	guest_kick(tx);
}

unsigned count_used(struct guest_queue *q)
{
	unsigned n = 0;
	uint32_t len;
	uint16_t id;

	while (guest_used(q, &id, &len))
		n++;
	return n;
}

void offer(uint32_t len, unsigned count)
{
	static gpa_t at;
	struct guest_buf buf;

	while (count--) {
		/* A granule after the other, of which the last four are data. */
		if (at < DATA || at + len > GUEST_RAM)
			at = DATA;
		buf = (struct guest_buf){at, len};
		guest_add(rx, &buf, 0, 1, 0);
		at += len;
	}
}

bool command(uint8_t class, uint8_t cmd, const void *data, uint32_t len)
{
	const struct guest_buf bufs[3] = {{ACK + 16, 2}, {ACK + 32, len}, {ACK, 1}};
	const struct guest_buf no_data[2] = {{ACK + 16, 2}, {ACK, 1}};
	uint32_t written;
	uint16_t id;

	guest_put(ACK + 16, (const uint8_t[2]){class, cmd}, 2);
	guest_put(ACK + 32, data, len);
	*(uint8_t *)guest_at(ACK) = 0xee;
	guest_add(control, len ? bufs : no_data, len ? 2 : 1, 1, 0);
	guest_kick(control);
	assert_true(guest_used(control, &id, &written));
	assert_int_equal(written, 1);
	assert_true(*(uint8_t *)guest_at(ACK) <= 1);
	return !*(uint8_t *)guest_at(ACK);
}

bool mode(uint8_t which, uint8_t on)
{
	return command(0, which, &on, 1);
}

uint64_t config_mac(void)
{
	return config_in(0, 4) | config_in(4, 2) << 32;
}
