/* SPDX-License-Identifier: BSD-2-Clause */
/* APM vol. 3, appendix A (opcode maps). */
#include "vmm/emulate/decode_table.h"

#include "vmm/emulate/alu.h"
#include "vmm/emulate/handlers.h"

#define RULE(name, fn, op_, flags_, width_)                                        \
	{                                                                          \
		.mnemonic = ZYDIS_MNEMONIC_##name, .op = (op_), .flags = (flags_), \
		.width = (width_), .handler = (fn),                                \
	}
#define ALU(name)	  RULE(name, arith_alu, ALU_##name, DECODE_WRITES, 0)
#define ALU_COMPARE(name) RULE(name, arith_alu, ALU_##name, 0, 0)
#define ALU_UNARY(name)	  RULE(name, arith_alu, ALU_##name, DECODE_WRITES, 0)
#define STRING(name)                                            \
	RULE(name##B, string_run, STRING_##name, 0, 0),         \
		RULE(name##W, string_run, STRING_##name, 0, 0), \
		RULE(name##D, string_run, STRING_##name, 0, 0), \
		RULE(name##Q, string_run, STRING_##name, 0, 0)

/* Mnemonics in the order of how often a device's registers see them. */
static const struct decode_rule decode_rules[] = {
	RULE(MOV, move_plain, 0, DECODE_WRITES, 0),
	RULE(MOVZX, move_zero_extend, 0, DECODE_EXTEND, 0),
	RULE(MOVSX, move_sign_extend, 0, DECODE_EXTEND, 0),
	RULE(MOVSXD, move_sign_extend, 0, DECODE_EXTEND, 0),
	RULE(MOVNTI, move_plain, 0, DECODE_WRITES, 0),
	RULE(MOVBE, move_swap_bytes, 0, DECODE_WRITES, 0),
	STRING(MOVS),
	STRING(STOS),
	STRING(LODS),
	STRING(CMPS),
	STRING(SCAS),
	ALU(ADD),
	ALU(ADC),
	ALU(SUB),
	ALU(SBB),
	ALU(AND),
	ALU(OR),
	ALU(XOR),
	ALU_COMPARE(CMP),
	ALU_COMPARE(TEST),
	ALU_UNARY(INC),
	ALU_UNARY(DEC),
	ALU_UNARY(NEG),
	ALU_UNARY(NOT),
	RULE(BT, bits_test, BITS_TEST, 0, 0),
	RULE(BTS, bits_test, BITS_SET, DECODE_WRITES, 0),
	RULE(BTR, bits_test, BITS_RESET, DECODE_WRITES, 0),
	RULE(BTC, bits_test, BITS_COMPLEMENT, DECODE_WRITES, 0),
	RULE(XCHG, arith_xchg, 0, DECODE_WRITES | DECODE_LOCKED, 0),
	RULE(XADD, arith_xadd, 0, DECODE_WRITES, 0),
	RULE(CMPXCHG, cmpxchg_plain, 0, DECODE_WRITES, 0),
	RULE(CMPXCHG8B, cmpxchg_8b, 0, DECODE_WRITES, 8),
	RULE(CMPXCHG16B, cmpxchg_16b, 0, DECODE_WRITES, 16),
	RULE(PUSH, stack_push, 0, DECODE_SOURCE, 0),
	RULE(POP, stack_pop, 0, DECODE_WRITES, 0),
	/* For the segment of their source: see string_io.h. */
	RULE(OUTSB, NULL, 0, 0, 0),
	RULE(OUTSW, NULL, 0, 0, 0),
	RULE(OUTSD, NULL, 0, 0, 0),
};

const struct decode_rule *decode_rule(ZydisMnemonic mnemonic)
{
	for (size_t i = 0; i < ARRAY_SIZE(decode_rules); i++)
		if (decode_rules[i].mnemonic == mnemonic)
			return &decode_rules[i];
	return NULL;
}

/* The six forms that ADD and its seven sisters have at their row's start. */
#define ROW(first)                                                                             \
	[first] = DECODE_RM_REG, [(first) + 1] = DECODE_RM_REG, [(first) + 2] = DECODE_REG_RM, \
	[(first) + 3] = DECODE_REG_RM, [(first) + 4] = DECODE_ACC_IMM,                         \
	[(first) + 5] = DECODE_ACC_IMM

static const uint8_t decode_shapes[256] = {
	ROW(0x00),
	ROW(0x08),
	ROW(0x10),
	ROW(0x18),
	ROW(0x20),
	ROW(0x28),
	ROW(0x30),
	ROW(0x38),
	[0x40 ... 0x5f] = DECODE_OPREG,
	[0x63] = DECODE_REG_RM,
	[0x68] = DECODE_IMM,
	[0x6a] = DECODE_IMM,
	[0x6e ... 0x6f] = DECODE_STRING,
	[0x80 ... 0x83] = DECODE_RM_IMM,
	[0x84 ... 0x89] = DECODE_RM_REG,
	[0x8a ... 0x8b] = DECODE_REG_RM,
	[0x8c] = DECODE_RM_SEG,
	[0x8f] = DECODE_RM_IMM,
	[0x90 ... 0x97] = DECODE_ACC_OPREG,
	[0xa0 ... 0xa1] = DECODE_ACC_MOFFS,
	[0xa2 ... 0xa3] = DECODE_MOFFS_ACC,
	[0xa4 ... 0xa7] = DECODE_STRING,
	[0xa8 ... 0xa9] = DECODE_ACC_IMM,
	[0xaa ... 0xaf] = DECODE_STRING,
	[0xb0 ... 0xbf] = DECODE_OPREG,
	[0xc6 ... 0xc7] = DECODE_RM_IMM,
	[0xf6 ... 0xf7] = DECODE_RM_IMM,
	[0xfe ... 0xff] = DECODE_RM_IMM,
};

static const uint8_t decode_shapes_0f[256] =
	{
		[0xa3] = DECODE_RM_REG,		 [0xab] = DECODE_RM_REG,
		[0xb0 ... 0xb1] = DECODE_RM_REG, [0xb3] = DECODE_RM_REG,
		[0xb6 ... 0xb7] = DECODE_REG_RM, [0xba] = DECODE_RM_IMM,
		[0xbb] = DECODE_RM_REG,		 [0xbe ... 0xbf] = DECODE_REG_RM,
		[0xc0 ... 0xc1] = DECODE_RM_REG, [0xc3] = DECODE_RM_REG,
		[0xc7] = DECODE_RM_IMM,
};

/* MOVBE only. */
static const uint8_t decode_shapes_0f38[256] = {
	[0xf0] = DECODE_REG_RM,
	[0xf1] = DECODE_RM_REG,
};

enum decode_shape decode_shape(ZydisOpcodeMap map, uint8_t opcode)
{
	switch (map) {
	case ZYDIS_OPCODE_MAP_DEFAULT:
		return decode_shapes[opcode];
	case ZYDIS_OPCODE_MAP_0F:
		return decode_shapes_0f[opcode];
	case ZYDIS_OPCODE_MAP_0F38:
		return decode_shapes_0f38[opcode];
	default:
		return DECODE_NO_SHAPE;
	}
}
