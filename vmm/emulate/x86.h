/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's architectural state as the emulator reads it: control register
 * and RFLAGS bits, exception vectors and page-fault error bits (SDM vol. 3A,
 * 2.5, 4.7 and 6.3; APM vol. 2, 3.1 and 8.2). Pure: builds on the host too.
 */
#ifndef VMM_EMULATE_X86_H
#define VMM_EMULATE_X86_H

#include "lib/compiler.h"

#define X86_CR0_PE BIT(0)
#define X86_CR0_WP BIT(16)
#define X86_CR0_AM BIT(18)
#define X86_CR0_PG BIT(31)

#define X86_CR4_PSE  BIT(4)
#define X86_CR4_PAE  BIT(5)
#define X86_CR4_SMEP BIT(20)
#define X86_CR4_SMAP BIT(21)

#define X86_EFER_LMA BIT(10)
#define X86_EFER_NXE BIT(11)

#define X86_FLAGS_CF BIT(0)
#define X86_FLAGS_PF BIT(2)
#define X86_FLAGS_AF BIT(4)
#define X86_FLAGS_ZF BIT(6)
#define X86_FLAGS_SF BIT(7)
#define X86_FLAGS_TF BIT(8)
#define X86_FLAGS_DF BIT(10)
#define X86_FLAGS_OF BIT(11)
#define X86_FLAGS_RF BIT(16)
#define X86_FLAGS_VM BIT(17)
#define X86_FLAGS_AC BIT(18)
#define X86_FLAGS_STATUS \
	(X86_FLAGS_CF | X86_FLAGS_PF | X86_FLAGS_AF | X86_FLAGS_ZF | X86_FLAGS_SF | X86_FLAGS_OF)

#define X86_VECTOR_UD 6
#define X86_VECTOR_SS 12
#define X86_VECTOR_GP 13
#define X86_VECTOR_PF 14
#define X86_VECTOR_AC 17

#define X86_PF_PRESENT	BIT(0)
#define X86_PF_WRITE	BIT(1)
#define X86_PF_USER	BIT(2)
#define X86_PF_RESERVED BIT(3)
#define X86_PF_FETCH	BIT(4)

#define X86_PTE_PRESENT	 BIT(0)
#define X86_PTE_WRITE	 BIT(1)
#define X86_PTE_USER	 BIT(2)
#define X86_PTE_ACCESSED BIT(5)
#define X86_PTE_DIRTY	 BIT(6)
#define X86_PTE_LARGE	 BIT(7)
#define X86_PTE_NX	 BIT(63)

#define X86_PAGE_SIZE	   UINT64_C(4096)
#define X86_PAGE_MASK	   (X86_PAGE_SIZE - 1)
#define X86_MAX_INSN_BYTES 15

/* General registers in the order in which instructions encode them. */
enum x86_gpr {
	X86_RAX,
	X86_RCX,
	X86_RDX,
	X86_RBX,
	X86_RSP,
	X86_RBP,
	X86_RSI,
	X86_RDI,
};

#endif
