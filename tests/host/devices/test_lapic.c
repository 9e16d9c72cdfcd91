/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/chipset/lapic.c devices/chipset/lapic_access.c */
/* test-sources: devices/chipset/lapic_state.c */
/* test-sources: devices/chipset/lapic_msr.c devices/chipset/lapic_ipi.c */
/* test-sources: devices/chipset/lapic_timer.c devices/chipset/lapic_virtual.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "devices/chipset/lapic_regs.h"

#include "kernel/time.h"
#include "tests/host/devices/fake.h"
#include "tests/host/devices/lapic_access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define CPUS 4

static void to_x2apic(unsigned cpu)
{
	uint64_t base;

	assert_int_equal(fake_rdmsr(cpu, MSR_GUEST_APIC_BASE, &base), 0);
	assert_int_equal(fake_wrmsr(cpu, MSR_GUEST_APIC_BASE, base | APIC_BASE_EXTD), 0);
}

static int setup(void **state)
{
	unsigned cpu;

	(void)state;
	fake_start(CPUS);
	assert_non_null(fake_create("lapic", "lapic", NULL));
	for (cpu = 0; cpu < CPUS; cpu++)
		wr(cpu, APIC_SVR, APIC_SVR_ENABLE | 0xff);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static void test_registers(void **state)
{
	(void)state;
	assert_int_equal(rd(2, APIC_ID), 2u << 24);
	assert_int_equal(rd(0, APIC_VERSION), APIC_VERSION_VALUE);
	wr(0, APIC_ID, 0x77000000);
	assert_int_equal(rd(0, APIC_ID), 0);
	wr(0, APIC_LVT_TIMER, UINT32_MAX);
	assert_int_equal(rd(0, APIC_LVT_TIMER), 0x700ff);
	wr(0, APIC_TPR, 0x35);
	assert_int_equal(rd(0, APIC_TPR), 0x35);
	assert_int_equal(fake_cr8[0], 3);
	fake_cr8[0] = 5;
	assert_int_equal(rd(0, APIC_TPR), 0x50);
	assert_int_equal(rd(0, APIC_PPR), 0x50);
	rd(0, 0x3f);
	wr(0, APIC_ESR, 0);
	assert_int_equal(rd(0, APIC_ESR), APIC_ESR_REGISTER);
	wr(0, APIC_ESR, 0);
	assert_int_equal(rd(0, APIC_ESR), 0);
	/* Disabling masks what has been set up. */
	wr(0, APIC_LVT_TIMER, 0x20);
	wr(0, APIC_SVR, 0xff);
	assert_int_equal(rd(0, APIC_LVT_TIMER), 0x10020);
	assert_int_equal(fake_mmio_read(0, APIC_DEFAULT_BASE + 0x31, 2), 0x500);
	assert_int_equal(fake_mmio_read(0, APIC_DEFAULT_BASE + 0x32, 2), 5);
}

static void test_priorities(void **state)
{
	(void)state;
	to_x2apic(0);
	wrx(0, APIC_SELF_IPI, 0x41);
	wrx(0, APIC_SELF_IPI, 0x62);
	wrx(0, APIC_SELF_IPI, 0x61);
	assert_int_equal(fake_interrupt(0), 0x62);
	assert_int_equal(fake_interrupt(0), -1); /* 0x61 is of the same class */
	assert_int_equal(rdx(0, APIC_PPR), 0x60);
	wrx(0, APIC_SELF_IPI, 0x71);
	assert_int_equal(fake_interrupt(0), 0x71);
	wrx(0, APIC_EOI, 0);
	fake_take_requests(0);
	wrx(0, APIC_EOI, 0);
	assert_true(fake_take_requests(0) & VCPU_REQ_IRQ);
	assert_int_equal(fake_interrupt(0), 0x61);
	wrx(0, APIC_EOI, 0);
	/* What CR8 holds back is told, until it is taken. */
	fake_cr8[0] = 4;
	assert_int_equal(fake_tpr_threshold[0], 0);
	assert_int_equal(fake_interrupt(0), -1);
	assert_int_equal(fake_tpr_threshold[0], 4);
	fake_cr8[0] = 3;
	assert_int_equal(fake_interrupt(0), 0x41);
	assert_int_equal(fake_tpr_threshold[0], 0);
	assert_int_equal(rdx(0, APIC_ISR + 2), 2);
	wrx(0, APIC_EOI, 0);
	assert_int_equal(fake_interrupt(0), -1);
	wrx(0, APIC_EOI, 0); /* one too many */
}

