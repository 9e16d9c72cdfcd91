/* SPDX-License-Identifier: BSD-2-Clause */
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
/* The transport: what a driver finds on PCI, registers, the device's life, interrupts. */
#include "tests/host/virtio/guest.h"
#include "tests/host/virtio/trial.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATA 0x200000

static int setup(void **state)
{
	(void)state;
	assert_non_null(guest_start("virtio-trial:"));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_end();
	assert_null(trial);
	return 0;
}

static uint64_t pci_in(unsigned offset, unsigned width)
{
	uint64_t value;

	assert_int_equal(host_device_read(front.hd, HOST_REGION_CONFIG, offset, width, &value), 0);
	return value;
}

static void pci_out(unsigned offset, unsigned width, uint64_t value)
{
	assert_int_equal(host_device_write(front.hd, HOST_REGION_CONFIG, offset, width, value), 0);
}

static void test_found(void **state)
{
	const struct host_region *bar = &front.hd->regions[0];

	(void)state;
	assert_int_equal(pci_in(0x00, 4), (0x1040 + 42) << 16 | 0x1af4);
	assert_int_equal(pci_in(0x08, 4), 0x00ff0001);
	assert_int_equal(pci_in(0x2c, 4), (0x1040 + 42) << 16 | 0x1af4);
	assert_int_equal(pci_in(0x3d, 1), 1);
	assert_true(bar->wide && !bar->io);
	assert_int_equal(bar->size & (bar->size - 1), 0);
	assert_int_equal(places.vectors, TRIAL_QUEUES + 1);
	assert_int_equal(places.config.length, 12);
	assert_true(places.common.length >= 56);
	assert_true(places.isr.length >= 1);
	assert_int_not_equal(places.window, 0);
	/* Each queue's notification is a doorbell at an address of its own. */
	assert_true(places.notify_multiplier >= 2);
	assert_true(places.notify.length >= TRIAL_QUEUES * places.notify_multiplier);
	assert_true(bar->doorbell_offset <= places.notify.offset);
	assert_true(bar->doorbell_offset + bar->doorbell_size >=
		    places.notify.offset + (TRIAL_QUEUES - 1) * places.notify_multiplier + 2);
	assert_int_equal(common_in(COMMON_NUMQ, 2), TRIAL_QUEUES);
}

static void test_features(void **state)
{
	(void)state;
	assert_int_equal(guest_offered(), VIRTIO_F_COMMON | TRIAL_FEATURE | TRIAL_REFUSED);
	common_out(COMMON_DFSELECT, 4, 2);
	assert_int_equal(common_in(COMMON_DF, 4), 0);
	assert_true(guest_negotiate(TRIAL_FEATURE));
	assert_int_equal(trial->virtio.features, TRIAL_FEATURE | VIRTIO_F_VERSION_1);
	assert_false(guest_negotiate(TRIAL_FEATURE | TRIAL_REFUSED));
	assert_false(guest_negotiate(BIT(5)));
	/* The driver tries again with less. */
	common_out(COMMON_GFSELECT, 4, 0);
	common_out(COMMON_GF, 4, TRIAL_REFUSED);
	/* A word that there is not. */
	common_out(COMMON_GFSELECT, 4, 2);
	common_out(COMMON_GF, 4, 0xffffffff);
	common_out(COMMON_STATUS, 1, 0xb);
	assert_int_equal(guest_status(), 0xb);
	/* Not by this URL. */
	guest_unplug();
	assert_non_null(guest_plug("virtio-trial:?packed=off"));
	assert_int_equal(guest_offered(),
			 (VIRTIO_F_COMMON & ~VIRTIO_F_RING_PACKED) | TRIAL_FEATURE | TRIAL_REFUSED);
	assert_false(guest_negotiate(VIRTIO_F_RING_PACKED));
	assert_true(guest_negotiate(VIRTIO_F_EVENT_IDX));
	/* Of before version 1. */
	common_out(COMMON_STATUS, 1, 0);
	common_out(COMMON_STATUS, 1, 0xb);
	assert_int_equal(guest_status(), 3);
	/* No features, no start. */
	common_out(COMMON_STATUS, 1, 7);
	assert_int_equal(guest_status(), 3);
	assert_int_equal(trial->starts, 0);
}

