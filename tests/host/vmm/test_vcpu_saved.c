/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vcpu_saved.c vmm/fpu_state.c */
/* A vCPU out of one machine and into another: all of it, whatever the layout of XSAVE areas, and
 * nothing of a state that would hurt. */
#include "vmm/vcpu_saved.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/msr.h"
#include "vmm/cpu_model.h"
#include "vmm/fpu.h"
#include "vmm/hv_ops.h"
#include "vmm/vm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CR4_GIVEN UINT64_C(0x3406f0)
#define AREA	  4096

/* Offsets of opmask, ZMM_Hi256 and Hi16_ZMM. */
static const uint32_t intel[] = {1088, 1152, 1664}, amd[] = {832, 896, 1408};
static const uint32_t *layout;

/* A machine's vCPU: what the vendor keeps, and the rest. */
struct machine {
	uint64_t regs[VCPU_REGS];
	struct vcpu_segment segs[VCPU_SEGS];
	struct vm vm;
	struct vcpu vcpu;
	uint8_t area[AREA] __aligned(64);
};

static struct machine *current;
static uint64_t xcr0_mask;
static bool tsc_aux_there;
static uint32_t requests;

struct cpuid fake_cpuid(uint32_t leaf, uint32_t subleaf)
{
	assert_int_equal(leaf, 0xd);
	assert_int_not_equal(subleaf, 3);
	return (struct cpuid){.ebx = subleaf == 2 ? 576 : layout[subleaf - 5]};
}

static uint64_t get_reg(struct vcpu *vcpu, enum vcpu_reg reg)
{
	assert_ptr_equal(vcpu, &current->vcpu);
	return current->regs[reg];
}

/* Paging, when it comes on, finds the rest of it there. */
static void set_reg(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value)
{
	assert_ptr_equal(vcpu, &current->vcpu);
	current->regs[reg] = value;
	if (reg == VCPU_CR0 && (value & CR0_PG)) {
		assert_int_not_equal(current->regs[VCPU_CR3], 0);
		assert_int_not_equal(current->regs[VCPU_CR4], 0);
		assert_int_not_equal(current->regs[VCPU_EFER], 0);
	}
}

static void get_seg(struct vcpu *vcpu, enum vcpu_seg seg, struct vcpu_segment *value)
{
	(void)vcpu;
	*value = current->segs[seg];
}

static void set_seg(struct vcpu *vcpu, enum vcpu_seg seg, const struct vcpu_segment *value)
{
	(void)vcpu;
	current->segs[seg] = *value;
}

static struct cpu_vendor vendor = {.debugctl = 3};
static const struct hv_ops ops = {.cpu = &vendor,
				  .get_reg = get_reg,
				  .set_reg = set_reg,
				  .get_seg = get_seg,
				  .set_seg = set_seg};
const struct hv_ops *hv_ops = &ops;

void vcpu_request(struct vcpu *vcpu, uint32_t bits)
{
	(void)vcpu;
	requests |= bits;
}

void vcpu_clear_request(struct vcpu *vcpu, uint32_t bits)
{
	__atomic_fetch_and(&vcpu->requests, ~bits, __ATOMIC_SEQ_CST);
}

const struct cpu_vendor *cpu_model_vendor(const struct vm *v)
{
	(void)v;
	return &vendor;
}

uint64_t cpu_model_efer(const struct vm *v)
{
	(void)v;
	return 0x901;
}

uint64_t fpu_xcr0_mask(void)
{
	return xcr0_mask;
}

int fpu_xcr0_check(uint64_t xcr0)
{
	return (xcr0 & ~(xcr0_mask | XCR0_X87)) || !(xcr0 & XCR0_X87) ? -EINVAL : 0;
}

uint32_t fpu_mxcsr_mask(void)
{
	return 0xffff;
}

bool fpu_has_tsc_aux(void)
{
	return tsc_aux_there;
}

static void use(struct machine *m, const uint32_t *offsets)
{
	current = m;
	layout = offsets;
	m->vcpu.vm = &m->vm;
	m->vcpu.fpu = m->area;
	m->vm.cr4_allowed = CR4_GIVEN;
}

static void fill_area(struct machine *m, const uint32_t *offsets)
{
	uint64_t used = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512;

	memset(m->area, 0x11, 464);
	memcpy(m->area + 24, &(uint32_t){0x1f80}, 4);
	memcpy(m->area + 512, &used, 8);
	memset(m->area + 576, 0x22, 256);
	memset(m->area + offsets[0], 0x55, 64);
	memset(m->area + offsets[1], 0x66, 512);
	memset(m->area + offsets[2], 0x77, 1024);
}

