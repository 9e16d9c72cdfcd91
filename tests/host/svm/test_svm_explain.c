/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/svm/svm_explain.c */
/* vmm/svm/svm_explain.c: each rule of VMRUN is broken on purpose, and must be named. */
#include "vmm/svm/svm_explain.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct svm_machine machine = {
	.phys_bits = 40,
	.asids = 16,
	.cr4_valid = 0x3ff7fff & ~CR4_LA57,
	.efer_valid = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_SVME,
};

/* A guest in 64-bit mode, with nothing wrong. */
static void valid_guest(struct vmcb *v)
{
	memset(v, 0, sizeof(*v));
	v->control.intercepts2 = VMCB_INTERCEPT2_VMRUN;
	v->control.iopm = 0x10000;
	v->control.msrpm = 0x20000;
	v->control.asid = 1;
	v->control.nested_control = VMCB_NESTED_PAGING;
	v->control.nested_cr3 = 0x30000;
	v->save.efer = EFER_SVME | EFER_LME | EFER_LMA | EFER_NXE;
	v->save.cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_WP;
	v->save.cr3 = 0x1000;
	v->save.cr4 = CR4_PAE;
	v->save.dr6 = 0xffff0ff0;
	v->save.dr7 = 0x400;
	v->save.pat = 0x0007040600070406;
	v->save.cs.attrib = 0x29b;
}

struct result {
	unsigned count;
	struct svm_broken last;
};

static void note(void *opaque, const struct svm_broken *broken)
{
	struct result *r = opaque;

	r->count++;
	r->last = *broken;
}

static struct result check(const struct vmcb *v)
{
	struct svm_entry_state state;
	struct result r = {0};

	svm_explain_capture(v, &state);
	assert_int_equal(svm_explain_check(&state, &v->control, &machine, note, &r), r.count);
	return r;
}

static struct vmcb v;

#define GOOD(change)                                  \
	do {                                          \
		valid_guest(&v);                      \
		change;                               \
		assert_int_equal(check(&v).count, 0); \
	} while (0)

/* @change breaks one rule, of @field, which is in section @where. */
#define BROKEN(change, name, where)                          \
	do {                                                 \
		struct result r_;                            \
                                                             \
		valid_guest(&v);                             \
		change;                                      \
		r_ = check(&v);                              \
		assert_int_equal(r_.count, 1);               \
		assert_string_equal(r_.last.field, name);    \
		assert_string_equal(r_.last.section, where); \
	} while (0)

static void test_valid_states_pass(void **state)
{
	(void)state;
	GOOD();
	/* Reset: caches off, NW set with CD. */
	GOOD(v.save.cr0 = 0x60000010; v.save.efer = EFER_SVME; v.save.cr4 = 0);
	GOOD(v.save.cr3 = (UINT64_C(1) << 40) - 0x1000);
	GOOD(v.control.msrpm = (UINT64_C(1) << 40) - 0x2000);
	GOOD(v.control.asid = 15);
	GOOD(v.control.nested_control = 0; v.save.pat = 2);
	/* L and D without long mode are an ordinary 32-bit segment's. */
	GOOD(v.save.efer = EFER_SVME; v.save.cs.attrib = 0x69b);
	GOOD(v.control.event_inj = VMCB_EVENT_VALID | 0x30e | VMCB_EVENT_HAS_ERROR);
	GOOD(v.control.event_inj = VMCB_EVENT_VALID | 0x0ff);
	GOOD(v.control.event_inj = VMCB_EVENT_VALID | 0x202);
	GOOD(v.control.event_inj = VMCB_EVENT_VALID | 0x480);
	GOOD(v.control.event_inj = 0x1ff);
}

static void test_registers(void **state)
{
	(void)state;
	BROKEN(v.save.efer &= ~EFER_SVME, "EFER", "15.5.1");
	BROKEN(v.save.efer |= BIT(9), "EFER", "15.5.1");
	BROKEN(v.save.cr0 |= CR0_NW, "CR0", "15.5.1");
	BROKEN(v.save.cr0 |= BIT(32), "CR0", "15.5.1");
	BROKEN(v.save.cr3 = BIT(40), "CR3", "15.5.1");
	BROKEN(v.save.cr4 |= BIT(30), "CR4", "15.5.1");
	BROKEN(v.save.cr4 |= CR4_LA57, "CR4", "15.5.1");
	BROKEN(v.save.cr4 |= CR4_CET; v.save.cr0 &= ~CR0_WP, "CR4", "15.5.1");
	BROKEN(v.save.dr6 |= BIT(32), "DR6", "15.5.1");
	BROKEN(v.save.dr7 |= BIT(63), "DR7", "15.5.1");
}

static void test_long_mode(void **state)
{
	(void)state;
	BROKEN(v.save.cr4 = 0, "CR4", "15.5.1");
	BROKEN(v.save.cr0 &= ~CR0_PE, "CR0", "15.5.1");
	BROKEN(v.save.cs.attrib = 0x69b, "CS.attrib", "15.5.1");
}

static void test_control(void **state)
{
	(void)state;
	BROKEN(v.control.intercepts2 = 0, "intercepts, offset 010h", "15.5.1");
	BROKEN(v.control.iopm = BIT(40) - 0x2000, "IOPM_BASE_PA", "15.5.1");
	BROKEN(v.control.msrpm = BIT(40) - 0x1000, "MSRPM_BASE_PA", "15.5.1");
	BROKEN(v.control.asid = 0, "ASID", "15.5.1");
	BROKEN(v.control.asid = 16, "ASID", "15.16");
	BROKEN(v.control.nested_cr3 = BIT(45), "N_CR3", "15.25.4");
	BROKEN(v.save.pat = 0x0007040600070402, "G_PAT", "15.25.4");
	BROKEN(v.save.pat = UINT64_C(8) << 56, "G_PAT", "15.25.4");
}

static void test_events(void **state)
{
	(void)state;
	BROKEN(v.control.event_inj = VMCB_EVENT_VALID | 0x120, "EVENTINJ", "15.20");
	BROKEN(v.control.event_inj = VMCB_EVENT_VALID | 0x720, "EVENTINJ", "15.20");
	BROKEN(v.control.event_inj = VMCB_EVENT_VALID | 0x302, "EVENTINJ", "15.20");
	BROKEN(v.control.event_inj = VMCB_EVENT_VALID | 0x320, "EVENTINJ", "15.20");
	BROKEN(v.control.event_inj = VMCB_EVENT_VALID | 0x304, "EVENTINJ", "15.20");
	BROKEN(v.control.event_inj = VMCB_EVENT_VALID | 0x305, "EVENTINJ", "15.20");
}

static void test_all_broken_rules_are_named(void **state)
{
	(void)state;
	valid_guest(&v);
	v.save.dr6 = v.save.dr7 = UINT64_MAX;
	v.control.asid = 0;
	assert_int_equal(check(&v).count, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid_states_pass),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_long_mode),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_all_broken_rules_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
