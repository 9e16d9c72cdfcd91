/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plain moves between a register and a device, at an exit that tells the
 * guest-physical address: most of what MMIO is, so it is inline and takes no
 * more than it needs. The CPU has checked segments, alignment and the guest's
 * page tables before it asked the nested ones; nothing of that is left to do.
 */
#ifndef VMM_EMULATE_FAST_H
#define VMM_EMULATE_FAST_H

#include "vmm/emulate/insn.h"

/*
 * Whether @gpa is where the operand of @insn starts, and all of it lies in one
 * page. @base: of its segment. The second half of a crossing operand, or a
 * rewritten instruction, differs in the offset, which paging leaves alone.
 */
static __always_inline bool fast_is_operand(const struct insn *insn, const uint64_t *gpr,
					    uint64_t base, uint64_t gpa)
{
	uint64_t offset = base + (uint64_t)insn->disp;

	if (insn->base != INSN_NO_REG)
		offset += gpr[insn->base];
	if (insn->index != INSN_NO_REG)
		offset += gpr[insn->index] << insn->scale;
	return !((offset ^ gpa) & X86_PAGE_MASK) &&
	       (gpa & X86_PAGE_MASK) + insn->mem_width <= X86_PAGE_SIZE;
}

/* INSN_FAST_STORE: what goes to memory. */
static __always_inline uint64_t fast_value(const struct insn *insn, const uint64_t *gpr)
{
	return (gpr[insn->fast_reg] & insn->keep) | insn->imm;
}

/* INSN_FAST_LOAD: memory held @value. */
static __always_inline void fast_load(const struct insn *insn, uint64_t *gpr, uint64_t value)
{
	uint64_t *reg = &gpr[insn->fast_reg];

	*reg = (*reg & insn->keep) | value;
}

#endif
