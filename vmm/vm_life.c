/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's life: built, running, paused, reset, taken apart. One task at a time
 * has it to itself (vm_life_begin); what a guest asks for itself is done by a
 * CPU's waiter (kernel/work.h), which is a task as well.
 */
#include "vmm/vm_life.h"

#include "kernel/task.h"
#include "vmm/cpu_model.h"
#include "vmm/device.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook.h"
#include "vmm/hv_ops.h"
#include "vmm/irq.h"
#include "vmm/loader.h"
#include "vmm/msr.h"
#include "vmm/post_mortem.h"
#include "vmm/vcpu.h"
#include "vmm/vm_config.h"
#include "vmm/vm_console.h"

#include <errno.h>
#include <inttypes.h>

/* Whether the VM's life was nobody's, and now is the caller's. */
static bool take_life(struct vm *vm)
{
	bool mine;

	spin_lock(&vm->lock);
	mine = !vm->busy;
	vm->busy = true;
	spin_unlock(&vm->lock);
	return mine;
}

enum vm_state vm_life_begin(struct vm *vm)
{
	while (!take_life(vm))
		task_yield();
	return vm->state;
}

/* Who came for requests meanwhile has left them. Under the lock: after it the VM may be gone. */
void vm_life_end(struct vm *vm, enum vm_state state)
{
	spin_lock(&vm->lock);
	vm->state = state;
	vm->busy = false;
	if (__atomic_load_n(&vm->requests, __ATOMIC_SEQ_CST))
		work_queue(&vm->request_work);
	spin_unlock(&vm->lock);
}

void vm_life_end_told(struct vm *vm, enum vm_state state, enum vm_event_kind kind, bool guest)
{
	spin_lock(&vm->lock);
	vm->state = state;
	spin_unlock(&vm->lock);
	vm_event(vm, kind, guest, kind == VM_EVENT_CRASH ? vm->why : NULL);
	vm_life_end(vm, state);
}

/* Ends an operation that the VM's state does not allow. */
static int refuse(struct vm *vm, enum vm_state state, const char *what)
{
	vm_life_end(vm, state);
	vm_log(vm, LOG_ERROR, "cannot %s: it is %s", what, vm_state_name(state));
	return -EBUSY;
}

/* All that there is, built or half built, in reverse order. No vCPU runs. */
static void take_apart(struct vm *vm)
{
	vm_saving_give_up(vm);
	device_manager_destroy(vm);
	while (vm->vcpu_count > 0) {
		vcpu_destroy(vm->vcpus[--vm->vcpu_count]);
		vm->vcpus[vm->vcpu_count] = NULL;
	}
	msr_destroy(vm);
	cpu_model_destroy(vm);
	irq_destroy(vm);
	guest_memory_destroy(vm);
	if (vm->hv)
		hv_ops->vm_destroy(vm);
	vm->hv = NULL;
	hook_maps_destroy(vm);
	if (vm->owner.pages || vm->memory_owner.pages)
		vm_log(vm, LOG_ERROR,
		       "our own fault: %" PRIu64 " pages of memory and %" PRIu64
		       " others were not given back",
		       vm->memory_owner.pages, vm->owner.pages);
}

static int create_vcpus(struct vm *vm)
{
	int err = 0;

	while (!err && vm->vcpu_count < vm->config->cpus) {
		err = vcpu_create(vm, vm->vcpu_count, &vm->vcpus[vm->vcpu_count]);
		if (err)
			vm_log(vm, LOG_ERROR, "cannot make vCPU %u: error %d", vm->vcpu_count, err);
		else
			vm->vcpu_count++;
	}
	return err;
}

/* To the state after power-on, and from there what @fill makes of it. */
static int power_on(struct vm *vm, vm_fill_fn fill, void *opaque)
{
	device_reset_all(vm);
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		vcpu_reset(vm->vcpus[i]);
	return fill(vm, opaque);
}

