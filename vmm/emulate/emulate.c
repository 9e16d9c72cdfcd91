/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/emulate/emulate.h"

#include <errno.h>

#include "vmm/emulate/icache.h"
#include "vmm/emulate/insn.h"
#include "vmm/emulate/operand.h"

int emulate_raise(struct emulate_ctx *ctx, unsigned int vector)
{
	ctx->fault.vector = (uint8_t)vector;
	ctx->fault.has_error = false;
	ctx->fault.error = 0;
	return -EFAULT;
}

/* Real mode pushes no error codes (SDM vol. 3B, 20.1.4). */
int emulate_raise_error(struct emulate_ctx *ctx, unsigned int vector, uint32_t error)
{
	emulate_raise(ctx, vector);
	if (ctx->cr0 & X86_CR0_PE) {
		ctx->fault.has_error = true;
		ctx->fault.error = error;
	}
	return -EFAULT;
}

static enum emulate_result emulate_insn(struct emulate_ctx *ctx, const struct insn *insn)
{
	if (likely(insn->handler))
		return insn->handler(ctx, insn);
	icache_bytes(ctx, insn);
	return EMULATE_UNHANDLED;
}

enum emulate_result emulate_instruction(struct emulate_ctx *ctx)
{
	const struct insn *insn;
	enum emulate_result result = icache_insn(ctx, &insn);

	return result == EMULATE_DONE ? emulate_insn(ctx, insn) : result;
}

/*
 * Whether the operand of @insn is what @gpa is the start of, all in one page:
 * the second half of a crossing operand, or a rewritten instruction, differs in
 * the offset, which paging leaves alone.
 */
static __always_inline bool emulate_operand_is(struct emulate_ctx *ctx, const struct insn *insn,
					       uint64_t gpa)
{
	uint64_t offset = (uint64_t)insn->disp;

	if (insn->base != INSN_NO_REG)
		offset += ctx->gpr[insn->base];
	if (insn->index != INSN_NO_REG)
		offset += ctx->gpr[insn->index] << insn->scale;
	if (unlikely(!(insn->flags & INSN_FLAT))) {
		struct emulate_segment segment;

		ctx->ops->segment(ctx->opaque, insn->seg, &segment);
		offset += segment.base;
	}
	return !((offset ^ gpa) & X86_PAGE_MASK) &&
	       (gpa & X86_PAGE_MASK) + insn->mem_width <= X86_PAGE_SIZE;
}

/*
 * The CPU has checked segments, alignment and the guest's page tables before
 * it asked the nested ones, so nothing of that is left to do here.
 */
enum emulate_result emulate_mmio(struct emulate_ctx *ctx, uint64_t gpa)
{
	const struct insn *insn;
	enum emulate_result result = icache_insn(ctx, &insn);
	uint64_t *reg;

	if (unlikely(result != EMULATE_DONE))
		return result;
	if (unlikely(!insn->fast || !emulate_operand_is(ctx, insn, gpa)))
		return emulate_insn(ctx, insn);
	reg = &ctx->gpr[insn->fast_reg];
	if (insn->fast == INSN_FAST_STORE)
		ctx->ops->device_write(ctx->opaque, gpa, insn->mem_width,
				       (*reg & insn->keep) | insn->imm);
	else
		*reg = (*reg & insn->keep) |
		       ctx->ops->device_read(ctx->opaque, gpa, insn->mem_width);
	return insn_done(ctx, insn);
}
