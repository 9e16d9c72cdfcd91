/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic, logic, and what exchanges (APM vol. 3, chapter 3). */
#include "vmm/emulate/alu.h"
#include "vmm/emulate/handlers.h"
#include "vmm/emulate/operand.h"

/* Also INC, DEC, NEG and NOT, which take no second operand. */
enum emulate_result arith_alu(struct emulate_ctx *ctx, const struct insn *insn)
{
	uint64_t rflags = ctx->rflags;
	uint64_t a, b, result;
	struct span span;
	int err = operand_open(ctx, insn, &span);

	if (err)
		return insn_failed(err);
	a = operand_read(ctx, insn, insn->dst, insn->width, &span);
	b = operand_read(ctx, insn, insn->src, insn->width, &span);
	result = alu_compute(insn->op, insn->width, a, b, &rflags);
	if (insn->op != ALU_CMP && insn->op != ALU_TEST &&
	    !operand_update(ctx, insn, &span, a, result))
		return EMULATE_AGAIN;
	ctx->rflags = rflags;
	return insn_done(ctx, insn);
}

enum emulate_result arith_xchg(struct emulate_ctx *ctx, const struct insn *insn)
{
	struct span span;
	uint64_t a, b;
	int err = operand_open(ctx, insn, &span);

	if (err)
		return insn_failed(err);
	a = operand_read(ctx, insn, insn->dst, insn->width, &span);
	b = operand_read(ctx, insn, insn->src, insn->width, &span);
	if (!operand_update(ctx, insn, &span, a, b))
		return EMULATE_AGAIN;
	operand_set_reg(ctx, insn->src.reg, insn->width, a);
	return insn_done(ctx, insn);
}

enum emulate_result arith_xadd(struct emulate_ctx *ctx, const struct insn *insn)
{
	uint64_t rflags = ctx->rflags;
	uint64_t a, b, sum;
	struct span span;
	int err = operand_open(ctx, insn, &span);

	if (err)
		return insn_failed(err);
	a = operand_read(ctx, insn, insn->dst, insn->width, &span);
	b = operand_read(ctx, insn, insn->src, insn->width, &span);
	sum = alu_compute(ALU_ADD, insn->width, a, b, &rflags);
	if (insn->dst.kind == INSN_REG) {
		/* One register as both operands ends as the sum. */
		operand_set_reg(ctx, insn->src.reg, insn->width, a);
		operand_set_reg(ctx, insn->dst.reg, insn->width, sum);
	} else {
		if (!operand_update(ctx, insn, &span, a, sum))
			return EMULATE_AGAIN;
		operand_set_reg(ctx, insn->src.reg, insn->width, a);
	}
	ctx->rflags = rflags;
	return insn_done(ctx, insn);
}
