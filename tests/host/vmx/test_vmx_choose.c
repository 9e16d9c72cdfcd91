/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vmx/vmx_choose.c vmm/vmx/vmx_controls.c vmm/vmx/vmx_report.c */
/* What is used of a CPU's VT-x, and why a CPU is refused, by the values of real and emulated ones.
 */
#include "vmm/vmx/vmx_choose.h"
#include "vmm/vmx/vmx_caps.h"
#include "vmm/vmx/vmx_controls.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct vmx_machine vmx_machine;

#define OF_ALL                                                                                     \
	.has_vmx = true, .feature_control = 5, .cr0_fixed0 = 0x80000021, .cr0_fixed1 = 0xffffffff, \
	.cr4_fixed0 = 0x2000, .phys_bits = 40

/* Bochs 2.7, by what it reports. */
#define OF_BOCHS OF_ALL, .basic = 0xd810000000002b, .proc = {0x4006172, 0xf7f9fffe, 0}

static const struct vmx_machine penryn = {
	OF_BOCHS,
	.misc = 0x401e0,
	.cr4_fixed1 = 0x467ff,
	.pin = {0x16, 0x3f, 0},
	.proc2 = {0, 0x41, 0},
	.exit = {0x36dfb, 0x3ffff, 0},
	.entry = {0x11fb, 0x3fff, 0},
};

static const struct vmx_machine lynnfield = {
	OF_BOCHS,
	.has_rdtscp = true,
	.misc = 0x401e0,
	.ept_vpid = 0xf0106114141,
	.cr4_fixed1 = 0x67ff,
	.pin = {0x16, 0x7f, 0},
	.proc2 = {0, 0x7f, 0},
	.exit = {0x36dfb, 0x7fffff, 0},
	.entry = {0x11fb, 0xffff, 0},
};

static const struct vmx_machine sandy_bridge = {
	OF_BOCHS,
	.has_rdtscp = true,
	.misc = 0x401e0,
	.ept_vpid = 0xf0106114141,
	.cr4_fixed1 = 0x627ff,
	.pin = {0x16, 0x7f, 0},
	.proc2 = {0, 0xff, 0},
	.exit = {0x36dfb, 0x7fffff, 0},
	.entry = {0x11fb, 0xffff, 0},
};

static const struct vmx_machine haswell = {
	OF_BOCHS,
	.has_rdtscp = true,
	.misc = 0x200401e0,
	.ept_vpid = 0xf0106334141,
	.cr4_fixed1 = 0x1727ff,
	.pin = {0x16, 0x7f, 0},
	.proc2 = {0, 0x47fff, 0},
	.exit = {0x36dfb, 0x7fffff, 0},
	.entry = {0x11fb, 0xffff, 0},
};

/* Real ones: a Core i7 of 2015, and one whose controls of after 2019 we do not all know. */
static const struct vmx_machine skylake = {
	OF_ALL,
	.has_rdtscp = true,
	.basic = 0xda040000000004,
	.misc = 0x7004c1e7,
	.ept_vpid = 0xf0106734141,
	.cr4_fixed1 = 0x3767ff,
	.pin = {0x16, 0x7f, 0},
	.proc = {0x4006172, 0xfff9fffe, 0},
	.proc2 = {0, 0x1ffcff, 0},
	.exit = {0x36dfb, 0x1ffffff, 0},
	.entry = {0x11fb, 0x3ffff, 0},
};

static const struct vmx_machine newer = {
	OF_ALL,
	.has_rdtscp = true,
	.basic = 0xda050000000013,
	.misc = 0x7004c1e7,
	.ept_vpid = 0xf0106f34141,
	.cr4_fixed1 = 0x3ff7fff,
	.pin = {0x16, 0xff, 0},
	.proc = {0x4006172, 0xfffbfffe, 0},
	.proc2 = {0, 0xffffffff, 0},
	.exit = {0x36dfb, 0x137fffff, 0},
	.entry = {0x11fb, 0x16ffff, 0},
};

static void assert_word(const struct vmx_control_word *word, uint32_t used)
{
	assert_int_equal(word->used, used);
	/* An entry with it does not fail (26.2.1.1). */
	assert_int_equal(word->used & word->allowed0, word->allowed0);
	assert_int_equal(word->used & ~word->allowed1, 0);
}

#define PROC_USED  0xb6206dfa /* with the bits that are always 1 */
#define EXIT_USED  0x3f6fff
#define ENTRY_USED 0xd1ff

