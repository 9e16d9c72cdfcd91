/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Integer arithmetic with flags as the CPU sets them (SDM vol. 1, appendix A).
 * Flags that the manual leaves undefined are set as AMD and Intel CPUs do.
 */
#ifndef VMM_EMULATE_ALU_H
#define VMM_EMULATE_ALU_H

#include "lib/compiler.h"

/* Two-operand operations, then one-operand ones. */
enum alu_op {
	ALU_ADD,
	ALU_ADC,
	ALU_SUB,
	ALU_SBB,
	ALU_CMP,
	ALU_AND,
	ALU_OR,
	ALU_XOR,
	ALU_TEST,
	ALU_INC,
	ALU_DEC,
	ALU_NEG,
	ALU_NOT,
	ALU_OPS,
};

/* All bits of an operand of @width bytes. */
static inline uint64_t alu_mask(unsigned int width)
{
	return ~UINT64_C(0) >> (64 - width * 8);
}

/*
 * @a op @b on @width bytes; CMP and TEST return @a. @rflags: in and out.
 * Bits of @a and @b beyond @width do not matter.
 */
uint64_t alu_compute(enum alu_op op, unsigned int width, uint64_t a, uint64_t b, uint64_t *rflags);

#endif
