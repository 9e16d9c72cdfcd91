/* SPDX-License-Identifier: BSD-2-Clause */
/* Segmentation: SDM vol. 3A, 3.4.5 and 5.3; long mode: APM vol. 2, 4.5.3 and 4.12.1. */
#include "vmm/emulate/linear.h"

#include <errno.h>

#include "vmm/emulate/gva.h"

static bool linear_canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

static int linear_violation(struct emulate_ctx *ctx, enum emulate_seg seg)
{
	return emulate_raise_error(ctx, seg == EMULATE_SS ? X86_VECTOR_SS : X86_VECTOR_GP, 0);
}

/* Outside 64-bit mode. Real and virtual-8086 mode have limits, but no types. */
static bool linear_in_segment(const struct emulate_ctx *ctx, const struct emulate_segment *s,
			      uint64_t offset, unsigned int width, unsigned int access)
{
	uint64_t last = offset + width - 1;
	uint64_t top;

	if (!(ctx->cr0 & X86_CR0_PE) || (ctx->rflags & X86_FLAGS_VM))
		return last <= s->limit;
	if (!(s->attr & EMULATE_SEG_PRESENT))
		return false;
	if (s->attr & EMULATE_SEG_CODE) {
		if ((access & GVA_WRITE) || !(s->attr & EMULATE_SEG_WRITE))
			return false;
		return last <= s->limit;
	}
	if ((access & GVA_WRITE) && !(s->attr & EMULATE_SEG_WRITE))
		return false;
	if (!(s->attr & EMULATE_SEG_DOWN))
		return last <= s->limit;
	top = s->attr & EMULATE_SEG_BIG ? 0xffffffff : 0xffff;
	return offset > s->limit && last <= top;
}

/* Comes before the page walk: an address that is misaligned and not mapped raises #AC. */
static int linear_check_alignment(struct emulate_ctx *ctx, uint64_t linear, unsigned int width)
{
	if (likely(!(linear & (width - 1)) || ctx->cpl != 3 || !(ctx->rflags & X86_FLAGS_AC) ||
		   !(ctx->cr0 & X86_CR0_AM)))
		return 0;
	return emulate_raise_error(ctx, X86_VECTOR_AC, 0);
}

int linear_address(struct emulate_ctx *ctx, enum emulate_seg seg, uint64_t offset,
		   unsigned int width, unsigned int access, uint64_t *linear)
{
	struct emulate_segment s;

	if (likely(emulate_long64(ctx))) {
		if (unlikely(seg >= EMULATE_FS)) {
			ctx->ops->segment(ctx->opaque, seg, &s);
			offset += s.base;
		}
		if (!linear_canonical(offset) || !linear_canonical(offset + width - 1))
			return linear_violation(ctx, seg);
		*linear = offset;
	} else {
		ctx->ops->segment(ctx->opaque, seg, &s);
		if (!linear_in_segment(ctx, &s, offset, width, access))
			return linear_violation(ctx, seg);
		*linear = (uint32_t)(s.base + offset);
	}
	return linear_check_alignment(ctx, *linear, width);
}
