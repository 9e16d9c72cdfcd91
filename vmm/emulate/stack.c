/* SPDX-License-Identifier: BSD-2-Clause */
/* PUSH and POP (APM vol. 3, chapter 3). */
#include "vmm/emulate/gva.h"
#include "vmm/emulate/handlers.h"
#include "vmm/emulate/linear.h"
#include "vmm/emulate/operand.h"

/* Bytes of the stack pointer: SS.B decides outside 64-bit mode (APM vol. 2, 4.7.3). */
static unsigned int stack_width(struct emulate_ctx *ctx)
{
	struct emulate_segment ss;

	if (emulate_long64(ctx))
		return 8;
	ctx->ops->segment(ctx->opaque, EMULATE_SS, &ss);
	return ss.attr & EMULATE_SEG_BIG ? 4 : 2;
}

static int stack_open(struct emulate_ctx *ctx, uint64_t pointer, unsigned int width,
		      unsigned int access, struct span *span)
{
	uint64_t linear;
	int err = linear_address(ctx, EMULATE_SS, pointer, width, access, &linear);

	return err ? err : span_open(ctx, linear, width, access, span);
}

enum emulate_result stack_push(struct emulate_ctx *ctx, const struct insn *insn)
{
	unsigned int pointer_width = stack_width(ctx);
	uint64_t pointer = operand_get_reg(ctx, X86_RSP, 8) - insn->width;
	struct span source, top;
	int err = operand_open(ctx, insn, &source);

	if (err)
		return insn_failed(err);
	pointer &= insn_addr_mask(pointer_width);
	err = stack_open(ctx, pointer, insn->width, GVA_WRITE, &top);
	if (err)
		return insn_failed(err);
	span_store(ctx, &top, operand_read(ctx, insn, insn->src, insn->width, &source));
	operand_set_reg(ctx, X86_RSP, pointer_width, pointer);
	return insn_done(ctx, insn);
}

/* An address based on RSP uses the value that the stack pointer has after the pop. */
enum emulate_result stack_pop(struct emulate_ctx *ctx, const struct insn *insn)
{
	unsigned int pointer_width = stack_width(ctx);
	uint64_t pointer = operand_get_reg(ctx, X86_RSP, pointer_width);
	uint64_t saved = ctx->gpr[X86_RSP];
	struct span top, target;
	int err = stack_open(ctx, pointer, insn->width, GVA_READ, &top);

	if (err)
		return insn_failed(err);
	operand_set_reg(ctx, X86_RSP, pointer_width, pointer + insn->width);
	err = operand_open(ctx, insn, &target);
	if (err) {
		ctx->gpr[X86_RSP] = saved;
		return insn_failed(err);
	}
	operand_write(ctx, insn->dst, insn->width, &target, span_load(ctx, &top));
	return insn_done(ctx, insn);
}
