/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vmx/vmx_vpid.c vmm/tlb_tag.c */
/* vmm/vmx/vmx_vpid.c: which translations are taken back when, and no more than those. */
#include "vmm/vmx/vmx_vpid.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_controls.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct vmx_machine vmx_machine;
static struct hv_cpu hv_cpus[2];
static struct cpu cpus[2];
__thread struct cpu *fake_cpu;

static struct vmx_vm vmx_vm;
static struct vm vm;
static struct vmx_vcpu vmx[2];
static struct vcpu vcpus[2];

/* What was done, one instruction a word: its name, type and operand. */
static char story[256];

static void tell(const char *what, uint64_t type, uint64_t tag)
{
	size_t at = strlen(story);

	snprintf(story + at, sizeof(story) - at, "%s%lu(%lx) ", what, type, tag);
}

void vmx_write(uint32_t field, uint64_t value)
{
	assert_int_equal(field, VMCS_VPID);
	tell("write", 0, value);
}

void vmx_invept(uint64_t type, uint64_t eptp)
{
	tell("invept", type, eptp);
}

void vmx_invvpid(uint64_t type, uint16_t vpid, uint64_t address)
{
	assert_int_equal(address, 0);
	tell("invvpid", type, vpid);
}

static void assert_story(const char *want)
{
	assert_string_equal(story, want);
	story[0] = '\0';
}

static void machine(bool vpid)
{
	vmx_machine = (struct vmx_machine){.proc2.used = vpid ? VMX_PROC2_VPID : 0};
	vmx_vm = (struct vmx_vm){.eptp = 0xe05e, .ept.epoch = 7};
	vm = (struct vm){.hv = &vmx_vm};
	memset(vmx, 0, sizeof(vmx));
	for (unsigned i = 0; i < 2; i++) {
		vcpus[i] = (struct vcpu){.hv = &vmx[i], .vm = &vm};
		cpus[i] = (struct cpu){.index = i, .hv = &hv_cpus[i]};
		fake_cpu = &cpus[i];
		vmx_vpid_cpu_init(&hv_cpus[i]);
	}
	assert_story("invept2(0) invept2(0) ");
	fake_cpu = &cpus[0];
}

/* As vmx_run_prepare() does. */
static void enter(struct vcpu *vcpu, bool world)
{
	if (world)
		vmx_vpid_enter(vcpu);
	if (!vmx_of(vcpu)->prepare)
		return;
	vmx_of(vcpu)->prepare = false;
	vmx_vpid_prepare(vcpu);
}

static void leave(struct vcpu *vcpu)
{
	vmx_of(vcpu)->prepare = true;
	nested_epoch_leave(&vcpu->nested);
}

static void test_first_entries(void **state)
{
	(void)state;
	machine(true);
	enter(&vcpus[0], true);
	assert_story("invvpid2(0) write0(1) invept1(e05e) ");
	assert_true(vcpus[0].nested.live);
	leave(&vcpus[0]);
	assert_false(vcpus[0].nested.live);
	enter(&vcpus[1], true);
	assert_story("write0(2) invept1(e05e) ");
	leave(&vcpus[1]);
	/* Nothing has changed: nothing is to be done. */
	enter(&vcpus[0], true);
	enter(&vcpus[0], false);
	assert_story("");
}

static void test_nested_mappings_taken_away(void **state)
{
	(void)state;
	machine(true);
	enter(&vcpus[0], true);
	leave(&vcpus[0]);
	enter(&vcpus[1], true);
	story[0] = '\0';
	vmx_vm.ept.epoch++;
	vmx_flush(&vcpus[1]);
	assert_int_equal(vcpus[1].nested.flushed, vmx_vm.ept.epoch);
	assert_story("");
	enter(&vcpus[1], false);
	assert_story("invept1(e05e) ");
	leave(&vcpus[1]);
	/* The other was not told: it sees the epoch. */
	enter(&vcpus[0], true);
	assert_story("invept1(e05e) ");
	enter(&vcpus[0], false);
	assert_story("");
}

static void test_registers_changed(void **state)
{
	(void)state;
	machine(true);
	enter(&vcpus[0], true);
	story[0] = '\0';
	vmx_vpid_flush(&vcpus[0]);
	enter(&vcpus[0], false);
	assert_story("invvpid1(1) ");
	enter(&vcpus[0], false);
	assert_story("");
}

/* To another CPU, which may have mappings of this VM, and back. */
static void test_moving(void **state)
{
	(void)state;
	machine(true);
	enter(&vcpus[0], true);
	leave(&vcpus[0]);
	story[0] = '\0';
	fake_cpu = &cpus[1];
	enter(&vcpus[0], true);
	assert_story("invvpid2(0) write0(1) invept1(e05e) ");
	leave(&vcpus[0]);
	fake_cpu = &cpus[0];
	enter(&vcpus[0], true);
	assert_story("write0(2) invept1(e05e) ");
}

static void test_vpids_run_out(void **state)
{
	(void)state;
	machine(true);
	enter(&vcpus[0], true);
	leave(&vcpus[0]);
	hv_cpus[0].vpids.next = 0x10000;
	story[0] = '\0';
	enter(&vcpus[1], true);
	assert_story("invvpid2(0) write0(1) invept1(e05e) ");
	leave(&vcpus[1]);
	enter(&vcpus[0], true);
	assert_story("write0(2) invept1(e05e) ");
}

/* Entries and exits remove combined mappings, but not guest-physical ones. */
static void test_without_vpid(void **state)
{
	(void)state;
	machine(false);
	enter(&vcpus[0], true);
	assert_story("invept1(e05e) ");
	vmx_vpid_flush(&vcpus[0]);
	enter(&vcpus[0], false);
	assert_story("");
	vmx_flush(&vcpus[0]);
	enter(&vcpus[0], false);
	assert_story("invept1(e05e) ");
	leave(&vcpus[0]);
	fake_cpu = &cpus[1];
	enter(&vcpus[0], true);
	assert_story("invept1(e05e) ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_entries),
		cmocka_unit_test(test_nested_mappings_taken_away),
		cmocka_unit_test(test_registers_changed),
		cmocka_unit_test(test_moving),
		cmocka_unit_test(test_vpids_run_out),
		cmocka_unit_test(test_without_vpid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
