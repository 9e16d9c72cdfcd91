/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt lines, and the places of interrupt chips, as devices' resources. */
#include "vmm/device_internal.h"

#include "kernel/slab.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define IRQ_NAMES_MAX 160

struct irq_resource {
	struct device_resource res;
	struct irq_line line;
	const char *sharers; /* NULL: it is alone */
};

static void device_release_irq(struct device_resource *res)
{
	irq_line_detach(&container_of(res, struct irq_resource, res)->line);
}

static bool device_irq_is(const struct device_resource *res, unsigned gsi)
{
	return res->release == device_release_irq &&
	       container_of(res, struct irq_resource, res)->line.gsi == gsi;
}

static bool device_irq_clashes(const struct device_resource *res, const void *what)
{
	const struct irq_resource *wants = what;
	const char *has;

	if (!device_irq_is(res, wants->line.gsi))
		return false;
	has = container_of(res, struct irq_resource, res)->sharers;
	return !has || !wants->sharers || strcmp(has, wants->sharers);
}

static void device_irq_tell_full(const struct device *dev, unsigned gsi)
{
	const struct device_resource *res;
	const struct device *user;
	char names[IRQ_NAMES_MAX] = "";
	size_t len = 0;

	list_for_each_entry (user, &dev->vm->devices->devices, link)
		list_for_each_entry (res, &user->resources, link)
			if (device_irq_is(res, gsi) && len < sizeof(names))
				len += (size_t)snprintf(names + len, sizeof(names) - len, " %s",
							user->id);
	device_log(dev, LOG_ERROR, "interrupt line %u has %u users already:%s%s", gsi,
		   IRQ_LINE_USERS_MAX, names, len < sizeof(names) ? "" : "…");
}

/* @irq has its line's number and its sharers. */
static int device_irq_attach(struct device *dev, struct irq_resource *irq, unsigned gsi)
{
	const struct device *holder = device_holder(dev->vm, device_irq_clashes, irq);
	int err;

	if (holder) {
		device_log(dev, LOG_ERROR, "interrupt line %u is device %s's: expected a free one",
			   gsi, holder->id);
		return -EBUSY;
	}
	err = irq_line_attach(dev->vm, &irq->line, gsi);
	if (err == -EINVAL)
		device_log(dev, LOG_ERROR, "interrupt line %u: expected 0 to %u", gsi,
			   IRQ_LINES - 1);
	else if (err)
		device_irq_tell_full(dev, gsi);
	return err;
}

int device_irq(struct device *dev, unsigned gsi, const char *sharers, struct irq_line **line)
{
	struct irq_resource *irq = device_resource_alloc(dev, sizeof(*irq));
	int err;

	if (!irq)
		return -ENOMEM;
	irq->line.gsi = gsi;
	irq->sharers = sharers;
	err = device_irq_attach(dev, irq, gsi);
	if (err) {
		kfree(irq);
		return err;
	}
	device_resource_add(dev, &irq->res, DEVICE_IRQ, device_release_irq);
	*line = &irq->line;
	return 0;
}

/* A chip that a VM has one of, and that @release takes from it; @err of setting it. */
static int device_own_chip(struct device *dev, int err, const char *what, void (*release)(void *vm))
{
	const struct device *owner;

	if (err) {
		owner = device_owner(dev->vm, release);
		device_log(dev, LOG_ERROR, "the VM has %s already: device %s", what,
			   owner ? owner->id : dev->id);
		return err;
	}
	err = device_own(dev, release, dev->vm);
	if (err)
		release(dev->vm);
	return err;
}

static void device_release_controller(void *vm)
{
	irq_clear_controller(vm);
}

int device_irq_controller(struct device *dev, const struct irq_controller_ops *ops, void *opaque)
{
	return device_own_chip(dev, irq_set_controller(dev->vm, ops, opaque),
			       "an interrupt controller", device_release_controller);
}

static void device_release_ext(void *vm)
{
	irq_clear_ext(vm);
}

int device_irq_ext(struct device *dev, const struct irq_ext_ops *ops, void *opaque)
{
	return device_own_chip(dev, irq_set_ext(dev->vm, ops, opaque), "an 8259 pair",
			       device_release_ext);
}

struct sink_resource {
	struct device_resource res;
	struct irq_sink *sink;
};

static void device_release_sink(struct device_resource *res)
{
	irq_remove_sink(res->dev->vm, container_of(res, struct sink_resource, res)->sink);
}

int device_irq_sink(struct device *dev, struct irq_sink *sink)
{
	struct sink_resource *s = device_resource_alloc(dev, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	err = irq_add_sink(dev->vm, sink);
	if (err) {
		device_log(dev, LOG_ERROR, "the VM has %u interrupt chips already", IRQ_SINKS_MAX);
		kfree(s);
		return err;
	}
	s->sink = sink;
	device_resource_add(dev, &s->res, DEVICE_OTHER, device_release_sink);
	return 0;
}