static void test_status(void **state)
{
	(void)state;
	assert_int_equal(guest_status(), 0);
	assert_true(guest_negotiate(0));
	/* Bits stay, and this one is the device's. */
	common_out(COMMON_STATUS, 1, VIRTIO_STATUS_NEEDS_RESET | 1);
	assert_int_equal(guest_status(), 0xb);
	guest_driver_ok();
	assert_int_equal(trial->starts, 1);
	common_out(COMMON_STATUS, 1, 0xf);
	assert_int_equal(trial->starts, 1);
	common_out(COMMON_STATUS, 1, VIRTIO_STATUS_FAILED);
	assert_int_equal(guest_status(), 0x8f);
	common_out(COMMON_STATUS, 1, 0);
	assert_int_equal(guest_status(), 0);
}

/* Features that change when they were agreed on. */
static void test_features_settled(void **state)
{
	(void)state;
	guest_drive(TRIAL_FEATURE, 1);
	common_out(COMMON_GFSELECT, 4, 0);
	common_out(COMMON_GF, 4, TRIAL_FEATURE);
	assert_int_equal(guest_status(), 0xf);
	common_out(COMMON_GF, 4, TRIAL_REFUSED);
	assert_int_equal(guest_status(), 0x4f);
	assert_int_equal(front.messages[0], 1);
	assert_int_equal(trial->virtio.features, TRIAL_FEATURE | VIRTIO_F_VERSION_1);
	assert_true(fake_logged("virtio-trial: the driver broke a rule: features that change"));
}

static void test_queue_registers(void **state)
{
	(void)state;
	assert_true(guest_negotiate(0));
	common_out(COMMON_Q_SELECT, 2, 2);
	assert_int_equal(common_in(COMMON_Q_SIZE, 2), 8);
	common_out(COMMON_Q_SIZE, 2, 16);
	assert_int_equal(common_in(COMMON_Q_SIZE, 2), 8);
	common_out(COMMON_Q_SIZE, 2, 0);
	assert_int_equal(common_in(COMMON_Q_SIZE, 2), 8);
	common_out(COMMON_Q_SIZE, 2, 4);
	assert_int_equal(common_in(COMMON_Q_SIZE, 2), 4);
	common_out(COMMON_Q_DESC, 8, 0x123456789abcdef0);
	common_out(COMMON_Q_DRIVER, 4, 0x11111110);
	common_out(COMMON_Q_DRIVER + 4, 4, 0x22);
	common_out(COMMON_Q_DEVICE, 8, 0x33333330);
	assert_int_equal(common_in(COMMON_Q_DESC, 8), 0x123456789abcdef0);
	assert_int_equal(common_in(COMMON_Q_DESC + 4, 4), 0x12345678);
	assert_int_equal(common_in(COMMON_Q_DRIVER, 8), 0x2211111110);
	/* A vector that there is not. */
	common_out(COMMON_Q_MSIX, 2, TRIAL_QUEUES + 1);
	assert_int_equal(common_in(COMMON_Q_MSIX, 2), VIRTIO_NO_VECTOR);
	common_out(COMMON_Q_MSIX, 2, TRIAL_QUEUES);
	assert_int_equal(common_in(COMMON_Q_MSIX, 2), TRIAL_QUEUES);
	common_out(COMMON_MSIX, 2, TRIAL_QUEUES + 1);
	assert_int_equal(common_in(COMMON_MSIX, 2), VIRTIO_NO_VECTOR);
	/* Enabled, it is settled. */
	common_out(COMMON_Q_ENABLE, 2, 2);
	assert_int_equal(common_in(COMMON_Q_ENABLE, 2), 0);
	common_out(COMMON_Q_ENABLE, 2, 1);
	common_out(COMMON_Q_ENABLE, 2, 0);
	assert_int_equal(common_in(COMMON_Q_ENABLE, 2), 1);
	common_out(COMMON_Q_SIZE, 2, 2);
	common_out(COMMON_Q_DESC, 8, 0);
	assert_int_equal(common_in(COMMON_Q_SIZE, 2), 4);
	assert_int_equal(common_in(COMMON_Q_DESC, 8), 0x123456789abcdef0);
	/* No such queue. */
	common_out(COMMON_Q_SELECT, 2, TRIAL_QUEUES);
	assert_int_equal(common_in(COMMON_Q_SIZE, 2), 0);
	common_out(COMMON_Q_SIZE, 2, 4);
	common_out(COMMON_Q_ENABLE, 2, 1);
	assert_int_equal(common_in(COMMON_Q_ENABLE, 2), 0);
	assert_int_equal(common_in(COMMON_Q_MSIX, 2), VIRTIO_NO_VECTOR);
	/* All of it goes with a reset. */
	common_out(COMMON_STATUS, 1, 0);
	common_out(COMMON_Q_SELECT, 2, 2);
	assert_int_equal(common_in(COMMON_Q_SIZE, 2), 8);
	assert_int_equal(common_in(COMMON_Q_ENABLE, 2), 0);
	assert_int_equal(common_in(COMMON_Q_DESC, 8), 0);
	assert_int_equal(common_in(COMMON_Q_MSIX, 2), VIRTIO_NO_VECTOR);
}