static void assert_used(const struct vmx_machine *machine, uint32_t pin, uint32_t proc2)
{
	struct vmx_machine m = *machine;
	char reason[224] = "";

	assert_int_equal(vmx_choose(&m, reason, sizeof(reason)), 0);
	assert_string_equal(reason, "");
	assert_word(&m.pin, pin);
	assert_word(&m.proc, PROC_USED);
	assert_word(&m.proc2, proc2);
	assert_word(&m.exit, EXIT_USED);
	assert_word(&m.entry, ENTRY_USED);
}

static void test_used(void **state)
{
	const uint32_t least = VMX_PROC2_EPT | VMX_PROC2_RDTSCP | VMX_PROC2_VPID |
			       VMX_PROC2_WBINVD | VMX_PROC2_UNRESTRICTED_GUEST;

	(void)state;
	assert_used(&sandy_bridge, 0x7f, least);
	assert_used(&haswell, 0x7f, least | VMX_PROC2_PAUSE_LOOP);
	assert_used(&skylake, 0x7f, least | VMX_PROC2_PAUSE_LOOP | VMX_PROC2_ENCLS);
	assert_used(&newer, 0x7f, least | VMX_PROC2_PAUSE_LOOP | VMX_PROC2_ENCLS);
}

/* Only the vCPUs in x2APIC mode have it, and the command line may forbid that. */
static void test_apicv(void **state)
{
	struct vmx_machine m = haswell;

	(void)state;
	assert_true(vmx_has_x2apic(&m));
	assert_false(vmx_has_x2apic(&sandy_bridge));
	m.no_apicv = true;
	assert_false(vmx_has_x2apic(&m));
	assert_used(&m, 0x7f,
		    VMX_PROC2_EPT | VMX_PROC2_RDTSCP | VMX_PROC2_VPID | VMX_PROC2_WBINVD |
			    VMX_PROC2_UNRESTRICTED_GUEST | VMX_PROC2_PAUSE_LOOP);
}

/* What is only wanted is left out where it is missing, and nothing else changes. */
static void test_without(void **state)
{
	struct vmx_machine m = skylake;

	(void)state;
	m.pin.allowed1 &= ~VMX_PIN_PREEMPTION_TIMER;
	m.proc2.allowed1 = VMX_PROC2_EPT | VMX_PROC2_UNRESTRICTED_GUEST | VMX_PROC2_RDTSCP;
	m.ept_vpid &= ~(VMX_EPT_PAGE_1G | VMX_EPT_ACCESSED_DIRTY);
	assert_used(&m, 0x3f, m.proc2.allowed1);
	/* RDTSCP is not needed where no guest sees it. */
	m.has_rdtscp = false;
	m.proc2.allowed1 &= ~VMX_PROC2_RDTSCP;
	assert_used(&m, 0x3f, m.proc2.allowed1);
	/* A VPID whose translations cannot be taken back is none. */
	m.proc2.allowed1 |= VMX_PROC2_VPID;
	m.ept_vpid &= ~VMX_VPID_INVVPID_SINGLE;
	assert_used(&m, 0x3f, m.proc2.allowed1 & ~VMX_PROC2_VPID);
	/* Without a TPR shadow, CR8 exits. */
	m.proc.allowed1 &= ~VMX_PROC_TPR_SHADOW;
	assert_int_equal(vmx_choose(&m, (char[224]){0}, 224), 0);
	assert_word(&m.proc,
		    (PROC_USED & ~VMX_PROC_TPR_SHADOW) | VMX_PROC_CR8_LOAD | VMX_PROC_CR8_STORE);
	m.proc = skylake.proc;
	/* Not locked: cpu_enable() turns it on. */
	m.feature_control = 0;
	assert_used(&m, 0x3f, m.proc2.allowed1 & ~VMX_PROC2_VPID);
}

static void assert_refused(struct vmx_machine m, const char *why)
{
	char reason[224] = "";

	assert_int_equal(vmx_choose(&m, reason, sizeof(reason)), -ENODEV);
	if (!strstr(reason, why))
		fail_msg("'%s' is not in '%s'", why, reason);
	/* It was not cut. */
	assert_true(strlen(reason) < sizeof(reason) - 1);
}

static void test_reasons(void **state)
{
	struct vmx_machine m = {0};

	(void)state;
	assert_refused(m, "does not report Intel VT-x");
	assert_refused(penryn, "without \"enable EPT\"");
	assert_refused(lynnfield, "without \"unrestricted guest\"");
	m = skylake;
	m.feature_control = VMX_FEATURE_CONTROL_LOCK | VMX_FEATURE_CONTROL_SMX;
	assert_refused(m, "locked it (IA32_FEATURE_CONTROL 0x3); turn on \"Intel Virt");
	m = skylake;
	m.basic &= ~(UINT64_C(0xf) << 50);
	assert_refused(m, "memory of type 0 (IA32_VMX_BASIC");
	m = skylake;
	m.basic |= VMX_BASIC_32BIT_ADDRESSES;
	assert_refused(m, "below 4 GiB");
	/* Of before the exact controls: each MOV to and from CR3 exits. */
	m = skylake;
	m.proc.allowed0 = VMX_PROC_DEFAULT1;
	assert_refused(m, "cannot switch \"CR3-load exiting\" off");
}

