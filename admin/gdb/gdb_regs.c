/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers, in the order of the target description: what gdb demands of
 * an x86-64 (GDB manual, G.5.14), and the control registers. The FPU's
 * are not told: they are demanded, and said to be unavailable.
 */
#include "admin/gdb/gdb.h"

#include "vmm/hv_ops.h"

#include <string.h>

const char gdb_target_xml[] = "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
			      "<target><architecture>i386:x86-64</architecture>"
			      "<feature name=\"org.gnu.gdb.i386.core\">"
			      "<reg name=\"rax\" bitsize=\"64\" type=\"int64\"/>"
			      "<reg name=\"rbx\" bitsize=\"64\" type=\"int64\"/>"
			      "<reg name=\"rcx\" bitsize=\"64\" type=\"int64\"/>"
			      "<reg name=\"rdx\" bitsize=\"64\" type=\"int64\"/>"
			      "<reg name=\"rsi\" bitsize=\"64\" type=\"int64\"/>"
			      "<reg name=\"rdi\" bitsize=\"64\" type=\"int64\"/>"
			      "<reg name=\"rbp\" bitsize=\"64\" type=\"data_ptr\"/>"
			      "<reg name=\"rsp\" bitsize=\"64\" type=\"data_ptr\"/>"
			      "<reg name=\"r8\" bitsize=\"64\" type=\"int64\"/>"
			      "<reg name=\"r9\" bitsize=\"64\" type=\"int64\"/>"
			      "<reg name=\"r10\" bitsize=\"64\" type=\"int64\"/>"
			      "<reg name=\"r11\" bitsize=\"64\" type=\"int64\"/>"
			      "<reg name=\"r12\" bitsize=\"64\" type=\"int64\"/>"
			      "<reg name=\"r13\" bitsize=\"64\" type=\"int64\"/>"
			      "<reg name=\"r14\" bitsize=\"64\" type=\"int64\"/>"
			      "<reg name=\"r15\" bitsize=\"64\" type=\"int64\"/>"
			      "<reg name=\"rip\" bitsize=\"64\" type=\"code_ptr\"/>"
			      "<reg name=\"eflags\" bitsize=\"32\" type=\"int32\"/>"
			      "<reg name=\"cs\" bitsize=\"32\" type=\"int32\"/>"
			      "<reg name=\"ss\" bitsize=\"32\" type=\"int32\"/>"
			      "<reg name=\"ds\" bitsize=\"32\" type=\"int32\"/>"
			      "<reg name=\"es\" bitsize=\"32\" type=\"int32\"/>"
			      "<reg name=\"fs\" bitsize=\"32\" type=\"int32\"/>"
			      "<reg name=\"gs\" bitsize=\"32\" type=\"int32\"/>"
			      "<reg name=\"st0\" bitsize=\"80\" type=\"i387_ext\"/>"
			      "<reg name=\"st1\" bitsize=\"80\" type=\"i387_ext\"/>"
			      "<reg name=\"st2\" bitsize=\"80\" type=\"i387_ext\"/>"
			      "<reg name=\"st3\" bitsize=\"80\" type=\"i387_ext\"/>"
			      "<reg name=\"st4\" bitsize=\"80\" type=\"i387_ext\"/>"
			      "<reg name=\"st5\" bitsize=\"80\" type=\"i387_ext\"/>"
			      "<reg name=\"st6\" bitsize=\"80\" type=\"i387_ext\"/>"
			      "<reg name=\"st7\" bitsize=\"80\" type=\"i387_ext\"/>"
			      "<reg name=\"fctrl\" bitsize=\"32\" type=\"int32\"/>"
			      "<reg name=\"fstat\" bitsize=\"32\" type=\"int32\"/>"
			      "<reg name=\"ftag\" bitsize=\"32\" type=\"int32\"/>"
			      "<reg name=\"fiseg\" bitsize=\"32\" type=\"int32\"/>"
			      "<reg name=\"fioff\" bitsize=\"32\" type=\"int32\"/>"
			      "<reg name=\"foseg\" bitsize=\"32\" type=\"int32\"/>"
			      "<reg name=\"fooff\" bitsize=\"32\" type=\"int32\"/>"
			      "<reg name=\"fop\" bitsize=\"32\" type=\"int32\"/>"
			      "</feature><feature name=\"org.gnu.gdb.i386.segments\">"
			      "<reg name=\"fs_base\" bitsize=\"64\" type=\"data_ptr\"/>"
			      "<reg name=\"gs_base\" bitsize=\"64\" type=\"data_ptr\"/>"
			      "</feature><feature name=\"alcazar.control\">"
			      "<reg name=\"cr0\" bitsize=\"64\" type=\"uint64\"/>"
			      "<reg name=\"cr2\" bitsize=\"64\" type=\"uint64\"/>"
			      "<reg name=\"cr3\" bitsize=\"64\" type=\"uint64\"/>"
			      "<reg name=\"cr4\" bitsize=\"64\" type=\"uint64\"/>"
			      "<reg name=\"efer\" bitsize=\"64\" type=\"uint64\"/>"
			      "</feature></target>";
const size_t gdb_target_xml_len = sizeof(gdb_target_xml) - 1;

enum gdb_reg_kind { GDB_GPR, GDB_RIP, GDB_REG, GDB_SELECTOR, GDB_BASE, GDB_NONE };

struct gdb_reg {
	uint8_t kind;  /* enum gdb_reg_kind */
	uint8_t which; /* enum vcpu_gpr, vcpu_reg or vcpu_seg */
	uint8_t bytes;
};