/* Every width at every offset of the common structure reads what the whole has there. */
static void test_widths(void **state)
{
	uint8_t bytes[64 + 8] = {0};
	unsigned at, width;
	uint64_t value;

	(void)state;
	assert_true(guest_negotiate(TRIAL_FEATURE));
	guest_queue_init(1, 64, 0x1234560000 & 0x7f0000, 2);
	for (at = 0; at < 64; at++)
		bytes[at] = (uint8_t)common_in(at, 1);
	for (width = 2; width <= 8; width *= 2)
		for (at = 0; at < 64; at++) {
			value = common_in(at, width);
			assert_memory_equal(&value, bytes + at, width);
		}
	/* A write reaches the bytes that it covers: status, generation, and the queue. */
	common_out(COMMON_Q_SELECT, 2, 0);
	common_out(20, 4, 0x0002000f);
	assert_int_equal(common_in(COMMON_Q_SELECT, 2), 2);
	assert_int_equal(guest_status(), 0xf);
	common_out(COMMON_Q_DESC + 1, 2, 0xabcd);
	assert_int_equal(common_in(COMMON_Q_DESC, 8), 0xabcd00);
	common_out(COMMON_Q_DESC + 7, 2, 0x3412);
	assert_int_equal(common_in(COMMON_Q_DESC, 8), 0x1200000000abcd00);
	assert_int_equal(common_in(COMMON_Q_DRIVER, 8), 0x34);
}

/* All of the BARs and the configuration space, at every width: nothing happens but that. */
static void test_everywhere(void **state)
{
	unsigned region, width, at;
	uint64_t value;

	(void)state;
	for (region = 0; region < HOST_REGIONS; region++)
		for (width = 1; width <= 8; width *= 2)
			for (at = 0; at < front.hd->regions[region].size; at++) {
				if (at + width > front.hd->regions[region].size)
					continue;
				assert_int_equal(host_device_write(front.hd, region, at, width,
								   0x5a5a5a5a5a5a5a5a),
						 0);
				assert_int_equal(
					host_device_read(front.hd, region, at, width, &value), 0);
			}
	guest_drive(0, 1);
}

