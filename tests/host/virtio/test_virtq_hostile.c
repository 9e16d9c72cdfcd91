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
/* What a driver may not do to queues: it breaks the device and nothing else. */
#include "tests/host/virtio/echo.h"
#include "tests/host/virtio/trial.h"
#include "vmm/guest_memory.h"

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

/*
 * What breaks a device: each case makes something available in queue 0, of 8
 * entries, and says whether it is of the split format, or else the packed one.
 */

struct hostile {
	const char *why; /* part of what the log says */
	uint64_t features;
	void (*offer)(struct guest_queue *q);
};

static void jump(struct guest_queue *q)
{
	guest_write_desc(q->desc, 0, DATA, 8, 0, 0);
	guest_offer(q, 0, 9);
}

static void jump_back(struct guest_queue *q)
{
	guest_offer(q, 0, 0xffff);
}

static void head_outside(struct guest_queue *q)
{
	guest_offer(q, 8, 1);
}

static void next_outside(struct guest_queue *q)
{
	guest_write_desc(q->desc, 0, DATA, 8, F_NEXT, 0xffff);
	guest_offer(q, 0, 1);
}

static void split_loop(struct guest_queue *q)
{
	guest_write_desc(q->desc, 0, DATA, 8, F_NEXT, 1);
	guest_write_desc(q->desc, 1, DATA + 8, 8, F_NEXT, 0);
	guest_offer(q, 0, 1);
}

/* Of buffers that are one for us: nothing but the count of descriptors ends it. */
static void self_loop(struct guest_queue *q)
{
	guest_write_desc(q->desc, 3, DATA, 8, F_NEXT | F_WRITE, 3);
	guest_offer(q, 3, 1);
}

static void table_loop(struct guest_queue *q)
{
	guest_write_desc(q->desc, 0, TABLE, 32, F_INDIRECT, 0);
	guest_write_desc(TABLE, 0, DATA, 8, F_NEXT, 1);
	guest_write_desc(TABLE, 1, DATA + 8, 8, F_NEXT, 0);
	guest_offer(q, 0, 1);
}

static void table_left(struct guest_queue *q)
{
	guest_write_desc(q->desc, 0, TABLE, 32, F_INDIRECT, 0);
	guest_write_desc(TABLE, 0, DATA, 8, F_NEXT, 2);
	guest_write_desc(TABLE, 2, DATA, 8, 0, 0);
	guest_offer(q, 0, 1);
}

/* One descriptor, as either format has it. */
static void one(struct guest_queue *q, uint64_t gpa, uint32_t len, uint16_t flags)
{
	if (q->packed) {
		guest_write_packed(q->desc, 0, gpa, len, 0, flags | guest_avail_flags(q));
	} else {
		guest_write_desc(q->desc, 0, gpa, len, flags, 1);
		guest_offer(q, 0, 1);
	}
}

/* The same in an indirect table of @n descriptors. */
static void in_table(struct guest_queue *q, unsigned at, uint64_t gpa, uint32_t len, uint16_t flags)
{
	if (q->packed)
		guest_write_packed(TABLE, at, gpa, len, 0, flags & ~F_NEXT);
	else
		guest_write_desc(TABLE, at, gpa, len, flags, (uint16_t)(at + 1));
}

static void beyond_ram(struct guest_queue *q)
{
	one(q, GUEST_RAM - 8, 9, 0);
}

static void far_away(struct guest_queue *q)
{
	one(q, UINT64_MAX - 7, 8, F_WRITE);
}

static void around_the_end(struct guest_queue *q)
{
	one(q, UINT64_MAX - 7, 0xffffffff, F_WRITE);
}

static void mmio(struct guest_queue *q)
{
	one(q, 0xfee00000, 64, F_WRITE);
}

static void hole(struct guest_queue *q)
{
	one(q, 0x9fff8, 16, 0);
}

static void very_long(struct guest_queue *q)
{
	one(q, 0, 0xffffffff, F_WRITE);
}

static void no_bytes(struct guest_queue *q)
{
	one(q, DATA, 0, F_WRITE);
}

static void nested(struct guest_queue *q)
{
	in_table(q, 0, TABLE, 16, F_INDIRECT);
	one(q, TABLE, 16, F_INDIRECT);
}

static void indirect_and_next(struct guest_queue *q)
{
	in_table(q, 0, DATA, 16, 0);
	one(q, TABLE, 16, F_INDIRECT | F_NEXT);
}

static void empty_table(struct guest_queue *q)
{
	one(q, TABLE, 0, F_INDIRECT);
}

