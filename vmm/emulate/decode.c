/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zydis, in its minimal mode, tells an instruction's mnemonic, sizes and fields, and
 * rejects what no CPU accepts; the operands are put together here (APM vol. 3,
 * chapter 1).
 */
#include "vmm/emulate/decode.h"

#include "vmm/emulate/alu.h"
#include "vmm/emulate/decode_table.h"
#include "vmm/emulate/gva.h"
#include "vmm/emulate/handlers.h"

#define DECODE_NO_SEG 0xffU

/* The base and index of 16-bit addressing by ModRM.rm (APM vol. 3, table 1-14). */
static const uint8_t decode_base_16[8] = {X86_RBX, X86_RBX, X86_RBP, X86_RBP,
					  X86_RSI, X86_RDI, X86_RBP, X86_RBX};
static const uint8_t decode_index_16[8] = {X86_RSI,	X86_RDI,     X86_RSI,	  X86_RDI,
					   INSN_NO_REG, INSN_NO_REG, INSN_NO_REG, INSN_NO_REG};

static ZydisMachineMode decode_mode(const struct emulate_ctx *ctx, ZydisStackWidth *stack)
{
	bool big = ctx->cs.attr & EMULATE_SEG_BIG;

	*stack = big ? ZYDIS_STACK_WIDTH_32 : ZYDIS_STACK_WIDTH_16;
	if (emulate_long64(ctx)) {
		*stack = ZYDIS_STACK_WIDTH_64;
		return ZYDIS_MACHINE_MODE_LONG_64;
	}
	if (ctx->efer & X86_EFER_LMA)
		return big ? ZYDIS_MACHINE_MODE_LONG_COMPAT_32 : ZYDIS_MACHINE_MODE_LONG_COMPAT_16;
	if (big)
		return ZYDIS_MACHINE_MODE_LEGACY_32;
	if (!(ctx->cr0 & X86_CR0_PE) || (ctx->rflags & X86_FLAGS_VM))
		return ZYDIS_MACHINE_MODE_REAL_16;
	return ZYDIS_MACHINE_MODE_LEGACY_16;
}

/* LOCK and repeat prefixes to insn->flags. Returns the segment override, or DECODE_NO_SEG. */
static unsigned int decode_prefixes(const ZydisDecodedInstruction *z, struct insn *insn)
{
	bool long64 = z->machine_mode == ZYDIS_MACHINE_MODE_LONG_64;
	unsigned int seg = DECODE_NO_SEG;

	for (unsigned int i = 0; i < z->raw.prefix_count; i++) {
		uint8_t byte = z->raw.prefixes[i].value;

		if (byte == 0xf0)
			insn->flags |= INSN_LOCK;
		else if (byte == 0xf2)
			insn->flags = (insn->flags & (uint8_t)~INSN_REP) | INSN_REPNE;
		else if (byte == 0xf3)
			insn->flags = (insn->flags & (uint8_t)~INSN_REPNE) | INSN_REP;
		else if (byte == 0x64 || byte == 0x65)
			seg = EMULATE_FS + (byte - 0x64);
		else if (!long64 && (byte & 0xe7) == 0x26) /* 26, 2E, 36, 3E: ES, CS, SS, DS */
			seg = (byte - 0x26) / 8;
	}
	return seg;
}

static void decode_address_16(const ZydisDecodedInstruction *z, struct insn *insn)
{
	if (z->raw.modrm.mod == 0 && z->raw.modrm.rm == 6)
		return;
	insn->base = decode_base_16[z->raw.modrm.rm];
	insn->index = decode_index_16[z->raw.modrm.rm];
}

static void decode_address_sib(const ZydisDecodedInstruction *z, struct insn *insn)
{
	unsigned int index = z->raw.sib.index | z->raw.rex.X << 3;

	if (index != X86_RSP) {
		insn->index = (uint8_t)index;
		insn->scale = z->raw.sib.scale;
	}
	if (z->raw.modrm.mod != 0 || z->raw.sib.base != X86_RBP)
		insn->base = z->raw.sib.base | (uint8_t)(z->raw.rex.B << 3);
}

