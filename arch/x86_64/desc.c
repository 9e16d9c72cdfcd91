/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/desc.h"

struct desc_gate desc_idt[256] __aligned(4096);

/* Present, DPL 0, accessed already so that the CPU need not write to it. */
#define GDT_CODE      UINT64_C(0x00af9b000000ffff)
#define GDT_DATA      UINT64_C(0x00cf93000000ffff)
#define GDT_TSS_AVAIL UINT64_C(0x0000890000000000)

static void set_tss(uint64_t gdt[2], const struct desc_tss *tss)
{
	uint64_t base = (uint64_t)tss;

	gdt[0] = GDT_TSS_AVAIL | (sizeof(*tss) - 1) | (base & 0xffffff) << 16 |
		 (base >> 24 & 0xff) << 56;
	gdt[1] = base >> 32;
}

static void load_segments(void)
{
	__asm__ volatile("push %0\n\t"
			 "lea 1f(%%rip), %%rax\n\t"
			 "push %%rax\n\t"
			 "lretq\n"
			 "1:\tmov %1, %%ds\n\t"
			 "mov %1, %%es\n\t"
			 "mov %1, %%ss\n\t"
			 "mov %2, %%fs\n\t"
			 "mov %2, %%gs\n\t"
			 :
			 : "i"(DESC_CODE), "r"(DESC_DATA), "r"(0)
			 : "rax", "memory");
}

void desc_init(struct desc_cpu *desc, uint8_t *const ist_tops[DESC_IST_COUNT])
{
	*desc = (struct desc_cpu){.gdt = {0, GDT_CODE, GDT_DATA}};
	for (int i = 0; i < DESC_IST_COUNT; i++)
		desc->tss.ist[i] = (uint64_t)ist_tops[i];
	desc->tss.iomap = sizeof(desc->tss); /* none */
}

void desc_load(struct desc_cpu *desc)
{
	struct desc_pointer gdtr = {sizeof(desc->gdt) - 1, (uint64_t)desc->gdt};
	struct desc_pointer idtr = {sizeof(desc_idt) - 1, (uint64_t)desc_idt};

	__asm__ volatile("lgdt %0" : : "m"(gdtr));
	load_segments();
	desc_load_tr(desc);
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

void desc_load_tr(struct desc_cpu *desc)
{
	/* LTR wants a TSS that is not busy, and marks it so. */
	set_tss(&desc->gdt[DESC_TSS / 8], &desc->tss);
	__asm__ volatile("ltr %w0" : : "r"(DESC_TSS) : "memory");
}
