/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/chipset/lapic.c devices/chipset/lapic_access.c */
/* test-sources: devices/chipset/lapic_state.c devices/chipset/lapic_msr.c */
/* test-sources: devices/chipset/lapic_ipi.c devices/chipset/lapic_timer.c */
/* test-sources: devices/chipset/lapic_virtual.c vmm/irq.c */
/* test-sources: vmm/device_state.c vmm/device_state_load.c tests/host/devices/saved.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/*
 * Local APICs that go to a new VM with interrupts in service, requested and
 * held back, and with timers that run: also from a CPU that does a part of
 * their work to one that does not, and the other way.
 */
#include "devices/chipset/lapic.h"
#include "kernel/time.h"
#include "tests/host/devices/fake.h"
#include "tests/host/devices/saved.h"
#include "tests/host/devices/lapic_access.h"
#include "vmm/device_state.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CPUS 2
#define MS   UINT64_C(1000000)

static struct device *dev;

static void start(bool virtual)
{
	fake_start(CPUS);
	fake_virtual_apic = virtual;
	dev = fake_create("lapic", "lapic", NULL);
	assert_non_null(dev);
}

/* What a vCPU's own state brings along: CR8. */
static void move(bool to_virtual)
{
	uint64_t then = fake_now, cr8[CPUS];

	saved_take(dev);
	memcpy(cr8, fake_cr8, sizeof(cr8));
	fake_end();
	start(to_virtual);
	fake_now = then;
	memcpy(fake_cr8, cr8, sizeof(cr8));
	saved_give(dev);
}

static void test_service(void **state)
{
	(void)state;
	start(false);
	wr(1, APIC_SVR, APIC_SVR_ENABLE | 0xff);
	irq_message(&fake_vm, 0xfee01000, 0x41);
	assert_int_equal(fake_interrupt(1), 0x41);
	irq_message(&fake_vm, 0xfee01000, 0x62);
	assert_int_equal(fake_interrupt(1), 0x62);
	irq_message(&fake_vm, 0xfee01000, 0x43);
	irq_message(&fake_vm, 0xfee01000, 0xa0);
	wr(1, APIC_TPR, 0xb3);
	move(false);
	assert_int_equal(fake_interrupt(1), -1);
	wr(1, APIC_TPR, 0);
	assert_int_equal(fake_interrupt(1), 0xa0);
	wr(1, APIC_EOI, 0);
	assert_int_equal(fake_interrupt(1), -1);
	wr(1, APIC_EOI, 0); /* 62's */
	assert_int_equal(fake_interrupt(1), -1);
	wr(1, APIC_EOI, 0); /* 41's */
	assert_int_equal(fake_interrupt(1), 0x43);
	fake_end();
}

static void test_timers(void **state)
{
	uint64_t deadline = 0;

	(void)state;
	start(false);
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		wr(cpu, APIC_SVR, APIC_SVR_ENABLE | 0xff);
	wr(0, APIC_TDCR, 0xb); /* by 1 */
	wr(0, APIC_LVT_TIMER, APIC_LVT_PERIODIC | 0x31);
	wr(0, APIC_TMICT, 10 * MS);
	wr(1, APIC_LVT_TIMER, APIC_LVT_DEADLINE | 0x32);
	assert_int_equal(fake_wrmsr(1, MSR_GUEST_TSC_DEADLINE, UINT64_MAX / 2), 0);
	fake_advance(14 * MS);
	assert_int_equal(fake_interrupt(0), 0x31);
	move(false);	   /* in service */
	fake_interrupt(0); /* as when they run again: they arm */
	assert_int_equal(fake_interrupt(1), -1);
	fake_advance(5 * MS);
	assert_int_equal(fake_interrupt(0), -1);
	fake_advance(2 * MS);
	wr(0, APIC_EOI, 0);
	assert_int_equal(fake_interrupt(0), 0x31);
	assert_int_equal(fake_rdmsr(1, MSR_GUEST_TSC_DEADLINE, &deadline), 0);
	assert_true(deadline == UINT64_MAX / 2);
	fake_vm.vcpus[1]->tsc_offset = UINT64_MAX / 2 - time_tsc(); /* there it is */
	vcpu_request(fake_vm.vcpus[1], VCPU_REQ_TIMER);
	assert_int_equal(fake_interrupt(1), 0x32);
	fake_end();
}

