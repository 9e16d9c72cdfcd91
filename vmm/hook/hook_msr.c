/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/hook/hook_msr.h"

#include "kernel/grace.h"
#include "vmm/hook/hook_maps.h"
#include "vmm/hook/hook_range.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>

#define MSR_WIDTH 8u

/* Most MSRs are hooked one by one or in small groups. */
static const struct hook_range_kind msr_kind = {.what = "MSRs", .shift = 4, .owner = hook_owner};

struct range_map *hook_msr_map_create(void)
{
	return hook_range_create(&msr_kind);
}

int hook_msr_add(struct vm *vm, const struct hook *hook)
{
	struct range range = {.first = hook->first, .last = hook->last, .item = hook};

	if (hook->first > hook->last || hook->last > UINT32_MAX)
		return -EINVAL;
	return hook_range_add(vm, &vm->hooks->msr, &msr_kind, &range);
}

void hook_msr_remove(struct vm *vm, const struct hook *hook)
{
	hook_range_remove(vm, &vm->hooks->msr, hook->first, hook);
}

static __noinline __cold int unowned(const struct vm *vm)
{
	return vm->hooks->msr_ignore ? 0 : -ENOENT;
}

int hook_msr_read(struct vcpu *vcpu, uint32_t index, uint64_t *value)
{
	const struct hook *hook = range_map_find(grace_read(vcpu->vm->hooks->msr), index, NULL);

	*value = 0;
	if (unlikely(!hook))
		return unowned(vcpu->vm);
	if (unlikely(!hook->ops->read))
		return -EACCES;
	return hook->ops->read(hook->opaque, vcpu, index - hook->first, MSR_WIDTH, value);
}

int hook_msr_write(struct vcpu *vcpu, uint32_t index, uint64_t value)
{
	const struct hook *hook = range_map_find(grace_read(vcpu->vm->hooks->msr), index, NULL);

	if (unlikely(!hook))
		return unowned(vcpu->vm);
	if (unlikely(!hook->ops->write))
		return -EACCES;
	return hook->ops->write(hook->opaque, vcpu, index - hook->first, MSR_WIDTH, value);
}
