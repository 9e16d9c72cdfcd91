/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/guest/lib/pae.h"
#include "tests/guest/lib/guest.h"

#include <string.h>

/* Known to the code below, which has no other place while it changes modes. */
uint8_t pae_gdtr[10], pae_gdtr_old[10], pae_idtr[10], pae_idtr_old[10];
uint32_t pae_code, pae_pdpt;
uint64_t pae_rsp, pae_cr0, pae_cr3, pae_efer;

void pae_trip(void);

/* clang-format off */
__asm__(
"	.pushsection .text, \"ax\", @progbits\n"
"	.code64\n"
"	.globl pae_trip\n"
"pae_trip:\n"
"	pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
"	sidt pae_idtr_old; sgdt pae_gdtr_old\n"
"	mov %cr0, %rax; mov %rax, pae_cr0\n"
"	mov %cr3, %rax; mov %rax, pae_cr3\n"
"	mov $0xc0000080, %ecx; rdmsr; mov %eax, pae_efer\n"
"	mov %rsp, pae_rsp\n"
"	lgdt pae_gdtr; lidt pae_idtr\n"
"	pushq $0x08; pushq $1f; lretq\n"
"	.code32\n"
"1:	mov $0x10, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %ss\n"
"	xor %eax, %eax; mov %eax, %fs; mov %eax, %gs; lldt %ax\n"
	/* Out of long mode, and to PAE paging. */
"	mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0\n"
"	mov $0xc0000080, %ecx; rdmsr; and $~0x100, %eax; wrmsr\n"
"	mov pae_pdpt, %eax; mov %eax, %cr3\n"
"	mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0\n"
"	mov $0x30, %eax; ltr %ax\n"
"	call *pae_code\n"
	/* To long mode. */
"	mov $0x10, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %ss\n"
"	mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0\n"
"	mov pae_cr3, %eax; mov %eax, %cr3\n"
"	mov $0xc0000080, %ecx; mov pae_efer, %eax; and $~0x400, %eax; xor %edx, %edx; wrmsr\n"
"	mov pae_cr0, %eax; mov %eax, %cr0\n"
"	ljmp $0x18, $1f\n"
"	.code64\n"
"1:	mov pae_rsp, %rsp\n"
"	lidt pae_idtr_old; lgdt pae_gdtr_old\n"
"	popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx\n"
"	ret\n"
"	.popsection\n");
/* clang-format on */

static void table_register(uint8_t *reg, const void *table, size_t size)
{
	uint16_t limit = (uint16_t)(size - 1);

	memcpy(reg, &limit, 2);
	memcpy(reg + 2, &table, 8);
}

void guest_pae_call(const void *code, const uint64_t pdpt[4], const uint64_t *gdt, size_t gdt_size,
		    const uint64_t *idt, size_t idt_size)
{
	pae_code = pae_low(code);
	pae_pdpt = pae_low(pdpt);
	table_register(pae_gdtr, gdt, gdt_size);
	table_register(pae_idtr, idt, idt_size);
	pae_trip();
}
