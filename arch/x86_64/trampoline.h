/* SPDX-License-Identifier: BSD-2-Clause */
/* The code that another CPU begins with, and what smp.c tells it. */
#ifndef ARCH_X86_64_TRAMPOLINE_H
#define ARCH_X86_64_TRAMPOLINE_H

#define TRAMPOLINE_MAX	  2048 /* bytes of code; the data stands behind, in the same page */
#define TRAMPOLINE_CR3	  0
#define TRAMPOLINE_TABLES 8
#define TRAMPOLINE_STACK  16
#define TRAMPOLINE_CPU	  24

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

extern const uint8_t trampoline_start[TRAMPOLINE_MAX];

struct trampoline_data {
	uint64_t cr3;	 /* below 4 GiB: with the trampoline's own page */
	uint64_t tables; /* this CPU's own */
	uint64_t stack;
	uint64_t cpu; /* struct cpu *, as an argument for smp_enter() */
};
_Static_assert(offsetof(struct trampoline_data, cr3) == TRAMPOLINE_CR3, "trampoline.S");
_Static_assert(offsetof(struct trampoline_data, tables) == TRAMPOLINE_TABLES, "trampoline.S");
_Static_assert(offsetof(struct trampoline_data, stack) == TRAMPOLINE_STACK, "trampoline.S");
_Static_assert(offsetof(struct trampoline_data, cpu) == TRAMPOLINE_CPU, "trampoline.S");

#endif
#endif
