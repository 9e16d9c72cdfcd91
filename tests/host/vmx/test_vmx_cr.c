/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vmx/vmx_cr.c vmm/vmx/vmx_msr_area.c vmm/vmx/vmx_choose.c */
/* test-sources: vmm/vmx/vmx_controls.c */
/* vmm/vmx/vmx_cr.c: long mode and PAE paging as registers are set, and whose each bit is. */
#include "vmm/vmx/vmx_cr.h"
#include "arch/x86_64/msr.h"
#include "kernel/slab.h"
#include "tests/host/vmx/one_vcpu.h"
#include "vmm/vmx/vmx_msr_area.h"

#include <stdlib.h>

#define PDPTE(n) (VMCS_GUEST_PDPTE0 + 2 * (n))

char *fake_direct_base;
static struct vm vm = {.cr4_allowed = CR4_PAE | CR4_PGE | CR4_MCE};
static uint64_t memory[4] = {0x5001, 0, 0x7001, 0x9003};

int guest_read(struct vm *v, gpa_t gpa, void *buf, size_t len)
{
	(void)v;
	assert_int_equal(gpa, 0x3000);
	assert_int_equal(len, sizeof(memory));
	memcpy(buf, memory, len);
	return 0;
}

void *kzalloc(size_t size)
{
	return calloc(1, size);
}

void kfree(const void *p)
{
	free((void *)p);
}

void vmx_vpid_flush(struct vcpu *v)
{
	(void)v;
}

static void begin(uint64_t cr0, uint64_t efer)
{
	vcpu.vm = &vm;
	vmx_machine.phys_bits = 40;
	vmx_machine.entry.used = VMX_ENTRY_LOAD_EFER | VMX_ENTRY_LOAD_PAT;
	fields[VMCS_GUEST_CR3] = 0x3000;
	fields[VMCS_GUEST_EFER] = efer;
	vmx_cr_set(&vcpu, VCPU_CR4, CR4_PAE);
	vmx_cr_set(&vcpu, VCPU_CR0, cr0 | CR0_ET);
}

/* Of the guest's own tables, what no CPU would have loaded is not present. */
static void test_pae(void **state)
{
	(void)state;
	begin(CR0_PE | CR0_PG, 0);
	assert_int_equal(fields[PDPTE(0)], 0x5001);
	assert_int_equal(fields[PDPTE(2)], 0x7001);
	assert_int_equal(fields[PDPTE(3)], 0);
	/* They stay loaded, whatever becomes of memory, until CR0, CR3 or CR4 is set. */
	fields[PDPTE(0)] = 0x1001;
	vmx_cr_set(&vcpu, VCPU_EFER, EFER_NXE);
	assert_int_equal(fields[PDPTE(0)], 0x1001);
	vmx_cr_set(&vcpu, VCPU_CR4, CR4_PAE | CR4_PGE);
	assert_int_equal(fields[PDPTE(0)], 0x5001);
}

static void test_long_mode_follows_paging(void **state)
{
	(void)state;
	begin(CR0_PE, EFER_LME);
	assert_int_equal(fields[VMCS_GUEST_EFER], EFER_LME);
	assert_int_equal(fields[VMCS_ENTRY_CONTROLS], 0);
	vmx_cr_set(&vcpu, VCPU_CR0, CR0_PE | CR0_PG);
	assert_int_equal(fields[VMCS_GUEST_EFER], EFER_LME | EFER_LMA);
	assert_int_equal(fields[VMCS_ENTRY_CONTROLS], VMX_ENTRY_IA32E_GUEST);
	assert_int_equal(fields[PDPTE(0)], 0);
	vmx_cr_set(&vcpu, VCPU_CR0, CR0_PE);
	assert_int_equal(fields[VMCS_GUEST_EFER], EFER_LME);
	assert_int_equal(fields[VMCS_ENTRY_CONTROLS], 0);
}

/* On a CPU without EFER's controls its list has it, and the field is left alone. */
static void test_efer_in_a_list(void **state)
{
	const uint64_t poison = 0xbad0;
	struct vmx_msr_entry *entry;

	(void)state;
	vmx_machine.entry.used = VMX_ENTRY_LOAD_PAT;
	assert_int_equal(vmx_msr_area_create(&vmx), 0);
	entry = &vmx.area->guest[0];
	vcpu.vm = &vm;
	fields[VMCS_GUEST_EFER] = poison;
	vmx_cr_set(&vcpu, VCPU_CR4, CR4_PAE);
	vmx_cr_set(&vcpu, VCPU_CR0, CR0_PE);
	vmx_cr_set(&vcpu, VCPU_EFER, EFER_LME | EFER_NXE);
	assert_int_equal(entry->index, MSR_EFER);
	assert_int_equal(entry->value, EFER_LME | EFER_NXE);
	vmx_cr_set(&vcpu, VCPU_CR0, CR0_PE | CR0_PG);
	assert_int_equal(entry->value, EFER_LME | EFER_LMA | EFER_NXE);
	assert_int_equal(fields[VMCS_ENTRY_CONTROLS], VMX_ENTRY_IA32E_GUEST);
	assert_int_equal(vmx_cr_get(&vcpu, VCPU_EFER), EFER_LME | EFER_LMA | EFER_NXE);
	/* As an exit stores it, when the guest has left long mode. */
	entry->value = EFER_LME;
	assert_int_equal(vmx_cr_get(&vcpu, VCPU_EFER), EFER_LME);
	assert_int_equal(fields[VMCS_GUEST_EFER], poison);
	/* PAT has its field. */
	vmx_msr_set(&vmx, VMX_SWITCHED_PAT, 0x0606060606060606);
	assert_int_equal(fields[VMCS_GUEST_PAT], 0x0606060606060606);
	assert_int_equal(vmx_msr_get(&vmx, VMX_SWITCHED_PAT), 0x0606060606060606);
	vmx_msr_area_destroy(&vmx);
}

/* The guest reads what it wrote, and the CPU runs with what it must. */
static void test_whose_bits(void **state)
{
	(void)state;
	begin(CR0_PE | CR0_CD | CR0_NW, 0);
	assert_int_equal(vmx_cr_get(&vcpu, VCPU_CR0), CR0_PE | CR0_CD | CR0_NW | CR0_ET);
	assert_int_equal(fields[VMCS_GUEST_CR0], CR0_PE | CR0_NE | CR0_ET);
	assert_int_equal(fields[VMCS_CR0_SHADOW], CR0_CD | CR0_NW);
	vmx_cr_set(&vcpu, VCPU_CR4, CR4_PAE | CR4_MCE);
	assert_int_equal(vmx_cr_get(&vcpu, VCPU_CR4), CR4_PAE | CR4_MCE);
	assert_int_equal(fields[VMCS_CR4_SHADOW], CR4_MCE);
	assert_true(fields[VMCS_GUEST_CR4] & CR4_VMXE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pae, setup),
		cmocka_unit_test_setup(test_long_mode_follows_paging, setup),
		cmocka_unit_test_setup(test_efer_in_a_list, setup),
		cmocka_unit_test_setup(test_whose_bits, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
