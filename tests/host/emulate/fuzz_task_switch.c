/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware task switches with arbitrary descriptors, TSSs and page tables.
 * Nothing but the guest's RAM and registers is touched; a switch that is done
 * leaves segments that a CPU would have loaded; one that faults before the new
 * task is begun leaves the old one as it was.
 *
 * Input: mode, source, limits, selectors, page-table damage, memory.
 */
/* test-sources: vmm/emulate/task_switch.c vmm/emulate/task_segments.c */
/* test-sources: tests/host/emulate/world.c */
/* test-sources: vmm/emulate/alu.c vmm/emulate/arith.c vmm/emulate/bits.c vmm/emulate/cmpxchg.c */
/* test-sources: vmm/emulate/decode.c vmm/emulate/decode_table.c vmm/emulate/emulate.c */
/* test-sources: vmm/emulate/gva.c vmm/emulate/icache.c vmm/emulate/linear.c vmm/emulate/move.c */
/* test-sources: vmm/emulate/operand.c vmm/emulate/span.c vmm/emulate/stack.c */
/* test-sources: vmm/emulate/string.c */
#include "vmm/emulate/task_switch.h"

#include "tests/host/emulate/world.h"
#include "vmm/emulate/vcpu_emulate_frame.h"
#include "vmm/exit.h"
#include "vmm/hv_ops.h"

#include <stdlib.h>
#include <string.h>

#define RIGHTS	 (X86_PTE_PRESENT | X86_PTE_WRITE)
#define HEADER	 8
#define GDT	 0x1000u
#define OLD_TSS	 0x1100u
#define LDT	 0x1180u
#define MEMORY	 0x800u /* what the input fills, from GDT on */
#define NO_RAM	 0xe0000000u
#define TYPE	 0xfu
#define BUSY_TSS 0xbu

static uint64_t regs[VCPU_REGS];
static struct vcpu_segment segs[VCPU_SEGS];
static struct vcpu vcpu;
static bool injected, failed;

static uint64_t get_reg(struct vcpu *v __unused, enum vcpu_reg reg)
{
	return regs[reg];
}

static void set_reg(struct vcpu *v __unused, enum vcpu_reg reg, uint64_t value)
{
	regs[reg] = value;
}

static void get_seg(struct vcpu *v __unused, enum vcpu_seg seg, struct vcpu_segment *value)
{
	*value = segs[seg];
}

static void set_seg(struct vcpu *v __unused, enum vcpu_seg seg, const struct vcpu_segment *value)
{
	segs[seg] = *value;
}

static const struct hv_ops ops = {
	.get_reg = get_reg, .set_reg = set_reg, .get_seg = get_seg, .set_seg = set_seg};
const struct hv_ops *hv_ops = &ops;

uint64_t vcpu_gpr(struct vcpu *v, unsigned n)
{
	return n == GPR_RSP ? regs[VCPU_RSP] : v->gpr[n];
}

void vcpu_set_gpr(struct vcpu *v, unsigned n, uint64_t value)
{
	*(n == GPR_RSP ? &regs[VCPU_RSP] : &v->gpr[n]) = value;
}

void vcpu_emulate_enter(struct vcpu *v __unused, struct emulate_ctx *ctx, struct vcpu_mode *mode)
{
	memset(mode, 0, sizeof(*mode));
	*ctx = world.ctx;
	ctx->rflags = regs[VCPU_RFLAGS];
}

void vcpu_emulate_inject(struct vcpu *v __unused, const struct emulate_fault *fault)
{
	if (fault->vector > 31)
		abort();
	injected = true;
}

void vcpu_inject_exception(struct vcpu *v __unused, uint8_t vector, bool has_error __unused,
			   uint32_t error __unused)
{
	if (vector != 1) /* the trap bit's */
		abort();
}

void vcpu_fail(struct vcpu *v __unused, const char *fmt __unused, ...)
{
	failed = true;
}

static void segment(enum vcpu_seg seg, uint16_t selector, uint16_t attrib, uint32_t limit,
		    uint64_t base)
{
	segs[seg] = (struct vcpu_segment){selector, attrib, limit, base};
}