static int load_image(struct vm *vm, void *opaque __unused)
{
	return loader_run(vm);
}

/* In order of need: devices find memory, vCPUs and hooks. */
static int build(struct vm *vm, vm_fill_fn fill, void *opaque)
{
	int err = hook_maps_create(vm);

	if (err)
		return err;
	vm->hooks->msr_ignore = vm->config->msr_ignore;
	vm_clock_reset(vm);
	err = hv_ops->vm_create(vm);
	if (!err)
		err = guest_memory_create(vm, vm->config->memory);
	if (!err)
		err = irq_create(vm);
	if (!err)
		err = cpu_model_create(vm);
	if (!err)
		err = msr_create(vm);
	if (!err)
		err = create_vcpus(vm);
	if (!err)
		vm_vcpus_place(vm);
	if (!err)
		err = device_manager_create(vm);
	if (!err)
		err = device_create_all(vm);
	if (!err)
		err = power_on(vm, fill, opaque);
	return err;
}

/* The VM, built or stopped, runs. */
static void go(struct vm *vm)
{
	vm_clock_start(vm);
	device_timers_resume(vm);
	vm_vcpus_start(vm);
}

/* No vCPU runs, no time passes, and nothing is pending that asked for it. */
static void halt(struct vm *vm)
{
	vm_vcpus_stop(vm);
	device_timers_pause(vm);
	vm_clock_stop(vm);
}

static int start(struct vm *vm, enum vm_state state, vm_fill_fn fill, void *opaque)
{
	int err;

	if (!hv_ops) {
		vm_life_end(vm, state);
		vm_log(vm, LOG_ERROR, "cannot start: this machine cannot run VMs (see dmesg)");
		return -ENODEV;
	}
	if (state == VM_RUNNING || state == VM_PAUSED)
		return refuse(vm, state, "start");
	if (state == VM_CRASHED)
		take_apart(vm);
	__atomic_store_n(&vm->requests, 0, __ATOMIC_SEQ_CST);
	err = build(vm, fill, opaque);
	if (err) {
		vm_log(vm, LOG_ERROR, "not started (error %d)", err);
		take_apart(vm);
		vm_life_end(vm, state == VM_DEFINED ? VM_DEFINED : VM_STOPPED);
		return err;
	}
	vm_log(vm, LOG_INFO, "starts with %u vCPU%s and %" PRIu64 " MiB", vm->vcpu_count,
	       vm->vcpu_count == 1 ? "" : "s", vm->config->memory >> 20);
	go(vm);
	vm_life_end_told(vm, VM_RUNNING, VM_EVENT_START, false);
	return 0;
}

int vm_start(struct vm *vm)
{
	return start(vm, vm_life_begin(vm), load_image, NULL);
}

/* A crashed VM is still there to be looked at: it is not taken apart for another. */
int vm_start_filled(struct vm *vm, struct vm_config *config, vm_fill_fn fill, void *opaque)
{
	enum vm_state state = vm_life_begin(vm);
	struct vm_config *old = vm->config;
	int err;

	if (state == VM_CRASHED)
		return refuse(vm, state, "restore");
	if (config && (state == VM_DEFINED || state == VM_STOPPED))
		vm->config = config;
	err = start(vm, state, fill, opaque);
	if (err)
		vm->config = old;
	else if (config)
		vm_config_free(old);
	return err;
}

void vm_still_begin(struct vm *vm)
{
	vm_vcpus_pause(vm);
	device_timers_pause(vm);
	vm_clock_stop(vm);
}

void vm_still_end(struct vm *vm)
{
	vm_clock_start(vm);
	device_timers_resume(vm);
	vm_vcpus_resume(vm);
}

int vm_pause(struct vm *vm)
{
	enum vm_state state = vm_life_begin(vm);

	if (state != VM_RUNNING)
		return refuse(vm, state, "pause");
	vm_still_begin(vm);
	vm_life_end_told(vm, VM_PAUSED, VM_EVENT_PAUSE, false);
	return 0;
}