static void odd_table(struct guest_queue *q)
{
	in_table(q, 0, DATA, 16, 0);
	one(q, TABLE, 17, F_INDIRECT);
}

static void huge_table(struct guest_queue *q)
{
	one(q, TABLE, 16 * 1025, F_INDIRECT);
}

static void table_in_mmio(struct guest_queue *q)
{
	one(q, 0xfee00000, 16, F_INDIRECT);
}

static void table_not_agreed(struct guest_queue *q)
{
	in_table(q, 0, DATA, 16, 0);
	one(q, TABLE, 16, F_INDIRECT);
}

static void backwards(struct guest_queue *q)
{
	in_table(q, 0, DATA, 16, F_WRITE | F_NEXT);
	in_table(q, 1, DATA + 0x100, 16, 0);
	one(q, TABLE, 32, F_INDIRECT);
}

static void too_many(struct guest_queue *q)
{
	for (unsigned i = 0; i <= TRIAL_PIECES; i++)
		in_table(q, i, DATA + 16 * i, 8, i < TRIAL_PIECES ? F_NEXT : 0);
	one(q, TABLE, 16 * (TRIAL_PIECES + 1), F_INDIRECT);
}

/* 1024 times the same 6 MiB: one piece after the other, and no end of it. */
static void too_long(struct guest_queue *q)
{
	for (unsigned i = 0; i < 1024; i++)
		in_table(q, i, 0x200000, 0x600000, i < 1023 ? F_NEXT : 0);
	one(q, TABLE, 16 * 1024, F_INDIRECT);
}

static void packed_loop(struct guest_queue *q)
{
	for (unsigned i = 0; i < q->size; i++)
		guest_write_packed(q->desc, i, DATA + 8 * i, 8, 0, F_NEXT | guest_avail_flags(q));
}

/* All of the ring is the device's, and there is more. */
static void overrun(struct guest_queue *q)
{
	trial->keep = true;
	if (q->packed) {
		for (unsigned i = 0; i < q->size; i++)
			guest_write_packed(q->desc, i, DATA, 8, 0, guest_avail_flags(q));
		guest_notify(q);
		for (unsigned i = 0; i < q->size; i++)
			guest_write_packed(q->desc, i, DATA, 8, 0, guest_avail_flags(q) ^ 0x8080);
	} else {
		guest_write_desc(q->desc, 0, DATA, 8, 0, 0);
		for (unsigned i = 0; i < q->size; i++)
			guest_offer(q, 0, 1);
		guest_notify(q);
		guest_offer(q, 0, 1);
	}
	assert_int_equal(trial->kept_count, q->size);
}

static const struct hostile hostiles[] = {
	{"index that jumps", 0, jump},
	{"index that jumps", EVENT, jump_back},
	{"leaves the table", 0, head_outside},
	{"leaves the table", 0, next_outside},
	{"more buffers than|loops", 0, split_loop},
	{"loops", 0, self_loop},
	{"loops", INDIRECT, table_loop},
	{"leaves itself", INDIRECT, table_left},
	{"not in RAM", 0, beyond_ram},
	{"not in RAM", PACKED, beyond_ram},
	{"not in RAM", 0, far_away},
	{"not in RAM", PACKED, far_away},
	{"not in RAM", 0, around_the_end},
	{"not in RAM", PACKED, around_the_end},
	{"not in RAM", 0, mmio},
	{"not in RAM", PACKED, mmio},
	{"not in RAM", 0, hole},
	{"not in RAM", PACKED, hole},
	{"not in RAM", 0, very_long},
	{"not in RAM", PACKED, very_long},
	{"no bytes", 0, no_bytes},
	{"no bytes", PACKED, no_bytes},
	{"in an indirect table", INDIRECT, nested},
	{"in an indirect table", PACKED | INDIRECT, nested},
	{"has a next one", INDIRECT, indirect_and_next},
	{"has a next one", PACKED | INDIRECT, indirect_and_next},
	{"cannot have", INDIRECT, empty_table},
	{"cannot have", PACKED | INDIRECT, empty_table},
	{"cannot have", INDIRECT, odd_table},
	{"cannot have", PACKED | INDIRECT, odd_table},
	{"cannot have", INDIRECT, huge_table},
	{"cannot have", PACKED | INDIRECT, huge_table},
	{"table that is not in RAM", INDIRECT, table_in_mmio},
	{"table that is not in RAM", PACKED | INDIRECT, table_in_mmio},
	{"not agreed on", 0, table_not_agreed},
	{"not agreed on", PACKED, table_not_agreed},
	{"behind one to write", INDIRECT, backwards},
	{"behind one to write", PACKED | INDIRECT, backwards},
	{"more buffers than", INDIRECT, too_many},
	{"more buffers than", PACKED | INDIRECT, too_many},
	{"more buffers than", INDIRECT, too_long},
	{"more descriptors than are free", PACKED, packed_loop},
	{"more chains than descriptors", 0, overrun},
	{"more descriptors than are free", PACKED, overrun},
};

