/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/virtio/virtio_saved.c kernel/time.c */
/* test-sources: devices/virtio/virtq.c devices/virtio/virtq_chain.c */
/* test-sources: devices/virtio/virtq_split.c devices/virtio/virtq_packed.c */
/* test-sources: devices/virtio/virtio.c devices/virtio/virtio_common.c */
/* test-sources: devices/virtio/virtio_pci.c tests/host/virtio/trial.c */
/* test-sources: tests/host/virtio/guest.c tests/host/virtio/guest_driver.c */
/* test-sources: tests/host/virtio/echo.c */
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
/* Queues of both formats: what a driver may do, in all its variants. */
#include "tests/host/virtio/echo.h"
#include "tests/host/virtio/trial.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PACKED	 VIRTIO_F_RING_PACKED
#define INDIRECT VIRTIO_F_INDIRECT_DESC
#define EVENT	 VIRTIO_F_EVENT_IDX

#define F_NEXT	   1
#define F_WRITE	   2
#define F_INDIRECT 4

#define TABLE 0x180000 /* for indirect ones */
#define DATA  0x200000 /* a granule of its own begins here */

static const uint64_t variants[] = {
	0,	EVENT,		INDIRECT,	   INDIRECT | EVENT,
	PACKED, PACKED | EVENT, PACKED | INDIRECT, PACKED | INDIRECT | EVENT,
};

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

/* Round and round, also with sizes that are no power of two where these can be. */
static void test_echo(void **state)
{
	static const uint16_t sizes[] = {8, 64, 5, 1};
	struct guest_queue *q;
	unsigned v, s, i;

	(void)state;
	for (v = 0; v < ARRAY_SIZE(variants); v++)
		for (s = 0; s < ARRAY_SIZE(sizes); s++) {
			if (sizes[s] == 5 && !(variants[v] & PACKED))
				continue;
			assert_true(guest_negotiate(variants[v]));
			q = guest_queue_init(0, sizes[s], 0x100000, 1);
			guest_driver_ok();
			for (i = 0; i < 200; i++)
				if (variants[v] & INDIRECT)
					echo(q, DATA, 1 + i % 4, 1 + i, TABLE);
				else if (sizes[s] > 1)
					echo(q, DATA, MIN(1u + i % 3, sizes[s] / 2u), 1 + i, 0);
			assert_int_equal(guest_status() & VIRTIO_STATUS_NEEDS_RESET, 0);
		}
}

/* Free-running indices pass 65536. */
static void test_indices_wrap(void **state)
{
	struct guest_queue *q;
	unsigned i;

	(void)state;
	guest_drive(EVENT, 1);
	q = &guest_queues[0];
	for (i = 0; i < 66000; i++)
		echo(q, DATA, 1, 1, 0);
	/* The event index stays what it is: it was passed twice. */
	assert_int_equal(front.messages[1], 2);
}

/* Direct descriptors and then an indirect one (2.7.5.3.2). */
static void test_split_mixed(void **state)
{
	struct guest_queue *q = &guest_queues[0];
	uint16_t id;
	uint32_t len;

	(void)state;
	guest_drive(INDIRECT, 1);
	fill(DATA, 24, 1);
	guest_write_desc(q->desc, 0, DATA, 8, F_NEXT, 5);
	/* That it is to be written means nothing here. */
	guest_write_desc(q->desc, 5, TABLE, 3 * 16, F_INDIRECT | F_WRITE, 0);
	guest_write_desc(TABLE, 0, DATA + 8, 8, F_NEXT, 2);
	guest_write_desc(TABLE, 2, DATA + 16, 8, F_NEXT, 1);
	guest_write_desc(TABLE, 1, DATA + 0x100, 24, F_WRITE, 0);
	q->lengths[0] = 1;
	guest_offer(q, 0, 1);
	guest_notify(q);
	assert_true(guest_used(q, &id, &len));
	assert_int_equal(len, 24);
	expect_filled(DATA + 0x100, 24, 1);
}

