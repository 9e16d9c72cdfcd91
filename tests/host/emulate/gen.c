/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/emulate/gen.h"

#include <string.h>

#include "tests/host/emulate/random.h"
#include "vmm/emulate/x86.h"

#define RSP   4
#define NOREG 0xff

/* Where a template's operands are. */
enum gen_form {
	GEN_RM,	   /* ModRM, memory or register */
	GEN_MEM,   /* ModRM, memory only */
	GEN_PLAIN, /* no ModRM */
	GEN_OPREG, /* a register in the opcode */
	GEN_MOFFS,
	GEN_STRING,
	GEN_PUSH, /* with ModRM */
	GEN_POP,  /* with ModRM */
};

#define GEN_LOCK   1U /* may have LOCK, on memory */
#define GEN_BITS   2U /* the register is a bit offset */
#define GEN_LOGIC  4U /* AF is undefined */
#define GEN_ONLY32 8U
#define GEN_ONLY64 16U
#define GEN_ALIGN  32U	/* sixteen bytes with REX.W, aligned */
#define GEN_BT	   64U	/* all but CF (and ZF) are undefined */
#define GEN_SEG	   128U /* the register is a segment's */
#define GEN_STACK  256U
#define GEN_WIDE   512U	 /* not with a 16-bit operand */
#define GEN_EQUAL  1024U /* compares with RAX and RDX: zeros come often */

struct gen_template {
	uint8_t map; /* 0, 0x0f, 0x38 */
	uint8_t opcode;
	int8_t reg;  /* ModRM.reg, -1: any */
	uint8_t imm; /* bytes; 4: by operand size, 2 or 4; 8: up to 8 */
	uint8_t form;
	uint16_t flags;
};

#define ALU(n, lock, logic)                                                                     \
	{0, 8 * (n), -1, 0, GEN_RM, (lock) | (logic)},                                          \
		{0, 8 * (n) + 1, -1, 0, GEN_RM, (lock) | (logic)},                              \
		{0, 8 * (n) + 2, -1, 0, GEN_RM, logic}, {0, 8 * (n) + 3, -1, 0, GEN_RM, logic}, \
		{0, 8 * (n) + 4, -1, 1, GEN_PLAIN, logic},                                      \
		{0, 8 * (n) + 5, -1, 4, GEN_PLAIN, logic},                                      \
		{0, 0x80, n, 1, GEN_RM, (lock) | (logic)},                                      \
		{0, 0x81, n, 4, GEN_RM, (lock) | (logic)},                                      \
	{                                                                                       \
		0, 0x83, n, 1, GEN_RM, (lock) | (logic)                                         \
	}
#define BITS(op, digit, lock)                                  \
	{0x0f, op, -1, 0, GEN_RM, GEN_BT | GEN_BITS | (lock)}, \
	{                                                      \
		0x0f, 0xba, digit, 1, GEN_RM, GEN_BT | (lock)  \
	}

