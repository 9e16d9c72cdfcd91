/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-runs: 12000 */
/*
 * virtio-console and virtio-rng against a driver that sends anything: chains of
 * any buffers in any queue, control messages, raw bytes in rings; ports and
 * backends that come and go, take and refuse. Afterwards a driver that keeps the
 * rules is heard.
 */
/* test-sources: devices/virtio/virtio_console_output.c */
/* test-sources: devices/virtio/virtio_console_saved.c */
/* test-sources: devices/virtio/virtio_saved.c kernel/time.c */
/* test-sources: devices/virtio/virtq.c devices/virtio/virtq_chain.c */
/* test-sources: devices/virtio/virtq_split.c devices/virtio/virtq_packed.c */
/* test-sources: devices/virtio/virtio.c devices/virtio/virtio_common.c */
/* test-sources: devices/virtio/virtio_pci.c devices/virtio/virtio_console.c */
/* test-sources: tests/host/virtio/guest.c tests/host/virtio/guest_driver.c */
/* test-sources: tests/host/virtio/ear.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: devices/hostdev/host_config.c lib/ring.c tests/host/backend/world.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/vm_config_text.c */
/* test-sources: vmm/device_key_value.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c */
/* test-sources: vmm/frontend.c vmm/char_frontend.c vmm/irq.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c */
/* test-sources: vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
/* test-sources: devices/virtio/virtio_console_control.c devices/virtio/virtio_port.c */
/* test-sources: devices/virtio/virtio_rng.c tests/host/fake/kernel/fake_random.c */
#include "tests/host/virtio/ear.h"
#include "tests/host/virtio/guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DATA  0x200000
#define TABLE 0x180000

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

static unsigned queues; /* that the device has, up to 6 */

static void start(struct input *in)
{
	uint64_t features = (take(in, 1) & 7) << 28;

	/* The last of these bits is another feature's place. */
	features = (features & (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)) |
		   (features & BIT(30) ? VIRTIO_F_RING_PACKED : 0);
	if (queues > 1 && (take(in, 1) & 3))
		features |= 2; /* VIRTIO_CONSOLE_F_MULTIPORT */
	guest_drive(features, queues);
}

static uint64_t take_address(struct input *in)
{
	switch (take(in, 1) % 8) {
	case 0:
		return take(in, 8);
	case 1:
		return 0x400000 - take(in, 1);
	default:
		return DATA + take(in, 2);
	}
}

static void add(struct input *in, struct guest_queue *q)
{
	struct guest_buf bufs[8];
	unsigned i, out = (unsigned)take(in, 1) % 5, inputs = (unsigned)take(in, 1) % 4;

	if (out + inputs == 0 || q->free < out + inputs)
		return;
	for (i = 0; i < out + inputs; i++)
		bufs[i] = (struct guest_buf){take_address(in), (uint32_t)take(in, 1)};
	(void)guest_add(q, bufs, out, inputs, take(in, 1) & 1 ? TABLE : 0);
}

/* A control message, mostly of the kind that there is. */
static void message(struct input *in, struct guest_queue *q)
{
	struct guest_buf buf = {DATA + 0x20000, 8};
	uint64_t text = take(in, 1) % 5 | (take(in, 1) % 9) << 32 | (take(in, 1) & 1) << 48;

	if (!q->free)
		return;
	guest_put(buf.gpa, &text, 8);
	(void)guest_add(q, &buf, 1, 0, 0);
	guest_notify(q);
}

static void collect(struct guest_queue *q)
{
	unsigned n = 0;

	/* Of a ring that was overwritten, what the driver reads may make no sense to it. */
	while (n++ < 4 && !q->packed && guest_status() == 0xf && q->free < q->size &&
	       *(uint16_t *)guest_at(q->device + 2) != q->used) {
		uint16_t id = *(uint16_t *)guest_at(q->device + 4 + 8 * (q->used % q->size));

		if (id >= q->size || !q->lengths[id])
			return;
		(void)!guest_used(q, &id, &(uint32_t){0});
	}
}

static void ports(unsigned what)
{
	struct device *dev;

	switch (what % 4) {
	case 0:
		if (!device_find(&world_vms[0], "p"))
			(void)!world_add(0, "virtio-port", "p", "console = card\nname = port\n");
		break;
	case 1:
		if (!ears[0])
			(void)!world_add(0, "ear", "e0", "frontend = card\n");
		break;
	case 2:
		if (!ears[1] && device_find(&world_vms[0], "p"))
			(void)!world_add(0, "ear", "e1", "frontend = p\nn = 1\n");
		break;
	default:
		dev = device_find(&world_vms[0], what & 4 ? "p" : what & 8 ? "e0" : "e1");
		if (dev)
			(void)!device_destroy(dev);
	}
}

static void ear(struct input *in)
{
	struct ear *e = ears[take(in, 1) & 1];
	unsigned what = (unsigned)take(in, 1);
	uint8_t text[64] = "text";

	if (!e || !e->front)
		return;
	e->room = what & 1 ? take(in, 1) : e->room;
	if (what & 2)
		e->front->output_ready(e->front->opaque);
	if (what & 4)
		(void)e->front->input(e->front->opaque, text, take(in, 1) % 64);
}

static void step(struct input *in)
{
	struct guest_queue *q = &guest_queues[take(in, 1) % queues];

	switch (take(in, 1) % 12) {
	case 0:
		start(in);
		break;
	case 1:
		guest_put(q->desc + take(in, 2) % 0x7ff8, &(uint64_t){take(in, 8)}, 8);
		break;
	case 2:
		world_work_one();
		break;
	case 3:
	case 4:
		if (queues > 1)
			message(in, &guest_queues[3]);
		break;
	case 5:
		if (queues > 1)
			ports((unsigned)take(in, 1));
		break;
	case 6:
		ear(in);
		break;
	case 7:
		collect(q);
		break;
	case 8:
		guest_notify(q);
		break;
	default:
		add(in, q);
		guest_notify(q);
		break;
	}
}

/* One byte to the device's backend; or a random number. */
static void recover(void)
{
	struct guest_buf buf = {DATA, 1};
	uint16_t id;
	uint32_t len;

	guest_drive(0, MIN(queues, 2u));
	if (queues > 1 && !ears[0])
		ports(1);
	if (queues > 1) {
		ears[0]->room = 64;
		ears[0]->front->output_ready(ears[0]->front->opaque);
	}
	guest_put(DATA, "!", 1);
	(void)guest_add(&guest_queues[queues > 1], &buf, queues > 1, queues == 1, 0);
	guest_notify(&guest_queues[queues > 1]);
	if (!guest_used(&guest_queues[queues > 1], &id, &len) || len != (queues == 1) ||
	    (queues > 1 && ears[0]->heard[(ears[0]->count - 1) % sizeof(ears[0]->heard)] != '!'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	bool rng = take(&in, 1) % 4 == 0;

	queues = rng ? 1 : 6;
	if (!guest_start(rng ? "virtio-rng:" : "virtio-console:"))
		abort();
	start(&in);
	while (in.left)
		step(&in);
	recover();
	guest_end();
	return 0;
}
