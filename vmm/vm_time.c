/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's clock is the host's TSC less what the VM was not running. Each
 * vCPU has the VM's offset and what the guest itself has added to its own
 * TSC; a pause moves all by the same, so that no vCPU sees time go back.
 */
#include "kernel/time.h"
#include "lib/compiler.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vm_life.h"

static uint64_t guest_tsc(const struct vm *vm)
{
	/* Typed input comes, and asks for the time, while a task stops or starts the clock. */
	return likely(__atomic_load_n(&vm->clock_runs, __ATOMIC_ACQUIRE))
		       ? time_tsc() + vm->tsc_offset
		       : vm->tsc_paused;
}

uint64_t vm_time_ns(const struct vm *vm)
{
	return time_tsc_to_ns(guest_tsc(vm));
}

/* Both conversions round down: two ticks more, and vm_time_ns() is not below @ns then. */
uint64_t vm_time_to_tsc(const struct vm *vm, uint64_t ns)
{
	return time_ns_to_tsc(ns) + 2 - vm->tsc_offset;
}

void vm_clock_reset(struct vm *vm)
{
	vm->clock_runs = false;
	vm->tsc_paused = 0;
	vm->tsc_offset = 0;
}

void vm_clock_start(struct vm *vm)
{
	uint64_t offset = vm->tsc_paused - time_tsc();
	uint64_t moved = offset - vm->tsc_offset;

	vm->tsc_offset = offset;
	__atomic_store_n(&vm->clock_runs, true, __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		vm->vcpus[i]->tsc_offset += moved;
		vcpu_request(vm->vcpus[i], VCPU_REQ_TSC);
	}
}

void vm_clock_stop(struct vm *vm)
{
	vm->tsc_paused = guest_tsc(vm);
	__atomic_store_n(&vm->clock_runs, false, __ATOMIC_RELEASE);
}
