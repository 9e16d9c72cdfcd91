/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A decoded instruction, ready to run: what decode.c makes of the bytes, what
 * the cache keeps, and what the handlers work from.
 */
#ifndef VMM_EMULATE_INSN_H
#define VMM_EMULATE_INSN_H

#include <errno.h>

#include "vmm/emulate/emulate.h"

struct insn;

/* Executes @insn. Registers and RIP are written only when nothing can fail any more. */
typedef enum emulate_result (*insn_handler)(struct emulate_ctx *ctx, const struct insn *insn);

enum insn_kind {
	INSN_NONE,
	INSN_REG,
	INSN_MEM,
	INSN_IMM,
};

/* Register numbers 16-19 are AH, CH, DH, BH. */
#define INSN_HIGH_BYTE 16U
#define INSN_NO_REG    0xffU

struct insn_operand {
	uint8_t kind; /* enum insn_kind */
	uint8_t reg;
};

#define INSN_LOCK  BIT(0)
#define INSN_REP   BIT(1) /* F3: also REPE */
#define INSN_REPNE BIT(2) /* F2: repeats too, where equality is not asked for */
#define INSN_FLAT  BIT(3) /* 64-bit mode, no FS or GS: the segment's base is 0 */

/* What needs no handler where the address is known: fast.h. */
enum insn_fast {
	INSN_FAST_NONE,
	INSN_FAST_LOAD,	 /* a register's bits outside @keep become the memory's, zero-extended */
	INSN_FAST_STORE, /* (register & @keep) | @imm goes to memory */
};

struct insn {
	insn_handler handler; /* NULL: length, addr_width, seg are known */
	int64_t disp;	      /* RIP-relative addresses have their RIP in it */
	uint64_t imm;
	uint64_t keep; /* see enum insn_fast */
	uint8_t fast;  /* enum insn_fast */
	uint8_t fast_reg;
	uint8_t length;	   /* bytes, 1-15 */
	uint8_t width;	   /* of the operands, in bytes */
	uint8_t mem_width; /* of the operand in memory: differs where a move extends */
	uint8_t addr_width;
	uint8_t code_width;	    /* 8: 64-bit mode, else 4 or 2 by CS.D */
	uint8_t flags;		    /* INSN_LOCK … */
	uint8_t op;		    /* the handler's own */
	uint8_t access;		    /* GVA_READ or GVA_WRITE of the operand in memory */
	uint8_t seg;		    /* of the operand in memory: enum emulate_seg */
	uint8_t base, index, scale; /* registers or INSN_NO_REG; 0-3 */
	struct insn_operand dst, src;
};

/* The instruction is done: RIP moves behind it, RF falls (SDM vol. 3B, 17.3.1.1). */
static inline enum emulate_result insn_done(struct emulate_ctx *ctx, const struct insn *insn)
{
	uint64_t rip = ctx->rip + insn->length;

	ctx->rip = insn->code_width == 8   ? rip
		   : insn->code_width == 4 ? (uint32_t)rip
					   : (uint16_t)rip;
	ctx->rflags &= ~X86_FLAGS_RF;
	return EMULATE_DONE;
}

/* The result that goes with an error of span_open() and the like. */
static inline enum emulate_result insn_failed(int err)
{
	return err == -EAGAIN ? EMULATE_AGAIN : EMULATE_FAULT;
}

/* Bits of an address of @addr_width bytes. */
static inline uint64_t insn_addr_mask(unsigned int addr_width)
{
	return ~UINT64_C(0) >> (64 - addr_width * 8);
}

#endif
