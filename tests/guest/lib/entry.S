/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry of a test guest: Multiboot 1 (QEMU's -kernel boots it on the bare
 * machine as well) or, with -DMULTIBOOT=2, Multiboot2; to long mode with the
 * first 4 GiB identity-mapped, then guest_start(magic, info).
 */
#ifndef MULTIBOOT
#define MULTIBOOT 1
#endif

#define GUEST_STACK_SIZE 65536

	.section .multiboot, "a"
#if MULTIBOOT == 1
	.balign 4
	.long 0x1badb002, 0x3, -(0x1badb002 + 0x3)
#else
	.balign 8
multiboot2:
	.long 0xe85250d6, 0, multiboot2_end - multiboot2
	.long -(0xe85250d6 + (multiboot2_end - multiboot2))
	.short 1, 0 /* information that we need: modules, memory map, ACPI */
	.long 20
	.long 3, 6, 15
	.balign 8
	.short 0, 0
	.long 8
multiboot2_end:
#endif

	.text
	.code32
	.globl _start
_start:
	cli
	mov $guest_stack_top, %esp
	mov %eax, %ebp
	mov $guest_pdpt + 3, %eax
	mov %eax, guest_pml4
	mov $guest_pd + 3, %eax
	mov $guest_pdpt, %edi
	mov $4, %ecx
1:	mov %eax, (%edi)
	add $8, %edi
	add $4096, %eax
	loop 1b
	mov $0x83, %eax
	mov $guest_pd, %edi
	mov $2048, %ecx
1:	mov %eax, (%edi)
	add $8, %edi
	add $0x200000, %eax
	loop 1b
	call guest_long_mode
	.code64
	mov %ebp, %edi
	mov %ebx, %esi
	xor %ebp, %ebp
	call guest_start
1:	hlt
	jmp 1b

/* From flat protected mode to long mode; returns there, on the same stack (below 4 GiB). */
	.code32
guest_long_mode:
	pop %esi
	mov $guest_pml4, %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $0x620, %eax /* PAE, OSFXSR, OSXMMEXCPT */
	mov %eax, %cr4
	mov $0xc0000080, %ecx
	rdmsr
	or $0x900, %eax /* LME, NXE */
	wrmsr
	mov %cr0, %eax
	and $~0x4, %eax /* EM */
	or $0x80010023, %eax /* PG, WP, NE, MP, PE */
	mov %eax, %cr0
	lgdt guest_gdtr
	ljmp $0x18, $1f
	.code64
1:	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov %esi, %esi
	jmp *%rsi

/*
 * Where a started CPU begins: copied to guest_ap_page, real mode, CS = page >> 4.
 * Takes the stack that the boot CPU left in guest_ap_stack.
 */
	.code16
	.globl guest_ap_code, guest_ap_code_end
guest_ap_code:
	cli
	xor %ax, %ax
	mov %ax, %ds
	lgdtl guest_gdtr_low - guest_ap_code + 0x8000
	mov %cr0, %eax
	or $1, %eax
	mov %eax, %cr0
	ljmpl $0x08, $guest_ap32
	.balign 8
guest_gdtr_low:
	.short guest_gdt_end - guest_gdt - 1
	.long guest_gdt
guest_ap_code_end:
	.code32
guest_ap32:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov guest_ap_stack, %esp
	call guest_long_mode
	.code64
	xor %ebp, %ebp
	call guest_ap_start
1:	hlt
	jmp 1b

	.section .rodata
	.balign 8
	.globl guest_gdt
guest_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff /* 0x08: 32-bit code */
	.quad 0x00cf93000000ffff /* 0x10: data */
	.quad 0x00af9b000000ffff /* 0x18: 64-bit code */
	.quad 0x00009b000000ffff /* 0x20: 16-bit code */
	.quad 0x000093000000ffff /* 0x28: 16-bit data */
guest_gdt_end:
guest_gdtr:
	.short guest_gdt_end - guest_gdt - 1
	.quad guest_gdt

	.bss
	.balign 4096
	.globl guest_pml4, guest_pd
guest_pml4:
	.skip 4096
guest_pdpt:
	.skip 4096
guest_pd:
	.skip 4096 * 4
	.skip GUEST_STACK_SIZE
guest_stack_top:

	.section .note.GNU-stack, "", @progbits
