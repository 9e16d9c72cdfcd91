/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's timer: one-shot, periodic, TSC deadline (SDM vol. 3A,
 * 11.5.4). The bus clock is 1 GHz: a count is a nanosecond of vm_time_ns(),
 * which guests learn from CPUID leaf 0x40000010.
 *
 * A kernel timer on the vCPU's own CPU only wakes the vCPU; whether the count
 * has run out is decided in guest time, when the vCPU comes by. So a timer
 * that fires while the VM is paused, or by the time from before a pause, does
 * no harm: it is armed again.
 */
#include "devices/chipset/lapic.h"

#include "kernel/time.h"

/* A guest that asks for less would only keep its own vCPU from running. */
#define LAPIC_MIN_PERIOD_NS UINT64_C(10000)

static uint32_t lapic_timer_mode(const struct lapic *l)
{
	return l->lvt[LVT_TIMER] & APIC_LVT_TIMER_MODE_MASK;
}

static bool lapic_timer_masked(const struct lapic *l)
{
	return l->lvt[LVT_TIMER] & APIC_LVT_MASKED;
}

/* Bits 3, 1, 0 of the divide configuration: by 2, 4 … 128, and by 1 (figure 11-10). */
static unsigned lapic_timer_shift(const struct lapic *l)
{
	return (((l->tdcr & 3) | (l->tdcr >> 1 & 4)) + 1) & 7;
}

/* ns of one count down to zero. */
static uint64_t lapic_timer_period(const struct lapic *l)
{
	uint64_t ns = (uint64_t)l->tmict << lapic_timer_shift(l);

	return lapic_timer_mode(l) == APIC_LVT_PERIODIC ? MAX(ns, LAPIC_MIN_PERIOD_NS) : ns;
}

static void lapic_timer_fn(struct timer *timer)
{
	vcpu_request(container_of(timer, struct lapic, timer)->vcpu, VCPU_REQ_TIMER);
}

void lapic_timer_init(struct lapic *l)
{
	timer_init(&l->timer, lapic_timer_fn);
}

void lapic_timer_stop(struct lapic *l)
{
	timer_cancel(&l->timer);
	l->counting = false;
	l->deadline = 0;
	l->tmict = 0;
}

static void lapic_timer_arm(struct lapic *l)
{
	if (l->counting && !lapic_timer_masked(l))
		timer_arm(&l->timer, vm_time_to_tsc(l->set->vm, l->next_ns));
	else
		timer_cancel(&l->timer);
}

/* Passes what has run out by now; true: at least one expiry. */
static bool lapic_timer_expire(struct lapic *l, uint64_t now)
{
	if (!l->counting || now < l->next_ns)
		return false;
	if (lapic_timer_mode(l) == APIC_LVT_PERIODIC)
		l->next_ns +=
			((now - l->next_ns) / lapic_timer_period(l) + 1) * lapic_timer_period(l);
	else
		l->counting = false;
	return true;
}

/* Arms for the deadline, or fires at once when it has passed. */
static void lapic_timer_check_deadline(struct lapic *l)
{
	uint64_t host = time_tsc(), guest = host + l->vcpu->tsc_offset, left;

	if (!l->deadline)
		return;
	if (l->deadline <= guest) {
		l->deadline = 0;
		lapic_lvt_fire(l, LVT_TIMER);
		return;
	}
	left = l->deadline - guest;
	timer_arm(&l->timer, host + left < host ? UINT64_MAX : host + left);
}

/* Counts on to now: fires what is due, arms for what is next. */
static void lapic_timer_check_count(struct lapic *l, uint64_t now)
{
	if (lapic_timer_expire(l, now))
		lapic_lvt_fire(l, LVT_TIMER);
	lapic_timer_arm(l);
}

void lapic_timer_check(struct lapic *l)
{
	if (lapic_timer_mode(l) == APIC_LVT_DEADLINE)
		lapic_timer_check_deadline(l);
	else
		lapic_timer_check_count(l, vm_time_ns(l->set->vm));
}

void lapic_timer_set_deadline(struct lapic *l, uint64_t deadline)
{
	if (lapic_timer_mode(l) != APIC_LVT_DEADLINE)
		return;
	l->deadline = deadline;
	if (deadline)
		lapic_timer_check_deadline(l);
	else
		timer_cancel(&l->timer);
}

uint32_t lapic_timer_current(struct lapic *l)
{
	uint64_t now = vm_time_ns(l->set->vm), left;

	if (!l->counting)
		return 0;
	if (now >= l->next_ns)
		lapic_timer_check_count(l, now);
	left = l->counting ? (l->next_ns - now) >> lapic_timer_shift(l) : 0;
	return (uint32_t)MIN(left, (uint64_t)l->tmict);
}

void lapic_timer_set_count(struct lapic *l, uint32_t count)
{
	if (lapic_timer_mode(l) == APIC_LVT_DEADLINE)
		return;
	l->tmict = count;
	l->counting = count != 0;
	l->next_ns = vm_time_ns(l->set->vm) + lapic_timer_period(l);
	lapic_timer_arm(l);
}

/* The count goes on from where it is, in the new steps. */
void lapic_timer_set_divide(struct lapic *l, uint32_t tdcr)
{
	uint32_t left = lapic_timer_current(l);

	l->tdcr = tdcr & APIC_TDCR_MASK;
	l->next_ns = vm_time_ns(l->set->vm) + ((uint64_t)left << lapic_timer_shift(l));
	if (l->counting)
		lapic_timer_arm(l);
}

/* The count goes on, but a change to or from TSC deadline disarms (11.5.4.1). */
void lapic_timer_set_lvt(struct lapic *l, uint32_t lvt)
{
	uint32_t old = lapic_timer_mode(l);

	lapic_timer_current(l);
	WRITE_ONCE(l->lvt[LVT_TIMER], lvt);
	if ((old == APIC_LVT_DEADLINE) != (lapic_timer_mode(l) == APIC_LVT_DEADLINE))
		lapic_timer_stop(l);
	else if (l->counting)
		lapic_timer_arm(l);
}