/* Parts of rings, tables and buffers on both sides of a granule's end. */
static void test_granules(void **state)
{
	const gpa_t split[3] = {0x400000 - 512, 0x200000 - 34, 0x600000 - 68};
	const gpa_t packed[3] = {0x400000 - 512, 0x300000, 0x300100};
	struct guest_buf bufs[2] = {{0x800000 - 0x1000, 0x1800}, {0x200000 + 0x80000, 0x1800}};
	struct guest_queue *q;
	uint16_t id;
	uint32_t len;
	unsigned v, i;

	(void)state;
	for (v = 0; v < ARRAY_SIZE(variants); v++) {
		assert_true(guest_negotiate(variants[v]));
		for (i = 0; i < 1024; i += 8)
			guest_put(0x300000 + i, &(uint64_t){0}, 8);
		for (i = 0; i < 3; i++)
			for (unsigned j = 0; j < 0x500; j++)
				guest_put(split[i] + j, &(uint8_t){0}, 1);
		q = guest_queue_init_at(0, 64, variants[v] & PACKED ? packed : split, 1);
		guest_driver_ok();
		for (i = 0; i < 150; i++) {
			fill(bufs[0].gpa, bufs[0].len, i);
			/* The table crosses, too, and is not even aligned. */
			(void)guest_add(q, bufs, 1, 1,
					variants[v] & INDIRECT ? 0xa00000 - 12 + i % 2 : 0);
			guest_notify(q);
			assert_true(guest_used(q, &id, &len));
			assert_int_equal(len, 0x1800);
			expect_filled(bufs[1].gpa, 0x1800, i);
		}
	}
}

static void test_interrupts(void **state)
{
	struct guest_buf buf[2] = {{DATA, 8}, {DATA + 0x100, 8}};
	struct guest_queue *q = &guest_queues[0];
	uint16_t id;
	uint32_t len;
	unsigned v, i;

	(void)state;
	for (v = 0; v < ARRAY_SIZE(variants); v++) {
		guest_drive(variants[v] & ~INDIRECT, 1);
		front.messages[1] = 0;
		/* One for a batch. */
		for (i = 0; i < 10; i++)
			(void)guest_add(q, buf, 1, 1, 0);
		guest_want_interrupt(q, true);
		assert_true(guest_kick(q));
		assert_int_equal(front.messages[1], 1);
		for (i = 0; i < 10; i++)
			assert_true(guest_used(q, &id, &len));
		/* None. */
		guest_want_interrupt(q, false);
		(void)guest_add(q, buf, 1, 1, 0);
		assert_true(guest_kick(q));
		assert_true(guest_used(q, &id, &len));
		assert_int_equal(front.messages[1], 1);
		/* Again. */
		guest_want_interrupt(q, true);
		(void)guest_add(q, buf, 1, 1, 0);
		assert_true(guest_kick(q));
		assert_int_equal(front.messages[1], 2);
		/* With an event index, only as far as the driver wants to hear of it. */
		(void)guest_add(q, buf, 1, 1, 0);
		assert_true(guest_kick(q));
		assert_int_equal(front.messages[1], variants[v] & EVENT ? 2 : 3);
		assert_int_equal(front.messages[0], 0);
	}
}

/* Events on either side of the end of the ring, by counting what a driver would miss. */
static void test_packed_event_around(void **state)
{
	struct guest_buf buf[2] = {{DATA, 8}, {DATA + 0x100, 8}};
	struct guest_queue *q;
	unsigned i, n, before;
	uint16_t id;
	uint32_t len;

	(void)state;
	assert_true(guest_negotiate(PACKED | EVENT));
	q = guest_queue_init(0, 7, 0x100000, 1);
	guest_driver_ok();
	for (i = 0; i < 100; i++) {
		n = 1 + i % 3;
		before = front.messages[1];
		guest_want_interrupt(q, true);
		while (n--)
			(void)guest_add(q, buf, 1, 1, 0);
		guest_notify(q);
		assert_int_equal(front.messages[1], before + 1);
		while (guest_used(q, &id, &len))
			;
	}
}

