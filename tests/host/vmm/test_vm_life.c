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
/* Whole VMs on a scheduler of one CPU: built, run, paused, reset, crashed, taken apart. */
#include "vmm/vm.h"

#include "arch/x86_64/percpu.h"
#include "kernel/time.h"
#include "tests/host/fake/arch/x86_64/fake_memory.h"
#include "tests/host/vmm/fake.h"
#include "tests/host/vmm/fake_hv.h"
#include "tests/host/vmm/fake_vm.h"
#include "vmm/cpu_model.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/vcpu.h"
#include "vmm/vm_config.h"
#include "vmm/vm_life.h"

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
static struct page_stats before;
static size_t objects_before;

static int setup(void **state)
{
	(void)state;
	fake_hv_reset();
	fake_vm_reset();
	fake_log_clear();
	fake_guest = fake_guest_spin;
	config = (struct vm_config){.name = "v", .cpus = 2, .memory = 6 * MIB, .file = "v.cfg"};
	page_alloc_stats(&before);
	objects_before = fake_objects;
	return vm_define(&config, &vm);
}

static void assert_nothing_left(void)
{
	struct page_stats now;

	page_alloc_stats(&now);
	assert_int_equal(now.free, before.free);
	assert_int_equal(fake_objects, objects_before + 1); /* the VM itself */
	assert_int_equal(fake_devices, 0);
	assert_false(fake_logged("our own fault"));
}

static int teardown(void **state)
{
	(void)state;
	assert_nothing_left();
	assert_int_equal(vm_undefine(vm), 0);
	assert_int_equal(fake_objects, objects_before);
	assert_null(vm_find("v"));
	return 0;
}

static void test_names(void **state)
{
	struct vm_config_section section = {.kind = "vm", .id = "v", .line = 7};
	struct vm_config other = {.name = "v", .file = "w.cfg", .sections = &section};
	struct vm *second;

	(void)state;
	assert_ptr_equal(vm_find("v"), vm);
	assert_null(vm_find("w"));
	assert_int_equal(vm_define(&other, &second), -EEXIST);
	assert_true(fake_logged("w.cfg:7: "));
	assert_int_equal(vm->state, VM_DEFINED);
	assert_int_equal(vm_destroy(vm), -EBUSY);
	assert_int_equal(vm_pause(vm), -EBUSY);
	assert_int_equal(vm_resume(vm), -EBUSY);
	assert_int_equal(vm_reset(vm), -EBUSY);
}

static void test_start_and_destroy(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(vm_start(vm), 0);
		assert_int_equal(vm->state, VM_RUNNING);
		assert_int_equal(vm_start(vm), -EBUSY);
		assert_int_equal(vm->vcpu_count, 2);
		assert_int_equal(vm->memory_owner.pages, 6 * MIB / PAGE_SIZE);
		assert_true(vm->owner.pages > 0);
		fake_schedule();
		assert_true(fake_entries > 0);
		assert_int_equal(vm_undefine(vm), -EBUSY);
		assert_int_equal(vm_destroy(vm), 0);
		assert_int_equal(vm->state, VM_STOPPED);
		assert_nothing_left();
	}
}

/* Whatever runs out, an error is all that is left. */
static void test_start_without_memory(void **state)
{
	int err = -ENOMEM;
	long n;

	(void)state;
	for (n = 0; err; n++) {
		fake_memory_left = n;
		err = vm_start(vm);
		fake_memory_left = -1;
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(vm->state, VM_DEFINED);
		assert_nothing_left();
	}
	assert_true(n > 20);
	assert_int_equal(vm_destroy(vm), 0);
}

static void test_too_little_memory(void **state)
{
	(void)state;
	config.memory = 4096 * MIB;
	assert_int_equal(vm_start(vm), -ENOMEM);
	assert_true(fake_logged("4096 MiB wanted"));
	assert_true(fake_logged("MiB missing"));
}

static void test_failing_parts(void **state)
{
	(void)state;
	fake_loader_result = -ENOEXEC;
	assert_int_equal(vm_start(vm), -ENOEXEC);
	fake_loader_result = 0;
	fake_devices_result = -EINVAL;
	assert_int_equal(vm_start(vm), -EINVAL);
	fake_devices_result = 0;
	assert_int_equal(vm->state, VM_DEFINED);
	assert_int_equal(vm_start(vm), 0);
	fake_loader_result = -ENOEXEC;
	assert_int_equal(vm_reset(vm), -ENOEXEC);
	assert_int_equal(vm->state, VM_STOPPED);
}