/* A vCPU with something in everything. */
static void fill(struct machine *m, const uint32_t *offsets)
{
	memset(m, 0, sizeof(*m));
	use(m, offsets);
	for (unsigned i = 0; i < VCPU_REGS; i++)
		m->regs[i] = i + 1;
	m->regs[VCPU_CR0] = 0x80010031;
	m->regs[VCPU_CR4] = 0x20;
	m->regs[VCPU_EFER] = 0x501 & 0x901;
	m->regs[VCPU_PAT] = UINT64_C(0x0007040600070405);
	m->regs[VCPU_DEBUGCTL] = 1;
	m->regs[VCPU_INTR_SHADOW] = m->regs[VCPU_NMI_MASKED] = 1;
	for (unsigned i = 0; i < VCPU_SEGS; i++)
		m->segs[i] = (struct vcpu_segment){(uint16_t)(8 * i), 0x93, 0xffff - i, i << 12};
	for (unsigned i = 0; i < 16; i++)
		m->vcpu.gpr[i] = 100 + i;
	m->vcpu.rip = 0x1234;
	m->vcpu.event = (struct vcpu_event){EVENT_EXCEPTION, 13, true, 0, 0x18};
	m->vcpu.deferred = (struct vcpu_event){.type = EVENT_EXT_INT, .vector = 0x50};
	m->vcpu.nmi_pending = true;
	m->vcpu.sipi_vector = 0x9a;
	m->vcpu.state = VCPU_HALTED;
	m->vm.tsc_offset = 1000;
	m->vcpu.tsc_offset = 1700;
	m->vcpu.tsc_adjust = 700;
	m->vcpu.tsc_aux = 5;
	m->vcpu.xcr0 = xcr0_mask;
	m->vcpu.dr[0] = 0xd0;
	m->vcpu.dr[3] = 0xd3;
	fill_area(m, offsets);
}

static int setup(void **state)
{
	(void)state;
	xcr0_mask = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512;
	tsc_aux_there = true;
	requests = 0;
	return 0;
}

static void moves(const uint32_t *from_layout, const uint32_t *to_layout)
{
	static struct machine from, to, want;
	static struct vcpu_saved saved, again;
	char why[80];

	fill(&from, from_layout);
	vcpu_saved_get(&from.vcpu, &saved);
	memset(&to, 0, sizeof(to));
	memset(to.area, 0xee, sizeof(to.area)); /* of who was there before */
	use(&to, to_layout);
	to.vm.tsc_offset = 50;
	assert_int_equal(vcpu_saved_set(&to.vcpu, &saved, why, sizeof(why)), 0);
	vcpu_saved_get(&to.vcpu, &again);
	assert_memory_equal(&saved, &again, sizeof(saved));
	assert_memory_equal(from.regs, to.regs, sizeof(to.regs));
	assert_memory_equal(from.segs, to.segs, sizeof(to.segs));
	assert_int_equal(to.vcpu.tsc_offset, 750);
	assert_int_equal(requests, VCPU_REQ_TSC | VCPU_REQ_FLUSH | VCPU_REQ_IRQ);
	/* As that machine's XSAVE would have written it, and its header as XRSTOR wants it. */
	fill(&want, to_layout);
	assert_memory_equal(to.area, want.area, 464);
	assert_memory_equal(to.area + 512, want.area + 512, 64 + 256);
	for (unsigned i = 0; i < 3; i++)
		assert_memory_equal(to.area + to_layout[i], want.area + to_layout[i], 64);
}

static void test_moves(void **state)
{
	(void)state;
	moves(intel, intel);
	moves(intel, amd);
	moves(amd, intel);
}

