/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/hook/hook_msr.h"

#include "vmm/hook/hook_table.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>

#define MSR_WIDTH 8u

/*
 * An index is two bits of class, bit 16, and 14 bits in its window; a slot
 * leaves them where they are but for the class, which moves down. Behind these
 * comes one window more, that of KVM's own MSRs (0x4b564d00 and on), which
 * every guest kernel knows.
 */
#define MSR_WINDOW	0x3fffu
#define MSR_SECOND	0x10000u
#define MSR_CLASS_SHIFT 30
#define MSR_SLOT_SHIFT	13
#define MSR_LEAF_SHIFT	8 /* of HOOK_LEAF_SLOTS */
#define MSR_KNOWN	(3u << MSR_CLASS_SHIFT | MSR_SECOND | MSR_WINDOW)
#define MSR_KVM		0x4b564000u
#define MSR_SLOT_CLASS	0x60000u
#define MSR_KVM_SLOT	0x80000u

_Static_assert(1u << MSR_LEAF_SHIFT == HOOK_LEAF_SLOTS, "as slots lie in leaves");
_Static_assert(HOOK_MSR_SLOTS == MSR_KVM_SLOT + MSR_WINDOW + 1, "no slots for KVM's window");

static __always_inline bool is_kvm(uint32_t index)
{
	return (index & ~MSR_WINDOW) == MSR_KVM;
}

static __always_inline uint32_t slot_of(uint32_t index)
{
	if (unlikely(index & ~MSR_KNOWN))
		return MSR_KVM_SLOT | (index & MSR_WINDOW);
	return (index >> MSR_SLOT_SHIFT & MSR_SLOT_CLASS) | (index & (MSR_SECOND | MSR_WINDOW));
}

static __always_inline const struct hook *find(const struct vm *vm, uint32_t index)
{
	if (unlikely(index & ~MSR_KNOWN))
		return is_kvm(index) ? hook_table_find(vm->hooks->msr, slot_of(index)) : NULL;
	/* slot_of()'s leaf at once, which is shorter. */
	return hook_table_in(
		vm->hooks->msr,
		(index >> (MSR_SLOT_SHIFT + MSR_LEAF_SHIFT) & MSR_SLOT_CLASS >> MSR_LEAF_SHIFT) |
			(index >> MSR_LEAF_SHIFT & (MSR_SECOND | MSR_WINDOW) >> MSR_LEAF_SHIFT),
		index);
}

int hook_msr_add(struct vm *vm, const struct hook *hook)
{
	if (hook->first > hook->last || hook->last > UINT32_MAX ||
	    ((hook->first & ~(uint64_t)MSR_KNOWN) && !is_kvm((uint32_t)hook->first)) ||
	    (hook->first & ~(uint64_t)MSR_WINDOW) != (hook->last & ~(uint64_t)MSR_WINDOW)) {
		vm_log(vm, LOG_ERROR,
		       "%s: MSRs 0x%lx-0x%lx: expected some of one window that processors use",
		       hook->owner, hook->first, hook->last);
		return -EINVAL;
	}
	return hook_table_add(vm, vm->hooks->msr, slot_of((uint32_t)hook->first), hook, "MSRs");
}

void hook_msr_remove(struct vm *vm, const struct hook *hook)
{
	hook_table_remove(vm, vm->hooks->msr, slot_of((uint32_t)hook->first), hook);
}

static __noinline __cold int unowned(const struct vm *vm)
{
	return vm->hooks->msr_ignore ? 0 : -ENOENT;
}

int hook_msr_read(struct vcpu *vcpu, uint32_t index, uint64_t *value)
{
	const struct hook *hook = find(vcpu->vm, index);

	*value = 0;
	if (unlikely(!hook))
		return unowned(vcpu->vm);
	if (unlikely(!hook->ops->read))
		return -EACCES;
	return hook->ops->read(hook->opaque, vcpu, index - hook->first, MSR_WIDTH, value);
}

int hook_msr_write(struct vcpu *vcpu, uint32_t index, uint64_t value)
{
	const struct hook *hook = find(vcpu->vm, index);

	if (unlikely(!hook))
		return unowned(vcpu->vm);
	if (unlikely(!hook->ops->write))
		return -EACCES;
	return hook->ops->write(hook->opaque, vcpu, index - hook->first, MSR_WIDTH, value);
}

void hook_msr_for_each(struct vm *vm, void (*fn)(void *opaque, const struct hook *hook),
		       void *opaque)
{
	const struct hook *hook;
	uint32_t slot = 0;

	while ((hook = hook_table_next(vm->hooks->msr, &slot)))
		fn(opaque, hook);
}