int vm_resume(struct vm *vm)
{
	enum vm_state state = vm_life_begin(vm);

	if (state != VM_PAUSED)
		return refuse(vm, state, "resume");
	vm_still_end(vm);
	vm_life_end_told(vm, VM_RUNNING, VM_EVENT_RESUME, false);
	return 0;
}

static int reset(struct vm *vm, enum vm_state state, bool guest)
{
	int err;

	if (state == VM_DEFINED || state == VM_STOPPED)
		return refuse(vm, state, "reset");
	if (state != VM_CRASHED)
		halt(vm);
	__atomic_store_n(&vm->requests, 0, __ATOMIC_SEQ_CST);
	err = power_on(vm, load_image, NULL);
	if (err) {
		vm_log(vm, LOG_ERROR, "not reset (error %d): it is stopped", err);
		take_apart(vm);
		vm_life_end_told(vm, VM_STOPPED, VM_EVENT_STOP, guest);
		return err;
	}
	go(vm);
	vm_life_end_told(vm, VM_RUNNING, VM_EVENT_RESET, guest);
	return 0;
}

int vm_reset(struct vm *vm)
{
	return reset(vm, vm_life_begin(vm), false);
}

static int destroy(struct vm *vm, enum vm_state state, bool guest)
{
	if (state == VM_DEFINED || state == VM_STOPPED)
		return refuse(vm, state, "destroy");
	if (state != VM_CRASHED)
		halt(vm);
	__atomic_store_n(&vm->requests, 0, __ATOMIC_SEQ_CST);
	take_apart(vm);
	vm_log(vm, LOG_INFO, "stopped");
	vm_life_end_told(vm, VM_STOPPED, VM_EVENT_STOP, guest);
	return 0;
}

int vm_destroy(struct vm *vm)
{
	return destroy(vm, vm_life_begin(vm), false);
}

/* Everything stays as it is, for who wants to look at it. */
static void crash(struct vm *vm, enum vm_state state)
{
	if (state == VM_RUNNING || state == VM_PAUSED) {
		halt(vm);
		post_mortem_vm(vm);
		vm_log(vm, LOG_ERROR, "crashed; `reset` or `destroy` it");
		vm_life_end_told(vm, VM_CRASHED, VM_EVENT_CRASH, true);
	} else {
		vm_life_end(vm, state);
	}
	vm_console_vm_crashed(vm);
}

/*
 * The requests are taken when the VM's life is ours: what was asked for in a
 * life that someone else has ended meanwhile is not done to the next one. A
 * reset that was asked for before a crash is void, and so is everything before
 * power-off.
 */
static void serve(struct vm *vm, enum vm_state state)
{
	uint32_t requests = __atomic_exchange_n(&vm->requests, 0, __ATOMIC_SEQ_CST);
	int err = 0;

	if (requests & 1u << VM_REQUEST_DEVICES)
		device_run_deferred(vm);
	if (requests & 1u << VM_REQUEST_POWEROFF)
		err = destroy(vm, state, true);
	else if (requests & 1u << VM_REQUEST_CRASH)
		crash(vm, state);
	else if (requests & 1u << VM_REQUEST_RESET)
		err = reset(vm, state, true);
	else
		vm_life_end(vm, state);
	if (err)
		vm_log(vm, LOG_WARN, "what the guest asked for was not done (error %d)", err);
}

/*
 * Does not wait for the VM's life: requests of other VMs may be behind this one, and whose life it
 * is may take its time. vm_life_end() queues the work again.
 */
void vm_life_serve(struct work *work)
{
	struct vm *vm = container_of(work, struct vm, request_work);

	__atomic_add_fetch(&vm->serving, 1, __ATOMIC_SEQ_CST);
	if (take_life(vm))
		serve(vm, vm->state);
	__atomic_sub_fetch(&vm->serving, 1, __ATOMIC_SEQ_CST);
}
