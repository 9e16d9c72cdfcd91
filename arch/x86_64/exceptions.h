/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and interrupts that this CPU takes in our own code.
 *
 * #DF, NMI and #MC run on stacks of their own (IST). The CPU finds those in
 * the TSS that TR points to, so TR must be ours whenever they can come: where
 * the guest's TR stays live after an exit (SVM), GIF stays 0 until it is back.
 */
#ifndef ARCH_X86_64_EXCEPTIONS_H
#define ARCH_X86_64_EXCEPTIONS_H

#include "lib/compiler.h"

#include <stddef.h>
#include <stdint.h>

/* Intel SDM vol. 3A, 6.15. */
#define EXCEPTION_DE	0
#define EXCEPTION_DB	1
#define EXCEPTION_NMI	2
#define EXCEPTION_BP	3
#define EXCEPTION_OF	4
#define EXCEPTION_BR	5
#define EXCEPTION_UD	6
#define EXCEPTION_NM	7
#define EXCEPTION_DF	8
#define EXCEPTION_TS	10
#define EXCEPTION_NP	11
#define EXCEPTION_SS	12
#define EXCEPTION_GP	13
#define EXCEPTION_PF	14
#define EXCEPTION_MF	16
#define EXCEPTION_AC	17
#define EXCEPTION_MC	18
#define EXCEPTION_XM	19
#define EXCEPTION_COUNT 32

/* What stubs.S pushes below what the CPU pushes; offsets are known to it. */
struct exception_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	uint64_t error; /* 0 where the CPU gives none */
	uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(offsetof(struct exception_frame, vector) == 15 * 8, "stubs.S");
_Static_assert(offsetof(struct exception_frame, rip) == 17 * 8, "SDM vol. 3A, 6.14.2");

/* Fills the one IDT that all CPUs use. Boot CPU, once, before desc_init(). */
void exceptions_init(void);
/* "#PF", "#GP" …; "interrupt" for what is none. */
const char *exceptions_name(uint64_t vector);

#endif
