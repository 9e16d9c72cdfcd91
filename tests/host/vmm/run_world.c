/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/vmm/run_world.h"

#include "arch/x86_64/percpu.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "tests/host/vmm/fake.h"
#include "tests/host/vmm/fake_hv.h"
#include "vmm/cpu_model.h"
#include "vmm/fpu.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook.h"
#include "vmm/msr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct vm world_vm = {.name = "v"};
struct vcpu *world_vcpu;
static struct guest_memory memory = {.high_end = GUEST_HIGH_BASE};
unsigned world_step;
unsigned world_crashes;
int world_xcr0_result;

/* What is not of this test. */

bool guest_is_ram(const struct guest_memory *m, gpa_t gpa, uint64_t len)
{
	(void)m;
	return gpa + len <= 0x100000;
}

void vm_flush(struct vm *v)
{
	(void)v;
}

void vm_request(struct vm *v, enum vm_request request, const char *why)
{
	(void)why;
	assert_int_equal(request, VM_REQUEST_CRASH);
	world_crashes++;
	vcpu_request(v->vcpus[0], VCPU_REQ_PAUSE);
}

uint32_t cpu_model_signature(const struct vm *vm)
{
	(void)vm;
	return 0x6b1;
}

int msr_vcpu_create(struct vcpu *v)
{
	(void)v;
	return 0;
}

void msr_vcpu_destroy(struct vcpu *v)
{
	(void)v;
}

void msr_reset(struct vcpu *v)
{
	(void)v;
}

int fpu_create(struct vcpu *v)
{
	(void)v;
	return 0;
}

void fpu_destroy(struct vcpu *v)
{
	(void)v;
}

void fpu_reset(struct vcpu *v)
{
	(void)v;
}

void fpu_switch(struct vcpu *v)
{
	this_cpu()->fpu_owner = v;
}

void fpu_save(struct vcpu *v)
{
	assert_ptr_equal(v, world_vcpu);
	this_cpu()->fpu_owner = NULL;
}

int fpu_set_xcr0(struct vcpu *v, uint64_t value)
{
	v->xcr0 = value;
	return world_xcr0_result;
}

void sched_wake(struct sched_entity *e)
{
	assert_ptr_equal(e, &world_vcpu->entity);
	fake_wakes++;
}

int world_setup(void **state)
{
	(void)state;
	fake_hv_reset();
	fake_log_clear();
	world_step = world_crashes = 0;
	world_xcr0_result = 0;
	world_vm.memory = &memory;
	if (hook_maps_create(&world_vm) || vcpu_create(&world_vm, 0, &world_vcpu))
		return -1;
	world_vm.vcpus[0] = world_vcpu;
	world_vm.vcpu_count = 1;
	vcpu_reset(world_vcpu);
	fake_story[0] = '\0';
	return 0;
}

int world_teardown(void **state)
{
	(void)state;
	vcpu_destroy(world_vcpu);
	hook_maps_destroy(&world_vm);
	assert_int_equal(fake_objects, 0);
	return 0;
}

enum sched_result world_go(void (*guest)(struct vcpu *, struct vm_exit *))
{
	enum sched_result result;

	fake_guest = guest;
	world_step = 0;
	result = vcpu_run(&world_vcpu->entity);
	assert_false(vcpu_may_run(world_vcpu));
	assert_null(this_cpu()->world);
	return result;
}

void world_resched(struct vm_exit *exit)
{
	exit->kind = VM_EXIT_INTERRUPT;
	this_cpu()->need_resched = true;
}
