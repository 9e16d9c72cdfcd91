/* SPDX-License-Identifier: BSD-2-Clause */
/* BT, BTS, BTR, BTC (APM vol. 3, chapter 3). */
#include "vmm/emulate/alu.h"
#include "vmm/emulate/gva.h"
#include "vmm/emulate/handlers.h"
#include "vmm/emulate/linear.h"
#include "vmm/emulate/operand.h"

/* A bit offset in a register is signed and reaches operands around the addressed one. */
static int bits_open(struct emulate_ctx *ctx, const struct insn *insn, uint64_t bit,
		     struct span *span)
{
	unsigned int shift = 64 - insn->width * 8;
	uint64_t offset, linear;
	int err;

	if (insn->dst.kind != INSN_MEM || insn->src.kind != INSN_REG)
		return operand_open(ctx, insn, span);
	/* Arithmetic: from bits to operands, towards minus infinity. */
	offset = (uint64_t)((int64_t)(bit << shift) >> shift >> __builtin_ctz(insn->width * 8));
	offset = operand_offset(ctx, insn) + offset * insn->width;
	offset &= insn_addr_mask(insn->addr_width);
	err = linear_address(ctx, insn->seg, offset, insn->width, insn->access, &linear);
	if (err)
		return err;
	return span_open(ctx, linear, insn->width, insn->access, span);
}

static uint64_t bits_apply(enum bits_op op, uint64_t value, uint64_t mask)
{
	switch (op) {
	case BITS_SET:
		return value | mask;
	case BITS_RESET:
		return value & ~mask;
	default: /* BITS_COMPLEMENT */
		return value ^ mask;
	}
}

enum emulate_result bits_test(struct emulate_ctx *ctx, const struct insn *insn)
{
	uint64_t bit = operand_read(ctx, insn, insn->src, insn->width, NULL);
	uint64_t old, mask;
	struct span span;
	int err = bits_open(ctx, insn, bit, &span);

	if (err)
		return insn_failed(err);
	mask = BIT(bit & (insn->width * 8U - 1));
	old = operand_read(ctx, insn, insn->dst, insn->width, &span);
	if (insn->op != BITS_TEST &&
	    !operand_update(ctx, insn, &span, old, bits_apply(insn->op, old, mask)))
		return EMULATE_AGAIN;
	/* The other flags are undefined; CPUs leave them alone. */
	ctx->rflags &= ~X86_FLAGS_CF;
	if (old & mask)
		ctx->rflags |= X86_FLAGS_CF;
	return insn_done(ctx, insn);
}
