/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM of one vCPU with no memory, and a device that writes down what it was asked. */
#ifndef TESTS_HOST_VMM_HOOK_WORLD_H
#define TESTS_HOST_VMM_HOOK_WORLD_H

#include "tests/host/vmm/fake.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct vm vm = {.name = "v"};
static struct vcpu vcpu = {.vm = &vm};
static struct guest_memory no_memory = {.high_end = GUEST_HIGH_BASE};
static unsigned flushes;

void vm_flush(struct vm *v)
{
	(void)v;
	flushes++;
}

/* A device that writes down what it was asked. */
static char story[512];

static int note_read(void *opaque, struct vcpu *v, uint64_t offset, unsigned width, uint64_t *value)
{
	size_t at = strlen(story);

	assert_ptr_equal(v, &vcpu);
	snprintf(story + at, sizeof(story) - at, "%s%lu/%u ", (const char *)opaque, offset, width);
	*value = UINT64_C(0x8877665544332211) >> (8 * (offset % 8));
	return 0;
}

static int note_write(void *opaque, struct vcpu *v, uint64_t offset, unsigned width, uint64_t value)
{
	size_t at = strlen(story);

	assert_ptr_equal(v, &vcpu);
	snprintf(story + at, sizeof(story) - at, "%s%lu/%u=%lx ", (const char *)opaque, offset,
		 width, value);
	return 0;
}

static const struct hook_ops note = {.read = note_read, .write = note_write};

#define HOOK(id, first_, last_, ops_)                                    \
	{                                                                \
		.first = (first_), .last = (last_), .ops = &(ops_),      \
		.opaque = (void *)(uintptr_t)(id), .owner = "device-" id \
	}
#define HOOK_REGISTER(id, first_, width_, ops_)                                             \
	{                                                                                   \
		.first = (first_), .last = (first_), .ops = &(ops_),                        \
		.opaque = (void *)(uintptr_t)(id), .owner = "device-" id, .width = (width_) \
	}

static int setup(void **state)
{
	(void)state;
	story[0] = '\0';
	fake_log_clear();
	fake_memory_left = -1;
	vm.memory = &no_memory;
	flushes = 0;
	return hook_maps_create(&vm);
}

static int teardown(void **state)
{
	(void)state;
	hook_maps_destroy(&vm);
	assert_int_equal(fake_objects, 0);
	return 0;
}

#endif