/* Segments that are not there are the same, whatever a CPU left in them. */
static void test_absent_segments(void **state)
{
	static struct machine m;
	static struct vcpu_saved a, b;

	(void)state;
	fill(&m, intel);
	m.segs[SEG_DS] = (struct vcpu_segment){0, 0x13, 0xffffffff, 0};
	m.segs[SEG_SS] = (struct vcpu_segment){0, 0x73, 7, 0};
	m.segs[SEG_FS] = (struct vcpu_segment){0, 0, 0, 0x5000};
	vcpu_saved_get(&m.vcpu, &a);
	m.segs[SEG_DS] = (struct vcpu_segment){0, 0, 0, 0};
	m.segs[SEG_SS] = (struct vcpu_segment){0, 0x60, 0xfffff, 0};
	m.segs[SEG_FS] = (struct vcpu_segment){0, 0x1f, 9, 0x5000};
	vcpu_saved_get(&m.vcpu, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(a.segs[SEG_SS].attrib, 0x60);
	assert_int_equal(a.segs[SEG_FS].base, 0x5000);
}

/* A machine without XSAVE: FXSAVE's part, and nothing behind it is touched. */
static void test_without_xsave(void **state)
{
	static struct machine m;
	static struct vcpu_saved saved;
	char why[80] = "";

	(void)state;
	fill(&m, intel);
	vcpu_saved_get(&m.vcpu, &saved);
	xcr0_mask = 0;
	assert_int_equal(vcpu_saved_set(&m.vcpu, &saved, why, sizeof(why)), -EINVAL);
	m.vcpu.xcr0 = XCR0_X87;
	memset(m.area + 512, 0xcc, AREA - 512);
	vcpu_saved_get(&m.vcpu, &saved);
	assert_int_equal(saved.fpu.used, XCR0_X87 | XCR0_SSE);
	assert_int_equal(vcpu_saved_set(&m.vcpu, &saved, why, sizeof(why)), 0);
	assert_int_equal(m.area[512], 0xcc);
}

/* On AMD's CPUs half of SYSENTER's entry was lost: a guest that goes on elsewhere has none. */
static void test_lost_entry(void **state)
{
	static struct machine m;
	static struct vcpu_saved saved;
	char why[80] = "";

	(void)state;
	fill(&m, intel);
	m.regs[VCPU_EFER] = EFER_LMA | 1;
	m.regs[VCPU_SYSENTER_CS] = 0x10;
	m.regs[VCPU_SYSENTER_EIP] = UINT64_C(0xffffffff81000000);
	for (unsigned lost = 0; lost < 2; lost++) {
		vcpu_saved_get(&m.vcpu, &saved);
		if (lost)
			saved.regs[VCPU_SYSENTER_EIP] &= UINT32_MAX;
		vendor.line = CPU_LINE_INTEL;
		assert_int_equal(vcpu_saved_set(&m.vcpu, &saved, why, sizeof(why)), 0);
		assert_int_equal(m.regs[VCPU_SYSENTER_CS], 0x10);
		vendor.line = CPU_LINE_COMMON;
		assert_int_equal(vcpu_saved_set(&m.vcpu, &saved, why, sizeof(why)), 0);
		assert_int_equal(m.regs[VCPU_SYSENTER_CS], lost ? 0 : 0x10);
	}
	vendor.line = CPU_LINE_AMD;
}

static struct machine good, before;

/* @bad is refused, @word is said, and the vCPU is as it was. */
static void refused(const struct vcpu_saved *bad, const char *word)
{
	char why[80] = "";

	before = good;
	requests = 0;
	assert_int_equal(vcpu_saved_check(&good.vcpu, bad, why, sizeof(why)), -EINVAL);
	assert_int_equal(vcpu_saved_set(&good.vcpu, bad, why, sizeof(why)), -EINVAL);
	if (!strstr(why, word))
		fail_msg("'%s' does not say '%s'", why, word);
	assert_memory_equal(&before, &good, sizeof(good));
	assert_int_equal(requests, 0);
}

static void test_refusals(void **state)
{
	static const struct {
		enum vcpu_reg reg;
		uint64_t value;
	} regs[] = {
		{VCPU_CR0, UINT64_C(1) << 32},
		{VCPU_CR4, 0x2000},
		{VCPU_CR8, 16},
		{VCPU_DR6, UINT64_C(1) << 32},
		{VCPU_DR7, UINT64_C(1) << 63},
		{VCPU_EFER, 0x1000},
		{VCPU_PAT, UINT64_C(0x0007040600070402)},
		{VCPU_PAT, UINT64_C(0x0307040600070406)},
		{VCPU_PAT, UINT64_C(0x0007040600080406)},
		{VCPU_LSTAR, UINT64_C(1) << 47},
		{VCPU_CSTAR, UINT64_C(0x8000000000000000)},
		{VCPU_KERNEL_GS_BASE, UINT64_C(1) << 47},
		{VCPU_SYSENTER_ESP, UINT64_C(1) << 47},
		{VCPU_SYSENTER_EIP, UINT64_C(1) << 47},
		{VCPU_SYSENTER_CS, UINT64_C(1) << 32},
		{VCPU_SFMASK, UINT64_C(1) << 32},
		{VCPU_DEBUGCTL, 4},
		{VCPU_INTR_SHADOW, 2},
		{VCPU_NMI_MASKED, 2},
	};
	static struct vcpu_saved saved, bad;

	(void)state;
	fill(&good, intel);
	vcpu_saved_get(&good.vcpu, &saved);
	for (unsigned i = 0; i < ARRAY_SIZE(regs); i++) {
		bad = saved;
		bad.regs[regs[i].reg] = regs[i].value;
		refused(&bad, vcpu_reg_names[regs[i].reg]);
	}
	for (unsigned i = SEG_FS; i < VCPU_SEGS; i++) {
		bad = saved;
		bad.segs[i].base = UINT64_C(1) << 47;
		refused(&bad, vcpu_seg_names[i]);
	}
#define BAD(field_, value_, word_)    \
	do {                          \
		bad = saved;          \
		bad.field_ = value_;  \
		refused(&bad, word_); \
	} while (0)
	BAD(rip, UINT64_C(1) << 47, "rip");
	BAD(state, VCPU_STOPPED, "state");
	BAD(event.type, EVENT_SOFT_INT + 1, "event");
	BAD(event.vector, 32, "event");
	BAD(deferred.insn_len, 16, "event");
	BAD(tsc_aux, UINT64_C(1) << 32, "tsc-aux");
	BAD(fpu.xcr0, XCR0_SSE, "xcr0");
	BAD(fpu.used, BIT(9), "xcr0");
	BAD(fpu.legacy[26], 1, "mxcsr"); /* bit 16 */
	tsc_aux_there = false;
	BAD(tsc_aux, 1, "tsc-aux");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_moves, setup),
		cmocka_unit_test_setup(test_absent_segments, setup),
		cmocka_unit_test_setup(test_without_xsave, setup),
		cmocka_unit_test_setup(test_refusals, setup),
		cmocka_unit_test_setup(test_lost_entry, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
