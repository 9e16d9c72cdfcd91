/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/fake/arch/x86_64/fake_cpus.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/percpu.h"
#include "kernel/nmi.h"
#include "kernel/time.h"

#include <string.h>

__thread struct cpu *fake_cpu;
struct cpu *cpu_table[CPU_MAX];
uint32_t cpu_count;

void (*fake_pause_hook)(void);
uint64_t fake_tsc;
uint64_t fake_timer_deadline[CPU_MAX];
unsigned fake_timer_sets[CPU_MAX], fake_kicks[CPU_MAX], fake_idles[CPU_MAX];

static struct cpu cpus[CPU_MAX];
static bool timer_pending[CPU_MAX], kick_pending[CPU_MAX];
static irq_handler handlers[256];

void fake_cpus_init(uint32_t count)
{
	memset(cpus, 0, sizeof(cpus));
	memset(timer_pending, 0, sizeof(timer_pending));
	memset(kick_pending, 0, sizeof(kick_pending));
	memset(handlers, 0, sizeof(handlers));
	for (uint32_t i = 0; i < CPU_MAX; i++) {
		cpus[i].self = &cpus[i];
		cpus[i].index = i;
		cpus[i].apic_id = i;
		cpus[i].online = i < count;
		cpu_table[i] = &cpus[i];
		fake_timer_deadline[i] = UINT64_MAX;
		fake_timer_sets[i] = fake_kicks[i] = fake_idles[i] = 0;
	}
	cpu_count = count;
	fake_pause_hook = NULL;
	fake_tsc = 1000;
	time_init(1000000);
	fake_cpus_use(0);
}

void fake_cpus_use(uint32_t index)
{
	fake_cpu = &cpus[index];
}

static void fake_timers_check(void)
{
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (fake_timer_deadline[i] > fake_tsc)
			continue;
		fake_timer_deadline[i] = UINT64_MAX;
		timer_pending[i] = true;
	}
}

void fake_cpus_advance(uint64_t ticks)
{
	fake_tsc += ticks;
	fake_timers_check();
}

void irq_register(uint8_t vector, irq_handler handler)
{
	handlers[vector] = handler;
}

void irq_send(uint32_t apic_id, uint8_t vector)
{
	if (vector == IRQ_VECTOR_KICK) {
		fake_kicks[apic_id]++;
		kick_pending[apic_id] = true;
	}
}

void irq_timer_set(uint64_t deadline)
{
	fake_timer_deadline[fake_cpu->index] = deadline;
	fake_timer_sets[fake_cpu->index]++;
	fake_timers_check();
}

void cpu_irq_window(void)
{
	uint32_t i = fake_cpu->index;

	if (timer_pending[i]) {
		timer_pending[i] = false;
		handlers[IRQ_VECTOR_TIMER]();
	}
	if (kick_pending[i]) {
		kick_pending[i] = false;
		handlers[IRQ_VECTOR_KICK]();
	}
}

void cpu_idle(void)
{
	fake_idles[fake_cpu->index]++;
	cpu_irq_window();
}

void cpu_pause(void)
{
	if (fake_pause_hook)
		fake_pause_hook();
}

void nmi_tell(void)
{
	this_cpu()->nmis_told = this_cpu()->nmis;
}
