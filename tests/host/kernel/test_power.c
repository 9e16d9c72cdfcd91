/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: kernel/power.c kernel/time.c */
/* test-sources: tests/host/fake/arch/x86_64/fake_cpus.c */
/* kernel/power.c: who leaves, and in which order, before the machine is reset. */
#include "kernel/power.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/percpu.h"
#include "kernel/console.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "tests/host/fake/arch/x86_64/fake_cpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char story[128];
static jmp_buf *stop; /* where the CPU that stops has its end */
static bool nmi_sent, others_hang, can;

static void tell(const char *what)
{
	size_t len = strlen(story);

	snprintf(story + len, sizeof(story) - len, "%s%u ", what, this_cpu()->index);
}

void cpu_irq_disable(void)
{
	tell("cli");
}

void cpu_stop(void)
{
	tell("stop");
	longjmp(*stop, 1);
}

void sched_leave_world(void)
{
	tell("world");
}

void irq_send_nmi_others(void)
{
	nmi_sent = true;
}

void console_drain(void)
{
}

void console_write_emergency(const char *s, size_t len)
{
	assert_int_equal(s[len - 1], '\n');
	tell("says");
}

static void leave(void)
{
	tell("leave");
}

static void take_nmi(uint32_t cpu)
{
	jmp_buf here, *outer = stop;

	stop = &here;
	fake_cpus_use(cpu);
	if (!setjmp(here))
		power_stop_if_any();
	fake_cpus_use(0);
	stop = outer;
}

/* The CPU that waits: the others come one after the other, if they do. */
static void others(void)
{
	static uint32_t next;

	fake_tsc += NSEC_PER_MSEC;
	if (!nmi_sent || others_hang)
		return;
	next = next % 2 + 1;
	take_nmi(next);
}

static void reset(void)
{
	tell("reset");
}

static void off(void)
{
	tell("off");
}

static bool can_off(void)
{
	return can;
}

static void end(void (*how)(void), const char *expected)
{
	jmp_buf here;

	stop = &here;
	if (!setjmp(here))
		how();
	assert_string_equal(story, expected);
}

static int setup(void **state)
{
	static const struct power_ops ops = {.reset = reset, .off = off, .can_off = can_off};

	(void)state;
	fake_cpus_init(3);
	fake_pause_hook = others;
	power_register(&ops);
	power_set_cpu_leave(leave);
	story[0] = '\0';
	nmi_sent = false;
	return 0;
}

/* No state of theirs comes back: the order of these tests is that of their places in main(). */

static void test_nothing_known(void **state)
{
	(void)state;
	can = false;
	power_off();
	take_nmi(1);
	assert_string_equal(story, "");
	assert_false(nmi_sent);
}

static void test_others_hang(void **state)
{
	uint64_t start = fake_tsc;

	(void)state;
	others_hang = true;
	end(power_reset, "cli0 world0 leave0 reset0 says0 stop0 ");
	assert_true(nmi_sent);
	assert_in_range(fake_tsc - start, 50 * NSEC_PER_MSEC, NSEC_PER_SEC);
	others_hang = false;
}

static void test_others_leave_first(void **state)
{
	(void)state;
	can = true;
	/* An NMI of the hardware's, to the CPU that has the last word. */
	power_stop_if_any();
	end(power_off, "cli0 world0 leave1 stop1 leave2 stop2 leave0 off0 says0 stop0 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_known, setup),
		cmocka_unit_test_setup(test_others_hang, setup),
		cmocka_unit_test_setup(test_others_leave_first, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
