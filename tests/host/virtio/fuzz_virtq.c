/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues whose rings, tables and buffers hold what the input says: descriptors
 * of any kind, raw bytes, notifications in between, chains that are kept, resets.
 * Whatever it was, a driver that resets the device and keeps the rules finds it
 * working.
 */
/* test-sources: devices/virtio/virtio_saved.c kernel/time.c */
/* test-sources: devices/virtio/virtq.c devices/virtio/virtq_chain.c */
/* test-sources: devices/virtio/virtq_split.c devices/virtio/virtq_packed.c */
/* test-sources: devices/virtio/virtio.c devices/virtio/virtio_common.c */
/* test-sources: devices/virtio/virtio_pci.c tests/host/virtio/trial.c */
/* test-sources: tests/host/virtio/guest.c tests/host/virtio/guest_driver.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: devices/hostdev/host_config.c lib/ring.c tests/host/backend/world.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
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
#include "tests/host/virtio/guest.h"
#include "tests/host/virtio/trial.h"

#include <stdlib.h>
#include <string.h>

#define RING  0x100000 /* to RING + 0x8000: the parts, as guest_queue_init() puts them */
#define TABLE 0x180000
#define DATA  0x200000
#define SIZE  16

struct input {
	const uint8_t *data;
	size_t left;
};

static uint64_t take(struct input *in, size_t n)
{
	uint64_t value = 0;

	n = MIN(n, in->left);
	memcpy(&value, in->data, n);
	in->data += n;
	in->left -= n;
	return value;
}

static uint64_t take_address(struct input *in)
{
	switch (take(in, 1) % 8) {
	case 0:
		return 0xfee00000;
	case 1:
		return take(in, 8);
	case 2:
		return TABLE + 16 * (take(in, 1) % 64);
	case 3:
		return RING + take(in, 2) % 0x8000;
	case 4:
		return GUEST_RAM - take(in, 1);
	case 5:
		return 0x400000 - take(in, 1);
	default:
		return DATA + take(in, 2);
	}
}

static uint32_t take_length(struct input *in)
{
	switch (take(in, 1) % 4) {
	case 0:
		return (uint32_t)take(in, 4);
	case 1:
		return 16 * (uint32_t)(take(in, 1) % 64);
	default:
		return (uint32_t)take(in, 1);
	}
}

static void start(struct input *in)
{
	static const uint64_t bits[] = {VIRTIO_F_INDIRECT_DESC, VIRTIO_F_EVENT_IDX,
					VIRTIO_F_RING_PACKED};
	unsigned i, flags = (unsigned)take(in, 1);
	uint64_t features = 0;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		features |= flags & BIT(i) ? bits[i] : 0;
	trial->keep = flags & BIT(3);
	trial->turn = flags & BIT(4) ? 3 : 0;
	trial->stubborn = false;
	if (!guest_negotiate(features))
		abort();
	guest_queue_init(0, features & VIRTIO_F_RING_PACKED && (flags & BIT(5)) ? SIZE - 3 : SIZE,
			 RING, 1);
	guest_driver_ok();
}

static void write_desc(struct input *in, struct guest_queue *q)
{
	gpa_t table = take(in, 1) & 1 ? TABLE : q->desc;
	uint64_t address = take_address(in);
	uint32_t len = take_length(in);
	unsigned kind = (unsigned)take(in, 1), at = (unsigned)take(in, 1) % SIZE;
	uint16_t flags = kind & 7;

	if (q->packed) {
		flags |= kind & 8 ? guest_avail_flags(q) : (kind & 0x30) << 9 | (kind & 0x40) << 1;
		guest_write_packed(table, at, address, len, (uint16_t)take(in, 1), flags);
	} else {
		guest_write_desc(table, at, address, len, flags,
				 (uint16_t)take(in, 1) % (SIZE + 1));
	}
}

static void step(struct input *in)
{
	struct guest_queue *q = &guest_queues[0];
	unsigned n;

	switch (take(in, 1) % 12) {
	case 0:
		start(in);
		break;
	case 1:
		guest_put(RING + take(in, 2) % 0x7ff8, &(uint64_t){take(in, 8)}, 8);
		break;
	case 2:
		if (trial->kept_count)
			trial_finish((unsigned)take(in, 1) % trial->kept_count);
		break;
	case 3:
		world_work_one();
		break;
	case 4:
		guest_want_interrupt(q, take(in, 1) & 1);
		break;
	case 5:
		front.master = take(in, 1) & 3;
		break;
	case 6:
		for (n = (unsigned)take(in, 1) % 4; n; n--)
			guest_notify(q);
		break;
	case 7:
		if (!q->packed)
			guest_offer(q, (uint16_t)take(in, 1), 1);
		guest_notify(q);
		break;
	case 8:
		q->avail_wrap = !q->avail_wrap;
		break;
	case 9:
		if (!q->packed)
			guest_offer(q, (uint16_t)take(in, 1) % SIZE, (uint16_t)take(in, 1) % 4);
		break;
	default:
		write_desc(in, q);
		break;
	}
}

/* The echo of one chain. */
static void recover(void)
{
	struct guest_buf bufs[2] = {{DATA, 4}, {DATA + 0x100, 4}};
	uint16_t id;
	uint32_t len;

	trial->keep = trial->stubborn = false;
	trial->turn = 0;
	front.master = true;
	guest_drive(0, 1);
	(void)guest_add(&guest_queues[0], bufs, 1, 1, 0);
	guest_put(DATA, "ping", 4);
	guest_notify(&guest_queues[0]);
	if (!guest_used(&guest_queues[0], &id, &len) || len != 4 ||
	    memcmp(guest_at(DATA + 0x100), "ping", 4))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};

	if (!guest_start("virtio-trial:"))
		abort();
	start(&in);
	while (in.left)
		step(&in);
	recover();
	guest_end();
	return 0;
}
