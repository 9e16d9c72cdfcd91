/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vcpu_cr.c vmm/flight.c */
/* test-sources: vmm/vm.c vmm/vm_life.c vmm/vm_time.c vmm/vm_vcpus.c vmm/guest_memory.c */
/* test-sources: vmm/cpu_common.c vmm/cpu_model.c vmm/cpu_model_dynamic.c vmm/cpu_model_table.c */
/* test-sources: arch/x86_64/cpu_valid.c */
/* test-sources: vmm/msr.c */
/* test-sources: vmm/run.c vmm/exit.c vmm/vcpu.c vmm/vcpu_event.c vmm/post_mortem.c */
/* test-sources: vmm/hook/hook.c vmm/hook/hook_call.c vmm/hook/hook_cpuid.c vmm/hook/hook_io.c */
/* test-sources: vmm/hook/hook_memory.c vmm/hook/hook_msr.c vmm/hook/hook_range.c */
/* test-sources: vmm/hook/hook_table.c lib/range_map.c kernel/time.c kernel/page_alloc.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hv.c tests/host/vmm/fake_vm.c */
/* test-sources: tests/host/fake/arch/x86_64/fake_memory.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c tests/host/fake/kernel/fake_work.c */
/* test-sources: vmm/hook/hook_mapped.c */
/* What is told of a VM: each thing once, when it has come to pass. */
#include "vmm/vm_event.h"

#include "arch/x86_64/percpu.h"
#include "kernel/time.h"
#include "tests/host/fake/arch/x86_64/fake_memory.h"
#include "tests/host/vmm/fake.h"
#include "tests/host/vmm/fake_hv.h"
#include "tests/host/vmm/fake_vm.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB UINT64_C(0x100000)

static struct vm_config config;
static struct vm *vm;

/* A letter each, those that the guest wanted in small ones; and why it crashed. */
static char told[64];
static char told_why[64];

static void hear(const struct vm_event *event)
{
	static const char letters[] = {[VM_EVENT_START] = 'S',	[VM_EVENT_PAUSE] = 'P',
				       [VM_EVENT_RESUME] = 'G', [VM_EVENT_RESET] = 'R',
				       [VM_EVENT_STOP] = 'E',	[VM_EVENT_POWER_BUTTON] = 'B',
				       [VM_EVENT_CRASH] = 'C',	[VM_EVENT_DEVICE_DELETED] = 'D'};
	size_t at = strlen(told);

	static const enum vm_state states[] = {
		[VM_EVENT_START] = VM_RUNNING,	[VM_EVENT_PAUSE] = VM_PAUSED,
		[VM_EVENT_RESUME] = VM_RUNNING, [VM_EVENT_RESET] = VM_RUNNING,
		[VM_EVENT_STOP] = VM_STOPPED,	[VM_EVENT_CRASH] = VM_CRASHED};

	assert_ptr_equal(event->vm, vm);
	/* It can be seen, and nobody else can have told of something later. */
	if (event->kind < VM_EVENT_POWER_BUTTON || event->kind == VM_EVENT_CRASH) {
		assert_int_equal(vm->state, states[event->kind]);
		assert_true(vm->busy);
	}
	if (at < sizeof(told) - 1)
		told[at] = (char)(letters[event->kind] | (event->guest ? 0x20 : 0));
	if (event->kind == VM_EVENT_CRASH)
		snprintf(told_why, sizeof(told_why), "%s", event->detail);
}

VM_EVENT_LISTENER(listener, .hear = hear);

static int setup(void **state)
{
	(void)state;
	memset(told, 0, sizeof(told));
	fake_hv_reset();
	fake_vm_reset();
	fake_log_clear();
	fake_guest = fake_guest_spin;
	config = (struct vm_config){.name = "v", .cpus = 2, .memory = 6 * MIB, .file = "v.cfg"};
	return vm_define(&config, &vm);
}

static int teardown(void **state)
{
	(void)state;
	return vm_undefine(vm);
}

/* What was refused is not told of. */
static void test_asked_for(void **state)
{
	(void)state;
	assert_int_equal(vm_pause(vm), -EBUSY);
	assert_int_equal(vm_start(vm), 0);
	assert_int_equal(vm_start(vm), -EBUSY);
	assert_int_equal(vm_pause(vm), 0);
	assert_int_equal(vm_resume(vm), 0);
	assert_int_equal(vm_reset(vm), 0);
	assert_int_equal(vm_destroy(vm), 0);
	assert_string_equal(told, "SPGRE");
}

static void test_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(vm_start(vm), 0);
	vm_request(vm, VM_REQUEST_RESET, "reset button");
	fake_run_work();
	fake_guest = fake_guest_crash;
	fake_schedule();
	fake_run_work();
	assert_string_equal(told, "Src");
	assert_string_equal(told_why, "triple fault");
	fake_guest = fake_guest_spin;
	assert_int_equal(vm_reset(vm), 0);
	vm_request(vm, VM_REQUEST_POWEROFF, "S5");
	fake_run_work();
	assert_string_equal(told, "SrcRe");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(test_of_its_own, setup, teardown),
	};

	time_init(1000000);
	fake_memory_init(64 * MIB);
	page_alloc_add(MIB, 64 * MIB);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
