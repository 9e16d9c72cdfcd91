/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoder's knowledge: what each mnemonic does, and where each opcode has its operands. */
#ifndef VMM_EMULATE_DECODE_TABLE_H
#define VMM_EMULATE_DECODE_TABLE_H

#include <Zydis/Decoder.h>

#include "vmm/emulate/insn.h"

/* The operands of an opcode, destination first. */
enum decode_shape {
	DECODE_NO_SHAPE,
	DECODE_RM_REG,
	DECODE_REG_RM,
	DECODE_RM_IMM, /* the immediate is optional */
	DECODE_ACC_IMM,
	DECODE_ACC_MOFFS,
	DECODE_MOFFS_ACC,
	DECODE_OPREG, /* the register in the opcode's low bits, and an optional immediate */
	DECODE_ACC_OPREG,
	DECODE_IMM, /* as source */
	DECODE_RM_SEG,
	DECODE_STRING,
};

#define DECODE_LOCKED BIT(0) /* locks its memory operand by itself */
#define DECODE_SOURCE BIT(1) /* the one operand is a source */
#define DECODE_WRITES BIT(2) /* writes its destination */
#define DECODE_EXTEND BIT(3) /* the source's width is the opcode's, not the operand size */

struct decode_rule {
	ZydisMnemonic mnemonic;
	uint8_t op;
	uint8_t flags; /* DECODE_LOCKED … */
	uint8_t width; /* fixed, in bytes; 0: the operand size */
	insn_handler handler;
};

/* NULL: not emulated. */
const struct decode_rule *decode_rule(ZydisMnemonic mnemonic);
enum decode_shape decode_shape(ZydisOpcodeMap map, uint8_t opcode);

#endif
