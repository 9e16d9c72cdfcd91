/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arbitrary bytes as code, in every mode, with registers that point at RAM, at
 * a device, at the page tables themselves and at nothing. Nothing but the
 * guest's own RAM, device and registers may be touched, and each run ends.
 *
 * Input: mode, flags, sixteen register choices, code.
 */
/* test-sources: tests/host/emulate/world.c */
/* test-sources: vmm/emulate/alu.c vmm/emulate/arith.c vmm/emulate/bits.c vmm/emulate/cmpxchg.c */
/* test-sources: vmm/emulate/decode.c vmm/emulate/decode_table.c vmm/emulate/emulate.c */
/* test-sources: vmm/emulate/gva.c vmm/emulate/icache.c vmm/emulate/linear.c vmm/emulate/move.c */
/* test-sources: vmm/emulate/operand.c vmm/emulate/span.c vmm/emulate/stack.c */
/* test-sources: vmm/emulate/string.c */
#include "tests/host/emulate/world.h"

#include <stdlib.h>
#include <string.h>

#define RIGHTS	  (X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_USER)
#define CODE	  UINT64_C(0x1000) /* two pages; RAM from here on */
#define DEVICE	  UINT64_C(0x8000)
#define TABLES	  UINT64_C(0xa000) /* the page tables, for the guest to write to */
#define MAX_STEPS 16
#define HEADER	  18
#define NR_MODES  (WORLD_LONG + 1)

static void map_world(void)
{
	if (!(world.ctx.cr0 & X86_CR0_PG))
		return;
	for (uint64_t page = CODE; page < DEVICE; page += X86_PAGE_SIZE)
		world_map(page, page, RIGHTS);
	for (uint64_t i = 0; i < WORLD_DEVICE_SIZE; i += X86_PAGE_SIZE)
		world_map(DEVICE + i, WORLD_DEVICE + i, RIGHTS);
	for (uint64_t i = 0; i < 5 * X86_PAGE_SIZE; i += X86_PAGE_SIZE)
		world_map(TABLES + i, WORLD_ROOT + i, RIGHTS);
}

static uint64_t chosen(uint8_t choice)
{
	static const uint64_t values[] = {
		0,
		1,
		~UINT64_C(0),
		CODE,
		CODE + 0x1ff8,
		DEVICE,
		DEVICE + 0xffd,
		DEVICE + 0x1ffe,
		TABLES,
		TABLES + 0xffc,
		0x7ffc,
		0xfffe,
		0xffffffff,
		WORLD_DEVICE,
		WORLD_RAM_SIZE - 3,
		UINT64_C(0x7ffffffffffc),
	};

	return values[choice % ARRAY_SIZE(values)] + (uint64_t)(int64_t)(int8_t)(choice & 0xf0);
}

static void apply_flags(uint8_t flags)
{
	struct emulate_ctx *ctx = &world.ctx;

	ctx->cpl = flags & 1 ? 3 : 0;
	ctx->cr0 |= flags & 2 ? X86_CR0_AM : 0;
	ctx->cr4 |= flags & 4 ? X86_CR4_SMAP | X86_CR4_SMEP : 0;
	ctx->rflags |= flags & 8 ? X86_FLAGS_DF : 0;
	ctx->rflags |= flags & 16 ? X86_FLAGS_AC : 0;
	ctx->phys_bits = flags & 32 ? 52 : 36;
	world.watched = flags & 64 ? CODE + 0x2000 : ~UINT64_C(0);
	if ((flags & 128) && (ctx->cr0 & X86_CR0_PE) && !(ctx->efer & X86_EFER_LMA))
		ctx->rflags |= X86_FLAGS_VM;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len;

	if (size <= HEADER)
		return 0;
	world_reset((enum world_mode)(data[0] % NR_MODES));
	apply_flags(data[1]);
	map_world();
	for (int i = 0; i < 16; i++)
		world.gpr[i] = chosen(data[2 + i]);
	len = MIN(size - HEADER, (size_t)0x2000);
	memcpy(world.ram + CODE, data + HEADER, len);
	for (int step = 0; step < MAX_STEPS; step++) {
		uint64_t rip = world.ctx.rip;
		enum emulate_result result = world_run();

		if (world.ctx.nr_bytes > X86_MAX_INSN_BYTES)
			abort();
		if (result != EMULATE_DONE && world.ctx.rip != rip)
			abort();
		if (result != EMULATE_DONE)
			break;
		/* The next one as an exit that tells an address brings it. */
		if (emulate_mmio(&world.ctx, WORLD_DEVICE) != EMULATE_DONE)
			break;
	}
	return 0;
}
