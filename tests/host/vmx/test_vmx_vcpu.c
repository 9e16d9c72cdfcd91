/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vmx/vmx_vcpu.c vmm/vmx/vmx_apic.c vmm/vmx/vmx_msr_area.c */
/* test-sources: vmm/vmx/vmx_choose.c vmm/vmx/vmx_controls.c */
/* vmm/vmx/vmx_vcpu.c: a new VMCS holds nothing in particular, and what the entry reads is written.
 */
#include "arch/x86_64/msr.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_choose.h"
#include "vmm/vmx/vmx_controls.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"
#include "vmm/vmx/vmx_msr_area.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define POISON UINT64_C(0xbad0bad0bad0bad0)

struct vmx_machine vmx_machine;
struct time_scale time_scale;
char *fake_direct_base;
static struct hv_cpu hv_cpu;
static struct cpu cpu = {.hv = &hv_cpu};
__thread struct cpu *fake_cpu = &cpu;
static uint64_t fields[0x8000];
static uint32_t regs_set, segs_set;
static size_t no_memory_for;

uint64_t vmx_read(uint32_t field)
{
	return fields[field];
}

void vmx_write(uint32_t field, uint64_t value)
{
	fields[field] = value;
}

void vmx_vmclear(hpa_t vmcs)
{
	(void)vmcs;
}

struct vmx_loan vmx_vmcs_borrow(struct vcpu *v)
{
	return (struct vmx_loan){v->hv};
}

void vmx_vmcs_return(struct vmx_vcpu *v)
{
	(void)v;
}

void vmx_world_leave(void)
{
}

void vmx_set_reg(struct vcpu *v, enum vcpu_reg reg, uint64_t value)
{
	(void)v;
	(void)value;
	regs_set |= UINT32_C(1) << reg;
}

void vmx_set_seg(struct vcpu *v, enum vcpu_seg seg, const struct vcpu_segment *value)
{
	(void)v;
	(void)value;
	segs_set |= UINT32_C(1) << seg;
}

void *kzalloc(size_t size)
{
	if (no_memory_for == size)
		return NULL;
	return calloc(1, size);
}

void kfree(const void *p)
{
	free((void *)p);
}

void *page_alloc_zeroed(struct page_owner *owner, unsigned order)
{
	(void)owner;
	return calloc(1, PAGE_SIZE << order);
}

void page_free(struct page_owner *owner, void *page, unsigned order)
{
	(void)owner;
	(void)order;
	free(page);
}

/* What each entry reads (26.2, 26.3) beside segments, registers and the host's state. */
static const uint16_t read_by_entry[] = {
	VMCS_PIN_CONTROLS,
	VMCS_PROC_CONTROLS,
	VMCS_PROC2_CONTROLS,
	VMCS_EXCEPTION_BITMAP,
	VMCS_PAGE_FAULT_MASK,
	VMCS_PAGE_FAULT_MATCH,
	VMCS_CR3_TARGET_COUNT,
	VMCS_TSC_OFFSET,
	VMCS_IO_BITMAP_A,
	VMCS_IO_BITMAP_B,
	VMCS_MSR_BITMAPS,
	VMCS_EPT_POINTER,
	VMCS_CR0_MASK,
	VMCS_CR4_MASK,
	VMCS_EXIT_CONTROLS,
	VMCS_EXIT_MSR_STORE_COUNT,
	VMCS_EXIT_MSR_LOAD_COUNT,
	VMCS_ENTRY_CONTROLS,
	VMCS_ENTRY_MSR_LOAD_COUNT,
	VMCS_ENTRY_INTERRUPTION_INFO,
	VMCS_LINK_POINTER,
	VMCS_GUEST_ACTIVITY,
	VMCS_GUEST_INTERRUPTIBILITY,
	VMCS_GUEST_PENDING_DEBUG,
	/* By the one control each that is in use here. */
	VMCS_PREEMPTION_TIMER,
	VMCS_PLE_GAP,
	VMCS_PLE_WINDOW,
	VMCS_ENCLS_EXITING_BITMAP,
};

