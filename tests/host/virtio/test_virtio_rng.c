/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/virtio/virtio_saved.c kernel/time.c */
/* test-sources: devices/virtio/virtq.c devices/virtio/virtq_chain.c */
/* test-sources: devices/virtio/virtq_split.c devices/virtio/virtq_packed.c */
/* test-sources: devices/virtio/virtio.c devices/virtio/virtio_common.c */
/* test-sources: devices/virtio/virtio_pci.c devices/virtio/virtio_rng.c */
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
/* virtio-rng: what it fills, how much, and how fast. */
#include "kernel/random.h"
#include "tests/host/virtio/guest.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATA   0x200000
#define SECOND UINT64_C(1000000000)

static unsigned inits;
static uint64_t given;

void random_init(void)
{
	inits++;
}

/* Recognized by the test: bytes that count. */
void random_bytes(void *buf, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (uint8_t)(1 + given++ % 251);
}

static void start(const char *url)
{
	given = 0;
	assert_non_null(guest_start(url));
	guest_drive(0, 1);
}

static int teardown(void **state)
{
	(void)state;
	guest_end();
	return 0;
}

static struct guest_queue *queue(void)
{
	return &guest_queues[0];
}

static void ask(gpa_t gpa, uint32_t len)
{
	struct guest_buf buf = {gpa, len};

	(void)guest_add(queue(), &buf, 0, 1, 0);
}

/* How many bytes came, or -1: the buffer did not come back. */
static int64_t got(void)
{
	uint16_t id;
	uint32_t len;

	return guest_used(queue(), &id, &len) ? (int64_t)len : -1;
}

static void test_found(void **state)
{
	uint64_t value;

	(void)state;
	start("virtio-rng:");
	assert_int_equal(host_device_read(front.hd, HOST_REGION_CONFIG, 0, 4, &value), 0);
	assert_int_equal(value, 0x10441af4);
	assert_int_equal(guest_offered(), VIRTIO_F_COMMON);
	/* It has no configuration of its own. */
	assert_int_equal(places.config.length, 0);
	assert_true(inits > 0);
}

static void test_fills(void **state)
{
	struct guest_buf bufs[3] = {{DATA, 8}, {DATA + 0x100, 16}, {0x400000 - 8, 16}};
	uint8_t bytes[16];
	unsigned i;

	(void)state;
	start("virtio-rng:");
	/* What is to be read is of no interest. */
	(void)guest_add(queue(), bufs, 1, 2, 0);
	assert_true(guest_kick(queue()));
	assert_int_equal(got(), 32);
	assert_int_equal(front.messages[1], 1);
	guest_get(DATA, bytes, 8);
	assert_int_equal(bytes[0], 0);
	for (i = 0; i < 16; i++)
		assert_int_equal(((uint8_t *)guest_at(DATA + 0x100))[i], 1 + i);
	guest_get(0x400000 - 8, bytes, 16);
	for (i = 0; i < 16; i++)
		assert_int_equal(bytes[i], 17 + i);
	/* No room: it comes back empty. Much room: as much as it likes. */
	(void)guest_add(queue(), bufs, 1, 0, 0);
	ask(DATA, 0x100000);
	guest_notify(queue());
	assert_int_equal(got(), 0);
	assert_int_equal(got(), 1024);
	assert_int_equal(given, 32 + 1024);
}

/* Some now, the rest by a worker. */
static void test_many(void **state)
{
	unsigned i, at_once = 0;

	(void)state;
	start("virtio-rng:");
	for (i = 0; i < 60; i++)
		ask(DATA + 0x1000 * i, 1000);
	guest_notify(queue());
	while (got() == 1000)
		at_once++;
	assert_in_range(at_once, 1, 59);
	world_work();
	for (i = at_once; i < 60; i++)
		assert_int_equal(got(), 1000);
	assert_int_equal(got(), -1);
}

static void test_rate(void **state)
{
	uint64_t begin;
	unsigned i;

	(void)state;
	start("virtio-rng:?rate=1K");
	begin = fake_tsc;
	/* A second's bytes are there to begin with. */
	for (i = 0; i < 40; i++)
		ask(DATA + 0x1000 * i, 512);
	guest_notify(queue());
	assert_int_equal(given, 1024);
	/* From then on, as many as time passes. */
	fake_run_until(begin + 2 * SECOND);
	assert_in_range(given, 1024 + 2 * 900, 1024 + 2 * 1024);
	assert_true(front.messages[1] > 10);
	/* The driver resets while it waits; later it begins anew. */
	guest_drive(0, 1);
	fake_run_until(begin + 20 * SECOND);
	i = (unsigned)given;
	ask(DATA, 512);
	guest_notify(queue());
	assert_int_equal(got(), 512);
	assert_int_equal(given, i + 512);
	/* And goes while the timer runs. */
	for (i = 0; i < 10; i++)
		ask(DATA, 512);
	guest_notify(queue());
	guest_unplug();
	fake_run_until(begin + 30 * SECOND);
}

static void test_refused(void **state)
{
	unsigned n;

	(void)state;
	start("virtio-rng:");
	guest_unplug();
	assert_null(guest_plug("virtio-rng:x"));
	assert_true(fake_logged("takes no path, got 'x'"));
	assert_null(guest_plug("virtio-rng:?rate=fast"));
	assert_true(fake_logged("argument rate: expected a number of bytes"));
	for (n = 0;; n++) {
		fake_memory_left = n;
		if (guest_plug("virtio-rng:?rate=1M"))
			break;
		fake_memory_left = -1;
	}
	fake_memory_left = -1;
	assert_true(n >= 3);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_found), TEST(test_fills),   TEST(test_many),
		TEST(test_rate),  TEST(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
