/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/hook/hook.h"

#include "kernel/grace.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "vmm/hook/hook_io.h"
#include "vmm/hook/hook_maps.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/hook/hook_range.h"
#include "vmm/hook/hook_table.h"
#include "vmm/vm.h"

#include <errno.h>
#include <inttypes.h>

int hook_maps_create(struct vm *vm)
{
	struct hook_maps *maps = kzalloc(sizeof(*maps));

	if (!maps)
		return -ENOMEM;
	spinlock_init(&maps->lock);
	vm->hooks = maps;
	maps->io = hook_table_create(HOOK_IO_PORTS);
	maps->msr = hook_table_create(HOOK_MSR_SLOTS);
	maps->memory = hook_memory_map_create();
	maps->cpuid = hook_cpuid_map_create();
	maps->call = hook_call_map_create();
	if (!maps->io || !maps->msr || !maps->memory || !maps->cpuid || !maps->call) {
		hook_maps_destroy(vm);
		return -ENOMEM;
	}
	return 0;
}

void hook_maps_destroy(struct vm *vm)
{
	struct hook_maps *maps = vm->hooks;

	if (!maps)
		return;
	hook_table_destroy(maps->io);
	hook_table_destroy(maps->msr);
	hook_cpuid_map_destroy(maps->cpuid);
	kfree(maps->memory);
	kfree(maps->call);
	kfree(maps);
	vm->hooks = NULL;
}

int hook_rest_set(struct vm *vm, enum hook_rest rest, const struct hook *hook)
{
	const struct hook *other = vm->hooks->rest[rest];

	if (other) {
		vm_log(vm, LOG_ERROR, "%s that no device has, wanted by %s, are %s's",
		       rest == HOOK_REST_IO ? "ports" : "addresses", hook->owner, other->owner);
		return -EBUSY;
	}
	grace_publish(vm->hooks->rest[rest], hook);
	return 0;
}

void hook_rest_clear(struct vm *vm, enum hook_rest rest)
{
	grace_publish(vm->hooks->rest[rest], NULL);
	hook_wait(vm);
}

/* Two vCPUs may both write the two counters: a line more or less does no harm. */
void hook_report(struct vm *vm, const char *what, uint64_t address, const char *owner, int err)
{
	struct hook_maps *maps = vm->hooks;
	uint64_t now = time_ns();

	if (now < maps->report_next) {
		maps->report_skipped++;
		return;
	}
	vm_log(vm, LOG_WARN,
	       "%s: error %d at %s 0x%" PRIx64 " (%" PRIu64 " more errors were not shown)", owner,
	       err, what, address, maps->report_skipped);
	maps->report_next = now + NSEC_PER_SEC;
	maps->report_skipped = 0;
}
