/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The transport: reads and writes of any width anywhere in the BARs and the
 * configuration space, with memory in which anything may be a ring. A wide read
 * is what its bytes are, a reset leaves a device as it was at first.
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

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* Mostly where something is. */
static void take_place(struct input *in, unsigned *region, uint64_t *offset)
{
	const struct guest_place *all[] = {&places.common, &places.common, &places.common,
					   &places.isr,	   &places.config, &places.notify};
	unsigned kind = (unsigned)take(in, 1) % 8;

	if (kind == 6) {
		*region = HOST_REGION_CONFIG;
		*offset = take(in, 1);
	} else if (kind == 7) {
		*region = (unsigned)take(in, 1) % HOST_REGIONS;
		*offset = take(in, 2);
	} else {
		*region = all[kind]->bar;
		*offset = all[kind]->offset + take(in, 1) % (all[kind]->length + 4);
	}
}

/* The common structure has no register that reading changes. */
static void check_bytes(unsigned at, unsigned width)
{
	uint64_t value = common_in(at, width), bytes = 0;

	for (unsigned i = 0; i < width; i++)
		bytes |= common_in(at + i, 1) << (8 * i);
	if (value != bytes)
		abort();
}

static void step(struct input *in)
{
	unsigned region, width = 1u << take(in, 1) % 4;
	uint64_t offset, value;
	int err;

	take_place(in, &region, &offset);
	switch (take(in, 1) % 8) {
	case 0:
		err = host_device_read(front.hd, region, offset, width, &value);
		break;
	case 1:
		check_bytes((unsigned)take(in, 1) % 56, width);
		return;
	case 2:
		front.master = take(in, 1) & 3;
		front.mode = take(in, 1) & 1 ? HOST_IRQ_MSIX : HOST_IRQ_INTX;
		return;
	case 3:
		common_out(COMMON_STATUS, 1, take(in, 1) & 1 ? 0xf : 0xb);
		return;
	case 4:
		world_work_one();
		return;
	default:
		err = host_device_write(front.hd, region, offset, width,
					take(in, take(in, 1) % 8 + 1));
		break;
	}
	if (err && err != -ERANGE)
		abort();
}

static void check_reset(void)
{
	unsigned i;

	host_device_reset(front.hd);
	host_device_drain(front.hd);
	if (guest_status() || front.intx || isr_in() || common_in(COMMON_GF, 4))
		abort();
	for (i = 0; i < TRIAL_QUEUES; i++) {
		common_out(COMMON_Q_SELECT, 2, i);
		if (common_in(COMMON_Q_ENABLE, 2) || common_in(COMMON_Q_DESC, 8) ||
		    common_in(COMMON_Q_MSIX, 2) != VIRTIO_NO_VECTOR)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	unsigned i;

	if (!guest_start("virtio-trial:"))
		abort();
	/* What looks like rings, where addresses that come from single bytes lead to. */
	for (i = 0; i < 64; i++)
		guest_put(0x1000 + 256 * i, &(uint64_t){i % 3 ? 0x100010000 : 0x0001000000000001},
			  8);
	while (in.left)
		step(&in);
	check_reset();
	guest_end();
	return 0;
}