static void test_config(void **state)
{
	uint8_t generation = (uint8_t)common_in(COMMON_GENERATION, 1);

	(void)state;
	assert_int_equal(config_in(0, 4), 0x666e6f63); /* "conf" */
	assert_int_equal(config_in(10, 2), 0x656c);
	assert_int_equal(config_in(11, 1), 'e');
	/* Beyond the end. */
	assert_int_equal(config_in(10, 4), 0x656c);
	assert_int_equal(config_in(12, 4), 0);
	config_out(2, 1, 'm');
	assert_int_equal(config_in(0, 4), 0x666d6f63);
	config_out(10, 4, 0);
	assert_int_equal(config_in(10, 2), 0x656c);
	guest_drive(0, 1);
	virtio_config_set(&trial->virtio, 4, "abc", 3);
	assert_int_equal(config_in(4, 2), 0x6261);
	assert_int_not_equal(common_in(COMMON_GENERATION, 1), generation);
	assert_int_equal(front.messages[0], 1);
	/* Without a driver nobody is told. */
	common_out(COMMON_STATUS, 1, 0);
	front.mode = HOST_IRQ_INTX;
	virtio_config_set(&trial->virtio, 4, "abc", 3);
	assert_false(front.intx);
}

static void one_chain(void)
{
	struct guest_buf bufs[2] = {{DATA, 8}, {DATA + 0x100, 8}};

	(void)guest_add(&guest_queues[0], bufs, 1, 1, 0);
	guest_notify(&guest_queues[0]);
}

static void test_intx(void **state)
{
	(void)state;
	front.mode = HOST_IRQ_INTX;
	guest_drive(0, 1);
	one_chain();
	assert_true(front.intx);
	virtio_config_set(&trial->virtio, 0, "x", 1);
	assert_int_equal(front.intx_edges, 1);
	assert_int_equal(isr_in(), 3);
	assert_false(front.intx);
	assert_int_equal(isr_in(), 0);
	one_chain();
	assert_true(front.intx);
	/* A reset lowers it. */
	common_out(COMMON_STATUS, 1, 0);
	assert_false(front.intx);
	assert_int_equal(isr_in(), 0);
	/* One that was on its way when the reset began comes too late. */
	virtio_config_interrupt(&trial->virtio);
	assert_false(front.intx);
	assert_int_equal(isr_in(), 0);
	/* No vector, no message. */
	front.mode = HOST_IRQ_MSIX;
	assert_true(guest_negotiate(0));
	guest_queue_init(0, 0, 0x100000, VIRTIO_NO_VECTOR);
	guest_driver_ok();
	one_chain();
	assert_int_equal(isr_in(), 0);
	assert_false(front.intx);
}

static void test_window(void **state)
{
	unsigned w = places.window;

	(void)state;
	/* It leads nowhere yet. */
	assert_int_equal(pci_in(w + 16, 4), UINT32_MAX);
	pci_out(w + 4, 1, places.common.bar);
	pci_out(w + 8, 4, places.common.offset + COMMON_NUMQ);
	pci_out(w + 12, 4, 2);
	assert_int_equal(pci_in(w + 8, 4), places.common.offset + COMMON_NUMQ);
	assert_int_equal(pci_in(w + 16, 2), TRIAL_QUEUES);
	pci_out(w + 8, 4, places.common.offset + COMMON_Q_SELECT);
	pci_out(w + 16, 4, 0xffff0002);
	assert_int_equal(common_in(COMMON_Q_SELECT, 2), 2);
	/* A doorbell. */
	guest_drive(0, 1);
	trial->notified = 0;
	pci_out(w + 8, 4, places.notify.offset + guest_queues[0].notify);
	pci_out(w + 16, 2, 0);
	assert_int_equal(trial->notified, 1);
	/* Not where it may not: another BAR, beyond the end, not aligned, no width. */
	pci_out(w + 4, 1, 7);
	assert_int_equal(pci_in(w + 16, 4), UINT32_MAX);
	pci_out(w + 4, 1, places.common.bar);
	pci_out(w + 8, 4, (uint32_t)front.hd->regions[0].size);
	assert_int_equal(pci_in(w + 16, 4), UINT32_MAX);
	pci_out(w + 16, 4, 0);
	pci_out(w + 8, 4, 1);
	assert_int_equal(pci_in(w + 16, 4), UINT32_MAX);
	pci_out(w + 8, 4, 0);
	pci_out(w + 12, 4, 3);
	assert_int_equal(pci_in(w + 16, 4), UINT32_MAX);
	/* What else there is in the space cannot be written. */
	pci_out(w + 3, 1, 0xff);
	assert_int_equal(pci_in(w + 3, 1), 5);
	pci_out(0, 4, 0);
	assert_int_equal(pci_in(0, 2), 0x1af4);
}