static const struct gen_template templates[] = {
	ALU(0, GEN_LOCK, 0),
	ALU(1, GEN_LOCK, GEN_LOGIC),
	ALU(2, GEN_LOCK, 0),
	ALU(3, GEN_LOCK, 0),
	ALU(4, GEN_LOCK, GEN_LOGIC),
	ALU(5, GEN_LOCK, 0),
	ALU(6, GEN_LOCK, GEN_LOGIC),
	ALU(7, 0, 0),
	BITS(0xa3, 4, 0),
	BITS(0xab, 5, GEN_LOCK),
	BITS(0xb3, 6, GEN_LOCK),
	BITS(0xbb, 7, GEN_LOCK),
	{0, 0x84, -1, 0, GEN_RM, GEN_LOGIC},
	{0, 0x85, -1, 0, GEN_RM, GEN_LOGIC},
	{0, 0xa8, -1, 1, GEN_PLAIN, GEN_LOGIC},
	{0, 0xa9, -1, 4, GEN_PLAIN, GEN_LOGIC},
	{0, 0xf6, 0, 1, GEN_RM, GEN_LOGIC},
	{0, 0xf7, 0, 4, GEN_RM, GEN_LOGIC},
	{0, 0xf7, 1, 4, GEN_RM, GEN_LOGIC},
	{0, 0xf6, 2, 0, GEN_RM, GEN_LOCK},
	{0, 0xf7, 2, 0, GEN_RM, GEN_LOCK},
	{0, 0xf6, 3, 0, GEN_RM, GEN_LOCK},
	{0, 0xf7, 3, 0, GEN_RM, GEN_LOCK},
	{0, 0xfe, 0, 0, GEN_RM, GEN_LOCK},
	{0, 0xff, 0, 0, GEN_RM, GEN_LOCK},
	{0, 0xfe, 1, 0, GEN_RM, GEN_LOCK},
	{0, 0xff, 1, 0, GEN_RM, GEN_LOCK},
	{0, 0x40, -1, 0, GEN_OPREG, GEN_ONLY32},
	{0, 0x48, -1, 0, GEN_OPREG, GEN_ONLY32},
	{0, 0x86, -1, 0, GEN_RM, GEN_LOCK},
	{0, 0x87, -1, 0, GEN_RM, GEN_LOCK},
	{0, 0x90, -1, 0, GEN_OPREG, 0},
	{0, 0x88, -1, 0, GEN_RM, 0},
	{0, 0x89, -1, 0, GEN_RM, 0},
	{0, 0x8a, -1, 0, GEN_RM, 0},
	{0, 0x8b, -1, 0, GEN_RM, 0},
	{0, 0x8c, -1, 0, GEN_RM, GEN_SEG},
	{0, 0xc6, 0, 1, GEN_RM, 0},
	{0, 0xc7, 0, 4, GEN_RM, 0},
	{0, 0xb0, -1, 1, GEN_OPREG, 0},
	{0, 0xb8, -1, 8, GEN_OPREG, 0},
	{0, 0xa0, -1, 0, GEN_MOFFS, 0},
	{0, 0xa1, -1, 0, GEN_MOFFS, 0},
	{0, 0xa2, -1, 0, GEN_MOFFS, 0},
	{0, 0xa3, -1, 0, GEN_MOFFS, 0},
	{0, 0x63, -1, 0, GEN_RM, GEN_ONLY64},
	{0x0f, 0xb6, -1, 0, GEN_RM, 0},
	{0x0f, 0xb7, -1, 0, GEN_RM, 0},
	{0x0f, 0xbe, -1, 0, GEN_RM, 0},
	{0x0f, 0xbf, -1, 0, GEN_RM, 0},
	{0x0f, 0xb0, -1, 0, GEN_RM, GEN_LOCK | GEN_EQUAL},
	/* Whether a register that was not equal has its upper half cleared depends on the maker. */
	{0x0f, 0xb1, -1, 0, GEN_MEM, GEN_LOCK | GEN_EQUAL},
	{0x0f, 0xc0, -1, 0, GEN_RM, GEN_LOCK},
	{0x0f, 0xc1, -1, 0, GEN_RM, GEN_LOCK},
	{0x0f, 0xc3, -1, 0, GEN_MEM, GEN_WIDE},
	{0x0f, 0xc7, 1, 0, GEN_MEM, GEN_LOCK | GEN_ALIGN | GEN_WIDE | GEN_EQUAL},
	{0x38, 0xf0, -1, 0, GEN_MEM, 0},
	{0x38, 0xf1, -1, 0, GEN_MEM, 0},
	{0, 0xa4, -1, 0, GEN_STRING, 0},
	{0, 0xa5, -1, 0, GEN_STRING, 0},
	{0, 0xa6, -1, 0, GEN_STRING, 0},
	{0, 0xa7, -1, 0, GEN_STRING, 0},
	{0, 0xaa, -1, 0, GEN_STRING, 0},
	{0, 0xab, -1, 0, GEN_STRING, 0},
	{0, 0xac, -1, 0, GEN_STRING, 0},
	{0, 0xad, -1, 0, GEN_STRING, 0},
	{0, 0xae, -1, 0, GEN_STRING, 0},
	{0, 0xaf, -1, 0, GEN_STRING, 0},
	{0, 0xff, 6, 0, GEN_PUSH, GEN_STACK},
	{0, 0x8f, 0, 0, GEN_POP, GEN_STACK},
	{0, 0x50, -1, 0, GEN_OPREG, GEN_STACK},
	{0, 0x58, -1, 0, GEN_OPREG, GEN_STACK},
	{0, 0x68, -1, 4, GEN_PLAIN, GEN_STACK},
	{0, 0x6a, -1, 1, GEN_PLAIN, GEN_STACK},
};