/* Whether the log has one of the texts between the bars. */
static bool logged_one_of(const char *texts)
{
	char copy[128], *text, *rest = copy;

	snprintf(copy, sizeof(copy), "%s", texts);
	while ((text = strsep(&rest, "|")))
		if (fake_logged(text))
			return true;
	return false;
}

static void test_hostile(void **state)
{
	struct guest_queue *q;
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(hostiles); i++) {
		fake_log_clear();
		fake_vm_lag -= 2000000000; /* the log hears of it again */
		memset(front.messages, 0, sizeof(front.messages));
		assert_true(guest_negotiate(hostiles[i].features));
		common_out(COMMON_MSIX, 2, 0);
		q = guest_queue_init(0, 8, 0x100000, 1);
		guest_driver_ok();
		hostiles[i].offer(q);
		guest_notify(q);
		if (!(guest_status() & VIRTIO_STATUS_NEEDS_RESET) ||
		    !logged_one_of(hostiles[i].why))
			fail_msg("case %u, '%s': status 0x%x, log: %s", i, hostiles[i].why,
				 guest_status(), fake_log);
		assert_int_equal(trial->last_error, -EPROTO);
		/* The driver is told; the queue stands still. */
		assert_int_equal(front.messages[0], 1);
		guest_notify(q);
		assert_int_equal(front.messages[0], 1);
		/* What was in flight comes to an end all the same. */
		while (trial->kept_count)
			trial_finish(0);
		trial->keep = false;
		assert_int_equal(front.messages[1], 0);
		/* And the driver can begin again. */
		assert_true(guest_negotiate(hostiles[i].features));
		q = guest_queue_init(0, 8, 0x100000, 1);
		guest_driver_ok();
		echo(q, DATA, 2, 50, 0);
	}
}

/* With room for all of it: more bytes than can be counted. */
static void test_too_long(void **state)
{
	static union virtq_piece pieces[4096];
	struct virtq_chain chain = {.pieces = pieces, .room = ARRAY_SIZE(pieces)};
	unsigned packed;

	(void)state;
	for (packed = 0; packed < 2; packed++) {
		fake_log_clear();
		fake_vm_lag -= 2000000000;
		assert_true(guest_negotiate(INDIRECT | (packed ? PACKED : 0)));
		guest_queue_init(0, 8, 0x100000, 1);
		guest_driver_ok();
		too_long(&guest_queues[0]);
		assert_int_equal(virtq_pop(&trial->virtio.queues[0], &chain), -EPROTO);
		assert_true(fake_logged("a chain of 4 GiB or more"));
	}
}

/* Rings that cannot be. */
static void test_hostile_rings(void **state)
{
	static const gpa_t wrong[] = {
		0xfee00000,	 GUEST_RAM - 4,	    0xa0000 - 6, 0x100001,
		UINT64_MAX - 15, UINT64_C(1) << 52, 0xbfffff00,	 GUEST_HIGH_BASE,
	};
	gpa_t parts[3];
	unsigned i, part, packed;

	(void)state;
	for (packed = 0; packed < 2; packed++)
		for (part = 0; part < 3; part++)
			for (i = 0; i < ARRAY_SIZE(wrong); i++) {
				/* What these need is little. */
				if (packed && part && (wrong[i] == GUEST_RAM - 4))
					continue;
				parts[0] = 0x100000;
				parts[1] = 0x104000;
				parts[2] = 0x105000;
				parts[part] = wrong[i];
				assert_true(guest_negotiate(packed ? PACKED : 0));
				guest_queue_init_at(1, 1024, parts, 1);
				guest_driver_ok();
				guest_notify(&guest_queues[1]);
				if (!(guest_status() & VIRTIO_STATUS_NEEDS_RESET))
					fail_msg("part %u at 0x%llx of a %s ring is fine", part,
						 (unsigned long long)wrong[i],
						 packed ? "packed" : "split");
			}
	guest_drive(0, 1);
	echo(&guest_queues[0], DATA, 1, 10, 0);
	/* A split queue has a size that is a power of two. */
	assert_true(guest_negotiate(0));
	guest_queue_init(0, 5, 0x100000, 1);
	assert_true(guest_status() & VIRTIO_STATUS_NEEDS_RESET);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hostile),
		TEST(test_too_long),
		TEST(test_hostile_rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