/* The operand that ModRM addresses. */
static void decode_address(const struct emulate_ctx *ctx, const ZydisDecodedInstruction *z,
			   struct insn *insn)
{
	insn->disp = z->raw.disp.value;
	if (insn->addr_width == 2)
		decode_address_16(z, insn);
	else if (z->raw.modrm.rm == X86_RSP)
		decode_address_sib(z, insn);
	else if (z->raw.modrm.mod != 0 || z->raw.modrm.rm != X86_RBP)
		insn->base = z->raw.modrm.rm | (uint8_t)(z->raw.rex.B << 3);
	else if (insn->code_width == 8)
		insn->disp = (int64_t)((uint64_t)insn->disp + ctx->rip + insn->length);
}

static struct insn_operand decode_reg(const ZydisDecodedInstruction *z, unsigned int reg,
				      unsigned int rex, unsigned int width)
{
	struct insn_operand operand = {.kind = INSN_REG, .reg = (uint8_t)(reg | rex << 3)};

	if (width == 1 && reg >= 4 && !(z->attributes & ZYDIS_ATTRIB_HAS_REX))
		operand.reg = (uint8_t)(INSN_HIGH_BYTE + reg - 4);
	return operand;
}

static struct insn_operand decode_rm(const struct emulate_ctx *ctx,
				     const ZydisDecodedInstruction *z, struct insn *insn)
{
	if (z->raw.modrm.mod == 3)
		return decode_reg(z, z->raw.modrm.rm, z->raw.rex.B, insn->mem_width);
	decode_address(ctx, z, insn);
	return (struct insn_operand){.kind = INSN_MEM};
}

static struct insn_operand decode_imm(const ZydisDecodedInstruction *z, struct insn *insn)
{
	if (!z->raw.imm[0].size)
		return (struct insn_operand){.kind = INSN_NONE};
	insn->imm = z->raw.imm[0].value.u;
	return (struct insn_operand){.kind = INSN_IMM};
}

static struct insn_operand decode_moffs(const ZydisDecodedInstruction *z, struct insn *insn)
{
	insn->disp = z->raw.disp.value;
	return (struct insn_operand){.kind = INSN_MEM};
}

/* Fills in the operands. False: not a form that is emulated. */
static bool decode_operands(const struct emulate_ctx *ctx, const ZydisDecodedInstruction *z,
			    struct insn *insn)
{
	const struct insn_operand acc = {.kind = INSN_REG, .reg = X86_RAX};
	struct insn_operand reg = decode_reg(z, z->raw.modrm.reg, z->raw.rex.R, insn->width);
	struct insn_operand opreg = decode_reg(z, z->opcode & 7, z->raw.rex.B, insn->width);

	switch (decode_shape(z->opcode_map, z->opcode)) {
	case DECODE_RM_REG:
		insn->dst = decode_rm(ctx, z, insn);
		insn->src = reg;
		return true;
	case DECODE_REG_RM:
		insn->src = decode_rm(ctx, z, insn);
		insn->dst = reg;
		return true;
	case DECODE_RM_IMM:
		insn->dst = decode_rm(ctx, z, insn);
		insn->src = decode_imm(z, insn);
		return true;
	case DECODE_ACC_IMM:
		insn->dst = acc;
		insn->src = decode_imm(z, insn);
		return true;
	case DECODE_ACC_MOFFS:
		insn->dst = acc;
		insn->src = decode_moffs(z, insn);
		return true;
	case DECODE_MOFFS_ACC:
		insn->dst = decode_moffs(z, insn);
		insn->src = acc;
		return true;
	case DECODE_OPREG:
		insn->dst = opreg;
		insn->src = decode_imm(z, insn);
		return true;
	case DECODE_ACC_OPREG:
		insn->dst = acc;
		insn->src = opreg;
		return true;
	case DECODE_IMM:
		insn->dst = decode_imm(z, insn);
		return true;
	case DECODE_RM_SEG:
		insn->handler = move_from_segment;
		insn->mem_width = 2;
		insn->dst = decode_rm(ctx, z, insn);
		insn->src.reg = z->raw.modrm.reg;
		return insn->src.reg < EMULATE_NR_SEGS;
	case DECODE_STRING:
		return true;
	default:
		return false;
	}
}

/* The segment of the operand in memory: SS where the stack's registers are the base. */
static void decode_segment(struct insn *insn, unsigned int override)
{
	if (override != DECODE_NO_SEG)
		insn->seg = (uint8_t) override;
	else if (insn->base == X86_RSP || insn->base == X86_RBP)
		insn->seg = EMULATE_SS;
	else
		insn->seg = EMULATE_DS;
	if (insn->code_width == 8 && insn->seg < EMULATE_FS)
		insn->flags |= INSN_FLAT;
}

