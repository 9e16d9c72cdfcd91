/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/nested_epoch.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

void nested_epoch_reap(struct vm *vm, struct nested_table *t)
{
	uint64_t flushed = t->epoch;

	if (!t->retired)
		return;
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *vcpu = vm->vcpus[i];

		if (vcpu && __atomic_load_n(&vcpu->nested.live, __ATOMIC_SEQ_CST))
			flushed = MIN(flushed,
				      __atomic_load_n(&vcpu->nested.flushed, __ATOMIC_ACQUIRE));
	}
	nested_table_reap(t, flushed);
}
