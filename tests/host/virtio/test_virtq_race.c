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
/*
 * A driver on one CPU, the device on another: whatever the order in which they
 * look and tell, no chain is left lying, and each is seen whole.
 */
#include "tests/host/virtio/guest.h"
#include "tests/host/virtio/trial.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define DATA	0x200000
#define CHAINS	30000 /* of each variant */
#define SECONDS 60    /* for one of them, when all is lost */

#define PACKED VIRTIO_F_RING_PACKED
#define EVENT  VIRTIO_F_EVENT_IDX

static const uint64_t variants[] = {0, EVENT, PACKED, PACKED | EVENT};

/* Atomic: notifications that the driver sent, and that all is over. */
static unsigned kicks, over;

/* The device's CPU does nothing but what it is notified of. */
static void *device_cpu(void *queue)
{
	unsigned seen = 0, now;

	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		now = __atomic_load_n(&kicks, __ATOMIC_ACQUIRE);
		if (now != seen) {
			seen = now;
			guest_notify(queue);
		} else {
			sched_yield();
		}
	}
	return NULL;
}

/* As guest_kick(), by way of the other CPU. */
static void kick(struct guest_queue *q)
{
	if (guest_wants_kick(q))
		__atomic_add_fetch(&kicks, 1, __ATOMIC_RELEASE);
}

/* Waits for a chain. The test ends when none comes: its notification was lost. */
static void wait_used(struct guest_queue *q, uint64_t variant)
{
	time_t end = time(NULL) + SECONDS;
	uint32_t len, word = 0;
	uint16_t id;

	while (!guest_used(q, &id, &len)) {
		sched_yield();
		if (time(NULL) > end) {
			__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
			fail_msg("a chain is left lying, features %#lx", variant);
		}
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	guest_get(DATA + 0x1000 + 8 * id, &word, 4);
	assert_int_equal(len, 4);
	assert_int_equal(word, 0x1000 + id);
	guest_put(DATA + 0x1000 + 8 * id, &(uint32_t){0}, 4);
}

static void run(uint64_t variant)
{
	struct guest_queue *q = &guest_queues[0];
	struct guest_buf bufs[2] = {{0, 4}, {0, 4}};
	unsigned i, n, next, in_flight = 0;
	pthread_t other;

	guest_drive(variant, 1);
	for (i = 0; i < q->size; i++)
		guest_put(DATA + 8 * i, &(uint32_t){0x1000 + i}, 4);
	kicks = over = 0;
	assert_int_equal(pthread_create(&other, NULL, device_cpu, q), 0);
	srand(1);
	for (i = 0; i < CHAINS;) {
		for (n = (unsigned)rand() % 4; n && q->free >= 2; n--, i++, in_flight++) {
			next = guest_next_id(q);
			bufs[0].gpa = DATA + 8 * next;
			bufs[1].gpa = DATA + 0x1000 + 8 * next;
			assert_int_equal(guest_add(q, bufs, 1, 1, 0), next);
		}
		kick(q);
		for (n = (unsigned)rand() % 4; n && in_flight; n--, in_flight--)
			wait_used(q, variant);
	}
	for (; in_flight; in_flight--)
		wait_used(q, variant);
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(other, NULL), 0);
	assert_int_equal(guest_status(), 0xf);
}

static void test_two_cpus(void **state)
{
	unsigned v;

	(void)state;
	assert_non_null(guest_start("virtio-trial:"));
	for (v = 0; v < ARRAY_SIZE(variants); v++)
		run(variants[v]);
	guest_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
