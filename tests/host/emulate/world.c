/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/emulate/world.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_FLAGS (X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_USER)

struct world world;

static void world_segment(void *opaque, enum emulate_seg seg, struct emulate_segment *out)
{
	(void)opaque;
	*out = world.segs[seg];
}

static void *world_ram(void *opaque, uint64_t gpa, uint64_t len, bool write)
{
	(void)opaque;
	world.nr_lookups++;
	if (gpa >= WORLD_RAM_SIZE || len > WORLD_RAM_SIZE - gpa)
		return NULL;
	if ((gpa & X86_PAGE_MASK) + len > X86_PAGE_SIZE)
		abort();
	if (write && (gpa & ~X86_PAGE_MASK) == world.watched)
		return NULL;
	return world.ram + gpa;
}

static void world_note(bool write, uint64_t gpa, unsigned int width, uint64_t value)
{
	if (width != 1 && width != 2 && width != 4 && width != 8)
		abort();
	if ((gpa & X86_PAGE_MASK) + width > X86_PAGE_SIZE)
		abort();
	if (width < 8 && value >> width * 8)
		abort();
	if (world.nr_accesses < WORLD_ACCESSES)
		world.accesses[world.nr_accesses++] = (struct world_access){
			.write = write, .width = width, .gpa = gpa, .value = value};
}

/* The bytes behind an address that is served access by access; NULL: nobody's. */
static uint8_t *world_served(uint64_t gpa, unsigned int width)
{
	if (gpa >= WORLD_DEVICE && gpa + width <= WORLD_DEVICE + WORLD_DEVICE_SIZE)
		return world.device + (gpa - WORLD_DEVICE);
	if (gpa + width <= WORLD_RAM_SIZE)
		return world.ram + gpa;
	return NULL;
}

static uint64_t world_device_read(void *opaque, uint64_t gpa, unsigned int width)
{
	const uint8_t *served = world_served(gpa, width);
	uint64_t value = 0;

	(void)opaque;
	if (served)
		memcpy(&value, served, width);
	else
		value = ~UINT64_C(0) >> (64 - width * 8);
	world_note(false, gpa, width, value);
	return value;
}

static void world_device_write(void *opaque, uint64_t gpa, unsigned int width, uint64_t value)
{
	uint8_t *served = world_served(gpa, width);

	(void)opaque;
	world_note(true, gpa, width, value);
	if (served)
		memcpy(served, &value, width);
}

static const struct emulate_ops world_ops = {
	.segment = world_segment,
	.ram = world_ram,
	.device_read = world_device_read,
	.device_write = world_device_write,
};

static void world_segments(enum world_mode mode)
{
	for (int i = 0; i < EMULATE_NR_SEGS; i++) {
		struct emulate_segment *s = &world.segs[i];

		*s = (struct emulate_segment){.limit = 0xffffffff, .selector = (uint16_t)(8 * i)};
		s->attr = EMULATE_SEG_PRESENT | EMULATE_SEG_WRITE;
		if (mode == WORLD_REAL || mode == WORLD_PROTECTED_16)
			s->limit = 0xffff;
		else if (mode != WORLD_LONG || i != EMULATE_CS)
			s->attr |= EMULATE_SEG_BIG;
	}
	world.segs[EMULATE_CS].attr |= EMULATE_SEG_CODE;
	if (mode == WORLD_LONG)
		world.segs[EMULATE_CS].attr |= EMULATE_SEG_LONG;
	world.ctx.cs = world.segs[EMULATE_CS];
}

void world_free(void)
{
	free(world.ram);
	world.ram = NULL;
}

