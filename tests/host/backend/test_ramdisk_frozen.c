/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/backend/ramdisk.c devices/backend/ramdisk_image.c */
/* test-sources: devices/backend/block_queue.c vmm/block_frontend.c */
/* test-sources: tests/host/backend/world.c */
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
/* A ramdisk that a checkpoint has frozen and lets go of while its worker writes. */
#include "devices/backend/block_queue.h"
#include "kernel/slab.h"
#include "tests/host/backend/world.h"
#include "vmm/block_frontend.h"
#include "vmm/device_state.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 4096u

struct disk {
	struct block_frontend front;
};

static void disk_destroy(struct device *dev)
{
	struct disk *d = dev->state;

	assert_int_equal(d->front.in_flight, 0);
	kfree(d);
}

static int disk_create(struct device *dev, const struct device_config *config)
{
	struct disk *d = kzalloc(sizeof(*d));

	(void)config;
	if (!d)
		return -ENOMEM;
	dev->state = d;
	block_frontend_init(&d->front);
	return device_provide_frontend(dev, &d->front.base);
}

DEVICE_TYPE(disk_type, .name = "disk", .help = "a disk", .create = disk_create,
	    .destroy = disk_destroy);

static struct block_frontend *disk(void)
{
	return device_iface(&world_vms[0], "disk", block_frontend_kind.name);
}

static void written(struct block_request *request, int err)
{
	(void)request;
	assert_int_equal(err, 0);
}

static void write_page(uint64_t offset, uint8_t value)
{
	static uint8_t data[PAGE];
	struct block_piece piece = {data, PAGE};
	struct block_request request = {.op = BLOCK_WRITE,
					.offset = offset,
					.bytes = PAGE,
					.pieces = &piece,
					.piece_count = 1,
					.done = written};
	int err;

	memset(data, value, PAGE);
	err = block_submit(disk(), &request);
	if (err == BLOCK_PENDING)
		world_work();
	else
		assert_int_equal(err, 0);
}

static struct device *ram;
static const struct device_pages *pages;
static pthread_t thawer;
static sem_t waits, quiet;
static bool whole;

/* Until the worker is done with what it has in hand. */
static void in_grace(void)
{
	sem_post(&waits);
	sem_wait(&quiet);
}

static void *thaw(void *arg)
{
	whole = pages->thaw(ram->state);
	return arg;
}

/* The worker wants room for a page that is frozen: just then it is over. */
static void thaw_meanwhile(void)
{
	world_in_page_alloc = NULL;
	fake_in_grace = in_grace;
	assert_int_equal(pthread_create(&thawer, NULL, thaw, NULL), 0);
	sem_wait(&waits);
}

static void test_thawed_while_it_writes(void **state)
{
	(void)state;
	sem_init(&waits, 0, 0);
	sem_init(&quiet, 0, 0);
	ram = world_add(0, "ramdisk", "ram", "frontend = disk\nsize = 64K\n");
	assert_non_null(ram);
	pages = ram->type->saved->pages;
	write_page(PAGE, 1);
	write_page(2 * PAGE, 1);
	assert_int_equal(pages->freeze(ram->state), 0);
	write_page(2 * PAGE, 2);
	assert_int_equal(pages->read(ram->state, PAGE)[0], 1);
	assert_int_equal(pages->read(ram->state, 2 * PAGE)[0], 1);
	assert_int_equal(world_pages, 3);
	world_in_page_alloc = thaw_meanwhile;
	write_page(PAGE, 2);
	assert_null(world_in_page_alloc);
	sem_post(&quiet);
	pthread_join(thawer, NULL);
	fake_in_grace = NULL;
	assert_true(whole);
	assert_int_equal(world_pages, 2);
	assert_int_equal(pages->read(ram->state, PAGE)[0], 2);
	assert_int_equal(pages->read(ram->state, 2 * PAGE)[0], 2);
}

static int setup(void **state)
{
	(void)state;
	world_start();
	assert_non_null(world_add(0, "disk", "disk", ""));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_thawed_while_it_writes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