static unsigned who_has(uint8_t vector)
{
	unsigned cpu, mask = 0;
	int got;

	for (cpu = 0; cpu < CPUS; cpu++) {
		got = fake_interrupt(cpu);
		if (got >= 0) {
			assert_int_equal(got, vector);
			mask |= 1u << cpu;
			wr(cpu, APIC_EOI, 0);
		}
	}
	return mask;
}

static void test_ipis(void **state)
{
	unsigned cpu, seen = 0, i;

	(void)state;
	wr(0, APIC_ICR2, 2u << 24);
	wr(0, APIC_ICR, 0x4000 | 0x50);
	assert_int_equal(who_has(0x50), 4);
	wr(0, APIC_ICR2, 0xffu << 24);
	wr(0, APIC_ICR, 0x50);
	assert_int_equal(who_has(0x50), 15);
	wr(1, APIC_ICR, 0x40050);
	assert_int_equal(who_has(0x50), 2);
	wr(1, APIC_ICR, 0x80050);
	assert_int_equal(who_has(0x50), 15);
	wr(1, APIC_ICR, 0xc0050);
	assert_int_equal(who_has(0x50), 13);
	/* Logical, flat; then clusters of two CPUs each. */
	for (cpu = 0; cpu < CPUS; cpu++)
		wr(cpu, APIC_LDR, 1u << (24 + cpu));
	wr(0, APIC_ICR2, 0x0au << 24);
	wr(0, APIC_ICR, 0x850);
	assert_int_equal(who_has(0x50), 10);
	for (cpu = 0; cpu < CPUS; cpu++) {
		wr(cpu, APIC_DFR, 0);
		wr(cpu, APIC_LDR, (cpu / 2 << 4 | 1u << cpu % 2) << 24);
	}
	wr(0, APIC_ICR2, 0x13u << 24);
	wr(0, APIC_ICR, 0x850);
	assert_int_equal(who_has(0x50), 12);
	wr(0, APIC_ICR2, 0xf2u << 24);
	wr(0, APIC_ICR, 0x850);
	assert_int_equal(who_has(0x50), 10);
	/* Lowest priority: one each time, everyone in the end. */
	for (i = 0; i < CPUS; i++) {
		wr(0, APIC_ICR2, 0xffu << 24);
		wr(0, APIC_ICR, 0x150);
		cpu = who_has(0x50);
		assert_int_equal(cpu & (cpu - 1), 0);
		seen |= cpu;
	}
	assert_int_equal(seen, 15);
	wr(0, APIC_ICR, 0x40005);
	wr(0, APIC_ESR, 0);
	assert_int_equal(rd(0, APIC_ESR), APIC_ESR_SEND_VECTOR);
}

static void test_start_up(void **state)
{
	(void)state;
	wr(0, APIC_ICR2, 1u << 24);
	wr(0, APIC_ICR, 0xc500);
	assert_int_equal(fake_take_requests(1), VCPU_REQ_RESET);
	wr(0, APIC_ICR, 0x8500);
	assert_int_equal(fake_take_requests(1), 0);
	wr(0, APIC_ICR, 0x4699);
	assert_int_equal(fake_take_requests(1), VCPU_REQ_SIPI);
	assert_int_equal(fake_vm.vcpus[1]->sipi_vector, 0x99);
	wr(0, APIC_ICR, 0x4400);
	assert_int_equal(fake_take_requests(1), VCPU_REQ_NMI);
	irq_reset(fake_vm.vcpus[1]);
	assert_int_equal(rd(1, APIC_SVR), 0xff);
	wr(0, APIC_ICR, 0x50);
	assert_int_equal(who_has(0x50), 0); /* its software has not enabled it */
}

