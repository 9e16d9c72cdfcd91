/* SPDX-License-Identifier: BSD-2-Clause */
/* APM vol. 3, INS and OUTS. */
#include "vmm/emulate/string_io.h"

#include "vmm/emulate/gva.h"
#include "vmm/emulate/insn.h"
#include "vmm/emulate/linear.h"
#include "vmm/emulate/operand.h"

/* Bytes that one exit moves at most: interrupts wait for no more than that. */
#define STRING_IO_MAX_BYTES 4096U

/* The next elements, as they lie in memory. */
struct string_io_piece {
	uint64_t linear;
	unsigned int count;
	void *host;	  /* of all @count elements, side by side in RAM, or NULL … */
	struct span span; /* … of the one element */
};

static unsigned int string_io_reg(const struct string_io *io)
{
	return io->in ? X86_RDI : X86_RSI;
}

static int string_io_linear(struct emulate_ctx *ctx, const struct string_io *io, uint64_t offset,
			    uint64_t *linear)
{
	return linear_address(ctx, io->in ? EMULATE_ES : io->seg, offset, io->width,
			      io->in ? GVA_WRITE : GVA_READ, linear);
}

/* How many of @max elements follow one another upwards in the first one's page and segment. */
static unsigned int string_io_run_length(struct emulate_ctx *ctx, const struct string_io *io,
					 uint64_t offset, uint64_t linear, unsigned int max)
{
	uint64_t room = (X86_PAGE_SIZE - (linear & X86_PAGE_MASK)) / io->width;
	uint64_t count = MIN((uint64_t)max, room);
	uint64_t last = offset + (count - 1) * io->width;
	struct emulate_fault fault = ctx->fault;
	uint64_t last_linear;

	if (count < 2 || (ctx->rflags & X86_FLAGS_DF) || last > insn_addr_mask(io->addr_width))
		return 1;
	if (string_io_linear(ctx, io, last, &last_linear)) {
		/* It will fault when its turn comes. */
		ctx->fault = fault;
		return 1;
	}
	return (unsigned int)count;
}

static int string_io_open(struct emulate_ctx *ctx, const struct string_io *io, unsigned int max,
			  struct string_io_piece *piece)
{
	uint64_t offset = operand_get_reg(ctx, string_io_reg(io), io->addr_width);
	unsigned int access = io->in ? GVA_WRITE : GVA_READ;
	int err = string_io_linear(ctx, io, offset, &piece->linear);

	if (err)
		return err;
	err = span_open(ctx, piece->linear, io->width, access, &piece->span);
	if (err)
		return err;
	piece->host = NULL;
	piece->count = string_io_run_length(ctx, io, offset, piece->linear, max);
	if (piece->count > 1)
		piece->host = ctx->ops->ram(ctx->opaque, piece->span.gpa[0],
					    piece->count * io->width, io->in);
	if (!piece->host)
		piece->count = 1;
	return 0;
}

static void string_io_move(struct emulate_ctx *ctx, const struct string_io *io,
			   const struct string_io_piece *piece)
{
	uint64_t value = 0;

	if (piece->host) {
		io->transfer(io->opaque, piece->host, piece->count);
		return;
	}
	if (!io->in)
		value = span_load(ctx, &piece->span);
	io->transfer(io->opaque, &value, 1);
	if (io->in)
		span_store(ctx, &piece->span, value);
}

static void string_io_step(struct emulate_ctx *ctx, const struct string_io *io, unsigned int count)
{
	unsigned int reg = string_io_reg(io);
	uint64_t step = (uint64_t)count * io->width;

	if (ctx->rflags & X86_FLAGS_DF)
		step = -step;
	operand_set_reg(ctx, reg, io->addr_width, ctx->gpr[reg] + step);
	if (io->rep)
		operand_set_reg(ctx, X86_RCX, io->addr_width, ctx->gpr[X86_RCX] - count);
}

enum emulate_result string_io_run(struct emulate_ctx *ctx, const struct string_io *io)
{
	uint64_t left = io->rep ? operand_get_reg(ctx, X86_RCX, io->addr_width) : 1;
	unsigned int budget = STRING_IO_MAX_BYTES / io->width;
	struct string_io_piece piece;

	/* A single step traps after each iteration (SDM vol. 3B, 17.3.1.4). */
	if (ctx->rflags & X86_FLAGS_TF)
		budget = 1;
	while (left) {
		int err;

		if (!budget)
			return EMULATE_AGAIN;
		err = string_io_open(ctx, io, (unsigned int)MIN(left, (uint64_t)budget), &piece);
		if (err)
			return insn_failed(err);
		string_io_move(ctx, io, &piece);
		string_io_step(ctx, io, piece.count);
		left -= piece.count;
		budget -= piece.count;
	}
	return EMULATE_DONE;
}
