/* SPDX-License-Identifier: BSD-2-Clause */
/* MOVS, STOS, LODS, CMPS, SCAS, with their repeat prefixes (APM vol. 3, 1.2.6 and chapter 3). */
#include "vmm/emulate/alu.h"
#include "vmm/emulate/gva.h"
#include "vmm/emulate/handlers.h"
#include "vmm/emulate/linear.h"
#include "vmm/emulate/operand.h"

/* Bytes that one exit moves at most: interrupts wait for no more than that. */
#define STRING_MAX_BYTES 4096U

/* The page that one side is in: translated once, as a TLB would. */
struct string_page {
	bool valid;
	uint64_t linear, gpa;
};

/* One element's operands, [rSI] and [rDI], and their pages. */
struct string_operands {
	struct span source, target;
	struct string_page source_page, target_page;
};

static bool string_uses_source(const struct insn *insn)
{
	return insn->op == STRING_MOVS || insn->op == STRING_LODS || insn->op == STRING_CMPS;
}

static bool string_uses_target(const struct insn *insn)
{
	return insn->op != STRING_LODS;
}

static bool string_compares(const struct insn *insn)
{
	return insn->op == STRING_CMPS || insn->op == STRING_SCAS;
}

static int string_open(struct emulate_ctx *ctx, const struct insn *insn, enum emulate_seg seg,
		       unsigned int reg, unsigned int access, struct span *span,
		       struct string_page *page)
{
	uint64_t offset = operand_get_reg(ctx, reg, insn->addr_width);
	uint64_t linear;
	int err = linear_address(ctx, seg, offset, insn->width, access, &linear);

	if (err)
		return err;
	if (page->valid && (linear & ~X86_PAGE_MASK) == page->linear &&
	    (linear & X86_PAGE_MASK) + insn->width <= X86_PAGE_SIZE) {
		span_open_gpa(ctx, page->gpa | (linear & X86_PAGE_MASK), insn->width, access, span);
		return 0;
	}
	err = span_open(ctx, linear, insn->width, access, span);
	if (err)
		return err;
	page->valid = true;
	page->linear = linear & ~X86_PAGE_MASK;
	page->gpa = span->gpa[0] & ~X86_PAGE_MASK;
	return 0;
}

static int string_open_both(struct emulate_ctx *ctx, const struct insn *insn,
			    struct string_operands *s)
{
	int err = 0;

	if (string_uses_source(insn))
		err = string_open(ctx, insn, insn->seg, X86_RSI, GVA_READ, &s->source,
				  &s->source_page);
	if (!err && string_uses_target(insn))
		err = string_open(ctx, insn, EMULATE_ES, X86_RDI,
				  string_compares(insn) ? GVA_READ : GVA_WRITE, &s->target,
				  &s->target_page);
	return err;
}

static void string_element(struct emulate_ctx *ctx, const struct insn *insn,
			   const struct string_operands *s)
{
	uint64_t a = string_uses_source(insn) ? span_load(ctx, &s->source)
					      : operand_get_reg(ctx, X86_RAX, insn->width);

	if (string_compares(insn))
		alu_compute(ALU_CMP, insn->width, a, span_load(ctx, &s->target), &ctx->rflags);
	else if (insn->op == STRING_LODS)
		operand_set_reg(ctx, X86_RAX, insn->width, a);
	else
		span_store(ctx, &s->target, a);
}

static void string_step(struct emulate_ctx *ctx, const struct insn *insn)
{
	uint64_t step = insn->width;

	if (ctx->rflags & X86_FLAGS_DF)
		step = -step;
	if (string_uses_source(insn))
		operand_set_reg(ctx, X86_RSI, insn->addr_width, ctx->gpr[X86_RSI] + step);
	if (string_uses_target(insn))
		operand_set_reg(ctx, X86_RDI, insn->addr_width, ctx->gpr[X86_RDI] + step);
}

/* REPE ends at the first difference, REPNE at the first match. */
static bool string_decided(const struct emulate_ctx *ctx, const struct insn *insn)
{
	bool equal = ctx->rflags & X86_FLAGS_ZF;

	return string_compares(insn) && equal == !!(insn->flags & INSN_REPNE);
}

static enum emulate_result string_once(struct emulate_ctx *ctx, const struct insn *insn,
				       struct string_operands *s)
{
	int err = string_open_both(ctx, insn, s);

	if (err)
		return insn_failed(err);
	string_element(ctx, insn, s);
	string_step(ctx, insn);
	return EMULATE_DONE;
}

/* Each iteration is complete in itself: a fault or a pause leaves the state between two. */
enum emulate_result string_run(struct emulate_ctx *ctx, const struct insn *insn)
{
	uint64_t count = operand_get_reg(ctx, X86_RCX, insn->addr_width);
	unsigned int left = STRING_MAX_BYTES / insn->width;
	struct string_operands operands;
	enum emulate_result result;

	operands.source_page.valid = false;
	operands.target_page.valid = false;
	if (!(insn->flags & (INSN_REP | INSN_REPNE))) {
		result = string_once(ctx, insn, &operands);
		return result == EMULATE_DONE ? insn_done(ctx, insn) : result;
	}
	/* A single step traps after each iteration (SDM vol. 3B, 17.3.1.4). */
	if (ctx->rflags & X86_FLAGS_TF)
		left = 1;
	while (count) {
		if (!left--)
			return EMULATE_AGAIN;
		result = string_once(ctx, insn, &operands);
		if (result != EMULATE_DONE)
			return result;
		count--;
		operand_set_reg(ctx, X86_RCX, insn->addr_width, count);
		if (string_decided(ctx, insn))
			break;
	}
	return insn_done(ctx, insn);
}