/* While it keeps chains it looks by itself: the driver need not notify. */
static void test_kept(void **state)
{
	struct guest_buf bufs[8][2];
	struct guest_queue *q = &guest_queues[0];
	uint16_t ids[8], id;
	uint32_t len;
	unsigned v, i;

	(void)state;
	for (v = 0; v < ARRAY_SIZE(variants); v++) {
		guest_drive(variants[v] & ~INDIRECT, 1);
		trial->keep = true;
		for (i = 0; i < 8; i++) {
			bufs[i][0] = (struct guest_buf){DATA + i * 0x100, 32 + i};
			bufs[i][1] = (struct guest_buf){DATA + 0x8000 + i * 0x100, 32 + i};
			fill(bufs[i][0].gpa, 32 + i, i);
			ids[i] = guest_add(q, bufs[i], 1, 1, 0);
			assert_true(guest_kick(q));
		}
		assert_int_equal(trial->kept_count, 8);
		assert_false(guest_used(q, &id, &len));
		/* In another order. */
		for (i = 0; i < 8; i++) {
			unsigned newest = 7 - i;

			trial_finish(newest);
			assert_true(guest_used(q, &id, &len));
			assert_int_equal(id, ids[newest]);
			assert_int_equal(len, 32 + newest);
			expect_filled(bufs[newest][1].gpa, len, newest);
		}
		trial->keep = false;
		echo(q, DATA, 1, 100, 0);
	}
}

static void test_unpop(void **state)
{
	struct guest_buf bufs[4] = {
		{DATA, 8}, {DATA + 0x100, 8}, {DATA + 0x200, 8}, {DATA + 0x300, 8}};
	union virtq_piece pieces[TRIAL_PIECES];
	struct virtq_chain one = {.pieces = pieces, .room = TRIAL_PIECES}, two = one;
	struct guest_queue *q;
	struct virtq *vq;
	unsigned v, i;

	(void)state;
	for (v = 0; v < ARRAY_SIZE(variants); v++) {
		assert_true(guest_negotiate(variants[v]));
		q = guest_queue_init(0, variants[v] & PACKED ? 7 : 8, 0x100000, 1);
		guest_driver_ok();
		vq = &trial->virtio.queues[0];
		for (i = 0; i < 20; i++) {
			(void)guest_add(q, bufs, 2, 1, 0);
			(void)guest_add(q, bufs, 1, 2, 0);
			assert_int_equal(virtq_pop(vq, &one), 1);
			assert_int_equal(virtq_pop(vq, &two), 1);
			assert_int_equal(virtq_pop(vq, &two), 0);
			virtq_unpop(vq, &two);
			virtq_unpop(vq, &one);
			guest_notify(q);
			assert_true(guest_used(q, &one.id, &(uint32_t){0}));
			assert_true(guest_used(q, &one.id, &(uint32_t){0}));
		}
	}
}

/* What is given back is seen at once, by the flush; and notifications come when they are wanted. */
static void test_publish(void **state)
{
	struct guest_buf buf = {DATA, 8};
	union virtq_piece pieces[TRIAL_PIECES];
	struct virtq_chain one = {.pieces = pieces, .room = TRIAL_PIECES}, two = one;
	struct guest_queue *q = &guest_queues[0];
	struct virtq *vq;
	unsigned v;

	(void)state;
	for (v = 0; v < ARRAY_SIZE(variants); v++) {
		guest_drive(variants[v], 1);
		vq = &trial->virtio.queues[0];
		assert_false(virtq_arm(vq));
		virtq_disarm(vq);
		(void)guest_add(q, &buf, 0, 1, 0);
		/* With an event index, this one was asked for before. */
		assert_int_equal(guest_kick(q),
				 variants[v] == EVENT || variants[v] == (EVENT | INDIRECT));
		guest_notify(q);
		while (guest_used(q, &one.id, &(uint32_t){0}))
			;
		virtq_disarm(vq);
		(void)guest_add(q, &buf, 0, 1, 0);
		(void)guest_add(q, &buf, 0, 1, 0);
		/* It came before this could be asked for. */
		assert_true(virtq_arm(vq));
		assert_int_equal(virtq_pop(vq, &one), 1);
		assert_int_equal(virtq_pop(vq, &two), 1);
		virtq_push(vq, &one, 1);
		virtq_push(vq, &two, 2);
		assert_false(guest_used(q, &one.id, &(uint32_t){0}));
		virtq_flush(vq);
		assert_true(guest_used(q, &one.id, &(uint32_t){0}));
		assert_true(guest_used(q, &one.id, &(uint32_t){0}));
		assert_false(virtq_arm(vq));
		(void)guest_add(q, &buf, 0, 1, 0);
		assert_true(guest_kick(q));
	}
}

