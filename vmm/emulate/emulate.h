/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulation of one guest instruction that the machine could not finish by
 * itself, nearly always because its memory operand is a device.
 *
 * The emulator knows neither the CPU vendor nor the VM: it works on the
 * registers in struct emulate_ctx and reaches memory through its ops. It takes
 * no lock, allocates nothing and may be called on any CPU for a vCPU that is
 * not running. Pure: builds on the host too.
 */
#ifndef VMM_EMULATE_EMULATE_H
#define VMM_EMULATE_EMULATE_H

#include <stdbool.h>

#include "lib/compiler.h"
#include "vmm/emulate/x86.h"

struct icache;
struct insn;

/* Segment registers in the order in which instructions encode them. */
enum emulate_seg {
	EMULATE_ES,
	EMULATE_CS,
	EMULATE_SS,
	EMULATE_DS,
	EMULATE_FS,
	EMULATE_GS,
	EMULATE_NR_SEGS,
};

/* Attribute bits, a descriptor's without the gap (APM vol. 2, 15.5.1). */
#define EMULATE_SEG_WRITE   BIT(1) /* data: writable; code: readable */
#define EMULATE_SEG_DOWN    BIT(2) /* data: expands down */
#define EMULATE_SEG_CODE    BIT(3)
#define EMULATE_SEG_PRESENT BIT(7) /* clear: also a null segment */
#define EMULATE_SEG_LONG    BIT(9)
#define EMULATE_SEG_BIG	    BIT(10) /* D of code, B of stack and data */

struct emulate_segment {
	uint64_t base;
	uint32_t limit; /* in bytes, granularity applied */
	uint16_t attr;	/* EMULATE_SEG_* */
	uint16_t selector;
};

enum emulate_result {
	/* Finished: registers are written and RIP stands behind the instruction. */
	EMULATE_DONE,
	/*
	 * Let the guest run on at the same RIP: a repeated instruction has done
	 * its share of this exit, or another vCPU won a race for the operand.
	 */
	EMULATE_AGAIN,
	/* ctx->fault is to be injected; registers show the last finished iteration. */
	EMULATE_FAULT,
	/* Not an instruction that is emulated: ctx->bytes has it, for the log. */
	EMULATE_UNHANDLED,
};

struct emulate_fault {
	uint8_t vector;
	bool has_error;
	uint32_t error;
	uint64_t cr2; /* of a page fault */
};

struct emulate_ops {
	/* Reads segment register @seg, hidden part included. */
	void (*segment)(void *opaque, enum emulate_seg seg, struct emulate_segment *out);
	/*
	 * The host address of @len bytes of guest RAM (or, unless @write, ROM) at
	 * @gpa, which do not cross a page; NULL when they are not plain memory for
	 * this access, so that @device_read and @device_write serve them. Stays the
	 * same until the instruction cache is flushed.
	 */
	void *(*ram)(void *opaque, uint64_t gpa, uint64_t len, bool write);
	/*
	 * An access of @width 1, 2, 4 or 8 bytes, of any alignment, inside one page.
	 * Never fails: nobody's address reads all ones and ignores writes. Reads also
	 * serve RAM for whose writes @ram gives NULL.
	 */
	uint64_t (*device_read)(void *opaque, uint64_t gpa, unsigned int width);
	void (*device_write)(void *opaque, uint64_t gpa, unsigned int width, uint64_t value);
};

struct emulate_ctx {
	const struct emulate_ops *ops;
	void *opaque;	       /* first argument of the ops */
	struct icache *icache; /* the vCPU's own */

	uint64_t *gpr; /* 16, in encoding order, RSP among them; written in place */
	uint64_t rip, rflags;
	uint64_t cr0, cr3, cr4, efer;
	struct emulate_segment cs;
	uint8_t cpl;
	uint8_t phys_bits; /* guest-physical address width of the CPU model */
	bool pages_1g;	   /* the CPU model has 1 GiB pages */

	/* Results. */
	uint8_t nr_bytes;
	uint8_t bytes[X86_MAX_INSN_BYTES];
	struct emulate_fault fault;
};

/*
 * Emulates the instruction at RIP.
 *
 * @ctx: state in and out; gpr, rip, rflags, fault and bytes are written as the
 *       result says, nothing else.
 * Returns what became of it; every value must be acted upon.
 */
enum emulate_result __must_check emulate_instruction(struct emulate_ctx *ctx);

/*
 * The same for an access that the machine reported at guest-physical address
 * @gpa, final translation, not a fetch: plain moves between a register and
 * memory then need no walk of the guest's page tables.
 */
enum emulate_result __must_check emulate_mmio(struct emulate_ctx *ctx, uint64_t gpa);
/* The same for @insn, which icache_insn() gave. */
enum emulate_result __must_check emulate_at(struct emulate_ctx *ctx, const struct insn *insn,
					    uint64_t gpa);

/* Records a fault in @ctx; for the emulator's own files. Returns -EFAULT. */
int emulate_raise(struct emulate_ctx *ctx, unsigned int vector);
int emulate_raise_error(struct emulate_ctx *ctx, unsigned int vector, uint32_t error);

static inline bool emulate_long64(const struct emulate_ctx *ctx)
{
	return (ctx->efer & X86_EFER_LMA) && (ctx->cs.attr & EMULATE_SEG_LONG);
}

#endif
