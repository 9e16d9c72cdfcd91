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

static struct svm_machine machine = {
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

#define RULES 64

static struct svm_rule rules[RULES];
static bool exercised[RULES];
static unsigned rule_count;
static struct vmcb v;

static void note(void *opaque, const struct svm_rule *rule)
{
	(void)opaque;
	assert_in_range(rule_count, 0, RULES - 1);
	rules[rule_count++] = *rule;
}

static unsigned check(void)
{
	struct svm_entry_state state;

	rule_count = 0;
	svm_explain_capture(&v, &state);
	return svm_explain_check(&state, &v.control, &machine, note, NULL);
}

#define GOOD(change)                          \
	do {                                  \
		valid_guest(&v);              \
		change;                       \
		assert_int_equal(check(), 0); \
	} while (0)

static void expect_broken(const char *field, const char *text, const char *section)
{
	assert_int_equal(check(), 1);
	for (unsigned i = 0; i < rule_count; i++) {
		if (!rules[i].broken)
			continue;
		assert_string_equal(rules[i].field, field);
		assert_string_equal(rules[i].section, section);
		assert_memory_equal(rules[i].text, text, strlen(text));
		exercised[i] = true;
	}
}

/* @change breaks one rule, that of @field whose text begins with @text, in section @where. */
#define BROKEN(change, name, text, where)         \
	do {                                      \
		valid_guest(&v);                  \
		change;                           \
		expect_broken(name, text, where); \
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
	BROKEN(v.save.efer &= ~EFER_SVME, "EFER", "SVME", "15.5.1");
	BROKEN(v.save.efer |= BIT(9), "EFER", "bits that", "15.5.1");
	BROKEN(v.save.cr0 |= CR0_NW, "CR0", "NW", "15.5.1");
	BROKEN(v.save.cr0 |= BIT(32), "CR0", "bits 63:32", "15.5.1");
	BROKEN(v.save.cr3 = BIT(40), "CR3", "bits beyond", "15.5.1");
	BROKEN(v.save.cr4 |= BIT(30), "CR4", "bits that", "15.5.1");
	BROKEN(v.save.cr4 |= CR4_LA57, "CR4", "bits that", "15.5.1");
	BROKEN(v.save.cr4 |= CR4_CET; v.save.cr0 &= ~CR0_WP, "CR4", "CET", "15.5.1");
	BROKEN(v.save.dr6 |= BIT(32), "DR6", "bits 63:32", "15.5.1");
	BROKEN(v.save.dr7 |= BIT(63), "DR7", "bits 63:32", "15.5.1");
}

static void test_long_mode(void **state)
{
	(void)state;
	BROKEN(v.save.cr4 = 0, "CR4", "PAE", "15.5.1");
	BROKEN(v.save.cr0 &= ~CR0_PE, "CR0", "PE", "15.5.1");
	BROKEN(v.save.cs.attrib = 0x69b, "CS.attrib", "L and D", "15.5.1");
}

static void test_control(void **state)
{
	(void)state;
	BROKEN(v.control.intercepts2 = 0, "intercepts, offset 010h", "VMRUN", "15.5.1");
	BROKEN(v.control.iopm = BIT(40) - 0x2000, "IOPM_BASE_PA", "the map", "15.5.1");
	BROKEN(v.control.msrpm = BIT(40) - 0x1000, "MSRPM_BASE_PA", "the map", "15.5.1");
	BROKEN(v.control.asid = 0, "ASID", "0 is", "15.5.1");
	BROKEN(v.control.asid = 16, "ASID", "the CPU", "15.16");
	GOOD(v.control.tlb_control = VMCB_TLB_FLUSH_ALL);
	BROKEN(v.control.tlb_control = 2, "TLB_CONTROL", "must be", "15.16.1");
	BROKEN(v.control.tlb_control = VMCB_TLB_FLUSH_GUEST, "TLB_CONTROL", "3 and 7", "15.16.1");
	machine.features |= SVM_CPUID_FLUSH_BY_ASID;
	GOOD(v.control.tlb_control = VMCB_TLB_FLUSH_LOCALS);
	BROKEN(v.control.vintr = VMCB_VINTR_NMI_ENABLE;
	       v.control.intercepts = VMCB_INTERCEPT_NMI, "vintr, offset 060h",
	       "virtual NMIs (bit 26) need a CPU", "15.21.10");
	machine.features |= SVM_CPUID_VIRT_NMI;
	BROKEN(v.control.vintr = VMCB_VINTR_NMI_ENABLE, "vintr, offset 060h",
	       "virtual NMIs (bit 26) need NMIs", "15.21.10");
	GOOD(v.control.vintr = VMCB_VINTR_NMI_ENABLE; v.control.intercepts = VMCB_INTERCEPT_NMI);
	BROKEN(v.control.nested_cr3 = BIT(45), "N_CR3", "bits beyond", "15.25.4");
	BROKEN(v.save.pat = 0x0007040600070402, "G_PAT", "each", "15.25.4");
	BROKEN(v.save.pat = UINT64_C(8) << 56, "G_PAT", "each", "15.25.4");
}

static void test_events(void **state)
{
	(void)state;
	BROKEN(v.control.event_inj = VMCB_EVENT_VALID | 0x120, "EVENTINJ", "TYPE", "15.20");
	BROKEN(v.control.event_inj = VMCB_EVENT_VALID | 0x720, "EVENTINJ", "TYPE", "15.20");
	BROKEN(v.control.event_inj = VMCB_EVENT_VALID | 0x302, "EVENTINJ", "the vector", "15.20");
	BROKEN(v.control.event_inj = VMCB_EVENT_VALID | 0x320, "EVENTINJ", "the vector", "15.20");
	BROKEN(v.control.event_inj = VMCB_EVENT_VALID | 0x304, "EVENTINJ", "#OF", "15.20");
	BROKEN(v.control.event_inj = VMCB_EVENT_VALID | 0x305, "EVENTINJ", "#OF", "15.20");
}

static void test_all_broken_rules_are_named(void **state)
{
	(void)state;
	valid_guest(&v);
	v.save.dr6 = v.save.dr7 = UINT64_MAX;
	v.control.asid = 0;
	assert_int_equal(check(), 3);
}

/* Any state: it ends, has the same rules as every other and counts what it names. */
static void test_any_state(void **state)
{
	uint64_t random = 1;
	unsigned count;

	(void)state;
	GOOD();
	count = rule_count;
	for (unsigned round = 0; round < 20000; round++) {
		unsigned broken, named = 0;

		for (size_t i = 0; i < sizeof(v) / 8; i++) {
			random = random * 6364136223846793005 + 1442695040888963407;
			((uint64_t *)&v)[i] = random ^ random >> 29;
		}
		broken = check();
		assert_int_equal(rule_count, count);
		for (unsigned i = 0; i < count; i++)
			named += rules[i].broken;
		assert_int_equal(named, broken);
	}
}

static void test_every_rule_was_broken(void **state)
{
	(void)state;
	GOOD();
	for (unsigned i = 0; i < rule_count; i++) {
		if (!exercised[i])
			fail_msg("never broken: %s: %s", rules[i].field, rules[i].text);
	}
	print_message("%u rules\n", rule_count);
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
		cmocka_unit_test(test_any_state),
		cmocka_unit_test(test_every_rule_was_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