static void test_x2apic(void **state)
{
	uint64_t value;

	(void)state;
	assert_int_not_equal(fake_wrmsr(0, MSR_GUEST_X2APIC + APIC_EOI, 0), 0);
	assert_int_not_equal(fake_rdmsr(0, MSR_GUEST_X2APIC + APIC_ID, &value), 0);
	to_x2apic(0);
	to_x2apic(3);
	assert_int_equal(rdx(3, APIC_ID), 3);
	assert_int_equal(rdx(3, APIC_LDR), 8);
	assert_int_equal(rd(3, APIC_ID), UINT32_MAX);
	wrx(0, APIC_ICR, 3ull << 32 | 0x55);
	assert_int_equal(rdx(0, APIC_ICR), 3ull << 32 | 0x55);
	assert_int_equal(fake_interrupt(3), 0x55);
	wrx(3, APIC_EOI, 0);
	wrx(0, APIC_ICR, 9ull << 32 | 0x855);
	assert_int_equal(fake_interrupt(3), 0x55);
	assert_int_equal(fake_interrupt(0), 0x55);
	wrx(0, APIC_EOI, 0);
	wrx(3, APIC_EOI, 0);
	wrx(0, APIC_ICR, 0xffffffffull << 32 | 0x55);
	assert_int_equal(fake_interrupt(3), 0x55);
	wrx(0, APIC_ICR, 0xffull << 32 | 0x56); /* no broadcast here */
	assert_int_equal(fake_interrupt(3), -1);
	/* Reserved bits, read-only and absent registers are #GP. */
	assert_int_not_equal(fake_wrmsr(0, MSR_GUEST_X2APIC + APIC_EOI, 1), 0);
	assert_int_not_equal(fake_wrmsr(0, MSR_GUEST_X2APIC + APIC_ESR, 1), 0);
	assert_int_not_equal(fake_wrmsr(0, MSR_GUEST_X2APIC + APIC_ID, 0), 0);
	assert_int_not_equal(fake_wrmsr(0, MSR_GUEST_X2APIC + APIC_TPR, 0x100), 0);
	assert_int_not_equal(fake_wrmsr(0, MSR_GUEST_X2APIC + APIC_DFR, 0), 0);
	assert_int_not_equal(fake_wrmsr(0, MSR_GUEST_X2APIC + 0xff, 0), 0);
	assert_int_not_equal(fake_rdmsr(0, MSR_GUEST_X2APIC + APIC_EOI, &value), 0);
}

static void test_apic_base(void **state)
{
	const uint64_t x1 = APIC_DEFAULT_BASE | APIC_BASE_EN, x2 = x1 | APIC_BASE_EXTD;
	uint64_t value;

	(void)state;
	assert_int_equal(fake_rdmsr(0, MSR_GUEST_APIC_BASE, &value), 0);
	assert_int_equal(value, x1 | APIC_BASE_BSP);
	assert_int_equal(fake_rdmsr(1, MSR_GUEST_APIC_BASE, &value), 0);
	assert_int_equal(value, x1);
	assert_int_not_equal(fake_wrmsr(1, MSR_GUEST_APIC_BASE, x1 + 0x1000), 0);
	assert_int_not_equal(fake_wrmsr(1, MSR_GUEST_APIC_BASE, APIC_DEFAULT_BASE | APIC_BASE_EXTD),
			     0);
	assert_int_equal(fake_wrmsr(1, MSR_GUEST_APIC_BASE, x2), 0);
	assert_int_not_equal(fake_wrmsr(1, MSR_GUEST_APIC_BASE, x1), 0);
	assert_int_equal(fake_wrmsr(1, MSR_GUEST_APIC_BASE, APIC_DEFAULT_BASE), 0);
	assert_int_equal(rd(1, APIC_VERSION), UINT32_MAX);
	assert_int_not_equal(fake_wrmsr(1, MSR_GUEST_APIC_BASE, x2), 0);
	assert_int_equal(fake_wrmsr(1, MSR_GUEST_APIC_BASE, x1), 0);
	assert_int_equal(rd(1, APIC_SVR), 0xff);
}

static void test_timer_counts(void **state)
{
	int i;

	(void)state;
	wr(0, APIC_TDCR, 0x3); /* by 16 */
	wr(0, APIC_LVT_TIMER, 0x40);
	wr(0, APIC_TMICT, 1000);
	fake_advance(8000);
	assert_int_equal(rd(0, APIC_TMCCT), 500);
	assert_int_equal(fake_interrupt(0), -1);
	fake_advance(8000);
	assert_int_equal(fake_interrupt(0), 0x40);
	assert_int_equal(rd(0, APIC_TMCCT), 0);
	wr(0, APIC_EOI, 0);
	fake_advance(1000000);
	assert_int_equal(fake_interrupt(0), -1);

	wr(0, APIC_TDCR, 0xb); /* by 1 */
	wr(0, APIC_LVT_TIMER, APIC_LVT_PERIODIC | 0x41);
	wr(0, APIC_TMICT, 50000);
	for (i = 0; i < 5; i++) {
		fake_advance(50000);
		assert_int_equal(fake_interrupt(0), 0x41);
		wr(0, APIC_EOI, 0);
	}
	/* Late: one interrupt, and the beat stays. */
	fake_advance(170000);
	assert_int_equal(fake_interrupt(0), 0x41);
	wr(0, APIC_EOI, 0);
	assert_int_equal(rd(0, APIC_TMCCT), 30000);
	wr(0, APIC_LVT_TIMER, APIC_LVT_MASKED | APIC_LVT_PERIODIC | 0x41);
	fake_advance(200000);
	assert_int_equal(fake_interrupt(0), -1);
	wr(0, APIC_TMICT, 0);
	assert_int_equal(rd(0, APIC_TMCCT), 0);
}

