/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading and writing the operands of a decoded instruction. */
#ifndef VMM_EMULATE_OPERAND_H
#define VMM_EMULATE_OPERAND_H

#include "vmm/emulate/insn.h"
#include "vmm/emulate/span.h"

/* General register @reg (INSN_HIGH_BYTE allowed), @width bytes, zero-extended. */
uint64_t operand_get_reg(const struct emulate_ctx *ctx, unsigned int reg, unsigned int width);
/* Four bytes clear the upper half of the register, one and two leave the rest. */
void operand_set_reg(struct emulate_ctx *ctx, unsigned int reg, unsigned int width, uint64_t value);

/* The offset in its segment of the operand in memory. */
uint64_t operand_offset(const struct emulate_ctx *ctx, const struct insn *insn);

/* Checks and translates the operand in memory, if there is one. Errors as span_open(). */
int __must_check operand_open(struct emulate_ctx *ctx, const struct insn *insn, struct span *span);

/* @width: of a register or immediate; memory has the span's. */
uint64_t operand_read(const struct emulate_ctx *ctx, const struct insn *insn,
		      struct insn_operand operand, unsigned int width, const struct span *span);
void operand_write(struct emulate_ctx *ctx, struct insn_operand operand, unsigned int width,
		   const struct span *span, uint64_t value);

/*
 * Writes back what was computed from @old: in one piece with LOCK (XCHG has it
 * always). False when another vCPU changed the operand: start over.
 */
bool __must_check operand_update(struct emulate_ctx *ctx, const struct insn *insn,
				 const struct span *span, uint64_t old, uint64_t value);

#endif
