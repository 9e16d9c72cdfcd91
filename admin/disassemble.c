/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/disassemble.h"

#include "lib/compiler.h"
#include "vmm/vcpu.h"

#include <Zydis/Decoder.h>
#include <Zydis/Formatter.h>
#include <string.h>

#define EFER_LMA (UINT64_C(1) << 10)

static ZyanStatus choose_mode(ZydisDecoder *decoder, const struct vcpu_mode *mode)
{
	if ((mode->efer & EFER_LMA) && (mode->cs.attrib & SEG_ATTR_L))
		return ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (mode->cs.attrib & SEG_ATTR_DB)
		return ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LEGACY_32,
					ZYDIS_STACK_WIDTH_32);
	return ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
}

/* As gdb writes numbers. */
static ZyanStatus choose_style(ZydisFormatter *formatter)
{
	static const struct {
		ZydisFormatterProperty property;
		ZyanUPointer value;
	} properties[] = {
		{ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE},
		{ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_PADDING_DISABLED},
		{ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_PADDING_DISABLED},
		{ZYDIS_FORMATTER_PROP_IMM_PADDING, ZYDIS_PADDING_DISABLED},
	};
	ZyanStatus status = ZydisFormatterInit(formatter, ZYDIS_FORMATTER_STYLE_ATT);

	for (size_t i = 0; ZYAN_SUCCESS(status) && i < ARRAY_SIZE(properties); i++)
		status = ZydisFormatterSetProperty(formatter, properties[i].property,
						   properties[i].value);
	return status;
}

size_t disassemble(const struct vcpu_mode *mode, uint64_t at, const uint8_t *bytes, size_t len,
		   char *text)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction insn;
	ZydisFormatter formatter;
	ZydisDecoder decoder;
	ZyanStatus status = choose_mode(&decoder, mode);

	if (ZYAN_SUCCESS(status))
		status = ZydisDecoderDecodeFull(&decoder, bytes, len, &insn, operands);
	if (status == ZYDIS_STATUS_NO_MORE_DATA && len < DISASSEMBLE_BYTES)
		return 0;
	if (ZYAN_SUCCESS(status))
		status = choose_style(&formatter);
	if (ZYAN_SUCCESS(status))
		status = ZydisFormatterFormatInstruction(&formatter, &insn, operands,
							 insn.operand_count_visible, text,
							 DISASSEMBLE_TEXT, at, NULL);
	if (ZYAN_SUCCESS(status))
		return insn.length;
	strcpy(text, "(bad)");
	return 1;
}
