/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/emulate/emulate.h"

#include <errno.h>

#include "vmm/emulate/fast.h"
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

/* The base of the operand's segment. */
static uint64_t emulate_base(struct emulate_ctx *ctx, const struct insn *insn)
{
	struct emulate_segment segment;

	if (likely(insn->flags & INSN_FLAT))
		return 0;
	ctx->ops->segment(ctx->opaque, insn->seg, &segment);
	return segment.base;
}

enum emulate_result emulate_at(struct emulate_ctx *ctx, const struct insn *insn, uint64_t gpa)
{
	if (!insn->fast || !fast_is_operand(insn, ctx->gpr, emulate_base(ctx, insn), gpa))
		return emulate_insn(ctx, insn);
	if (insn->fast == INSN_FAST_STORE)
		ctx->ops->device_write(ctx->opaque, gpa, insn->mem_width,
				       fast_value(insn, ctx->gpr));
	else
		fast_load(insn, ctx->gpr, ctx->ops->device_read(ctx->opaque, gpa, insn->mem_width));
	return insn_done(ctx, insn);
}

enum emulate_result emulate_mmio(struct emulate_ctx *ctx, uint64_t gpa)
{
	const struct insn *insn;
	enum emulate_result result = icache_insn(ctx, &insn);

	return likely(result == EMULATE_DONE) ? emulate_at(ctx, insn, gpa) : result;
}
