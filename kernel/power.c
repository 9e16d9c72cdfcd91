/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/power.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/percpu.h"
#include "kernel/console.h"
#include "kernel/sched.h"
#include "kernel/time.h"

#include <stdint.h>
#include <string.h>

/* An NMI waits for what a CPU does with its GIF clear: an exit's handler, no more. */
#define STOP_WAIT (100 * NSEC_PER_MSEC)

static const struct power_ops *power_ops;
static void (*power_cpu_leave)(void);
/* The index + 1 of the CPU that has the last word, 0: none. Atomic, as is the next. */
static uint32_t power_last;
static uint32_t power_stopped; /* CPUs that have left */

void power_register(const struct power_ops *ops)
{
	power_ops = ops;
}

void power_set_cpu_leave(void (*leave)(void))
{
	power_cpu_leave = leave;
}

void power_leave_cpu(void)
{
	if (power_cpu_leave)
		power_cpu_leave();
}

void power_stop_if_any(void)
{
	uint32_t last = __atomic_load_n(&power_last, __ATOMIC_ACQUIRE);

	if (!last || last == this_cpu()->index + 1)
		return;
	power_leave_cpu();
	__atomic_fetch_add(&power_stopped, 1, __ATOMIC_RELEASE);
	cpu_stop();
}

/* One that does not come in time is reset as it stands. */
static void power_stop_others(void)
{
	uint64_t end = time_tsc() + time_ns_to_tsc(STOP_WAIT);
	uint32_t others = 0;
	struct cpu *cpu;

	for_each_cpu (cpu, i)
		others += cpu != this_cpu()->self;
	__atomic_store_n(&power_last, this_cpu()->index + 1, __ATOMIC_RELEASE);
	if (!others)
		return;
	irq_send_nmi_others();
	while (__atomic_load_n(&power_stopped, __ATOMIC_ACQUIRE) < others && time_tsc() < end)
		cpu_pause();
}

/*
 * An INIT is blocked in VMX operation (SDM vol. 3C, 23.8): where a reset is no more than that,
 * the machine would hang.
 */
static void __noreturn power_end(void (*end)(void), const char *failed)
{
	console_drain();
	cpu_irq_disable();
	sched_leave_world();
	power_stop_others();
	power_leave_cpu();
	end();
	/* Who was stopped may hold the console's lock. */
	console_write_emergency(failed, strlen(failed));
	cpu_stop();
}

void power_reset(void)
{
	power_end(power_ops->reset, "The machine does not reset: press its button.\n");
}

void power_off(void)
{
	if (power_ops->can_off())
		power_end(power_ops->off, "The machine does not switch off: press its button.\n");
}
