/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A translated memory operand: at most eight bytes in one page or two, each
 * part in plain memory or on a device. Both parts are translated before either
 * is touched, so an operand is accessed whole or not at all.
 */
#ifndef VMM_EMULATE_SPAN_H
#define VMM_EMULATE_SPAN_H

#include "vmm/emulate/emulate.h"

struct span {
	uint8_t width; /* bytes, 1, 2, 4 or 8 */
	uint8_t first; /* of which in the first page */
	void *host[2]; /* NULL: a device's */
	uint64_t gpa[2];
};

/*
 * Translates @width bytes at @linear for @access (GVA_READ, GVA_WRITE; what is
 * read and then written asks for GVA_WRITE, as the CPU does).
 * 0; -EFAULT with ctx->fault; -EAGAIN as gva_translate().
 */
int __must_check span_open(struct emulate_ctx *ctx, uint64_t linear, unsigned int width,
			   unsigned int access, struct span *span);

/* The same for @width bytes inside one page whose guest-physical address is known. */
void span_open_gpa(const struct emulate_ctx *ctx, uint64_t gpa, unsigned int width,
		   unsigned int access, struct span *span);

uint64_t span_load(const struct emulate_ctx *ctx, const struct span *span);
void span_store(const struct emulate_ctx *ctx, const struct span *span, uint64_t value);

/*
 * Stores @value if @old is still there, in one piece where the operand is plain
 * memory of one page. False when it is not: the instruction starts over.
 */
bool __must_check span_exchange(const struct emulate_ctx *ctx, const struct span *span,
				uint64_t old, uint64_t value);

#endif