void world_reset(enum world_mode mode)
{
	struct emulate_ctx *ctx = &world.ctx;
	uint8_t *ram = world.ram ? world.ram : malloc(WORLD_RAM_SIZE);

	if (!ram)
		abort();
	memset(&world, 0, offsetof(struct world, icache));
	memset(ram, 0, WORLD_RAM_SIZE);
	icache_flush(&world.icache);
	world.ram = ram;
	world.watched = ~UINT64_C(0);
	world.next_table = WORLD_ROOT + X86_PAGE_SIZE;
	ctx->ops = &world_ops;
	ctx->icache = &world.icache;
	ctx->gpr = world.gpr;
	ctx->rip = 0x1000;
	ctx->rflags = 2;
	ctx->phys_bits = 40;
	ctx->pages_1g = true;
	ctx->cr3 = WORLD_ROOT;
	if (mode != WORLD_REAL)
		ctx->cr0 = X86_CR0_PE | X86_CR0_WP;
	if (mode >= WORLD_PAGED_32)
		ctx->cr0 |= X86_CR0_PG;
	if (mode == WORLD_PAGED_32)
		ctx->cr4 = X86_CR4_PSE;
	if (mode >= WORLD_PAE) {
		ctx->cr4 = X86_CR4_PAE;
		ctx->efer = X86_EFER_NXE;
	}
	if (mode >= WORLD_COMPAT_32)
		ctx->efer |= X86_EFER_LMA;
	world_segments(mode);
}

static unsigned int world_levels(void)
{
	if (world.ctx.efer & X86_EFER_LMA)
		return 4;
	return world.ctx.cr4 & X86_CR4_PAE ? 3 : 2;
}

static uint64_t world_read_entry(uint64_t gpa)
{
	uint64_t entry = 0;

	memcpy(&entry, world.ram + gpa, world_levels() == 2 ? 4 : 8);
	return entry;
}

static uint64_t world_entry_gpa(uint64_t gva, unsigned int level, bool create)
{
	unsigned int levels = world_levels();
	unsigned int bits = levels == 2 ? 10 : 9;
	unsigned int size = levels == 2 ? 4 : 8;
	uint64_t table = world.ctx.cr3 & ~X86_PAGE_MASK;

	for (unsigned int l = levels;; l--) {
		uint64_t index = (gva >> (12 + bits * (l - 1))) & ((UINT64_C(1) << bits) - 1);
		uint64_t gpa = table + index * size;
		uint64_t entry = world_read_entry(gpa);

		if (l == level)
			return gpa;
		if (!(entry & X86_PTE_PRESENT)) {
			if (!create)
				abort();
			entry = world.next_table | TABLE_FLAGS;
			if (levels == 3 && l == 3) /* PAE's root has no rights */
				entry = world.next_table | X86_PTE_PRESENT;
			world.next_table += X86_PAGE_SIZE;
			memcpy(world.ram + gpa, &entry, size);
		}
		table = entry & UINT64_C(0x000ffffffffff000);
	}
}

void world_map(uint64_t gva, uint64_t gpa, uint64_t flags)
{
	uint64_t entry = gpa | flags;

	memcpy(world.ram + world_entry_gpa(gva, 1, true), &entry, world_levels() == 2 ? 4 : 8);
}

void *world_entry(uint64_t gva, unsigned int level)
{
	return world.ram + world_entry_gpa(gva, level, false);
}

void world_code(const void *bytes, unsigned int len)
{
	const struct emulate_ctx *ctx = &world.ctx;

	for (unsigned int i = 0; i < len; i++) {
		uint64_t linear = ctx->cs.base + ctx->rip + i;
		uint64_t gpa = linear;

		if (ctx->cr0 & X86_CR0_PG)
			gpa = (world_read_entry(world_entry_gpa(linear, 1, false)) &
			       UINT64_C(0x000ffffffffff000)) |
			      (linear & X86_PAGE_MASK);
		world.ram[gpa] = ((const uint8_t *)bytes)[i];
	}
}

enum emulate_result world_run(void)
{
	world.ctx.cs = world.segs[EMULATE_CS];
	world.nr_accesses = 0;
	world.nr_lookups = 0;
	return emulate_instruction(&world.ctx);
}
