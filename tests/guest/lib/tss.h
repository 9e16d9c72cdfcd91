/* SPDX-License-Identifier: BSD-2-Clause */
/* Task-state segments and gates (SDM vol. 3A, 7.2). */
#ifndef TESTS_GUEST_LIB_TSS_H
#define TESTS_GUEST_LIB_TSS_H

#include "lib/compiler.h"

#include <stdint.h>

#define TSS_TYPE_16	   0x81 /* present, available */
#define TSS_TYPE_32	   0x89
#define TSS_BUSY	   2 /* of the type */
#define TSS_TASK_GATE	   0x85
#define TSS_TASK_GATE_USER 0xe5

struct tss {
	uint32_t link, stacks[6], cr3, eip, eflags;
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt;
	uint16_t trap, iomap;
} __packed;
_Static_assert(sizeof(struct tss) == 104, "SDM vol. 3A, figure 7-2");

struct tss16 {
	uint16_t link, stacks[6], ip, flags;
	uint16_t ax, cx, dx, bx, sp, bp, si, di;
	uint16_t es, cs, ss, ds, ldt;
} __packed;
_Static_assert(sizeof(struct tss16) == 44, "SDM vol. 3A, figure 7-10");

static inline uint64_t tss_descriptor(const void *tss, uint32_t limit, uint8_t type)
{
	uint64_t base = (uint64_t)tss;

	return limit | (base & 0xffffff) << 16 | (uint64_t)type << 40 | (base >> 24 & 0xff) << 56;
}

static inline uint64_t tss_task_gate(uint16_t selector, uint8_t type)
{
	return (uint64_t)type << 40 | (uint64_t)selector << 16;
}

#endif