/* A case while it is being made. */
struct gen {
	struct gen_case *c;
	const struct gen_template *t;
	bool bits32;
	bool memory; /* the ModRM operand */
	bool narrow; /* 66 */
	bool addr32; /* 67, in 64-bit mode */
	uint8_t rex;
	uint8_t pinned[2]; /* registers that the address needs */
};

static bool gen_chance(unsigned int one_in)
{
	return !random_below(one_in);
}

/* Values at which flags turn over come often. */
static uint64_t gen_value(void)
{
	static const uint64_t edges[] = {0,	     1,		0x7f,	    0x80,	0xff,
					 0x7fff,     0x8000,	0xffff,	    0x7fffffff, 0x80000000,
					 0xffffffff, INT64_MAX, 1ULL << 63, ~0ULL};

	if (gen_chance(3))
		return edges[random_below(sizeof(edges) / sizeof(edges[0]))];
	return random_word();
}

static void gen_byte(struct gen *g, uint64_t byte)
{
	g->c->bytes[g->c->len++] = (uint8_t)byte;
}

static void gen_bytes(struct gen *g, uint64_t value, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++)
		gen_byte(g, value >> i * 8);
}

/* An operand's address: room for bit offsets on both sides. */
static uint64_t gen_target(const struct gen *g)
{
	uint64_t target = GEN_WINDOW_AT + GEN_WINDOW / 2 - 64 + random_below(128);

	if (g->t->flags & GEN_ALIGN)
		target &= ~UINT64_C(15);
	return target;
}

/* Puts what is not part of an address of 32 bits above it: it must not matter. */
static uint64_t gen_pad(const struct gen *g, uint64_t address)
{
	if (g->addr32 || g->bits32)
		return (uint32_t)address | random_word() << 32;
	return address;
}

static void gen_prefixes(struct gen *g)
{
	static const uint8_t segments[] = {0x26, 0x36, 0x3e, 0x2e}; /* CS cannot be written */
	const struct gen_template *t = g->t;

	g->narrow = gen_chance(4) && !(t->flags & GEN_WIDE);
	g->addr32 = !g->bits32 && gen_chance(6);
	if (g->memory && (t->flags & GEN_LOCK) && gen_chance(3))
		gen_byte(g, 0xf0);
	if (t->form == GEN_STRING && !gen_chance(3))
		gen_byte(g, 0xf2 + random_below(2));
	if (g->narrow)
		gen_byte(g, 0x66);
	if (g->addr32)
		gen_byte(g, 0x67);
	if (gen_chance(8))
		gen_byte(g, segments[random_below(g->bits32 ? 3 : 4)]);
	if (!g->bits32 && gen_chance(2))
		g->rex = 0x40 | (uint8_t)random_below(16);
	/* PUSH and POP of 16 bits and REX.W at once: nobody's business. */
	if (t->flags & GEN_STACK)
		g->rex &= 0xf7;
}