static void make_vcpu(const uint8_t *data)
{
	memset(&vcpu, 0, sizeof(vcpu));
	memset(regs, 0, sizeof(regs));
	memset(segs, 0, sizeof(segs));
	injected = failed = false;
	regs[VCPU_RFLAGS] = 2 | (data[1] & 4 ? 0x4000u : 0);
	regs[VCPU_CR0] = world.ctx.cr0;
	regs[VCPU_CR3] = world.ctx.cr3;
	for (unsigned i = 0; i < 16; i++)
		vcpu.gpr[i] = 0x1111111100000000 + i;
	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		segment((enum vcpu_seg)i, 0x10, i == SEG_CS ? 0xc9b : 0xc93, UINT32_MAX, 0);
	segment(SEG_TR, 0x08, data[1] & 8 ? 0x83 : 0x8b, data[2], OLD_TSS);
	segment(SEG_LDTR, 0, data[1] & 16 ? 0x82 : 0, data[3], LDT);
	segment(SEG_GDTR, 0, 0, 0xff | (data[3] & 3) << 8, GDT);
	if (data[1] & 32)
		vcpu.event = (struct vcpu_event){EVENT_EXCEPTION, 13, true, 0, 0x18};
	else if (data[1] & 64)
		vcpu.event = (struct vcpu_event){.type = EVENT_NMI, .vector = 2};
}

static void map_memory(const uint8_t *data)
{
	if (!(world.ctx.cr0 & X86_CR0_PG))
		return;
	for (uint64_t page = 0; page < 8 * X86_PAGE_SIZE; page += X86_PAGE_SIZE) {
		uint64_t to = (data[6] >> (page / X86_PAGE_SIZE)) & data[7] & 1 ? NO_RAM : page;

		if (!((data[6] >> (page / X86_PAGE_SIZE)) & ~data[7] & 1))
			world_map(page, to, data[7] & 2 ? X86_PTE_PRESENT : RIGHTS);
	}
}

/* SDM vol. 3C, 26.3.1.2, in what does not depend on the vendor. */
static void check_segment(enum vcpu_seg seg, unsigned cpl)
{
	uint16_t attrib = segs[seg].attrib, dpl = attrib >> SEG_ATTR_DPL_SHIFT & 3;

	if (!(attrib & SEG_ATTR_P)) {
		if (seg == SEG_CS || seg == SEG_SS)
			abort();
		return;
	}
	if (!(attrib & SEG_ATTR_S))
		abort();
	if (seg == SEG_CS && (!(attrib & 8) || (attrib & 4 ? dpl > cpl : dpl != cpl)))
		abort();
	if (seg == SEG_SS && ((attrib & 0xa) != 2 || dpl != cpl))
		abort();
	if ((attrib & 0xa) == 8 && seg != SEG_CS) /* code that cannot be read */
		abort();
}

static void check_done(void)
{
	unsigned cpl = segs[SEG_CS].selector & 3;

	if ((segs[SEG_TR].attrib & TYPE) != BUSY_TSS && (segs[SEG_TR].attrib & TYPE) != 3)
		abort();
	if (vcpu.rip > UINT32_MAX || !(regs[VCPU_CR0] & 8))
		abort();
	if (segs[SEG_LDTR].attrib & SEG_ATTR_P && (segs[SEG_LDTR].attrib & 0x1f) != 2)
		abort();
	for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
		if (!(regs[VCPU_RFLAGS] & X86_FLAGS_VM))
			check_segment((enum vcpu_seg)i, cpl);
		else if (segs[i].base != (uint64_t)segs[i].selector << 4)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum world_mode modes[] = {WORLD_PROTECTED_32, WORLD_PAGED_32, WORLD_PAE};
	struct vcpu_segment before[VCPU_SEGS];
	struct vm_exit exit = {.kind = VM_EXIT_TASK_SWITCH, .insn_len = 2};

	if (size <= HEADER)
		return 0;
	world_reset(modes[data[0] % ARRAY_SIZE(modes)]);
	make_vcpu(data);
	map_memory(data);
	memcpy(world.ram + GDT, data + HEADER, MIN(size - HEADER, (size_t)MEMORY));
	exit.u.task.source = (enum vm_exit_task_source)(data[1] & 3);
	exit.u.task.selector = (uint16_t)(data[4] | data[5] << 8);
	memcpy(before, segs, sizeof(segs));
	if (task_switch(&vcpu, &exit) != EXIT_RESUME && !failed)
		abort();
	if (injected && segs[SEG_TR].selector == before[SEG_TR].selector &&
	    segs[SEG_TR].base == before[SEG_TR].base && regs[VCPU_CR0] == world.ctx.cr0 &&
	    memcmp(before, segs, sizeof(segs)))
		abort();
	if (!injected && !failed)
		check_done();
	return 0;
}
