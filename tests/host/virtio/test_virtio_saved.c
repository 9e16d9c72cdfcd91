/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/virtio/virtio_console_output.c */
/* test-sources: devices/virtio/virtio_console_saved.c */
/* test-sources: devices/virtio/virtio_saved.c kernel/time.c */
/* test-sources: devices/virtio/virtio_blk.c devices/virtio/virtio_blk_request.c */
/* test-sources: devices/virtio/virtq.c devices/virtio/virtq_chain.c */
/* test-sources: devices/virtio/virtq_split.c devices/virtio/virtq_packed.c */
/* test-sources: devices/virtio/virtio.c devices/virtio/virtio_common.c */
/* test-sources: devices/virtio/virtio_pci.c */
/* test-sources: tests/host/virtio/guest.c tests/host/virtio/guest_driver.c */
/* test-sources: tests/host/virtio/slow_disk.c devices/backend/ramdisk.c */
/* test-sources: devices/backend/ramdisk_image.c */
/* test-sources: devices/backend/block_queue.c vmm/block_frontend.c */
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
/* test-sources: tests/host/virtio/blk_driver.c */
/* test-sources: devices/virtio/virtio_console.c devices/virtio/virtio_console_control.c */
/* test-sources: devices/virtio/virtio_port.c vmm/char_frontend.c tests/host/virtio/ear.c */
/* test-sources: vmm/device_state.c vmm/device_state_load.c */
/*
 * Virtio devices that are saved under a driver, and go on with it in another of
 * their kind: rings, requests that are under way, a console's bytes. And states
 * that no driver could have brought about.
 */
#include "kernel/time.h"
#include "kernel/work.h"
#include "tests/host/virtio/blk_driver.h"
#include "tests/host/virtio/ear.h"
#include "tests/host/virtio/slow_disk.h"
#include "vmm/device_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLK	"virtio-blk:?serial=abc"
#define CONSOLE "virtio-console:"
#define TX	1
#define CAPTURE 65536

extern uint64_t fake_tsc;

static uint8_t saved[CAPTURE];
static size_t saved_len;

/* NULL, or what refuses it. */
static const char *save(void)
{
	const struct device_state *type = host_device_ref.type;
	const char *lacks;

	assert_null(device_state_lacks(type, front.hd));
	device_state_pre_save(type, front.hd);
	lacks = device_state_lacks(type, front.hd);
	saved_len = lacks ? 0 : device_state_save(type, front.hd, saved, sizeof(saved));
	assert_true(saved_len <= sizeof(saved));
	return lacks;
}

static void go_on(void)
{
	device_state_post_save(host_device_ref.type, front.hd);
	world_work();
}

/* NULL, or what is wrong. */
static const char *load(void)
{
	static char why[256];
	const struct device_state *type = host_device_ref.type;

	if (device_state_check(type, front.hd, saved, saved_len, why, sizeof(why)))
		return why;
	assert_int_equal(device_state_load(type, front.hd, saved, saved_len, why, sizeof(why)), 0);
	assert_null(device_state_post_load(type, front.hd));
	world_work();
	return NULL;
}

/* To another one, with another disk. */
static void move(void)
{
	assert_null(save());
	world_del(0, "ram");
	guest_unplug();
	assert_non_null(guest_plug(BLK));
	plug_ramdisk("");
	assert_null(load());
}

static const uint64_t variants[] = {
	0,
	VIRTIO_F_EVENT_IDX,
	VIRTIO_F_RING_PACKED,
	VIRTIO_F_RING_PACKED | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX,
};

/* More requests than the ring has entries, the device another each few of them. */
static void test_rings(void **state)
{
	unsigned n, v;

	(void)state;
	plug_ramdisk("");
	for (v = 0; v < ARRAY_SIZE(variants); v++) {
		guest_drive(ALL | variants[v], 1);
		for (n = 0; n < 300; n++) {
			if (n % 7 == 0)
				move();
			fill(DATA, (uint8_t)n, 4096);
			assert_int_equal(request(OUT, 8 * (n % 200), DATA, 4096, NULL), OK);
			assert_int_equal(request(IN, 8 * (n % 200), DATA + 8192, 4096, NULL), OK);
			assert_true(is_filled(DATA + 8192, (uint8_t)n, 4096));
		}
		assert_int_equal(guest_status() & VIRTIO_STATUS_NEEDS_RESET, 0);
	}
}

static void finish_work(struct work *work)
{
	(void)work;
	while (slow_disk.kept_count)
		slow_disk_finish(0, 0);
}

