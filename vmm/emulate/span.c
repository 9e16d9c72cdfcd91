/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/emulate/span.h"

#include <errno.h>

#include "vmm/emulate/gva.h"

int span_open(struct emulate_ctx *ctx, uint64_t linear, unsigned int width, unsigned int access,
	      struct span *span)
{
	uint64_t room = X86_PAGE_SIZE - (linear & X86_PAGE_MASK);
	bool write = access & GVA_WRITE;
	struct gva_walk walk;
	uint64_t second;
	int err;

	span->width = (uint8_t)width;
	span->first = (uint8_t)MIN((uint64_t)width, room);
	err = gva_translate(ctx, linear, access, &walk);
	if (err)
		return err;
	span->gpa[0] = walk.gpa;
	span->host[0] = ctx->ops->ram(ctx->opaque, walk.gpa, span->first, write);
	if (likely(span->first == width))
		return 0;

	second = linear + span->first;
	if (!emulate_long64(ctx))
		second = (uint32_t)second;
	err = gva_translate(ctx, second, access, &walk);
	if (err)
		return err;
	span->gpa[1] = walk.gpa;
	span->host[1] = ctx->ops->ram(ctx->opaque, walk.gpa, width - span->first, write);
	return 0;
}

void span_open_gpa(const struct emulate_ctx *ctx, uint64_t gpa, unsigned int width,
		   unsigned int access, struct span *span)
{
	span->width = (uint8_t)width;
	span->first = (uint8_t)width;
	span->gpa[0] = gpa;
	span->host[0] = ctx->ops->ram(ctx->opaque, gpa, width, access & GVA_WRITE);
}

/* The widest aligned access that fits: how a bus splits odd lengths. */
static unsigned int span_piece(uint64_t gpa, unsigned int left)
{
	unsigned int piece = 8;

	while (piece > left || (gpa & (piece - 1)))
		piece /= 2;
	return piece;
}

/* Guest memory at any alignment. */
struct span_2 {
	uint16_t value;
} __packed __attribute__((may_alias));
struct span_4 {
	uint32_t value;
} __packed __attribute__((may_alias));
struct span_8 {
	uint64_t value;
} __packed __attribute__((may_alias));

/* One access for each size that a CPU has: other vCPUs may be looking. */
static uint64_t span_load_host(const void *host, unsigned int len)
{
	const uint8_t *from = host;
	uint64_t value = 0;

	switch (len) {
	case 1:
		return READ_ONCE(*from);
	case 2:
		return READ_ONCE(((const struct span_2 *)host)->value);
	case 4:
		return READ_ONCE(((const struct span_4 *)host)->value);
	case 8:
		return READ_ONCE(((const struct span_8 *)host)->value);
	default:
		for (unsigned int i = 0; i < len; i++)
			value |= (uint64_t)READ_ONCE(from[i]) << i * 8;
		return value;
	}
}

static void span_store_host(void *host, unsigned int len, uint64_t value)
{
	uint8_t *to = host;

	switch (len) {
	case 1:
		WRITE_ONCE(*to, (uint8_t)value);
		return;
	case 2:
		WRITE_ONCE(((struct span_2 *)host)->value, (uint16_t)value);
		return;
	case 4:
		WRITE_ONCE(((struct span_4 *)host)->value, (uint32_t)value);
		return;
	case 8:
		WRITE_ONCE(((struct span_8 *)host)->value, value);
		return;
	default:
		for (unsigned int i = 0; i < len; i++)
			WRITE_ONCE(to[i], (uint8_t)(value >> i * 8));
	}
}

/* A whole operand is one access whatever its alignment; an odd rest is split. */
static uint64_t span_load_device(const struct emulate_ctx *ctx, uint64_t gpa, unsigned int len)
{
	uint64_t value = 0;
	unsigned int done = 0;

	if (likely(!(len & (len - 1))))
		return ctx->ops->device_read(ctx->opaque, gpa, len);
	while (done < len) {
		unsigned int piece = span_piece(gpa + done, len - done);

		value |= ctx->ops->device_read(ctx->opaque, gpa + done, piece) << done * 8;
		done += piece;
	}
	return value;
}

static void span_store_device(const struct emulate_ctx *ctx, uint64_t gpa, unsigned int len,
			      uint64_t value)
{
	unsigned int done = 0;

	if (likely(!(len & (len - 1)))) {
		ctx->ops->device_write(ctx->opaque, gpa, len, value);
		return;
	}
	while (done < len) {
		unsigned int piece = span_piece(gpa + done, len - done);

		ctx->ops->device_write(ctx->opaque, gpa + done, piece,
				       (value >> done * 8) & (BIT(piece * 8) - 1));
		done += piece;
	}
}

static uint64_t span_load_part(const struct emulate_ctx *ctx, const struct span *span,
			       unsigned int part, unsigned int len)
{
	if (span->host[part])
		return span_load_host(span->host[part], len);
	return span_load_device(ctx, span->gpa[part], len);
}

uint64_t span_load(const struct emulate_ctx *ctx, const struct span *span)
{
	uint64_t value = span_load_part(ctx, span, 0, span->first);

	if (unlikely(span->first < span->width))
		value |= span_load_part(ctx, span, 1, span->width - span->first) << span->first * 8;
	return value;
}

static void span_store_part(const struct emulate_ctx *ctx, const struct span *span,
			    unsigned int part, unsigned int len, uint64_t value)
{
	if (len < 8)
		value &= BIT(len * 8) - 1;
	if (span->host[part])
		span_store_host(span->host[part], len, value);
	else
		span_store_device(ctx, span->gpa[part], len, value);
}

void span_store(const struct emulate_ctx *ctx, const struct span *span, uint64_t value)
{
	span_store_part(ctx, span, 0, span->first, value);
	if (unlikely(span->first < span->width))
		span_store_part(ctx, span, 1, span->width - span->first, value >> span->first * 8);
}

static bool span_exchange_host(void *host, unsigned int width, uint64_t old, uint64_t value)
{
	uint8_t old1 = (uint8_t)old;
	uint16_t old2 = (uint16_t)old;
	uint32_t old4 = (uint32_t)old;

	switch (width) {
	case 1:
		return __atomic_compare_exchange_n((uint8_t *)host, &old1, (uint8_t)value, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	case 2:
		return __atomic_compare_exchange_n((uint16_t *)host, &old2, (uint16_t)value, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	case 4:
		return __atomic_compare_exchange_n((uint32_t *)host, &old4, (uint32_t)value, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	default:
		return __atomic_compare_exchange_n((uint64_t *)host, &old, value, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
}

bool span_exchange(const struct emulate_ctx *ctx, const struct span *span, uint64_t old,
		   uint64_t value)
{
	/*
	 * A device's register has no exchange, and memory that is not aligned cannot
	 * be exchanged without locking the bus for everybody: these are stored.
	 */
	if (span->first < span->width || !span->host[0] ||
	    !IS_ALIGNED((uintptr_t)span->host[0], span->width)) {
		span_store(ctx, span, value);
		return true;
	}
	return span_exchange_host(span->host[0], span->width, old, value);
}