#define NONE(bytes)                \
	{                          \
		GDB_NONE, 0, bytes \
	}
#define NONE8(bytes)                                                                               \
	NONE(bytes), NONE(bytes), NONE(bytes), NONE(bytes), NONE(bytes), NONE(bytes), NONE(bytes), \
		NONE(bytes)

static const struct gdb_reg gdb_regs[] = {
	{GDB_GPR, GPR_RAX, 8},
	{GDB_GPR, GPR_RBX, 8},
	{GDB_GPR, GPR_RCX, 8},
	{GDB_GPR, GPR_RDX, 8},
	{GDB_GPR, GPR_RSI, 8},
	{GDB_GPR, GPR_RDI, 8},
	{GDB_GPR, GPR_RBP, 8},
	{GDB_GPR, GPR_RSP, 8},
	{GDB_GPR, 8, 8},
	{GDB_GPR, 9, 8},
	{GDB_GPR, 10, 8},
	{GDB_GPR, 11, 8},
	{GDB_GPR, 12, 8},
	{GDB_GPR, 13, 8},
	{GDB_GPR, 14, 8},
	{GDB_GPR, 15, 8},
	{GDB_RIP, 0, 8},
	{GDB_REG, VCPU_RFLAGS, 4},
	{GDB_SELECTOR, SEG_CS, 4},
	{GDB_SELECTOR, SEG_SS, 4},
	{GDB_SELECTOR, SEG_DS, 4},
	{GDB_SELECTOR, SEG_ES, 4},
	{GDB_SELECTOR, SEG_FS, 4},
	{GDB_SELECTOR, SEG_GS, 4},
	NONE8(10),
	NONE8(4),
	{GDB_BASE, SEG_FS, 8},
	{GDB_BASE, SEG_GS, 8},
	{GDB_REG, VCPU_CR0, 8},
	{GDB_REG, VCPU_CR2, 8},
	{GDB_REG, VCPU_CR3, 8},
	{GDB_REG, VCPU_CR4, 8},
	{GDB_REG, VCPU_EFER, 8},
};

static uint64_t gdb_value(struct vcpu *vcpu, const struct gdb_reg *reg)
{
	struct vcpu_segment seg;

	switch (reg->kind) {
	case GDB_GPR:
		return vcpu_gpr(vcpu, reg->which);
	case GDB_RIP:
		return vcpu->rip;
	case GDB_REG:
		return hv_ops->get_reg(vcpu, (enum vcpu_reg)reg->which);
	default:
		hv_ops->get_seg(vcpu, (enum vcpu_seg)reg->which, &seg);
		return reg->kind == GDB_BASE ? seg.base : seg.selector;
	}
}

/* Only what changes nothing else: paging and segments are not the debugger's to break. */
static bool gdb_set_value(struct vcpu *vcpu, const struct gdb_reg *reg, uint64_t value)
{
	static const uint64_t flags = 0xcd5; /* CF, PF, AF, ZF, SF, DF, OF */

	if (reg->kind == GDB_GPR)
		vcpu_set_gpr(vcpu, reg->which, value);
	else if (reg->kind == GDB_RIP)
		vcpu->rip = value;
	else if (reg->kind == GDB_REG && reg->which == VCPU_RFLAGS)
		hv_ops->set_reg(vcpu, VCPU_RFLAGS,
				(hv_ops->get_reg(vcpu, VCPU_RFLAGS) & ~flags) | (value & flags));
	else
		return gdb_value(vcpu, reg) == value;
	return true;
}

void gdb_read_register(struct gdb *g, struct vcpu *vcpu, uint64_t number)
{
	const struct gdb_reg *reg;
	uint64_t value;

	if (number >= ARRAY_SIZE(gdb_regs)) {
		gdb_reply(g, "E01");
		return;
	}
	reg = &gdb_regs[number];
	if (reg->kind == GDB_NONE) {
		for (unsigned i = 0; i < reg->bytes; i++)
			gdb_reply(g, "xx");
		return;
	}
	value = gdb_value(vcpu, reg);
	gdb_reply_hex(g, &value, reg->bytes);
}

/* 0 where nothing was changed, for a register has not so many digits or may not be written. */
static size_t gdb_take(struct vcpu *vcpu, const struct gdb_reg *reg, const char *hex)
{
	uint64_t value = 0;

	if (strnlen(hex, 2 * (size_t)reg->bytes) < 2 * (size_t)reg->bytes)
		return 0;
	if (reg->kind != GDB_NONE &&
	    (!gdb_bytes(hex, (uint8_t *)&value, reg->bytes) || !gdb_set_value(vcpu, reg, value)))
		return 0;
	return 2 * (size_t)reg->bytes;
}

void gdb_write_register(struct gdb *g, struct vcpu *vcpu, uint64_t number, const char *hex)
{
	bool done = number < ARRAY_SIZE(gdb_regs) && gdb_take(vcpu, &gdb_regs[number], hex);

	gdb_reply(g, done ? "OK" : "E01");
}

void gdb_read_registers(struct gdb *g, struct vcpu *vcpu)
{
	for (unsigned i = 0; i < ARRAY_SIZE(gdb_regs); i++)
		gdb_read_register(g, vcpu, i);
}

void gdb_write_registers(struct gdb *g, struct vcpu *vcpu, const char *hex)
{
	size_t len = 1;

	for (unsigned i = 0; i < ARRAY_SIZE(gdb_regs) && len && *hex; i++) {
		len = gdb_take(vcpu, &gdb_regs[i], hex);
		hex += len;
	}
	gdb_reply(g, len && !*hex ? "OK" : "E01");
}
