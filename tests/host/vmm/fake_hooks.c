/* SPDX-License-Identifier: BSD-2-Clause */
/* Hook maps that only know who owns what. */
#include "tests/host/vmm/fake.h"

#include "kernel/log.h"
#include "kernel/slab.h"
#include "vmm/hook/hook_call.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/hook/hook_io.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/hook/hook_msr.h"

#include <assert.h>
#include <errno.h>

#define HOOKS_MAX 64

unsigned fake_hooks;

enum fake_space { IO, MSR, MEMORY, CPUID, CALL, IO_REST, MEMORY_REST };

static struct {
	enum fake_space space;
	uint64_t first, last;
	const char *owner;
	const void *hook; /* NULL: free */
	void *cost;	  /* a real map allocates */
} hooks[HOOKS_MAX];

static int fake_hook_add(enum fake_space space, uint64_t first, uint64_t last, const char *owner,
			 const void *hook)
{
	unsigned i, slot = HOOKS_MAX;

	for (i = 0; i < HOOKS_MAX; i++) {
		if (!hooks[i].hook) {
			slot = i;
		} else if (hooks[i].space == space && first <= hooks[i].last &&
			   last >= hooks[i].first) {
			log_error("0x%lx: owned by %s, wanted by %s", first, hooks[i].owner, owner);
			return -EBUSY;
		}
	}
	assert(slot < HOOKS_MAX);
	hooks[slot].cost = kmalloc(16);
	if (!hooks[slot].cost)
		return -ENOMEM;
	hooks[slot].space = space;
	hooks[slot].first = first;
	hooks[slot].last = last;
	hooks[slot].owner = owner;
	hooks[slot].hook = hook;
	fake_hooks++;
	return 0;
}

static void fake_hook_remove(enum fake_space space, const void *hook)
{
	unsigned i;

	for (i = 0; hooks[i].hook != hook; i++)
		assert(i + 1 < HOOKS_MAX);
	assert(hooks[i].space == space);
	kfree(hooks[i].cost);
	hooks[i].hook = NULL;
	fake_hooks--;
}

int hook_io_add(struct vm *vm, const struct hook *hook)
{
	(void)vm;
	return fake_hook_add(IO, hook->first, hook->last, hook->owner, hook);
}

void hook_io_remove(struct vm *vm, const struct hook *hook)
{
	(void)vm;
	fake_hook_remove(IO, hook);
}

int hook_msr_add(struct vm *vm, const struct hook *hook)
{
	(void)vm;
	return fake_hook_add(MSR, hook->first, hook->last, hook->owner, hook);
}

void hook_msr_remove(struct vm *vm, const struct hook *hook)
{
	(void)vm;
	fake_hook_remove(MSR, hook);
}

int hook_memory_add(struct vm *vm, const struct hook *hook, enum hook_memory_mode mode)
{
	(void)vm;
	(void)mode;
	return fake_hook_add(MEMORY, hook->first, hook->last, hook->owner, hook);
}

void hook_memory_remove(struct vm *vm, const struct hook *hook)
{
	(void)vm;
	fake_hook_remove(MEMORY, hook);
}

int hook_rest_set(struct vm *vm, enum hook_rest rest, const struct hook *hook)
{
	(void)vm;
	return fake_hook_add(rest == HOOK_REST_IO ? IO_REST : MEMORY_REST, hook->first, hook->last,
			     hook->owner, hook);
}

void hook_rest_clear(struct vm *vm, enum hook_rest rest)
{
	enum fake_space space = rest == HOOK_REST_IO ? IO_REST : MEMORY_REST;
	unsigned i;

	(void)vm;
	for (i = 0; i < HOOKS_MAX; i++)
		if (hooks[i].hook && hooks[i].space == space)
			fake_hook_remove(space, hooks[i].hook);
}

int hook_cpuid_add(struct vm *vm, const struct hook_cpuid *hook)
{
	(void)vm;
	return fake_hook_add(CPUID, hook->first, hook->last, hook->owner, hook);
}

void hook_cpuid_remove(struct vm *vm, const struct hook_cpuid *hook)
{
	(void)vm;
	fake_hook_remove(CPUID, hook);
}

int hook_call_add(struct vm *vm, const struct hook_call *hook)
{
	(void)vm;
	return fake_hook_add(CALL, hook->first, hook->last, hook->owner, hook);
}

void hook_call_remove(struct vm *vm, const struct hook_call *hook)
{
	(void)vm;
	fake_hook_remove(CALL, hook);
}
