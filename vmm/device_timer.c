/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices' timers, in the guest's time: a host timer that is taken out while
 * the VM is paused and put in again, at another host time, when it goes on.
 *
 * Lock: the timer's, after the device's and before that of the host's queue.
 * The callback is called without.
 */
#include "vmm/device_internal.h"

#include "kernel/slab.h"
#include "kernel/time.h"
#include "vmm/vm.h"

#include <errno.h>

struct device_timer {
	struct device_resource res;
	struct timer timer;
	struct spinlock lock;
	device_timer_fn fn;
	void *opaque;
	uint64_t ns;  /* vm_time_ns() when it fires */
	bool armed;   /* it is to fire, though the VM may be paused */
	bool stopped; /* the VM is paused, or the device goes */
};

/* Under the lock. */
static void device_timer_start(struct device_timer *t)
{
	timer_arm(&t->timer, vm_time_to_tsc(t->res.dev->vm, t->ns));
}

static void device_timer_fire(struct timer *timer)
{
	struct device_timer *t = container_of(timer, struct device_timer, timer);
	bool due;

	spin_lock(&t->lock);
	due = t->armed && !t->stopped;
	/* Another CPU may have moved it while this callback was on its way. */
	if (due && time_tsc() < vm_time_to_tsc(t->res.dev->vm, t->ns)) {
		device_timer_start(t);
		due = false;
	}
	if (due)
		t->armed = false;
	spin_unlock(&t->lock);
	if (due)
		t->fn(t->opaque);
}

static void device_timer_stop(struct device_timer *t)
{
	spin_lock(&t->lock);
	t->stopped = true;
	spin_unlock(&t->lock);
	timer_cancel_sync(&t->timer);
}

static void device_release_timer(struct device_resource *res)
{
	device_timer_stop(container_of(res, struct device_timer, res));
}

int device_timer(struct device *dev, device_timer_fn fn, void *opaque, struct device_timer **timer)
{
	struct device_timer *t = device_resource_alloc(dev, sizeof(*t));

	if (!t)
		return -ENOMEM;
	timer_init(&t->timer, device_timer_fire);
	t->fn = fn;
	t->opaque = opaque;
	t->stopped = dev->vm->state != VM_RUNNING;
	device_resource_add(dev, &t->res, DEVICE_TIMER, device_release_timer);
	*timer = t;
	return 0;
}

void device_timer_arm(struct device_timer *timer, uint64_t ns)
{
	spin_lock(&timer->lock);
	timer->ns = ns;
	timer->armed = true;
	if (!timer->stopped)
		device_timer_start(timer);
	spin_unlock(&timer->lock);
}

void device_timer_cancel(struct device_timer *timer)
{
	spin_lock(&timer->lock);
	timer->armed = false;
	timer_cancel(&timer->timer);
	spin_unlock(&timer->lock);
}

uint64_t device_timer_deadline(struct device_timer *timer)
{
	uint64_t ns;

	spin_lock(&timer->lock);
	ns = timer->armed ? timer->ns : UINT64_MAX;
	spin_unlock(&timer->lock);
	return ns;
}

static void device_timer_resume(struct device_timer *t)
{
	spin_lock(&t->lock);
	t->stopped = false;
	if (t->armed)
		device_timer_start(t);
	spin_unlock(&t->lock);
}

static void device_timers_apply(struct vm *vm, void (*fn)(struct device_timer *t))
{
	struct device_resource *res;
	struct device *dev;

	list_for_each_entry (dev, &vm->devices->devices, link)
		list_for_each_entry (res, &dev->resources, link)
			if (res->kind == DEVICE_TIMER)
				fn(container_of(res, struct device_timer, res));
}

void device_timers_pause(struct vm *vm)
{
	device_timers_apply(vm, device_timer_stop);
}

void device_timers_resume(struct vm *vm)
{
	device_timers_apply(vm, device_timer_resume);
}

void device_timer_for_each(struct vm *vm,
			   void (*fn)(void *opaque, const struct device *dev, uint64_t ns),
			   void *opaque)
{
	struct device_resource *res;
	struct device *dev;

	list_for_each_entry (dev, &vm->devices->devices, link)
		list_for_each_entry (res, &dev->resources, link)
			if (res->kind == DEVICE_TIMER)
				fn(opaque, dev,
				   device_timer_deadline(
					   container_of(res, struct device_timer, res)));
}
