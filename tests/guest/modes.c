/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trip from 64-bit mode through 32-bit PAE paging and real mode and back. Each
 * change of mode sets or clears CD or NE of CR0 with it, which no hardware lets
 * a guest do by itself: a hypervisor must make the change as the CPU would.
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"

#include <string.h>

#define LEAF		  0x40000000 /* the hypervisor's */
#define REAL_CODE	  0x9000     /* modes.c's own page below 64 KiB; 0x8000 is the library's */
#define REAL_INT	  0x41
#define MODES_TRIPS	  20
#define EXTENDED_KB	  (63u * 1024) /* of the 64 MiB that these VMs have */
#define PDPTE_P		  1
#define PROBES		  5
#define ALIAS_OF_FIRST_GB 1 /* PDPTE that maps the first GiB once more */

/* Below 4 GiB, as all of us. Known to the code below. */
uint64_t modes_pdpt[4] __aligned(32);
uint64_t modes_rsp, modes_cr0, modes_cr3, modes_cr4, modes_efer;
uint8_t modes_idtr[10];
uint32_t modes_signature, modes_apic_version; /* in 64-bit mode */
uint32_t modes_probes, modes_bad;	      /* how many, and a bit for each that went wrong */
uint32_t modes_efers[2];		      /* without paging, and with it again */
volatile uint32_t modes_word;		      /* is read at its alias */

extern const char modes_real[], modes_real_end[], modes_real_result[];
void modes_trip(void);
void modes_blink(void);
extern uint8_t guest_pd[];

/* clang-format off */
__asm__(
"	.pushsection .text, \"ax\", @progbits\n"
"	.code64\n"
"	.globl modes_trip\n"
"modes_trip:\n"
"	pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
"	sidt modes_idtr\n"
"	mov %cr0, %rax; mov %rax, modes_cr0\n"
"	mov %cr3, %rax; mov %rax, modes_cr3\n"
"	mov %cr4, %rax; mov %rax, modes_cr4\n"
"	mov $0xc0000080, %ecx; rdmsr; mov %eax, modes_efer\n"
"	mov %rsp, modes_rsp\n"
"	pushq $0x08; pushq $1f; lretq\n"
"	.code32\n"
"1:	mov $0x10, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %ss\n"
	/* Out of long mode: PG off, CD on. */
"	mov %cr0, %eax; and $0x7fffffff, %eax; or $0x40000000, %eax; mov %eax, %cr0\n"
"	mov $0xc0000080, %ecx; rdmsr; and $~0x100, %eax; wrmsr\n"
"	mov $modes_pdpt, %eax; mov %eax, %cr3\n"
	/* To PAE paging: PG on, CD off. */
"	mov %cr0, %eax; xor $0xc0000000, %eax; mov %eax, %cr0\n"
"	call modes_probe\n"
"	mov %cr0, %eax; or $0x40000000, %eax; mov %eax, %cr0; call modes_probe\n"
"	mov %cr0, %eax; and $~0x40000000, %eax; mov %eax, %cr0; call modes_probe\n"
	/* CR4.MCE; PGE, which is the guest's own; EFER.NXE. */
"	mov %cr4, %eax; xor $0x40, %eax; mov %eax, %cr4; call modes_probe\n"
"	mov %cr4, %eax; xor $0xc0, %eax; mov %eax, %cr4\n"
"	mov $0xc0000080, %ecx; rdmsr; xor $0x800, %eax; wrmsr; xor $0x800, %eax; wrmsr\n"
"	call modes_probe\n"
"	mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0\n"
"	ljmp $0x20, $0x9000\n"
"modes_back:\n"
"	mov $0x10, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %ss; mov modes_rsp, %esp\n"
"	mov modes_cr3, %eax; mov %eax, %cr3\n"
"	mov modes_cr4, %eax; mov %eax, %cr4\n"
"	mov $0xc0000080, %ecx; mov modes_efer, %eax; and $~0x400, %eax; xor %edx, %edx; wrmsr\n"
	/* To long mode: PG and CD on. */
"	mov modes_cr0, %eax; or $0x40000000, %eax; mov %eax, %cr0\n"
"	ljmp $0x18, $1f\n"
"	.code64\n"
"1:	mov $0x10, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %ss\n"
"	mov modes_rsp, %rsp\n"
"	mov modes_cr0, %rax; mov %rax, %cr0\n"
"	lidt modes_idtr\n"
"	popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx\n"
"	ret\n"
	/* Out of long mode and back by PG alone, which many hypervisors do not see. */
"	.globl modes_blink\n"
"modes_blink:\n"
"	pushq %rbx; mov %rsp, modes_rsp\n"
"	mov $0xc0000080, %ecx; mov %cr0, %rbx\n"
"	pushq $0x08; pushq $1f; lretq\n"
"	.code32\n"
"1:	and $0x7fffffff, %ebx; mov %ebx, %cr0; rdmsr; mov %eax, modes_efers\n"
"	or $0x80000000, %ebx; mov %ebx, %cr0; rdmsr; mov %eax, modes_efers + 4\n"
"	ljmp $0x18, $1f\n"
"	.code64\n"
"1:	mov modes_rsp, %rsp; popq %rbx\n"
"	ret\n"
	/* Exits, the emulator's way through the tables, and the alias. */
"	.code32\n"
"modes_probe:\n"
"	xor %edi, %edi\n"
"	mov $0x40000000, %eax; cpuid; cmp %ebx, modes_signature; jne 2f\n"
"	mov 0xfee00030, %eax; cmp %eax, modes_apic_version; jne 2f\n"
"	mov modes_word, %eax; cmp %eax, modes_word + 0x40000000; je 3f\n"
"2:	inc %edi\n"
"3:	mov modes_probes, %ecx; shl %cl, %edi; or %edi, modes_bad; incl modes_probes\n"
"	ret\n"
"	.popsection\n"

	/* At REAL_CODE; first still in protected mode, 16 bits. */
"	.pushsection .rodata, \"a\", @progbits\n"
"	.code16\n"
"modes_real:\n"
"	mov $0x28, %ax; mov %ax, %ds; mov %ax, %es; mov %ax, %ss\n"
	/* To real mode: PE and NE off. */
"	mov %cr0, %eax; and $~0x21, %eax; mov %eax, %cr0\n"
"	ljmp $0x900, $1f - modes_real\n"
"1:	mov $0x900, %ax; mov %ax, %ds; mov %ax, %ss; mov $0xf00, %sp\n"
"	xor %ax, %ax; mov %ax, %es\n"
"	lidtl modes_real_idtr - modes_real\n"
"	movw $modes_real_int - modes_real, %es:0x41 * 4; movw $0x900, %es:0x41 * 4 + 2\n"
"	mov %cr0, %eax; or $0x40000000, %eax; mov %eax, %cr0\n"
"	mov $0x40000000, %eax; cpuid; mov %ebx, modes_real_result - modes_real\n"
"	int $0x41\n"
	/* There is no BIOS: reading a disk is refused, interrupts of the 8259s come back. */
"	mov $0x0201, %ax; clc; int $0x13; setc modes_real_result + 12 - modes_real\n"
"	mov %ah, modes_real_result + 13 - modes_real\n"
"	mov $0x1234, %ax; int $0x03; int $0x08; int $0x0f; int $0x70; int $0x77\n"
"	mov %ax, modes_real_result + 14 - modes_real\n"
	/* But memory is told. */
"	int $0x12; mov %ax, modes_real_result + 16 - modes_real\n"
"	mov $0x88, %ah; stc; int $0x15; jc 2f; mov %ax, modes_real_result + 18 - modes_real\n"
"2:	mov $0xe801, %ax; int $0x15; jc 2f; movw $0, modes_real_result + 18 - modes_real\n"
"2:\n"
"	mov %cr0, %eax; mov %eax, modes_real_result + 8 - modes_real\n"
	/* To protected mode: PE and NE on, CD off. */
"	xor $0x40000021, %eax; mov %eax, %cr0\n"
"	ljmpl $0x08, $modes_back\n"
"modes_real_int:\n"
"	incl modes_real_result + 4 - modes_real; in $0x80, %al; iret\n"
"	.balign 4\n"
"modes_real_idtr:\n"
"	.short 0x3ff; .long 0\n"
"	.balign 4\n"
"modes_real_result:\n" /* CPUID's EBX, interrupts, CR0, what the BIOS said */
"	.long 0, 0, 0, 0, 0\n"
"modes_real_end:\n"
"	.code64\n"
"	.popsection\n");
/* clang-format on */

