/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/vmm/fake_vm.h"

#include "arch/x86_64/msr.h"
#include "arch/x86_64/percpu.h"
#include "kernel/sched.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "kernel/work.h"
#include "tests/host/fake/kernel/fake_work.h"
#include "tests/host/vmm/fake_hv.h"
#include "vmm/device.h"
#include "vmm/fpu.h"
#include "vmm/irq.h"
#include "vmm/loader.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"
#include "vmm/vm_console.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#define ENTITIES_MAX 16

int fake_loader_result, fake_devices_result;
unsigned fake_loads, fake_devices, fake_deferred;
bool fake_timers_run;

struct cpu *cpu_table[CPU_MAX];
uint32_t cpu_count = 1;

static struct sched_entity *entities[ENTITIES_MAX];
static struct work io; /* a request of the device's */
static bool io_in_flight;

void fake_vm_reset(void)
{
	fake_loader_result = fake_devices_result = 0;
	fake_loads = fake_devices = 0;
	fake_timers_run = false;
	cpu_table[0] = fake_cpu;
	fake_cpu->online = true;
}

/* Devices: one, which is only there, and may have a request in flight. */

static void io_done(struct work *work)
{
	(void)work;
	io_in_flight = false;
}

void fake_device_io(void)
{
	work_init(&io, io_done);
	work_queue(&io);
	io_in_flight = true;
}

static void drain(void)
{
	while (io_in_flight)
		task_yield();
}

int device_manager_create(struct vm *vm)
{
	vm->devices = kmalloc(16);
	return vm->devices ? 0 : -ENOMEM;
}

int device_create_all(struct vm *vm)
{
	(void)vm;
	fake_devices++;
	return fake_devices_result;
}

void device_manager_destroy(struct vm *vm)
{
	drain();
	kfree(vm->devices);
	vm->devices = NULL;
	fake_devices = 0;
}

void device_reset_all(struct vm *vm)
{
	(void)vm;
	drain();
}

void device_run_deferred(struct vm *vm)
{
	assert(vm->devices);
	drain();
	fake_deferred++;
}

void device_timers_pause(struct vm *vm)
{
	(void)vm;
	fake_timers_run = false;
}

void device_timers_resume(struct vm *vm)
{
	(void)vm;
	fake_timers_run = true;
}

int loader_run(struct vm *vm)
{
	(void)vm;
	fake_loads++;
	return fake_loader_result;
}

void vm_console_forget(struct vm *vm)
{
	(void)vm;
}

void vm_console_vm_crashed(struct vm *vm)
{
	(void)vm;
}

int irq_create(struct vm *vm)
{
	vm->irq = kmalloc(16);
	return vm->irq ? 0 : -ENOMEM;
}

void irq_destroy(struct vm *vm)
{
	kfree(vm->irq);
	vm->irq = NULL;
}

struct vm_config_section *vm_config_section(const struct vm_config *config, const char *kind,
					    const char *id)
{
	(void)kind;
	(void)id;
	return config->sections;
}

void vm_config_free(struct vm_config *config)
{
	(void)config;
}

/* The FPU, with AVX. */

int fpu_create(struct vcpu *vcpu)
{
	vcpu->fpu = page_alloc(&vcpu->vm->owner, 0);
	return vcpu->fpu ? 0 : -ENOMEM;
}

void fpu_destroy(struct vcpu *vcpu)
{
	page_free(&vcpu->vm->owner, vcpu->fpu, 0);
}

void fpu_reset(struct vcpu *vcpu)
{
	vcpu->xcr0 = 1;
}

void fpu_switch(struct vcpu *vcpu)
{
	fake_cpu->fpu_owner = vcpu;
}

void fpu_save(struct vcpu *vcpu)
{
	if (fake_cpu->fpu_owner == vcpu)
		fake_cpu->fpu_owner = NULL;
}

uint64_t fpu_xcr0_mask(void)
{
	return XCR0_X87 | XCR0_SSE | XCR0_AVX;
}

uint64_t fpu_xcr0(struct vcpu *vcpu)
{
	return vcpu->xcr0;
}

uint32_t fpu_xsave_size(uint64_t xcr0)
{
	return xcr0 & XCR0_AVX ? 576 + 256 : 576;
}

uint32_t fpu_xsavec_size(uint64_t xcr0)
{
	return fpu_xsave_size(xcr0);
}

bool fpu_has_tsc_aux(void)
{
	return true;
}

int fpu_set_xcr0(struct vcpu *vcpu, uint64_t value)
{
	vcpu->xcr0 = value;
	return 0;
}

void fpu_set_tsc_aux(struct vcpu *vcpu, uint32_t value)
{
	vcpu->tsc_aux = value;
}

/* The scheduler. */

void sched_add(struct sched_entity *e, const struct sched_ops *ops, uint32_t cpu)
{
	unsigned i = 0;

	while (entities[i])
		assert(++i < ENTITIES_MAX);
	entities[i] = e;
	e->ops = ops;
	e->cpu = cpu;
	e->state = SCHED_ST_BLOCKED;
	e->wake_pending = false;
}

void sched_wake(struct sched_entity *e)
{
	e->wake_pending = true;
}

uint32_t sched_pick_cpu(void)
{
	return 0;
}

static void run_entity(unsigned i)
{
	struct sched_entity *e = entities[i];
	const struct sched_ops *ops = e->ops;

	e->wake_pending = false;
	fake_cpu->need_resched = false;
	switch (ops->run(e)) {
	case SCHED_EXIT:
		entities[i] = NULL;
		ops->exited(e);
		break;
	case SCHED_YIELD:
	case SCHED_SHARE:
		e->wake_pending = true;
		break;
	case SCHED_BLOCK:
		break;
	}
}

void fake_schedule(void)
{
	for (unsigned i = 0; i < ENTITIES_MAX; i++) {
		if (entities[i] && entities[i]->wake_pending)
			run_entity(i);
	}
}

void task_yield(void)
{
	fake_schedule();
	fake_work_yield();
}

void task_share(void)
{
	task_yield();
}

void fake_run_work(void)
{
	bool ran = fake_work_one();

	assert(ran);
}
