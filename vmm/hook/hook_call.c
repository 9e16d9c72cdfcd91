/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/hook/hook_call.h"

#include "kernel/grace.h"
#include "vmm/hook/hook_maps.h"
#include "vmm/hook/hook_range.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>

static const char *call_owner(const void *hook)
{
	return ((const struct hook_call *)hook)->owner;
}

static const struct hook_range_kind call_kind = {
	.what = "hypercalls", .shift = 4, .owner = call_owner};

struct range_map *hook_call_map_create(void)
{
	return hook_range_create(&call_kind);
}

int hook_call_add(struct vm *vm, const struct hook_call *hook)
{
	struct range range = {.first = hook->first, .last = hook->last, .item = hook};

	if (hook->first > hook->last)
		return -EINVAL;
	return hook_range_add(vm, &vm->hooks->call, &call_kind, &range);
}

void hook_call_remove(struct vm *vm, const struct hook_call *hook)
{
	hook_range_remove(vm, &vm->hooks->call, hook->first, hook);
}

int64_t hook_call_do(struct vcpu *vcpu, uint64_t number, const uint64_t args[4])
{
	const struct hook_call *hook =
		range_map_find(grace_read(vcpu->vm->hooks->call), number, NULL);

	if (unlikely(!hook))
		return HYPERCALL_UNKNOWN;
	return hook->fn(hook->opaque, vcpu, number, args);
}