static void test_pause_stops_the_clock(void **state)
{
	uint64_t then, offset;

	(void)state;
	assert_int_equal(vm_time_ns(vm), 0);
	assert_int_equal(vm_start(vm), 0);
	fake_schedule();
	vm->vcpus[1]->tsc_offset += 1000; /* the guest wrote its TSC */
	assert_int_equal(vm_pause(vm), 0);
	assert_false(fake_timers_run);
	then = vm_time_ns(vm);
	assert_true(then > 0);
	fake_entries = 0;
	for (unsigned i = 0; i < 1000; i++)
		fake_schedule();
	assert_int_equal(fake_entries, 0);
	assert_int_equal(vm_time_ns(vm), then);
	offset = vm->tsc_offset;
	assert_int_equal(vm_resume(vm), 0);
	assert_true(vm->tsc_offset < offset);
	assert_int_equal(vm->vcpus[0]->tsc_offset, vm->tsc_offset);
	assert_int_equal(vm->vcpus[1]->tsc_offset, vm->tsc_offset + 1000);
	assert_true(vm_time_ns(vm) >= then);
	assert_true(fake_timers_run);
	fake_schedule();
	assert_true(fake_entries > 0);
	assert_int_equal(vm_destroy(vm), 0);
}

static void test_time_of_timers(void **state)
{
	(void)state;
	assert_int_equal(vm_start(vm), 0);
	for (uint64_t ns = 1; ns < UINT64_C(1) << 50; ns = ns * 7 + 3) {
		uint64_t tsc = vm_time_to_tsc(vm, ns);
		uint64_t at = time_tsc_to_ns(tsc + vm->tsc_offset);

		assert_true(at >= ns && at <= ns + 4);
	}
	assert_int_equal(vm_destroy(vm), 0);
}

static void test_guest_asks(void **state)
{
	(void)state;
	assert_int_equal(vm_start(vm), 0);
	fake_schedule();
	fake_loads = 0;
	vm_request(vm, VM_REQUEST_RESET, "reset button");
	assert_true(fake_logged("reset button"));
	fake_entries = 0;
	fake_schedule();
	assert_int_equal(fake_entries, 0); /* nothing runs until it is done */
	fake_run_work();
	assert_int_equal(fake_loads, 1);
	assert_int_equal(vm->state, VM_RUNNING);
	fake_schedule();
	assert_true(fake_entries > 0);
	assert_int_equal(vm->vcpus[0]->rip, 0xfff0);

	vm_request(vm, VM_REQUEST_RESET, "a");
	vm_request(vm, VM_REQUEST_POWEROFF, "b");
	fake_run_work();
	assert_int_equal(vm->state, VM_STOPPED);
}

/* What devices leave to a task is done before what ends them, and keeps nobody from running. */
static void test_devices_ask(void **state)
{
	(void)state;
	assert_int_equal(vm_start(vm), 0);
	fake_deferred = 0;
	__atomic_fetch_or(&vm->requests, 1u << VM_REQUEST_DEVICES, __ATOMIC_SEQ_CST);
	work_queue(&vm->request_work);
	fake_entries = 0;
	fake_schedule();
	assert_true(fake_entries > 0);
	fake_run_work();
	assert_int_equal(fake_deferred, 1);
	assert_int_equal(vm->state, VM_RUNNING);
	__atomic_fetch_or(&vm->requests, 1u << VM_REQUEST_DEVICES, __ATOMIC_SEQ_CST);
	vm_request(vm, VM_REQUEST_POWEROFF, "off");
	fake_run_work();
	assert_int_equal(fake_deferred, 2);
	assert_int_equal(vm->state, VM_STOPPED);
}

/* What a guest asks for waits for its requests, which end on the same CPU. */
static void test_ends_with_requests_in_flight(void **state)
{
	(void)state;
	assert_int_equal(vm_start(vm), 0);
	fake_schedule();
	vm_request(vm, VM_REQUEST_RESET, "reset button");
	fake_device_io();
	fake_loads = 0;
	fake_run_work();
	assert_int_equal(fake_loads, 1);
	assert_int_equal(vm->state, VM_RUNNING);

	__atomic_fetch_or(&vm->requests, 1u << VM_REQUEST_DEVICES, __ATOMIC_SEQ_CST);
	work_queue(&vm->request_work);
	fake_device_io();
	fake_deferred = 0;
	fake_run_work();
	assert_int_equal(fake_deferred, 1);

	vm_request(vm, VM_REQUEST_POWEROFF, "off");
	fake_device_io();
	fake_run_work();
	assert_int_equal(vm->state, VM_STOPPED);
}