static void test_timer_deadline(void **state)
{
	uint64_t value, tsc = time_tsc();

	(void)state;
	fake_vm.vcpus[0]->tsc_offset = -tsc;
	assert_int_equal(fake_wrmsr(0, MSR_GUEST_TSC_DEADLINE, 1), 0);
	assert_int_equal(fake_rdmsr(0, MSR_GUEST_TSC_DEADLINE, &value), 0);
	assert_int_equal(value, 0); /* not in that mode */
	wr(0, APIC_LVT_TIMER, APIC_LVT_DEADLINE | 0x42);
	assert_int_equal(fake_wrmsr(0, MSR_GUEST_TSC_DEADLINE, 1), 0);
	assert_int_equal(fake_rdmsr(0, MSR_GUEST_TSC_DEADLINE, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(fake_interrupt(0), 0x42);
	wr(0, APIC_EOI, 0);
	assert_int_equal(fake_wrmsr(0, MSR_GUEST_TSC_DEADLINE, UINT64_MAX), 0);
	assert_int_equal(fake_rdmsr(0, MSR_GUEST_TSC_DEADLINE, &value), 0);
	assert_true(value == UINT64_MAX);
	vcpu_request(fake_vm.vcpus[0], VCPU_REQ_TIMER); /* too early, by a pause */
	assert_int_equal(fake_interrupt(0), -1);
	fake_vm.vcpus[0]->tsc_offset = UINT64_MAX - tsc;
	vcpu_request(fake_vm.vcpus[0], VCPU_REQ_TIMER);
	fake_interrupt(0);
}

static int pic_vector = -1;

static int peek(void *opaque)
{
	(void)opaque;
	return pic_vector;
}

static void ack(void *opaque, uint8_t vector)
{
	(void)opaque;
	assert_int_equal(vector, pic_vector);
	pic_vector = -1;
	irq_ext_changed(&fake_vm, false);
}

static const struct irq_ext_ops pic = {.peek = peek, .ack = ack};

static void test_ext(void **state)
{
	(void)state;
	assert_int_equal(irq_set_ext(&fake_vm, &pic, NULL), 0);
	fake_reset(); /* virtual wire mode, without any software */
	fake_take_requests(0);
	pic_vector = 8;
	irq_ext_changed(&fake_vm, true);
	assert_true(fake_take_requests(0) & VCPU_REQ_IRQ);
	assert_int_equal(fake_take_requests(1), 0);
	assert_int_equal(fake_interrupt(1), -1);
	assert_int_equal(fake_interrupt(0), 8);
	assert_int_equal(fake_interrupt(0), -1);
	wr(0, APIC_SVR, 0x1ff);
	wr(0, APIC_LVT_TIMER + 3, 0x10700);
	pic_vector = 9;
	irq_ext_changed(&fake_vm, true);
	assert_int_equal(fake_interrupt(0), -1);
	wr(0, APIC_LVT_TIMER + 3, 0x700);
	assert_int_equal(fake_interrupt(0), 9);
	/* Fixed and NMI by LINT0. */
	wr(0, APIC_LVT_TIMER + 3, 0x51);
	irq_ext_changed(&fake_vm, true);
	irq_ext_changed(&fake_vm, false);
	assert_int_equal(fake_interrupt(0), 0x51);
	wr(0, APIC_LVT_TIMER + 3, 0x400);
	irq_ext_changed(&fake_vm, true);
	assert_true(fake_take_requests(0) & VCPU_REQ_NMI);
}

static uint8_t ended;

static void chip_set(void *opaque, unsigned line, bool level)
{
	(void)opaque;
	(void)line;
	(void)level;
}

static void chip_eoi(void *opaque, uint8_t vector)
{
	(void)opaque;
	ended = vector;
}

static void test_messages(void **state)
{
	struct irq_sink chip = {.set = chip_set, .eoi = chip_eoi};

	(void)state;
	assert_int_equal(irq_add_sink(&fake_vm, &chip), 0);
	irq_message(&fake_vm, 0xfee01000, 0x60);
	assert_int_equal(fake_interrupt(1), 0x60);
	wr(1, APIC_EOI, 0);
	assert_int_equal(ended, 0);
	irq_message(&fake_vm, 0xfee01000, 0xc060);
	assert_int_equal(fake_interrupt(1), 0x60);
	assert_int_equal(rd(1, APIC_TMR + 3), 1);
	wr(1, APIC_EOI, 0);
	assert_int_equal(ended, 0x60);
	irq_message(&fake_vm, 0xfee01000, 0x8060); /* de-assertion */
	irq_message(&fake_vm, 0xfed01000, 0x60);   /* not an interrupt */
	irq_message(&fake_vm, 0xfee09000, 0x60);   /* nobody there */
	irq_message(&fake_vm, 0xfee01000, 0x05);
	assert_int_equal(who_has(0), 0);
	wr(1, APIC_ESR, 0);
	assert_int_equal(rd(1, APIC_ESR), APIC_ESR_RECEIVE_VECTOR);
	irq_remove_sink(&fake_vm, &chip);
}

/* The CPU does TPR, EOI and SELF IPI: what comes in goes to its page, and it says what is ours. */
static void test_virtual(void **state)
{
	struct irq_sink chip = {.set = chip_set, .eoi = chip_eoi};
	struct fake_apic *apic = &fake_apics[1];

	(void)state;
	ended = 0;
	assert_int_equal(irq_add_sink(&fake_vm, &chip), 0);
	fake_virtual_apic = true;
	/* In xAPIC mode all is ours. What is in service, requested and TPR goes along. */
	wr(1, APIC_TPR, 0x23);
	irq_message(&fake_vm, 0xfee01000, 0x61);
	assert_int_equal(fake_interrupt(1), 0x61);
	irq_message(&fake_vm, 0xfee01000, 0xc0a5);
	assert_false(apic->on);
	to_x2apic(1);
	assert_true(apic->on);
	assert_int_equal(apic->in_service, 0x61);
	assert_int_equal(apic->page[APIC_TPR * 4], 0x23);
	assert_int_equal(rdx(1, APIC_ISR + 3), 2);
	assert_int_equal(rdx(1, APIC_IRR + 5), 0x20);
	/* A level-triggered one is passed on, with the wish to hear of its EOI. */
	assert_int_equal(fake_interrupt(1), -1);
	assert_int_equal(apic->requested, 0xa5);
	assert_int_equal(apic->level[2], BIT(0xa5 - 128));
	assert_int_equal(apic->page[(APIC_IRR + 5) * 4], 0x20);
	irq_wrote(fake_vm.vcpus[1], APIC_EOI, 0xa5);
	assert_int_equal(ended, 0xa5);
	ended = 0;
	irq_wrote(fake_vm.vcpus[1], APIC_EOI, 0x61);
	assert_int_equal(ended, 0);
	/* Halted, it wakes for what TPR and what is in service let pass. */
	fake_vm.vcpus[1]->state = VCPU_HALTED;
	assert_int_equal(fake_interrupt(1), IRQ_BY_CPU);
	apic->page[APIC_TPR * 4] = 0xa0;
	assert_int_equal(fake_interrupt(1), -1);
	apic->page[APIC_TPR * 4] = 0;
	apic->page[(APIC_ISR + 5) * 4] = 1;
	assert_int_equal(fake_interrupt(1), -1);
	irq_wrote(fake_vm.vcpus[1], APIC_SELF_IPI, 3);
	wrx(1, APIC_ESR, 0);
	assert_int_equal(rdx(1, APIC_ESR), APIC_ESR_SEND_VECTOR);
	/* INIT leaves the mode as it is, and nothing in the page; disabling takes it back. */
	irq_reset(fake_vm.vcpus[1]);
	assert_true(apic->on && !apic->requested && !apic->in_service);
	assert_int_equal(rdx(1, APIC_IRR + 5) | rdx(1, APIC_ISR + 3), 0);
	assert_int_equal(fake_wrmsr(1, MSR_GUEST_APIC_BASE, APIC_DEFAULT_BASE), 0);
	assert_false(apic->on);
	irq_remove_sink(&fake_vm, &chip);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_registers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_priorities, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ipis, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_x2apic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_apic_base, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timer_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timer_deadline, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ext, setup, teardown),
		cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_virtual, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