static void test_spans(void **state)
{
	uint8_t memory[12] = "abcdefghijkl", buf[16] = "";
	union virtq_piece pieces[] = {{{memory, 5}}, {{memory + 5, 1}}, {{memory + 6, 6}}};
	struct virtq_span span = {pieces, 3, 12};

	(void)state;
	assert_ptr_equal(virtq_span_last(&span), memory + 11);
	assert_int_equal(virtq_span_read(&span, buf, 3), 3);
	assert_int_equal(virtq_span_read(&span, buf + 3, 4), 4);
	assert_memory_equal(buf, "abcdefg", 7);
	assert_int_equal(span.bytes, 4);
	assert_int_equal(span.count, 1);
	assert_int_equal(virtq_span_write(&span, "0123456789", 10), 4);
	assert_memory_equal(memory, "abcdefg0123l", 12);
	assert_null(virtq_span_last(&span));
	assert_int_equal(virtq_span_read(&span, buf, 3), 0);
}

/* More than the device does at once: the rest by a worker. */
static void test_turns(void **state)
{
	struct guest_buf bufs[2] = {{DATA, 8}, {DATA + 0x100, 8}};
	struct guest_queue *q = &guest_queues[0];
	unsigned i;

	(void)state;
	guest_drive(0, 1);
	trial->turn = 4;
	for (i = 0; i < 10; i++)
		(void)guest_add(q, bufs, 1, 1, 0);
	guest_notify(q);
	assert_int_equal(trial->notified, 1);
	assert_int_equal(world_work(), 2);
	for (i = 0; i < 10; i++)
		assert_true(guest_used(q, &(uint16_t){0}, &(uint32_t){0}));
	/* A reset does not wait for it: drivers of NetBSD and EDK2 do not look whether it has
	 * ended. */
	for (i = 0; i < 5; i++)
		(void)guest_add(q, bufs, 1, 1, 0);
	guest_notify(q);
	assert_int_equal(trial->notified, 4);
	common_out(COMMON_STATUS, 1, 0);
	assert_int_equal(guest_status(), 0);
	assert_int_equal(world_work(), 1);
	assert_int_equal(trial->notified, 4);
	/* With those of its creation and before the driver began. */
	assert_int_equal(trial->resets, 3);
}

/* What was made available, and told, before the driver was ready is taken when it is. */
static void test_early(void **state)
{
	struct guest_buf bufs[2] = {{DATA, 8}, {DATA + 0x100, 8}};
	struct guest_queue *q;
	unsigned v;

	(void)state;
	for (v = 0; v < ARRAY_SIZE(variants); v++) {
		assert_true(guest_negotiate(variants[v]));
		q = guest_queue_init(0, 0, 0x100000, 1);
		(void)guest_add(q, bufs, 1, 1, 0);
		guest_notify(q);
		assert_false(guest_used(q, &(uint16_t){0}, &(uint32_t){0}));
		guest_driver_ok();
		world_work();
		assert_true(guest_used(q, &(uint16_t){0}, &(uint32_t){0}));
	}
}

static void test_bus_master(void **state)
{
	struct guest_buf bufs[2] = {{DATA, 8}, {DATA + 0x100, 8}};
	struct guest_queue *q = &guest_queues[0];
	unsigned v;

	(void)state;
	for (v = 0; v < ARRAY_SIZE(variants); v++) {
		/* Off when the driver is ready: the rings are looked at later. */
		front.master = false;
		guest_drive(variants[v] & ~INDIRECT, 1);
		(void)guest_add(q, bufs, 1, 1, 0);
		guest_notify(q);
		assert_false(guest_used(q, &(uint16_t){0}, &(uint32_t){0}));
		front.master = true;
		guest_notify(q);
		assert_true(guest_used(q, &(uint16_t){0}, &(uint32_t){0}));
		trial->keep = true;
		(void)guest_add(q, bufs, 1, 1, 0);
		guest_notify(q);
		front.master = false;
		(void)guest_add(q, bufs, 1, 1, 0);
		guest_notify(q);
		trial_finish(0);
		assert_false(guest_used(q, &(uint16_t){0}, &(uint32_t){0}));
		assert_int_equal(guest_status() & VIRTIO_STATUS_NEEDS_RESET, 0);
		trial->keep = false;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_echo),       TEST(test_indices_wrap), TEST(test_split_mixed),
		TEST(test_granules),   TEST(test_interrupts),	TEST(test_packed_event_around),
		TEST(test_kept),       TEST(test_unpop),	TEST(test_publish),
		TEST(test_spans),      TEST(test_turns),	TEST(test_early),
		TEST(test_bus_master),

	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