/* A reset with chains in the device's hands is over when these are given back, and not before. */
static void test_reset_waits(void **state)
{
	uint8_t before[64], after[64];

	(void)state;
	guest_drive(0, 1);
	trial->keep = trial->stubborn = true;
	one_chain();
	one_chain();
	common_out(COMMON_STATUS, 1, 0);
	assert_int_equal(trial->stops, 3);
	assert_int_not_equal(guest_status(), 0);
	/* The driver cannot begin anew, nor undo it. */
	common_out(COMMON_STATUS, 1, 0xf);
	common_out(COMMON_Q_SELECT, 2, 1);
	common_out(COMMON_STATUS, 1, 0);
	assert_int_equal(trial->stops, 3);
	assert_int_equal(common_in(COMMON_Q_SELECT, 2), 0);
	host_device_reset(front.hd);
	assert_int_equal(trial->stops, 3);
	guest_notify(&guest_queues[0]);
	assert_int_equal(trial->kept_count, 2);
	memcpy(before, guest_at(guest_queues[0].device), sizeof(before));
	trial_finish(1);
	world_work();
	assert_int_not_equal(guest_status(), 0);
	trial_finish(0);
	/* The end of it is a worker's. */
	assert_int_not_equal(guest_status(), 0);
	assert_int_equal(world_work(), 1);
	assert_int_equal(guest_status(), 0);
	memcpy(after, guest_at(guest_queues[0].device), sizeof(after));
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(front.messages[1], 0);
	trial->keep = false;
	guest_drive(0, 1);
	one_chain();
	assert_true(guest_used(&guest_queues[0], &(uint16_t){0}, &(uint32_t){0}));
}

/* The front resets the machine: it can wait. */
static void test_front_reset(void **state)
{
	(void)state;
	guest_drive(0, 1);
	trial->keep = true;
	one_chain();
	pci_out(places.window + 8, 4, 4);
	host_device_reset(front.hd);
	host_device_drain(front.hd);
	assert_int_equal(guest_status(), 0);
	assert_int_equal(trial->kept_count, 0);
	assert_int_equal(pci_in(places.window + 8, 4), 0);
}

/* With chains that are kept, work that is queued, and an interrupt that is high. */
static void test_unplug(void **state)
{
	(void)state;
	front.mode = HOST_IRQ_INTX;
	guest_drive(0, 2);
	one_chain();
	assert_true(front.intx);
	trial->turn = 1;
	one_chain();
	trial->keep = true;
	one_chain();
	guest_unplug();
	assert_null(trial);
	assert_non_null(guest_plug("virtio-trial:"));
	guest_drive(0, 1);
	one_chain();
	assert_true(guest_used(&guest_queues[0], &(uint16_t){0}, &(uint32_t){0}));
}

static void test_each_allocation_fails(void **state)
{
	unsigned n;

	(void)state;
	for (n = 0;; n++) {
		guest_unplug();
		fake_memory_left = n;
		if (guest_plug("virtio-trial:"))
			break;
		fake_memory_left = -1;
		assert_null(trial);
		assert_non_null(guest_plug("virtio-trial:"));
	}
	assert_true(n >= 2);
	fake_memory_left = -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_found),
		TEST(test_features),
		TEST(test_status),
		TEST(test_features_settled),
		TEST(test_queue_registers),
		TEST(test_widths),
		TEST(test_everywhere),
		TEST(test_config),
		TEST(test_intx),
		TEST(test_window),
		TEST(test_reset_waits),
		TEST(test_front_reset),
		TEST(test_unplug),
		TEST(test_each_allocation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
