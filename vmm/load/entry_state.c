/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/load/entry_state.h"

#include "vmm/guest_memory.h"
#include "vmm/hv_ops.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

/* Architectural bits (APM vol. 2, 3.1): no header of the machine's is needed to set a guest's. */
#define CR0_PE	 BIT(0)
#define CR0_ET	 BIT(4)
#define CR0_PG	 BIT(31)
#define CR4_PAE	 BIT(5)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)

/* APM vol. 2, 5.3: present, writable, and a 2 MiB page. */
#define PTE_P  BIT(0)
#define PTE_W  BIT(1)
#define PTE_PS BIT(7)

#define GDT_CODE64 UINT64_C(0x00af9b000000ffff)
#define GDT_CODE32 UINT64_C(0x00cf9b000000ffff)
#define GDT_DATA   UINT64_C(0x00cf93000000ffff)

#define ATTR_CODE     (0x0bu | SEG_ATTR_S | SEG_ATTR_P)
#define ATTR_DATA     (0x03u | SEG_ATTR_S | SEG_ATTR_P)
#define ATTR_TSS_BUSY (0x0bu | SEG_ATTR_P)

static int entry_write_gdt(struct vm *vm, uint64_t code)
{
	const uint64_t gdt[] = {0, 0, code, GDT_DATA};

	return guest_write(vm, ENTRY_GDT_GPA, gdt, sizeof(gdt));
}

static void entry_set_segments(struct vcpu *vcpu, uint16_t code_mode)
{
	const struct vcpu_segment code = {ENTRY_CS, ATTR_CODE | SEG_ATTR_G | code_mode, UINT32_MAX,
					  0};
	const struct vcpu_segment data = {ENTRY_DS, ATTR_DATA | SEG_ATTR_G | SEG_ATTR_DB,
					  UINT32_MAX, 0};
	const struct vcpu_segment gdt = {0, 0, 4 * 8 - 1, ENTRY_GDT_GPA};
	/* Interrupts are off and the kernel loads its own IDT: any vector before that shuts down.
	 */
	const struct vcpu_segment idt = {0, 0, 0, 0};
	const struct vcpu_segment tss = {0, ATTR_TSS_BUSY, 0x67, 0};
	unsigned seg;

	for (seg = SEG_ES; seg <= SEG_GS; seg++)
		hv_ops->set_seg(vcpu, seg, seg == SEG_CS ? &code : &data);
	hv_ops->set_seg(vcpu, SEG_GDTR, &gdt);
	hv_ops->set_seg(vcpu, SEG_IDTR, &idt);
	hv_ops->set_seg(vcpu, SEG_TR, &tss);
}

static void entry_set_rip(struct vcpu *vcpu, gpa_t entry)
{
	hv_ops->set_reg(vcpu, VCPU_RFLAGS, 0x2);
	vcpu->rip = entry;
}

int entry_state_protected(struct vm *vm, gpa_t entry)
{
	struct vcpu *vcpu = vm->vcpus[0];
	int err = entry_write_gdt(vm, GDT_CODE32);

	if (err)
		return err;
	hv_ops->set_reg(vcpu, VCPU_CR0, CR0_PE | CR0_ET);
	entry_set_segments(vcpu, SEG_ATTR_DB);
	entry_set_rip(vcpu, entry);
	return 0;
}

/* PML4 → one PDPT → four page directories of 2 MiB pages. */
static int entry_write_pages(struct vm *vm)
{
	uint64_t pml4 = (ENTRY_PAGES_GPA + 0x1000) | PTE_P | PTE_W;
	uint64_t pdpt[4], entry;
	unsigned i;
	int err;

	err = guest_fill(vm, ENTRY_PAGES_GPA, 0, 0x2000);
	for (i = 0; i < 4; i++)
		pdpt[i] = (ENTRY_PAGES_GPA + 0x2000 + i * 0x1000) | PTE_P | PTE_W;
	if (!err)
		err = guest_write(vm, ENTRY_PAGES_GPA, &pml4, sizeof(pml4));
	if (!err)
		err = guest_write(vm, ENTRY_PAGES_GPA + 0x1000, pdpt, sizeof(pdpt));
	for (i = 0; i < 4 * 512 && !err; i++) {
		entry = i * UINT64_C(0x200000) | PTE_P | PTE_W | PTE_PS;
		err = guest_write(vm, ENTRY_PAGES_GPA + 0x2000 + i * 8, &entry, sizeof(entry));
	}
	return err;
}

int entry_state_long(struct vm *vm, gpa_t entry)
{
	struct vcpu *vcpu = vm->vcpus[0];
	int err = entry_write_gdt(vm, GDT_CODE64);

	if (!err)
		err = entry_write_pages(vm);
	if (err)
		return err;
	hv_ops->set_reg(vcpu, VCPU_CR3, ENTRY_PAGES_GPA);
	hv_ops->set_reg(vcpu, VCPU_CR4, CR4_PAE);
	hv_ops->set_reg(vcpu, VCPU_EFER, EFER_LME | EFER_LMA);
	hv_ops->set_reg(vcpu, VCPU_CR0, CR0_PE | CR0_ET | CR0_PG);
	entry_set_segments(vcpu, SEG_ATTR_L);
	entry_set_rip(vcpu, entry);
	return 0;
}