/* A request waits until the VM's life is free, and those of other VMs do not wait with it. */
static void test_asks_while_another_task_has_its_life(void **state)
{
	struct vm_config config2 = {.name = "w", .cpus = 1, .memory = 2 * MIB, .file = "w.cfg"};
	struct vm *other;

	(void)state;
	assert_int_equal(vm_define(&config2, &other), 0);
	assert_int_equal(vm_start(other), 0);
	assert_int_equal(vm_start(vm), 0);
	fake_schedule();
	assert_int_equal(vm_life_begin(vm), VM_RUNNING);
	vm_request(vm, VM_REQUEST_RESET, "reset button");
	vm_request(other, VM_REQUEST_POWEROFF, "off");
	fake_loads = 0;
	fake_run_work();
	assert_int_equal(fake_loads, 0);
	fake_run_work();
	assert_int_equal(other->state, VM_STOPPED);
	assert_false(vm->request_work.queued);
	vm_life_end(vm, VM_RUNNING);
	fake_run_work();
	assert_int_equal(fake_loads, 1);
	/* Nothing is left of it. */
	vm_life_end(vm, vm_life_begin(vm));
	assert_false(vm->request_work.queued);
	assert_int_equal(vm_destroy(vm), 0);
	assert_int_equal(vm_undefine(other), 0);
}

static void test_crash_is_kept_for_a_look(void **state)
{
	(void)state;
	assert_int_equal(vm_start(vm), 0);
	fake_guest = fake_guest_crash;
	fake_schedule();
	fake_run_work();
	assert_int_equal(vm->state, VM_CRASHED);
	assert_true(fake_logged("triple fault"));
	assert_non_null(vm->memory);
	fake_entries = 0;
	fake_schedule();
	assert_int_equal(fake_entries, 0);
	fake_guest = fake_guest_spin;
	assert_int_equal(vm_reset(vm), 0);
	fake_schedule();
	assert_true(fake_entries > 0);

	fake_guest = fake_guest_crash;
	fake_schedule();
	fake_run_work();
	assert_int_equal(vm->state, VM_CRASHED);
	fake_guest = fake_guest_spin;
	assert_int_equal(vm_start(vm), 0); /* afresh */
	assert_int_equal(vm_destroy(vm), 0);
}

static void test_flush_waits_for_all(void **state)
{
	(void)state;
	assert_int_equal(vm_start(vm), 0);
	fake_schedule();
	fake_story[0] = '\0';
	/* The second waits for its SIPI. */
	vm_flush(vm); /* they are not in their loops: at the next entry is early enough */
	assert_string_equal(fake_story, "");
	fake_schedule();
	assert_string_equal(fake_story, "flush window flush ");
	/* Who may not wait leaves it to them. */
	fake_story[0] = '\0';
	vm_flush_soon(vm);
	fake_schedule();
	assert_string_equal(fake_story, "flush window flush ");
	assert_int_equal(vm_destroy(vm), 0);
}

static struct cpuid_regs query(unsigned vcpu, uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r;

	hook_cpuid_query(vm->vcpus[vcpu], leaf, subleaf, &r);
	return r;
}

/* The CPU that a guest sees is in agreement with itself. */
static void test_cpu_model(void **state)
{
	struct cpuid_regs r;
	char name[13] = "";

	(void)state;
	config.cpus = 3;
	assert_int_equal(vm_start(vm), 0);
	r = query(2, 1, 0);
	assert_int_equal(r.ebx >> 24, 2);
	assert_true(r.edx & 1u << 28); /* HTT: several in the package */
	assert_true(r.ecx & 1u << 31);
	assert_false(r.ecx & 1u << 27); /* CR4.OSXSAVE is not set … */
	assert_false(r.ecx & 1u << 5);
	assert_false(r.ecx & 1u << 3);
	fake_regs[VCPU_CR4] = 1u << 18;
	assert_true(query(0, 1, 0).ecx & 1u << 27); /* … and now it is */
	assert_false(query(0, 1, 0).edx & 1u << 9); /* no local APIC among the fake devices */

	r = query(1, 0xb, 1);
	assert_int_equal(r.eax, 2); /* bits for three cores */
	assert_int_equal(r.ebx, 3);
	assert_int_equal(r.edx, 1);
	assert_int_equal(query(2, 0xb, 5).ecx, 5);
	assert_int_equal(query(2, 0xb, 5).edx, 2);

	r = query(0, 0xd, 0);
	assert_int_equal(r.eax, 7);
	assert_int_equal(r.ecx, 576 + 256);
	assert_int_equal(query(0, 0xd, 2).eax, 256);
	assert_int_equal(query(0, 0xd, 9).eax, 0);
	assert_int_equal(query(0, 7, 0).ecx & (1u << 16 | 1u << 3), 0); /* LA57, PKU */

	r = query(0, 0x40000000, 0);
	memcpy(name, &r.ebx, 12);
	assert_string_equal(name, "AlcazarAlcaz");
	assert_int_equal(query(0, CPU_MODEL_LEAF_FREQUENCY, 0).eax, time_scale.tsc_khz);
	assert_true((query(0, 0x80000008, 0).eax & 0xff) <= 48);
	assert_int_equal(query(0, 0x8000000a, 0).edx, 0);
	assert_int_equal(vm_destroy(vm), 0);
}

