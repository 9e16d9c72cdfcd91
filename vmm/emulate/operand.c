/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/emulate/operand.h"

#include "vmm/emulate/alu.h"
#include "vmm/emulate/linear.h"

uint64_t operand_get_reg(const struct emulate_ctx *ctx, unsigned int reg, unsigned int width)
{
	if (unlikely(reg & INSN_HIGH_BYTE))
		return (ctx->gpr[reg - INSN_HIGH_BYTE] >> 8) & 0xff;
	return ctx->gpr[reg] & alu_mask(width);
}

void operand_set_reg(struct emulate_ctx *ctx, unsigned int reg, unsigned int width, uint64_t value)
{
	uint64_t mask = alu_mask(width);

	if (unlikely(reg & INSN_HIGH_BYTE)) {
		reg -= INSN_HIGH_BYTE;
		mask <<= 8;
		value <<= 8;
	} else if (width == 4) {
		mask = ~UINT64_C(0);
		value = (uint32_t)value;
	}
	ctx->gpr[reg] = (ctx->gpr[reg] & ~mask) | (value & mask);
}

uint64_t operand_offset(const struct emulate_ctx *ctx, const struct insn *insn)
{
	uint64_t offset = (uint64_t)insn->disp;

	if (insn->base != INSN_NO_REG)
		offset += ctx->gpr[insn->base];
	if (insn->index != INSN_NO_REG)
		offset += ctx->gpr[insn->index] << insn->scale;
	return offset & insn_addr_mask(insn->addr_width);
}

int operand_open(struct emulate_ctx *ctx, const struct insn *insn, struct span *span)
{
	uint64_t linear;
	int err;

	if (insn->dst.kind != INSN_MEM && insn->src.kind != INSN_MEM)
		return 0;
	err = linear_address(ctx, insn->seg, operand_offset(ctx, insn), insn->mem_width,
			     insn->access, &linear);
	if (err)
		return err;
	return span_open(ctx, linear, insn->mem_width, insn->access, span);
}

uint64_t operand_read(const struct emulate_ctx *ctx, const struct insn *insn,
		      struct insn_operand operand, unsigned int width, const struct span *span)
{
	switch (operand.kind) {
	case INSN_REG:
		return operand_get_reg(ctx, operand.reg, width);
	case INSN_MEM:
		return span_load(ctx, span);
	default:
		return insn->imm & alu_mask(width);
	}
}

void operand_write(struct emulate_ctx *ctx, struct insn_operand operand, unsigned int width,
		   const struct span *span, uint64_t value)
{
	if (operand.kind == INSN_REG)
		operand_set_reg(ctx, operand.reg, width, value);
	else
		span_store(ctx, span, value);
}

bool operand_update(struct emulate_ctx *ctx, const struct insn *insn, const struct span *span,
		    uint64_t old, uint64_t value)
{
	if (insn->dst.kind == INSN_MEM && (insn->flags & INSN_LOCK))
		return span_exchange(ctx, span, old, value & alu_mask(insn->width));
	operand_write(ctx, insn->dst, insn->width, span, value);
	return true;
}
