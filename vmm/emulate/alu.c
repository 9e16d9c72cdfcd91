/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/emulate/alu.h"

#include "vmm/emulate/x86.h"

static uint64_t alu_msb(unsigned int width)
{
	return BIT(width * 8 - 1);
}

/* SF, ZF and PF of a result. */
static uint64_t alu_result_flags(unsigned int width, uint64_t result)
{
	uint64_t flags = 0;

	if (!(result & alu_mask(width)))
		flags |= X86_FLAGS_ZF;
	if (result & alu_msb(width))
		flags |= X86_FLAGS_SF;
	if (!__builtin_parity((unsigned int)(result & 0xff)))
		flags |= X86_FLAGS_PF;
	return flags;
}

static void alu_set(uint64_t *rflags, uint64_t flags)
{
	*rflags = (*rflags & ~X86_FLAGS_STATUS) | flags;
}

static uint64_t alu_add(unsigned int width, uint64_t a, uint64_t b, uint64_t carry,
			uint64_t *rflags)
{
	uint64_t result = a + b + carry;
	/* The carries out of each bit: they left where both were set, or one and a carry came. */
	uint64_t carries = (a & b) | ((a | b) & ~result);
	uint64_t flags = alu_result_flags(width, result);

	if (carries & alu_msb(width))
		flags |= X86_FLAGS_CF;
	if (carries & BIT(3))
		flags |= X86_FLAGS_AF;
	if ((a ^ result) & (b ^ result) & alu_msb(width))
		flags |= X86_FLAGS_OF;
	alu_set(rflags, flags);
	return result;
}

static uint64_t alu_sub(unsigned int width, uint64_t a, uint64_t b, uint64_t borrow,
			uint64_t *rflags)
{
	uint64_t result = a - b - borrow;
	uint64_t borrows = (~a & b) | ((~a | b) & result);
	uint64_t flags = alu_result_flags(width, result);

	if (borrows & alu_msb(width))
		flags |= X86_FLAGS_CF;
	if (borrows & BIT(3))
		flags |= X86_FLAGS_AF;
	if ((a ^ b) & (a ^ result) & alu_msb(width))
		flags |= X86_FLAGS_OF;
	alu_set(rflags, flags);
	return result;
}

static uint64_t alu_logic(unsigned int width, uint64_t result, uint64_t *rflags)
{
	alu_set(rflags, alu_result_flags(width, result));
	return result;
}

/* INC and DEC leave the carry alone. */
static uint64_t alu_step(enum alu_op op, unsigned int width, uint64_t a, uint64_t *rflags)
{
	uint64_t carry = *rflags & X86_FLAGS_CF;
	uint64_t result =
		op == ALU_INC ? alu_add(width, a, 1, 0, rflags) : alu_sub(width, a, 1, 0, rflags);

	*rflags = (*rflags & ~X86_FLAGS_CF) | carry;
	return result;
}

uint64_t alu_compute(enum alu_op op, unsigned int width, uint64_t a, uint64_t b, uint64_t *rflags)
{
	uint64_t carry = *rflags & X86_FLAGS_CF;

	switch (op) {
	case ALU_ADD:
		return alu_add(width, a, b, 0, rflags);
	case ALU_ADC:
		return alu_add(width, a, b, carry, rflags);
	case ALU_SUB:
		return alu_sub(width, a, b, 0, rflags);
	case ALU_SBB:
		return alu_sub(width, a, b, carry, rflags);
	case ALU_CMP:
		alu_sub(width, a, b, 0, rflags);
		return a;
	case ALU_AND:
		return alu_logic(width, a & b, rflags);
	case ALU_OR:
		return alu_logic(width, a | b, rflags);
	case ALU_XOR:
		return alu_logic(width, a ^ b, rflags);
	case ALU_TEST:
		alu_logic(width, a & b, rflags);
		return a;
	case ALU_INC:
	case ALU_DEC:
		return alu_step(op, width, a, rflags);
	case ALU_NEG:
		return alu_sub(width, 0, a, 0, rflags);
	default: /* ALU_NOT: no flags */
		return ~a;
	}
}
