/* SPDX-License-Identifier: BSD-2-Clause */
/* CMPXCHG, CMPXCHG8B and CMPXCHG16B (APM vol. 3, chapter 3). */
#include "vmm/emulate/alu.h"
#include "vmm/emulate/gva.h"
#include "vmm/emulate/handlers.h"
#include "vmm/emulate/linear.h"
#include "vmm/emulate/operand.h"

/* Memory is written in either case: with its old value where they differ. */
enum emulate_result cmpxchg_plain(struct emulate_ctx *ctx, const struct insn *insn)
{
	uint64_t accumulator = operand_get_reg(ctx, X86_RAX, insn->width);
	uint64_t rflags = ctx->rflags;
	uint64_t old, value;
	struct span span;
	bool equal;
	int err = operand_open(ctx, insn, &span);

	if (err)
		return insn_failed(err);
	old = operand_read(ctx, insn, insn->dst, insn->width, &span);
	alu_compute(ALU_CMP, insn->width, accumulator, old, &rflags);
	equal = rflags & X86_FLAGS_ZF;
	value = equal ? operand_read(ctx, insn, insn->src, insn->width, &span) : old;
	if ((equal || insn->dst.kind == INSN_MEM) && !operand_update(ctx, insn, &span, old, value))
		return EMULATE_AGAIN;
	if (!equal)
		operand_set_reg(ctx, X86_RAX, insn->width, old);
	ctx->rflags = rflags;
	return insn_done(ctx, insn);
}

enum emulate_result cmpxchg_8b(struct emulate_ctx *ctx, const struct insn *insn)
{
	uint64_t expected = (uint32_t)ctx->gpr[X86_RAX] | ctx->gpr[X86_RDX] << 32;
	uint64_t value = (uint32_t)ctx->gpr[X86_RBX] | ctx->gpr[X86_RCX] << 32;
	struct span span;
	uint64_t old;
	int err = operand_open(ctx, insn, &span);

	if (err)
		return insn_failed(err);
	old = span_load(ctx, &span);
	if (!operand_update(ctx, insn, &span, old, old == expected ? value : old))
		return EMULATE_AGAIN;
	if (old == expected) {
		ctx->rflags |= X86_FLAGS_ZF;
	} else {
		ctx->rflags &= ~X86_FLAGS_ZF;
		operand_set_reg(ctx, X86_RAX, 4, old);
		operand_set_reg(ctx, X86_RDX, 4, old >> 32);
	}
	return insn_done(ctx, insn);
}

/* Sixteen aligned bytes never cross a page: the halves lie side by side. */
static int cmpxchg_open_16(struct emulate_ctx *ctx, const struct insn *insn, struct span *low,
			   struct span *high)
{
	uint64_t offset = operand_offset(ctx, insn);
	uint64_t linear;
	int err = linear_address(ctx, insn->seg, offset, 16, GVA_WRITE, &linear);

	/* Not the alignment check of RFLAGS.AC: this one is always on, and a #GP, and comes first.
	 */
	if (err && ctx->fault.vector != X86_VECTOR_AC)
		return err;
	if (linear & 15)
		return emulate_raise_error(ctx, X86_VECTOR_GP, 0);
	err = span_open(ctx, linear, 8, GVA_WRITE, low);
	if (err)
		return err;
	*high = *low;
	high->gpa[0] += 8;
	high->host[0] = ctx->ops->ram(ctx->opaque, high->gpa[0], 8, true);
	return 0;
}

/* Every CPU that virtualizes has the instruction. */
static bool cmpxchg_host_16(void *host, const uint64_t old[2], const uint64_t value[2])
{
	uint64_t low = old[0], high = old[1];
	bool equal;

	__asm__ volatile("lock cmpxchg16b %1"
			 : "=@ccz"(equal), "+m"(*(unsigned __int128 *)host), "+a"(low), "+d"(high)
			 : "b"(value[0]), "c"(value[1])
			 : "memory");
	return equal;
}

/* Without a lock prefix, or on a device, the two halves are written one after the other. */
static bool cmpxchg_update_16(const struct emulate_ctx *ctx, const struct insn *insn,
			      const struct span *low, const struct span *high,
			      const uint64_t old[2], const uint64_t value[2])
{
	if ((insn->flags & INSN_LOCK) && low->host[0] && high->host[0])
		return cmpxchg_host_16(low->host[0], old, value);
	span_store(ctx, low, value[0]);
	span_store(ctx, high, value[1]);
	return true;
}

enum emulate_result cmpxchg_16b(struct emulate_ctx *ctx, const struct insn *insn)
{
	uint64_t desired[2] = {ctx->gpr[X86_RBX], ctx->gpr[X86_RCX]};
	uint64_t old[2];
	struct span low, high;
	bool equal;
	int err = cmpxchg_open_16(ctx, insn, &low, &high);

	if (err)
		return insn_failed(err);
	old[0] = span_load(ctx, &low);
	old[1] = span_load(ctx, &high);
	equal = old[0] == ctx->gpr[X86_RAX] && old[1] == ctx->gpr[X86_RDX];
	if (!cmpxchg_update_16(ctx, insn, &low, &high, old, equal ? desired : old))
		return EMULATE_AGAIN;
	if (equal) {
		ctx->rflags |= X86_FLAGS_ZF;
	} else {
		ctx->rflags &= ~X86_FLAGS_ZF;
		ctx->gpr[X86_RAX] = old[0];
		ctx->gpr[X86_RDX] = old[1];
	}
	return insn_done(ctx, insn);
}