static void test_msrs(void **state)
{
	struct vcpu *v;
	uint64_t value;

	(void)state;
	assert_int_equal(vm_start(vm), 0);
	v = vm->vcpus[0];
	/* EFER: unknown bits, and LME under paging. */
	assert_int_equal(hook_msr_write(v, 0xc0000080, 1u << 12), -EINVAL);
	assert_int_equal(hook_msr_write(v, 0xc0000080, 0x901), 0);
	assert_int_equal(fake_regs[VCPU_EFER], 0x901);
	fake_regs[VCPU_CR0] = 0x80000001;
	assert_int_equal(hook_msr_write(v, 0xc0000080, 0x801), -EINVAL);
	assert_int_equal(hook_msr_write(v, 0xc0000080, 0x101), 0);
	/* Addresses are canonical. */
	assert_int_equal(hook_msr_write(v, 0xc0000082, UINT64_C(0x800000000000)), -EINVAL);
	assert_int_equal(hook_msr_write(v, 0xc0000082, UINT64_C(0xffff800000000000)), 0);
	assert_int_equal(hook_msr_write(v, 0xc0000101, UINT64_C(0xffff800000001000)), 0);
	assert_int_equal(fake_segs[SEG_GS].base, UINT64_C(0xffff800000001000));
	/* Memory types. */
	assert_int_equal(hook_msr_write(v, 0x277, 0x0302010000070406), -EINVAL);
	assert_int_equal(hook_msr_write(v, 0x277, 0x0007040600070406), 0);
	/* The TSC and its adjustment are one. */
	assert_int_equal(hook_msr_write(v, 0x3b, 12345), 0);
	assert_int_equal(v->tsc_offset, vm->tsc_offset + 12345);
	assert_int_equal(hook_msr_write(v, 0x10, 0), 0);
	assert_int_equal(hook_msr_read(v, 0x3b, &value), 0);
	assert_int_equal(v->tsc_offset, vm->tsc_offset + value);
	/* Not there. */
	assert_int_equal(hook_msr_read(v, 0xc1, &value), -ENOENT);
	assert_int_equal(vm_destroy(vm), 0);
}

/* What the guest causes again and again is told a few times a second, and how often it was not. */
static void test_guest_cannot_flood_the_log(void **state)
{
	(void)state;
	vm->log_second = time_ns() / NSEC_PER_SEC;
	vm->log_shown = VM_LOG_GUEST_MAX - 1;
	vm_log_guest(vm, LOG_INFO, "the last");
	vm_log_guest(vm, LOG_INFO, "one more");
	assert_true(fake_logged("the last"));
	/* Unless a second has just passed. */
	assert_true(vm->log_skipped == 1 || fake_logged("one more"));
	vm->log_second--;
	vm->log_skipped = 7;
	vm_log_guest(vm, LOG_INFO, "again");
	assert_true(fake_logged("7 lines more"));
	assert_true(fake_logged("again"));
	assert_int_equal(vm->log_skipped, 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_names),
		TEST(test_guest_cannot_flood_the_log),
		TEST(test_start_and_destroy),
		TEST(test_start_without_memory),
		TEST(test_too_little_memory),
		TEST(test_failing_parts),
		TEST(test_pause_stops_the_clock),
		TEST(test_time_of_timers),
		TEST(test_guest_asks),
		TEST(test_devices_ask),
		TEST(test_ends_with_requests_in_flight),
		TEST(test_asks_while_another_task_has_its_life),
		TEST(test_crash_is_kept_for_a_look),
		TEST(test_flush_waits_for_all),
		TEST(test_cpu_model),
		TEST(test_msrs),
	};

	time_init(1000000);
	fake_memory_init(64 * MIB);
	page_alloc_add(MIB, 64 * MIB);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