static void gen_opcode(struct gen *g, unsigned int low_bits)
{
	if (g->rex)
		gen_byte(g, g->rex);
	if (g->t->map) {
		gen_byte(g, 0x0f);
		if (g->t->map == 0x38)
			gen_byte(g, 0x38);
	}
	gen_byte(g, g->t->opcode | low_bits);
}

/* A base, perhaps an index, and a displacement that together make @target. */
static void gen_address_sib(struct gen *g, unsigned int reg, uint64_t target)
{
	unsigned int mod = (unsigned int)random_below(3);
	unsigned int base = (unsigned int)random_below(8), index = (unsigned int)random_below(8);
	unsigned int scale = (unsigned int)random_below(4);
	unsigned int real_base = base | (g->rex & 1) << 3, real_index = index | (g->rex & 2) << 2;
	uint64_t disp = mod == 1 ? (uint64_t)(int8_t)random_word()
				 : (uint64_t)((int64_t)random_below(0x10000) - 0x8000);
	uint64_t small = random_below(64) - 32;

	if (mod == 0)
		disp = 0;
	if (real_index == real_base) {
		index ^= 1;
		real_index ^= 1;
	}
	if (real_index != RSP) {
		g->c->state.gpr[real_index] = gen_pad(g, small);
		g->pinned[1] = (uint8_t)real_index;
	} else {
		small = 0;
	}
	gen_byte(g, mod << 6 | reg << 3 | 4);
	gen_byte(g, scale << 6 | index << 3 | base);
	if (mod == 0 && base == 5) {
		gen_bytes(g, target - (small << scale), 4);
		return;
	}
	g->c->state.gpr[real_base] = gen_pad(g, target - disp - (small << scale));
	g->pinned[0] = (uint8_t)real_base;
	gen_bytes(g, disp, mod == 0 ? 0 : mod == 1 ? 1 : 4);
}

static void gen_address(struct gen *g, unsigned int reg)
{
	unsigned int imm = g->t->imm == 4 && g->narrow && !(g->rex & 8) ? 2 : g->t->imm;
	unsigned int base = (unsigned int)random_below(8);
	uint64_t target = gen_target(g);

	if (base == 4 || gen_chance(2)) {
		gen_address_sib(g, reg, target);
	} else if (base == 5) {
		gen_byte(g, reg << 3 | 5);
		/* Relative to the next instruction, but absolute in 32-bit mode. */
		if (!g->bits32)
			target -= NATIVE_CODE + g->c->len + 4 + imm;
		gen_bytes(g, target, 4);
	} else {
		unsigned int real_base = base | (g->rex & 1) << 3;
		uint64_t disp = random_word() & 0x7f;

		gen_byte(g, 1 << 6 | reg << 3 | base);
		gen_byte(g, disp);
		g->c->state.gpr[real_base] = gen_pad(g, target - disp);
		g->pinned[0] = (uint8_t)real_base;
	}
}

static void gen_imm(struct gen *g)
{
	unsigned int imm = g->t->imm;

	if (imm == 8)
		imm = g->rex & 8 ? 8 : 4;
	if (imm == 4 && g->narrow && !(g->rex & 8))
		imm = 2;
	gen_bytes(g, gen_value(), imm);
}

/* The offset of BT and its like stays within the window. False: its register is the address's. */
static bool gen_bit_offset(struct gen *g, unsigned int reg)
{
	unsigned int real = reg | (g->rex & 4) << 1;
	uint64_t offset = random_below(1024) - 512;

	if (real == g->pinned[0] || real == g->pinned[1])
		return false;
	if (g->narrow && !(g->rex & 8))
		offset = (offset & 0xffff) | (random_word() & ~UINT64_C(0xffff));
	else if (!(g->rex & 8))
		offset = (uint32_t)offset | random_word() << 32;
	g->c->state.gpr[real] = offset;
	return true;
}

