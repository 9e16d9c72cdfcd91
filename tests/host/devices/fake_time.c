/* SPDX-License-Identifier: BSD-2-Clause */
/* Time of the stand-in: it moves when a test says so, and host ticks are guest ns. */
#include "kernel/time.h"
#include "kernel/wall_time.h"
#include "tests/host/devices/fake.h"
#include "tests/host/devices/fake_devices.h"

#include <stdlib.h>
#include <string.h>

#define FAKE_MAX_TIMERS 64

struct time_scale time_scale = {
	.tsc_khz = 1000000,
	.ns_mult = UINT64_C(1) << 32,
	.tsc_mult = UINT64_C(1) << 32,
};

struct device_timer {
	device_timer_fn fn;
	void *opaque;
	uint64_t deadline;
	bool armed;
};

static struct device_timer fake_device_timers[FAKE_MAX_TIMERS];
static unsigned fake_device_timer_count;
static struct timer *fake_timers[FAKE_MAX_TIMERS]; /* armed ones */
static unsigned fake_timer_count;

void fake_time_start(void)
{
	fake_now = 0;
	memset(fake_device_timers, 0, sizeof(fake_device_timers));
	fake_device_timer_count = fake_timer_count = 0;
}

uint64_t vm_time_ns(const struct vm *vm __unused)
{
	return fake_now;
}

uint64_t vm_time_to_tsc(const struct vm *vm __unused, uint64_t ns)
{
	return ns;
}

int64_t wall_time(void)
{
	return FAKE_WALL_TIME;
}

void timer_init(struct timer *timer, timer_fn fn)
{
	timer->fn = fn;
	timer->armed = false;
}

void timer_cancel(struct timer *timer)
{
	if (!timer->armed)
		return;
	for (unsigned i = 0; i < fake_timer_count; i++)
		if (fake_timers[i] == timer)
			fake_timers[i--] = fake_timers[--fake_timer_count];
	timer->armed = false;
}

void timer_cancel_sync(struct timer *timer)
{
	timer_cancel(timer);
}

void timer_arm(struct timer *timer, uint64_t deadline)
{
	timer_cancel(timer);
	if (fake_timer_count == FAKE_MAX_TIMERS)
		abort();
	timer->node.key = deadline;
	timer->armed = true;
	fake_timers[fake_timer_count++] = timer;
}

int device_timer(struct device *dev __unused, device_timer_fn fn, void *opaque,
		 struct device_timer **timer)
{
	if (fake_device_timer_count == FAKE_MAX_TIMERS)
		abort();
	*timer = &fake_device_timers[fake_device_timer_count++];
	**timer = (struct device_timer){.fn = fn, .opaque = opaque};
	return 0;
}

void device_timer_arm(struct device_timer *timer, uint64_t ns)
{
	timer->deadline = ns;
	timer->armed = true;
}

void device_timer_cancel(struct device_timer *timer)
{
	timer->armed = false;
}

uint64_t device_timer_deadline(struct device_timer *timer)
{
	return timer->armed ? timer->deadline : UINT64_MAX;
}

/* Fires the earliest timer that is due by @limit. */
static bool fake_fire(uint64_t limit)
{
	struct device_timer *device = NULL;
	struct timer *host = NULL;
	uint64_t first = limit;
	unsigned i;

	for (i = 0; i < fake_device_timer_count; i++)
		if (fake_device_timers[i].armed && fake_device_timers[i].deadline <= first) {
			device = &fake_device_timers[i];
			first = device->deadline;
		}
	for (i = 0; i < fake_timer_count; i++)
		if (fake_timers[i]->node.key <= first &&
		    (!device || fake_timers[i]->node.key < first)) {
			host = fake_timers[i];
			first = host->node.key;
			device = NULL;
		}
	if (first > fake_now && (device || host))
		fake_now = first;
	if (host) {
		timer_cancel(host);
		host->fn(host);
	} else if (device) {
		device->armed = false;
		device->fn(device->opaque);
	}
	return host || device;
}

void fake_advance(uint64_t ns)
{
	uint64_t end = fake_now + ns;

	while (fake_fire(end))
		;
	fake_now = end;
}

void fake_time_end(void)
{
	fake_device_timer_count = 0;
	fake_advance(NSEC_PER_SEC);
}
