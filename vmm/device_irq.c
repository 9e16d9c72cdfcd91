/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt lines, and the places of interrupt chips, as devices' resources. */
#include "vmm/device_internal.h"

#include "kernel/slab.h"
#include "vmm/vm.h"

#include <errno.h>

struct irq_resource {
	struct device_resource res;
	struct irq_line line;
};

static void device_release_irq(struct device_resource *res)
{
	irq_line_detach(&container_of(res, struct irq_resource, res)->line);
}

int device_irq(struct device *dev, unsigned gsi, struct irq_line **line)
{
	struct irq_resource *irq = device_resource_alloc(dev, sizeof(*irq));
	int err;

	if (!irq)
		return -ENOMEM;
	err = irq_line_attach(dev->vm, &irq->line, gsi);
	if (err) {
		device_log(dev, LOG_ERROR,
			   err == -EINVAL ? "interrupt line %u: expected 0 to %u"
					  : "interrupt line %u has %u users already",
			   gsi, err == -EINVAL ? IRQ_LINES - 1 : IRQ_LINE_USERS_MAX);
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