static bool gen_modrm(struct gen *g)
{
	const struct gen_template *t = g->t;
	unsigned int reg = t->reg < 0 ? (unsigned int)random_below(8) : (unsigned int)t->reg;

	if (t->flags & GEN_SEG)
		reg = (unsigned int)random_below(6);
	gen_opcode(g, 0);
	if (!g->memory) {
		gen_byte(g, 0xc0 | reg << 3 | random_below(8));
		return true;
	}
	gen_address(g, reg);
	if ((t->flags & GEN_BITS) && !gen_bit_offset(g, reg))
		return false;
	if (t->form == GEN_PUSH || t->form == GEN_POP) {
		/* The stack lies elsewhere, unless the address is made of its pointer. */
		if (g->pinned[0] == RSP || g->pinned[1] == RSP)
			return false;
	}
	return true;
}

static void gen_string(struct gen *g)
{
	static const uint8_t padded[] = {X86_RSI, X86_RDI, X86_RCX};
	struct native_state *s = &g->c->state;

	gen_opcode(g, 0);
	s->gpr[X86_RSI] = GEN_WINDOW_AT + 200 + random_below(600);
	s->gpr[X86_RDI] = GEN_WINDOW_AT + 200 + random_below(600);
	s->gpr[X86_RCX] = random_below(20);
	/* Where ECX is 0, Intel's CPUs clear what is above these, and AMD's do not. */
	for (unsigned int i = 0; i < 3 && s->gpr[X86_RCX]; i++)
		s->gpr[padded[i]] = gen_pad(g, s->gpr[padded[i]]);
	if (gen_chance(2))
		s->flags |= X86_FLAGS_DF;
}

static void gen_moffs(struct gen *g)
{
	gen_opcode(g, 0);
	gen_bytes(g, gen_target(g), g->bits32 || g->addr32 ? 4 : 8);
}

static void gen_opreg(struct gen *g)
{
	unsigned int reg = (unsigned int)random_below(8);

	/* 90 alone is NOP. */
	if (g->t->opcode == 0x90)
		reg |= 1;
	gen_opcode(g, reg);
}

static void gen_start(struct gen *g)
{
	struct native_state *s = &g->c->state;
	const uint64_t status = X86_FLAGS_STATUS;

	do {
		g->t = &templates[random_below(sizeof(templates) / sizeof(templates[0]))];
	} while (g->t->flags & (g->bits32 ? GEN_ONLY64 : GEN_ONLY32));
	for (int i = 0; i < 16; i++)
		s->gpr[i] = gen_value();
	s->gpr[X86_RSP] = GEN_WINDOW_AT + 64 + random_below(64);
	if ((g->t->flags & GEN_EQUAL) && gen_chance(2))
		s->gpr[X86_RAX] = s->gpr[X86_RDX] = 0;
	s->flags = 2 | BIT(9) | (random_word() & status);
	g->memory = g->t->form != GEN_RM || !gen_chance(4);
	g->rex = 0;
	g->pinned[0] = g->pinned[1] = NOREG;
	g->c->len = 0;
	g->c->undefined = 0;
	if (g->t->flags & GEN_LOGIC)
		g->c->undefined = X86_FLAGS_AF;
	if (g->t->flags & GEN_BT)
		g->c->undefined = status & ~(X86_FLAGS_CF | X86_FLAGS_ZF);
}

static bool gen_try(struct gen *g)
{
	gen_start(g);
	gen_prefixes(g);
	switch (g->t->form) {
	case GEN_PLAIN:
		gen_opcode(g, 0);
		break;
	case GEN_OPREG:
		gen_opreg(g);
		break;
	case GEN_MOFFS:
		gen_moffs(g);
		break;
	case GEN_STRING:
		gen_string(g);
		break;
	default:
		if (!gen_modrm(g))
			return false;
	}
	gen_imm(g);
	return true;
}

void gen_next(struct gen_case *c, bool bits32)
{
	struct gen g = {.c = c, .bits32 = bits32};

	while (!gen_try(&g))
		;
}