/* Plain moves whose register is no AH to BH, nor RSP, which the vendor keeps: see fast.h. */
static void decode_fast(struct insn *insn)
{
	uint64_t mask;

	if (insn->handler != move_plain && insn->handler != move_zero_extend)
		return;
	mask = alu_mask(insn->width);
	if (insn->src.kind == INSN_MEM && insn->dst.reg < INSN_HIGH_BYTE &&
	    insn->dst.reg != X86_RSP) {
		insn->fast = INSN_FAST_LOAD;
		insn->fast_reg = insn->dst.reg;
		insn->keep = insn->width < 4 ? ~mask : 0;
	} else if (insn->dst.kind == INSN_MEM && insn->src.kind == INSN_IMM) {
		insn->fast = INSN_FAST_STORE;
		insn->imm &= mask;
	} else if (insn->dst.kind == INSN_MEM && insn->src.reg < INSN_HIGH_BYTE) {
		insn->fast = INSN_FAST_STORE;
		insn->fast_reg = insn->src.reg;
		insn->keep = mask;
	}
}

static void decode_widths(const ZydisDecodedInstruction *z, const struct decode_rule *rule,
			  struct insn *insn)
{
	insn->width = rule->width ? rule->width : z->operand_width / 8;
	insn->mem_width = insn->width;
	if (!(rule->flags & DECODE_EXTEND))
		return;
	if (z->opcode_map == ZYDIS_OPCODE_MAP_0F)
		insn->mem_width = z->opcode & 1 ? 2 : 1;
	else
		insn->mem_width = MIN(insn->width, 4);
}

/* Makes @insn from the rule for its mnemonic. It stays without a handler when a form is not known.
 */
static void decode_apply(const struct emulate_ctx *ctx, const ZydisDecodedInstruction *z,
			 const struct decode_rule *rule, struct insn *insn)
{
	unsigned int override = decode_prefixes(z, insn);

	decode_widths(z, rule, insn);
	insn->handler = rule->handler;
	insn->op = rule->op;
	if (!decode_operands(ctx, z, insn)) {
		insn->handler = NULL;
		return;
	}
	decode_segment(insn, override);
	if (rule->flags & DECODE_SOURCE) {
		insn->src = insn->dst;
		insn->dst.kind = INSN_NONE;
	}
	if (insn->dst.kind == INSN_MEM && (rule->flags & DECODE_WRITES))
		insn->access = GVA_WRITE;
	if (rule->flags & DECODE_LOCKED)
		insn->flags |= INSN_LOCK;
	decode_fast(insn);
}

static enum decode_result decode_error(ZyanStatus status, unsigned int len)
{
	if (status == ZYDIS_STATUS_NO_MORE_DATA)
		return len < X86_MAX_INSN_BYTES ? DECODE_MORE : DECODE_TOO_LONG;
	if (status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG)
		return DECODE_TOO_LONG;
	if (status == ZYDIS_STATUS_ILLEGAL_LOCK)
		return DECODE_UNDEFINED;
	return DECODE_UNKNOWN;
}

enum decode_result decode_insn(const struct emulate_ctx *ctx, const uint8_t *bytes,
			       unsigned int len, struct insn *insn)
{
	ZydisDecodedInstruction z;
	const struct decode_rule *rule;
	ZydisDecoder decoder;
	ZydisMachineMode mode;
	ZydisStackWidth stack;
	ZyanStatus status;

	mode = decode_mode(ctx, &stack);
	status = ZydisDecoderInit(&decoder, mode, stack);
	if (ZYAN_SUCCESS(status))
		status = ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
	if (ZYAN_SUCCESS(status))
		status = ZydisDecoderDecodeInstruction(&decoder, NULL, bytes, len, &z);
	if (!ZYAN_SUCCESS(status))
		return decode_error(status, len);

	*insn = (struct insn){
		.length = z.length,
		.addr_width = z.address_width / 8,
		.base = INSN_NO_REG,
		.index = INSN_NO_REG,
		.seg = EMULATE_DS,
	};
	insn->code_width = 2;
	if (mode == ZYDIS_MACHINE_MODE_LONG_64)
		insn->code_width = 8;
	else if (ctx->cs.attr & EMULATE_SEG_BIG)
		insn->code_width = 4;
	rule = decode_rule(z.mnemonic);
	if (rule)
		decode_apply(ctx, &z, rule, insn);
	return DECODE_OK;
}