static void test_new_vmcs_is_written(void **state)
{
	static uint8_t io[2 * PAGE_SIZE] __aligned(PAGE_SIZE), msr[PAGE_SIZE] __aligned(PAGE_SIZE);
	struct vmx_vm hv = {.io = io, .msr = msr, .eptp = 0x501e};
	struct vm vm = {.hv = &hv};
	struct vcpu vcpu = {.vm = &vm};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		fields[i] = POISON;
	vmx_machine.pin.used = VMX_PIN_PREEMPTION_TIMER;
	vmx_machine.proc2.used = VMX_PROC2_PAUSE_LOOP | VMX_PROC2_ENCLS;
	vmx_machine.proc.allowed1 = VMX_PROC_TPR_SHADOW;
	vmx_machine.proc2.allowed1 = VMX_PROC2_X2APIC;
	vmx_machine.entry.used = VMX_ENTRY_LOAD_EFER | VMX_ENTRY_LOAD_PAT;
	assert_int_equal(vmx_vcpu_create(&vcpu), 0);
	for (size_t i = 0; i < ARRAY_SIZE(read_by_entry); i++)
		if (fields[read_by_entry[i]] == POISON)
			fail_msg("field %#x is not written", read_by_entry[i]);
	assert_int_equal(segs_set, BIT(VCPU_SEGS) - 1);
	assert_int_equal(regs_set, BIT(VCPU_INTR_SHADOW) - 1);
	/* vmx_run.S writes RIP where it is not this; a started CPU's is 0. */
	assert_int_equal(fields[VMCS_GUEST_RIP], vmx_of(&vcpu)->rip);
	/* What fields do is in no list. */
	assert_null(vmx_of(&vcpu)->area);
	assert_int_equal(fields[VMCS_ENTRY_MSR_LOAD_COUNT], 0);
	assert_ptr_equal(vmx_of(&vcpu)->efer_vmcs, vmx_of(&vcpu)->vmcs);
	vmx_vcpu_destroy(&vcpu);
	assert_null(vcpu.hv);
}

static void assert_list(const struct vmx_msr_entry *list, unsigned count)
{
	const uint32_t indices[] = {MSR_EFER, MSR_PAT};

	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(list[i].index, indices[2 - count + i]);
		assert_int_equal(list[i].reserved, 0);
	}
}

/* Both MSRs, and PAT alone: three lists of as many, the guest's being one for entries and exits. */
static void test_lists_are_written(void **state)
{
	static uint8_t io[2 * PAGE_SIZE] __aligned(PAGE_SIZE), msr[PAGE_SIZE] __aligned(PAGE_SIZE);
	const uint32_t used[] = {0, VMX_ENTRY_LOAD_EFER};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(used); i++) {
		struct vmx_vm hv = {.io = io, .msr = msr, .eptp = 0x501e};
		struct vm vm = {.hv = &hv};
		struct vcpu vcpu = {.vm = &vm};
		unsigned count = 2 - i;
		struct vmx_vcpu *vmx;

		memset(fields, 0, sizeof(fields));
		vmx_machine.entry.used = used[i];
		assert_int_equal(vmx_vcpu_create(&vcpu), 0);
		vmx = vmx_of(&vcpu);
		assert_int_equal(fields[VMCS_EXIT_MSR_STORE_COUNT], count);
		assert_int_equal(fields[VMCS_EXIT_MSR_LOAD_COUNT], count);
		assert_int_equal(fields[VMCS_ENTRY_MSR_LOAD_COUNT], count);
		assert_ptr_equal(fields[VMCS_EXIT_MSR_STORE_ADDRESS], vmx->area->guest);
		assert_ptr_equal(fields[VMCS_ENTRY_MSR_LOAD_ADDRESS], vmx->area->guest);
		assert_ptr_equal(fields[VMCS_EXIT_MSR_LOAD_ADDRESS], vmx->area->host);
		assert_int_equal(fields[VMCS_EXIT_MSR_LOAD_ADDRESS] % 16, 0);
		assert_list(vmx->area->guest, count);
		assert_list(vmx->area->host, count);
		assert_ptr_equal(vmx->efer_vmcs, i ? vmx->vmcs : NULL);
		vmx_vcpu_destroy(&vcpu);
		/* Nothing is left of a vCPU that gets none. */
		no_memory_for = sizeof(struct vmx_msr_area);
		assert_int_equal(vmx_vcpu_create(&vcpu), -ENOMEM);
		assert_null(vcpu.hv);
		no_memory_for = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_vmcs_is_written),
		cmocka_unit_test(test_lists_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