static struct vmx_control_word *word_of(struct vmx_machine *m, enum vmx_word word)
{
	struct vmx_control_word *words[] = {&m->pin, &m->proc, &m->proc2, &m->exit, &m->entry};

	return words[word];
}

/* Each control that must be there is missed by name; each that must be off, too. */
static void test_each_control(void **state)
{
	(void)state;
	for (size_t i = 0; i < vmx_control_count; i++) {
		const struct vmx_control *c = &vmx_controls[i];
		enum vmx_use use = vmx_use_of(&newer, c);
		bool needed = use == VMX_REQUIRED || use == VMX_ON_DEMAND;
		struct vmx_machine m = newer;
		char quoted[64];

		snprintf(quoted, sizeof(quoted), "\"%s\"", c->name);
		if (c->word == VMX_WORD_EPT_VPID)
			m.ept_vpid &= ~c->bit;
		else
			word_of(&m, c->word)->allowed1 &= ~c->bit;
		if (needed)
			assert_refused(m, quoted);
		m = newer;
		if (c->word == VMX_WORD_EPT_VPID || use == VMX_REQUIRED || use == VMX_WANTED)
			continue;
		word_of(&m, c->word)->allowed0 |= c->bit;
		word_of(&m, c->word)->allowed1 |= c->bit;
		assert_refused(m, quoted);
	}
}

/*
 * Of the controls that switch an MSR all are used or none, and the lists have what they do not.
 * @wanted: of EFER and PAT, which are in lists.
 */
static void assert_areas(struct vmx_machine *m, unsigned wanted)
{
	char reason[224] = "";

	assert_int_equal(vmx_choose(m, reason, sizeof(reason)), 0);
	for (unsigned i = 0; i < VMX_SWITCHED_MSRS; i++) {
		const struct vmx_switched *s = &vmx_switched_msrs[i];
		bool area = wanted >> i & 1;

		assert_int_equal(vmx_in_msr_area(m, i), area);
		assert_int_equal(m->exit.used & s->exit, area ? 0 : s->exit);
		assert_int_equal(m->entry.used & s->entry, area ? 0 : s->entry);
	}
	assert_int_equal(vmx_needs_msr_area(m), wanted != 0);
}

static void test_msr_areas(void **state)
{
	static const struct {
		enum vmx_word word;
		uint32_t bit;
		enum vmx_switched_msr msr;
		const char *name;
	} fields[] = {
		{VMX_WORD_EXIT, VMX_EXIT_SAVE_EFER, VMX_SWITCHED_EFER, "\"save IA32_EFER\""},
		{VMX_WORD_EXIT, VMX_EXIT_LOAD_EFER, VMX_SWITCHED_EFER, "\"load IA32_EFER\""},
		{VMX_WORD_ENTRY, VMX_ENTRY_LOAD_EFER, VMX_SWITCHED_EFER, "\"load IA32_EFER\""},
		{VMX_WORD_EXIT, VMX_EXIT_SAVE_PAT, VMX_SWITCHED_PAT, "\"save IA32_PAT\""},
		{VMX_WORD_EXIT, VMX_EXIT_LOAD_PAT, VMX_SWITCHED_PAT, "\"load IA32_PAT\""},
		{VMX_WORD_ENTRY, VMX_ENTRY_LOAD_PAT, VMX_SWITCHED_PAT, "\"load IA32_PAT\""},
	};
	struct vmx_machine m = sandy_bridge;

	(void)state;
	assert_areas(&m, 0);
	m.msr_areas = true;
	assert_areas(&m, BIT(VMX_SWITCHED_EFER) | BIT(VMX_SWITCHED_PAT));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		m = sandy_bridge;
		word_of(&m, fields[i].word)->allowed1 &= ~fields[i].bit;
		assert_areas(&m, BIT(fields[i].msr));
		/* One that cannot be switched off, though another is missing. */
		m = sandy_bridge;
		m.msr_areas = true;
		word_of(&m, fields[i].word)->allowed0 |= fields[i].bit;
		assert_refused(m, fields[i].name);
	}
}

