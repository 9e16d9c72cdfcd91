/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of a VM's life cycle: vm.c and vm_life.c. */
#ifndef VMM_VM_LIFE_H
#define VMM_VM_LIFE_H

#include "kernel/task.h"
#include "kernel/work.h"
#include "vmm/vm.h"
#include "vmm/vm_event.h"

/*
 * Between begin and end one task has the VM's life to itself. Begin waits for
 * it and gives the state; end sets it. Tasks, no lock held.
 */
enum vm_state vm_life_begin(struct vm *vm);
void vm_life_end(struct vm *vm, enum vm_state state);
/* The same, and tells what has come to pass: when @state can be seen, and before another task can
 * make something else of it, so that events come in the order of what they tell. */
void vm_life_end_told(struct vm *vm, enum vm_state state, enum vm_event_kind kind, bool guest);

/* What makes a VM that was just built, and is as after power-on, one that can run: 0 or a negative
 * errno. */
typedef int (*vm_fill_fn)(struct vm *vm, void *opaque);
/*
 * As vm_start(), but with @fill in place of the image. @config, unless NULL, takes the place of the
 * VM's, which is freed; on an error it is still the caller's, and all is as before. -EBUSY: the VM
 * is neither new nor stopped.
 */
int vm_start_filled(struct vm *vm, struct vm_config *config, vm_fill_fn fill,
		    void *opaque) __must_check;

/* With the life of a VM that runs: vCPUs, timers and the clock stand still, and go on. Task. */
void vm_still_begin(struct vm *vm);
void vm_still_end(struct vm *vm);

/* With the life: what a checkpoint is being written from is about to go, or to become other things.
 * It comes to nothing, and looks at nothing of the VM any more. Task: waits for a granule. */
static inline void vm_saving_give_up(struct vm *vm)
{
	uint32_t saving = VM_SAVING;

	__atomic_compare_exchange_n(&vm->saving, &saving, VM_SAVING_GIVEN_UP, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&vm->saving, __ATOMIC_SEQ_CST))
		task_yield();
}

/* vm->request_work: does what vm_request() asked for. */
void vm_life_serve(struct work *work);

/* Gives each vCPU of a VM that is being built its CPU. */
void vm_vcpus_place(struct vm *vm);
/* Stops all vCPUs for good: when it returns the scheduler does not know them. And lets them run
 * (again). */
void vm_vcpus_stop(struct vm *vm);
void vm_vcpus_start(struct vm *vm);
/* All vCPUs out of their run loops, their registers in memory; and on. */
void vm_vcpus_pause(struct vm *vm);
void vm_vcpus_resume(struct vm *vm);

/* The guest's clock: at 0, and standing still, in a VM that was built. */
void vm_clock_reset(struct vm *vm);
void vm_clock_start(struct vm *vm);
void vm_clock_stop(struct vm *vm);

#endif
