/* SPDX-License-Identifier: BSD-2-Clause */
/* Each CPU's GDT and TSS, and the one IDT (Intel SDM vol. 3A, 3.4, 6.14 and 8.7). */
#ifndef ARCH_X86_64_DESC_H
#define ARCH_X86_64_DESC_H

/* The same in entry.S and trampoline.S, whose own tables these replace. */
#define DESC_CODE 0x08
#define DESC_DATA 0x10
#define DESC_TSS  0x18

/* Stacks of the IST, 1-based as in the IDT's entries. */
#define DESC_IST_DF    1
#define DESC_IST_NMI   2
#define DESC_IST_MC    3
#define DESC_IST_COUNT 3
#define DESC_IST_ORDER 1 /* pages, as a power of two */
#define DESC_IST_SIZE  (4096 << DESC_IST_ORDER)

#ifndef __ASSEMBLER__

#include "lib/compiler.h"

#include <stddef.h>
#include <stdint.h>

struct desc_tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7]; /* [0] is IST 1 */
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap;
} __packed;
_Static_assert(sizeof(struct desc_tss) == 104, "SDM vol. 3A, figure 8-11");
_Static_assert(offsetof(struct desc_tss, ist) == 36, "SDM vol. 3A, figure 8-11");

struct desc_gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};
_Static_assert(sizeof(struct desc_gate) == 16, "SDM vol. 3A, figure 6-8");

/* What LGDT and LIDT take. */
struct desc_pointer {
	uint16_t limit;
	uint64_t base;
} __packed;

/* One CPU's own; readable by every CPU, written by its own. */
struct desc_cpu {
	uint64_t gdt[5]; /* null, code, data, TSS in two */
	struct desc_tss tss __aligned(8);
};

extern struct desc_gate desc_idt[256];

/* Any CPU may fill another's. @ist_tops: the upper ends of the IST's stacks. */
void desc_init(struct desc_cpu *desc, uint8_t *const ist_tops[DESC_IST_COUNT]);
/* Loads @desc and the IDT on this CPU. Segment registers are ours afterwards, FS and GS null. */
void desc_load(struct desc_cpu *desc);
/* Loads TR again where a guest's was left in it. Context: any on the CPU that @desc belongs to. */
void desc_load_tr(struct desc_cpu *desc);

#endif
#endif