static void test_differences(void **state)
{
	struct vmx_machine m = skylake;

	(void)state;
	m.feature_control = 0;
	m.pin.used = 1;
	assert_null(vmx_difference(&skylake, &m));
	m.entry.allowed1 = 0;
	assert_string_equal(vmx_difference(&skylake, &m), "VM-entry controls");
	m = skylake;
	m.ept_vpid ^= VMX_EPT_PAGE_1G;
	assert_string_equal(vmx_difference(&skylake, &m), "EPT and VPID capabilities");
	m = skylake;
	m.basic++;
	assert_string_equal(vmx_difference(&skylake, &m), "IA32_VMX_BASIC");
	m = skylake;
	m.cr4_fixed1 = 0;
	assert_string_equal(vmx_difference(&skylake, &m), "CR4's fixed bits");
}

static void test_weaknesses(void **state)
{
	struct vmx_machine m = {0};
	char names[64];

	(void)state;
	vmx_weaknesses(&m, names, sizeof(names));
	assert_string_equal(names, "L1TF, MDS, ITLB multihit");
	m.arch_capabilities = BIT(0) | BIT(5);
	vmx_weaknesses(&m, names, sizeof(names));
	assert_string_equal(names, "ITLB multihit");
	m.arch_capabilities |= BIT(6);
	vmx_weaknesses(&m, names, sizeof(names));
	assert_string_equal(names, "");
}

static char report[16384];

static void __printf(1, 2) print(const char *fmt, ...)
{
	size_t at = strlen(report);
	va_list args;

	va_start(args, fmt);
	vsnprintf(report + at, sizeof(report) - at, fmt, args);
	va_end(args);
}

static void expect_line(const char *line)
{
	if (!strstr(report, line))
		fail_msg("'%s' is not in:\n%s", line, report);
}

static void test_report(void **state)
{
	char reason[224];

	(void)state;
	vmx_machine = sandy_bridge;
	assert_int_equal(vmx_choose(&vmx_machine, reason, sizeof(reason)), 0);
	report[0] = '\0';
	vmx_report(print);
	expect_line("VT-x, revision 0x2b, VMCSs of 4096 bytes, 40 bits");
	expect_line("\nIA32_FEATURE_CONTROL 0x5: VT-x on, locked by the firmware\n");
	expect_line("\npin-based controls: the CPU has 0x7f, used 0x7f\n");
	expect_line("\n  activate VMX-preemption timer      used\n");
	expect_line("\n  process posted interrupts          no\n");
	expect_line("\n  IA-32e mode guest                  used when needed\n");
	expect_line("\n  use TPR shadow                     used\n");
	expect_line("\n  virtualize x2APIC mode             has, not used: it goes with virtual");
	expect_line("\n  virtual-interrupt delivery         no\n");
	vmx_machine = haswell;
	assert_int_equal(vmx_choose(&vmx_machine, reason, sizeof(reason)), 0);
	report[0] = '\0';
	vmx_report(print);
	expect_line("\n  virtual-interrupt delivery         used when needed\n");
	vmx_machine = sandy_bridge;
	assert_int_equal(vmx_choose(&vmx_machine, reason, sizeof(reason)), 0);
	report[0] = '\0';
	vmx_report(print);
	expect_line("\n  acknowledge interrupt on exit      has, not used: it is taken at");
	expect_line("\n  enable ENCLS exiting               no\n");
	expect_line("\n  1 GiB pages                        missing: 2 MiB pages at most\n");
	expect_line("\nMSR areas: not used\n");
	expect_line("\n  save IA32_EFER                     used\n");
	vmx_machine.exit.allowed1 &= ~VMX_EXIT_SAVE_EFER;
	assert_int_equal(vmx_choose(&vmx_machine, reason, sizeof(reason)), 0);
	report[0] = '\0';
	vmx_report(print);
	expect_line("\nMSR areas: IA32_EFER\n");
	expect_line("\n  save IA32_EFER                     missing: an MSR area does it\n");
	expect_line("\n  load IA32_EFER                     has, not used: an MSR area does it\n");
	expect_line("\n  load IA32_PAT                      used\n");
	/* There, and of no use without INVVPID. */
	vmx_machine.proc2.used &= ~VMX_PROC2_VPID;
	report[0] = '\0';
	vmx_report(print);
	expect_line("\n  enable VPID                        has, not used: each entry and exit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_used),	     cmocka_unit_test(test_without),
		cmocka_unit_test(test_apicv),	     cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_each_control), cmocka_unit_test(test_msr_areas),
		cmocka_unit_test(test_differences),  cmocka_unit_test(test_report),
		cmocka_unit_test(test_weaknesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
