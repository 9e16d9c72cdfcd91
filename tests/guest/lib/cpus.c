/* SPDX-License-Identifier: BSD-2-Clause */
/* Time and further CPUs of a test guest. */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"

#include <string.h>

#define AP_PAGE	      0x8000 /* entry.S knows it too */
#define AP_STACK      16384
#define AP_MAX	      16
#define PM_TIMER      0x608
#define PM_TIMER_HZ   3579545
#define PM_TIMER_MASK 0xffffff

extern const uint8_t guest_ap_code[], guest_ap_code_end[];
extern uint32_t guest_ap_stack;
uint32_t guest_ap_stack;
void guest_ap_start(void);
void guest_idt_load(void);

static uint8_t stacks[AP_MAX][AP_STACK] __aligned(16);
static void (*volatile ap_fn)(void *);
static void *volatile ap_arg;
static volatile bool ap_running;

void guest_ap_start(void)
{
	void (*fn)(void *) = ap_fn;
	void *arg = ap_arg;

	guest_idt_load();
	apic_enable();
	ap_running = true;
	fn(arg);
	for (;;)
		__asm__ volatile("cli; hlt");
}

bool guest_start_cpu(uint32_t apic_id, void (*fn)(void *), void *arg)
{
	uint64_t end;

	memcpy((void *)AP_PAGE, guest_ap_code, (size_t)(guest_ap_code_end - guest_ap_code));
	guest_ap_stack = (uint32_t)(uint64_t)(stacks[apic_id % AP_MAX] + AP_STACK);
	ap_fn = fn;
	ap_arg = arg;
	ap_running = false;
	apic_ipi(apic_id, APIC_ICR_INIT);
	guest_delay_ms(10);
	apic_ipi(apic_id, APIC_ICR_SIPI | AP_PAGE >> 12);
	end = rdtsc() + 1000 * guest_tsc_per_ms();
	while (!ap_running && rdtsc() < end)
		__builtin_ia32_pause();
	return ap_running;
}

uint64_t guest_tsc_per_ms(void)
{
	static uint64_t rate;
	uint32_t start, ticks;
	uint64_t tsc;

	if (rate)
		return rate;
	/* What comes in between makes a millisecond too long, never too short: it bounds waits. */
	tsc = rdtsc();
	start = inl(PM_TIMER) & PM_TIMER_MASK;
	do
		ticks = (inl(PM_TIMER) - start) & PM_TIMER_MASK;
	while (ticks < PM_TIMER_HZ / 100);
	rate = (rdtsc() - tsc) * (PM_TIMER_HZ / 1000) / ticks;
	return rate;
}

void guest_delay_ms(uint64_t ms)
{
	uint64_t end = rdtsc() + ms * guest_tsc_per_ms();

	while (rdtsc() < end)
		__builtin_ia32_pause();
}