static void to_x2apic(unsigned cpu)
{
	uint64_t base;

	assert_int_equal(fake_rdmsr(cpu, MSR_GUEST_APIC_BASE, &base), 0);
	assert_int_equal(fake_wrmsr(cpu, MSR_GUEST_APIC_BASE, base | APIC_BASE_EXTD), 0);
}

/* With 0x61 in service, and 0x91 and 0x35 requested. */
static void work_in_x2apic(void)
{
	wr(1, APIC_SVR, APIC_SVR_ENABLE | 0xff);
	irq_message(&fake_vm, 0xfee01000, 0x61);
	assert_int_equal(fake_interrupt(1), 0x61);
	to_x2apic(1);
	irq_message(&fake_vm, 0xfee01000, 0x91);
	irq_message(&fake_vm, 0xfee01000, 0x35);
}

static void test_from_virtual(void **state)
{
	(void)state;
	start(true);
	work_in_x2apic();
	assert_int_equal(fake_interrupt(1), -1); /* the CPU has them */
	assert_int_equal(fake_apics[1].requested, 0x91);
	move(false);
	assert_int_equal(fake_interrupt(1), 0x91);
	wrx(1, APIC_EOI, 0);
	assert_int_equal(fake_interrupt(1), -1);
	wrx(1, APIC_EOI, 0);
	assert_int_equal(fake_interrupt(1), 0x35);
	fake_end();
}

static void test_to_virtual(void **state)
{
	(void)state;
	start(false);
	work_in_x2apic();
	move(true);
	assert_true(fake_apics[1].on);
	assert_int_equal(fake_apics[1].in_service, 0x61);
	assert_int_equal(fake_interrupt(1), -1);
	assert_int_equal(fake_apics[1].requested, 0x91);
	assert_int_equal(rdx(1, APIC_ISR + 3), 2);
	assert_int_equal(rdx(1, APIC_IRR + 1), 1 << (0x35 - 32));
	fake_end();
}

/* Saving changes nothing for who goes on. */
static void test_goes_on(void **state)
{
	(void)state;
	start(true);
	work_in_x2apic();
	assert_int_equal(fake_interrupt(1), -1);
	saved_take(dev);
	assert_int_equal(fake_interrupt(1), -1);
	assert_int_equal(fake_apics[1].requested, 0x91);
	assert_int_equal(fake_apics[1].in_service, 0x61);
	assert_int_equal(rdx(1, APIC_ISR + 3), 2);
	fake_end();
}

static void expect_refused(struct lapic *l, const char *what)
{
	const struct device_state *type = dev->type->saved;
	size_t len = device_state_save(type, dev->state, NULL, 0);
	uint8_t *data = malloc(len);
	char why[128];

	device_state_save(type, dev->state, data, len);
	l->isr[0] = l->isr[1] = l->irr[0] = 0;
	l->base = APIC_DEFAULT_BASE | APIC_BASE_EN;
	assert_int_equal(device_state_check(type, dev->state, data, len, why, sizeof(why)),
			 -EINVAL);
	if (!strstr(why, what))
		fail_msg("expected %s, got %s", what, why);
	free(data);
}

static void test_refused(void **state)
{
	struct lapic *l;

	(void)state;
	start(false);
	l = &((struct lapic_set *)dev->state)->apics[1];
	l->isr[1] = BIT(0) | BIT(1);
	expect_refused(l, "apics[1]: isr");
	l->isr[0] = BIT(3);
	expect_refused(l, "apics[1]: isr");
	l->irr[0] = BIT(15);
	expect_refused(l, "apics[1]: irr");
	l->base = APIC_DEFAULT_BASE | APIC_BASE_EXTD;
	expect_refused(l, "apics[1]: base");
	l->base = APIC_DEFAULT_BASE | APIC_BASE_EN | APIC_BASE_BSP;
	expect_refused(l, "apics[1]: base");
	l->base = 0x1000 | APIC_BASE_EN;
	expect_refused(l, "apics[1]: base");
	fake_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_service),	     cmocka_unit_test(test_timers),
		cmocka_unit_test(test_from_virtual), cmocka_unit_test(test_to_virtual),
		cmocka_unit_test(test_goes_on),	     cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
