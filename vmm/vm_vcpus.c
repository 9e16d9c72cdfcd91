/* SPDX-License-Identifier: BSD-2-Clause */
/* All vCPUs of a VM at once: placing, starting, pausing, stopping them, and their TLBs. */
#include "arch/x86_64/percpu.h"
#include "kernel/task.h"
#include "vmm/hook/hook.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vm_life.h"

/* How many vCPUs with an index below @count are on CPU @cpu. */
static uint32_t sharers(const struct vm *vm, uint32_t count, uint32_t cpu)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++)
		n += vm->vcpus[i]->entity.cpu == cpu;
	return n;
}

/* The least loaded CPU, but vCPUs of one VM share CPUs only when there are not enough. */
static uint32_t place(const struct vm *vm, uint32_t index)
{
	uint32_t best = sched_pick_cpu();
	struct cpu *cpu;

	for_each_cpu (cpu, i) {
		if (sharers(vm, index, i) < sharers(vm, index, best))
			best = i;
	}
	return best;
}

/*
 * For good, and before there is a device to wake a vCPU: sched_wake() takes the
 * lock of the queue that entity.cpu names, also while nothing is scheduled.
 */
void vm_vcpus_place(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		vm->vcpus[i]->entity.cpu = place(vm, i);
}

void vm_vcpus_start(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *vcpu = vm->vcpus[i];

		vcpu_clear_request(vcpu, VCPU_REQ_PAUSE | VCPU_REQ_STOP);
		__atomic_store_n(&vcpu->exited, false, __ATOMIC_SEQ_CST);
		sched_add(&vcpu->entity, &vcpu_sched_ops, vcpu->entity.cpu);
	}
	/* A hook that changes from here on waits for those who may see the old one. */
	vm->hooks->live = true;
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		sched_wake(&vm->vcpus[i]->entity);
}

void vm_vcpus_stop(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		vcpu_request(vm->vcpus[i], VCPU_REQ_STOP);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		while (!__atomic_load_n(&vm->vcpus[i]->exited, __ATOMIC_SEQ_CST))
			task_yield();
	}
	vm->hooks->live = false;
}

/* A vCPU that has ended its run loop for good has seen every pause. */
static bool pause_seen(struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->pause_seen, __ATOMIC_SEQ_CST) == vcpu->pause_wanted ||
	       __atomic_load_n(&vcpu->exited, __ATOMIC_SEQ_CST);
}

void vm_vcpus_pause(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		__atomic_add_fetch(&vm->vcpus[i]->pause_wanted, 1, __ATOMIC_SEQ_CST);
		vcpu_request(vm->vcpus[i], VCPU_REQ_PAUSE);
		/* It may be set already, by vm_request(), and seen before this pause's number. */
		sched_wake(&vm->vcpus[i]->entity);
	}
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		while (!pause_seen(vm->vcpus[i]))
			task_yield();
	}
}

/* Its end, or a reset: who serves that stops its vCPUs. */
static bool is_to_stop(struct vm *vm)
{
	return __atomic_load_n(&vm->requests, __ATOMIC_SEQ_CST) & ~(1u << VM_REQUEST_DEVICES);
}

/* A guest that asked to be stopped does not run on behind that. */
void vm_vcpus_resume(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (!is_to_stop(vm))
			vcpu_clear_request(vm->vcpus[i], VCPU_REQ_PAUSE);
		if (is_to_stop(vm))
			vcpu_request(vm->vcpus[i], VCPU_REQ_PAUSE);
		sched_wake(&vm->vcpus[i]->entity);
	}
}

/*
 * A vCPU that clears its request flushes before the guest runs again; one that
 * is not in its run loop looks at its requests when it comes there.
 */
void vm_flush(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		vcpu_request(vm->vcpus[i], VCPU_REQ_FLUSH);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *vcpu = vm->vcpus[i];

		while ((__atomic_load_n(&vcpu->requests, __ATOMIC_SEQ_CST) & VCPU_REQ_FLUSH) &&
		       vcpu_may_run(vcpu))
			task_yield();
	}
}

/* A VM that does not run flushes when it comes to: its nested tables have changed. */
void vm_flush_soon(struct vm *vm)
{
	for (uint32_t i = 0; READ_ONCE(vm->hooks->live) && i < vm->vcpu_count; i++)
		vcpu_request(vm->vcpus[i], VCPU_REQ_FLUSH | VCPU_REQ_SYNC);
}
