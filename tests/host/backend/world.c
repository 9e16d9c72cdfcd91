/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/backend/world.h"

#include "kernel/page_alloc.h"
#include "kernel/task.h"
#include "tests/host/fake/kernel/fake_work.h"
#include "vmm/irq.h"
#include "vmm/vm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct vm world_vms[2];
unsigned world_pages;
long world_pages_left = -1;
void (*world_in_page_alloc)(void);

bool world_work_one(void)
{
	return fake_work_one();
}

unsigned world_work(void)
{
	unsigned n = 0;

	while (world_work_one())
		assert_true(++n < 1000000);
	return n;
}

void vm_for_each(void (*fn)(void *opaque, struct vm *vm), void *opaque)
{
	unsigned i;

	for (i = 0; i < 2; i++)
		if (world_vms[i].config)
			fn(opaque, &world_vms[i]);
}

/* Others get the CPU. */
void task_yield(void)
{
	fake_work_yield();
}

void task_share(void)
{
	task_yield();
}

void *page_alloc(struct page_owner *owner, unsigned order)
{
	size_t size = PAGE_SIZE << order;

	if (world_pages_left == 0)
		return NULL;
	if (world_in_page_alloc)
		world_in_page_alloc();
	world_pages_left -= world_pages_left > 0;
	world_pages += 1u << order;
	owner->pages += 1u << order;
	return memset(aligned_alloc(PAGE_SIZE, size), 0xa5, size);
}

void *page_alloc_zeroed(struct page_owner *owner, unsigned order)
{
	void *pages = page_alloc(owner, order);

	return pages ? memset(pages, 0, PAGE_SIZE << order) : NULL;
}

void page_free(struct page_owner *owner, void *pages, unsigned order)
{
	world_pages -= 1u << order;
	owner->pages -= 1u << order;
	free(pages);
}

void world_start(void)
{
	static bool once;
	unsigned i;

	if (!once) {
		assert_int_equal(device_types_init(), 0);
		fake_objects = 0; /* the index stays */
	}
	once = true;
	fake_log_clear();
	for (i = 0; i < 2; i++) {
		memset(&world_vms[i], 0, sizeof(world_vms[i]));
		snprintf(world_vms[i].name, sizeof(world_vms[i].name), "%c", 'a' + i);
		world_vms[i].state = VM_RUNNING;
		assert_int_equal(irq_create(&world_vms[i]), 0);
		assert_int_equal(device_manager_create(&world_vms[i]), 0);
	}
}

void world_end(void)
{
	unsigned i;

	fake_memory_left = world_pages_left = -1;
	for (i = 0; i < 2; i++) {
		device_manager_destroy(&world_vms[i]);
		irq_destroy(&world_vms[i]);
		assert_int_equal(world_vms[i].owner.pages, 0);
	}
	world_work();
	assert_int_equal(fake_hooks, 0);
	assert_int_equal(fake_objects, 0);
	assert_int_equal(world_pages, 0);
	fake_clear_modules();
}

struct device *world_add(unsigned vm, const char *type, const char *id, const char *keys)
{
	struct vm_config *config = NULL;
	struct device *dev = NULL;
	char text[4096];
	long left = fake_memory_left;
	int err;

	snprintf(text, sizeof(text),
		 "[vm \"x\"]\nmemory = 1M\nmachine = none\n[device \"%s\"]\ntype = %s\n%s", id,
		 type, keys);
	fake_memory_left = -1;
	assert_int_equal(vm_config_parse("t.cfg", text, strlen(text), &config), 0);
	fake_memory_left = left;
	err = device_create(&world_vms[vm], type, id, vm_config_section(config, "device", id),
			    &dev);
	vm_config_free(config);
	return err ? NULL : dev;
}

void world_refused(unsigned vm, const char *type, const char *id, const char *keys,
		   const char *message)
{
	fake_log_clear();
	assert_null(world_add(vm, type, id, keys));
	if (!fake_logged(message))
		fail_msg("expected '%s' in: %s", message, fake_log);
}

void world_del(unsigned vm, const char *id)
{
	struct device *dev = device_find(&world_vms[vm], id);

	assert_non_null(dev);
	assert_int_equal(device_destroy(dev), 0);
}