static void prepare(void)
{
	uint32_t r[4];

	cpuid(LEAF, 0, r);
	modes_signature = r[1];
	modes_apic_version = mmio_read(0xfee00030);
	modes_word = 0x12345678;
	for (unsigned i = 0; i < ARRAY_SIZE(modes_pdpt); i++)
		modes_pdpt[i] = (uint64_t)(guest_pd + 4096 * i) | PDPTE_P;
	modes_pdpt[ALIAS_OF_FIRST_GB] = modes_pdpt[0];
	memcpy((void *)REAL_CODE, modes_real, (size_t)(modes_real_end - modes_real));
}

GUEST_TEST(changes_modes_with_bits_that_are_not_its_own)
{
	volatile uint32_t *real = (uint32_t *)(REAL_CODE + (modes_real_result - modes_real));

	prepare();
	for (unsigned trip = 1; trip <= MODES_TRIPS; trip++) {
		modes_probes = modes_bad = 0;
		modes_trip();
		CHECK(modes_probes == PROBES && !modes_bad, "trip %u: PAE: %u probes, bad 0x%x",
		      trip, modes_probes, modes_bad);
		CHECK(real[0] == modes_signature && real[1] == trip,
		      "trip %u: real mode: CPUID 0x%x, %u interrupts", trip, real[0], real[1]);
		CHECK((real[2] & 0xc0000021) == 0x40000000, "real mode's CR0 is 0x%x", real[2]);
		CHECK(real[3] == 0x12348601, "BIOS calls: 0x%x", real[3]);
		CHECK((uint16_t)real[4] == 639 && real[4] >> 16 == EXTENDED_KB,
		      "the BIOS knows of %u KiB, and of %u above 1 MiB", (uint16_t)real[4],
		      real[4] >> 16);
		real[3] = real[4] = 0;
	}
}

GUEST_TEST(long_mode_follows_paging)
{
	uint64_t efer = rdmsr(0xc0000080);

	CHECK((efer & 0x500) == 0x500, "LME and LMA: 0x%llx", (unsigned long long)efer);
	modes_blink();
	CHECK(modes_efers[0] == (efer & ~0x400ull), "0x%x without paging", modes_efers[0]);
	CHECK(modes_efers[1] == efer, "0x%x with paging", modes_efers[1]);
}
