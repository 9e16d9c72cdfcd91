/* SPDX-License-Identifier: BSD-2-Clause */
/* MOV and its relatives (APM vol. 3, chapter 3). */
#include "vmm/emulate/handlers.h"
#include "vmm/emulate/operand.h"

enum emulate_result move_plain(struct emulate_ctx *ctx, const struct insn *insn)
{
	struct span span;
	int err = operand_open(ctx, insn, &span);

	if (err)
		return insn_failed(err);
	operand_write(ctx, insn->dst, insn->width, &span,
		      operand_read(ctx, insn, insn->src, insn->width, &span));
	return insn_done(ctx, insn);
}

enum emulate_result move_zero_extend(struct emulate_ctx *ctx, const struct insn *insn)
{
	struct span span;
	int err = operand_open(ctx, insn, &span);

	if (err)
		return insn_failed(err);
	operand_set_reg(ctx, insn->dst.reg, insn->width,
			operand_read(ctx, insn, insn->src, insn->mem_width, &span));
	return insn_done(ctx, insn);
}

enum emulate_result move_sign_extend(struct emulate_ctx *ctx, const struct insn *insn)
{
	unsigned int shift = 64 - insn->mem_width * 8;
	struct span span;
	uint64_t value;
	int err = operand_open(ctx, insn, &span);

	if (err)
		return insn_failed(err);
	value = operand_read(ctx, insn, insn->src, insn->mem_width, &span) << shift;
	operand_set_reg(ctx, insn->dst.reg, insn->width, (uint64_t)((int64_t)value >> shift));
	return insn_done(ctx, insn);
}

enum emulate_result move_swap_bytes(struct emulate_ctx *ctx, const struct insn *insn)
{
	struct span span;
	uint64_t value;
	int err = operand_open(ctx, insn, &span);

	if (err)
		return insn_failed(err);
	value = operand_read(ctx, insn, insn->src, insn->width, &span);
	value = __builtin_bswap64(value) >> (64 - insn->width * 8);
	operand_write(ctx, insn->dst, insn->width, &span, value);
	return insn_done(ctx, insn);
}

/* MOV r/m, Sreg: memory gets 16 bits, a register is written whole (APM vol. 3, MOV). */
enum emulate_result move_from_segment(struct emulate_ctx *ctx, const struct insn *insn)
{
	struct emulate_segment segment;
	struct span span;
	int err = operand_open(ctx, insn, &span);

	if (err)
		return insn_failed(err);
	ctx->ops->segment(ctx->opaque, insn->src.reg, &segment);
	operand_write(ctx, insn->dst, insn->width, &span, segment.selector);
	return insn_done(ctx, insn);
}