/* What the disk has is waited for; what came since is the other device's. */
static void test_requests_end(void **state)
{
	struct work finish;

	(void)state;
	slow_disk.keep = true;
	slow_disk_plug();
	guest_drive(VIRTIO_BLK_F_FLUSH, 1);
	add(0, IN, 0, DATA, 512);
	guest_kick(queue);
	assert_int_equal(slow_disk.kept_count, 1);
	work_init(&finish, finish_work);
	work_queue(&finish);
	assert_null(save());
	assert_int_equal(slow_disk.kept_count, 0);
	(void)done();
	assert_int_equal(status(0), OK);
	add(1, IN, 0, DATA, 512);
	guest_notify(queue);
	assert_int_equal(slow_disk.kept_count, 0);
	slow_disk.keep = false;
	guest_unplug();
	assert_non_null(guest_plug(BLK));
	slow_disk_unplug();
	slow_disk_plug();
	assert_null(load());
	(void)done();
	assert_int_equal(status(1), OK);
}

static void wait_work(struct work *work)
{
	(void)work;
	fake_tsc += UINT64_C(3000000000);
}

/* A disk that does not end what it has refuses the checkpoint, and all goes on. */
static void test_requests_do_not_end(void **state)
{
	struct work later;

	(void)state;
	slow_disk.keep = true;
	slow_disk_plug();
	guest_drive(VIRTIO_BLK_F_FLUSH, 1);
	add(0, IN, 0, DATA, 512);
	guest_kick(queue);
	work_init(&later, wait_work);
	work_queue(&later);
	assert_string_equal(save(), "a request that its backend does not end");
	add(1, IN, 0, DATA, 512);
	guest_notify(queue);
	assert_int_equal(slow_disk.kept_count, 1);
	go_on();
	assert_int_equal(slow_disk.kept_count, 2);
	finish_work(NULL);
	(void)done();
	(void)done();
	assert_null(save());
	go_on();
}

/* Of what a guest sent, the backend has a part: it gets the rest, once, wherever it goes on. */
static void test_console_bytes(void **state)
{
	struct guest_buf bufs[2] = {{DATA, 7}, {DATA + 7, 8}};
	struct guest_queue *tx = &guest_queues[TX];

	(void)state;
	guest_unplug();
	assert_non_null(guest_plug(CONSOLE));
	assert_non_null(world_add(0, "ear", "ear", "frontend = card\nn = 0\n"));
	guest_drive(0, 2);
	ears[0]->room = 9;
	guest_put(DATA, "abcdefghijklmno", 15);
	(void)guest_add(tx, bufs, 2, 0, 0);
	(void)guest_kick(tx);
	assert_int_equal(ears[0]->count, 9);
	assert_null(save());
	ears[0]->room = 2;
	go_on();
	assert_int_equal(ears[0]->count, 11);
	assert_null(save());
	guest_unplug();
	assert_memory_equal(ears[0]->heard, "abcdefghijk", 11);
	world_del(0, "ear");
	assert_non_null(guest_plug(CONSOLE));
	assert_non_null(world_add(0, "ear", "ear", "frontend = card\nn = 0\n"));
	ears[0]->room = 100;
	assert_null(load());
	assert_int_equal(ears[0]->count, 4);
	assert_memory_equal(ears[0]->heard, "lmno", 4);
	assert_true(guest_used(tx, &(uint16_t){0}, &(uint32_t){0}));
}

/* Element 0 of field @name, the first after field @after, turned by @mask: why it is refused. */
static const char *refusal(const char *after, const char *name, uint8_t mask)
{
	uint8_t *from, *field;
	const char *why;

	assert_null(save());
	from = memmem(saved, saved_len, after, strlen(after));
	field = memmem(from, saved_len - (size_t)(from - saved), name, strlen(name));
	assert_non_null(field);
	field[strlen(name) + 4] ^= mask;
	why = load();
	go_on();
	return why ? strstr(why, name) : NULL;
}

static void test_refused(void **state)
{
	(void)state;
	plug_ramdisk("");
	guest_drive(ALL | VIRTIO_F_RING_PACKED, 1);
	assert_non_null(refusal("virtio", "offered", 2));
	assert_non_null(refusal("virtio", "status", VIRTIO_STATUS_FEATURES_OK));
	assert_non_null(refusal("virtio", "features", 1)); /* not offered */
	assert_non_null(refusal("virtio", "config_vector", 0x80));
	assert_non_null(refusal("virtio", "isr", 4));
	assert_non_null(refusal("virtq", "size", 0x80));
	assert_non_null(refusal("virtq", "vector", 0x40));
	assert_non_null(refusal("virtio", "queues", 1)); /* their count */
	assert_null(refusal("virtq", "next_avail", 1));
	assert_non_null(refusal("virtq", "enabled", 2));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, blk_setup, blk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rings),	  TEST(test_requests_end), TEST(test_requests_do_not_end),
		TEST(test_console_bytes), TEST(test_refused),
	};

	time_init(1000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
