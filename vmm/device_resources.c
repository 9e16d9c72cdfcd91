/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What devices take: each piece is a structure in its device's list, with the
 * function that gives it back.
 */
#include "vmm/device_internal.h"

#include "kernel/grace.h"
#include "kernel/slab.h"
#include "vmm/hook/hook_io.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/vm.h"

#include <errno.h>

const char *const device_resource_names[DEVICE_RESOURCE_KINDS] = {
	[DEVICE_IO] = "io",	  [DEVICE_MSR] = "msr",		[DEVICE_MEMORY] = "memory",
	[DEVICE_CPUID] = "cpuid", [DEVICE_CALL] = "call",	[DEVICE_IRQ] = "irq",
	[DEVICE_TIMER] = "timer", [DEVICE_IFACE] = "iface",	[DEVICE_CONNECTION] = "connection",
	[DEVICE_REF] = "ref",	  [DEVICE_HOSTDEV] = "hostdev", [DEVICE_DMA] = "dma",
	[DEVICE_OTHER] = "other",
};

void *device_resource_alloc(struct device *dev, size_t size)
{
	void *res = kzalloc(size);

	if (!res)
		device_log(dev, LOG_ERROR, "no memory for a resource");
	return res;
}

void device_resource_add(struct device *dev, struct device_resource *res,
			 enum device_resource_kind kind,
			 void (*release)(struct device_resource *res))
{
	struct spinlock *lock = &dev->vm->devices->lock;

	res->dev = dev;
	res->kind = kind;
	res->release = release;
	spin_lock(lock);
	list_add(&res->link, &dev->resources);
	dev->counts[kind]++;
	spin_unlock(lock);
}

const struct device *device_holder(struct vm *vm,
				   bool (*is)(const struct device_resource *res, const void *what),
				   const void *what)
{
	struct device_resource *res;
	struct device *dev;

	list_for_each_entry (dev, &vm->devices->devices, link)
		list_for_each_entry (res, &dev->resources, link)
			if (is(res, what))
				return dev;
	return NULL;
}

void device_resources_release(struct device *dev)
{
	struct spinlock *lock = &dev->vm->devices->lock;
	struct list_head released = LIST_HEAD_INIT(released);
	struct device_resource *res;

	while (!list_empty(&dev->resources)) {
		res = list_first_entry(&dev->resources, struct device_resource, link);
		res->release(res);
		spin_lock(lock);
		list_del(&res->link);
		dev->counts[res->kind]--;
		spin_unlock(lock);
		list_add(&res->link, &released);
	}
	/* Handlers that were on their way when their hook went still find everything. */
	grace_synchronize();
	while (!list_empty(&released)) {
		res = list_first_entry(&released, struct device_resource, link);
		list_del(&res->link);
		kfree(res);
	}
}

/* Ends the taking of @res, whose resource was asked for with the result @err. */
static int device_keep(struct device *dev, struct device_resource *res,
		       enum device_resource_kind kind, void (*release)(struct device_resource *res),
		       int err)
{
	if (err)
		kfree(res); /* the first of its structure */
	else
		device_resource_add(dev, res, kind, release);
	return err;
}

/* Ports, MSRs and memory. */
struct hook_resource {
	struct device_resource res;
	struct hook hook;
};

static void device_release_io(struct device_resource *res)
{
	hook_io_remove(res->dev->vm, &container_of(res, struct hook_resource, res)->hook);
}

static void device_release_msr(struct device_resource *res)
{
	hook_msr_remove(res->dev->vm, &container_of(res, struct hook_resource, res)->hook);
}

static void device_release_memory(struct device_resource *res)
{
	hook_memory_remove(res->dev->vm, &container_of(res, struct hook_resource, res)->hook);
}

/* [@first, @first + @count) with @dev as its owner; NULL was logged. */
static struct hook_resource *device_hook_alloc(struct device *dev, uint64_t first, uint64_t count,
					       const struct hook_ops *ops, void *opaque)
{
	struct hook_resource *h = device_resource_alloc(dev, sizeof(*h));

	if (h)
		h->hook = (struct hook){first, first + count - 1, ops, opaque, dev->id, 0, NULL};
	return h;
}

static bool device_range_ok(struct device *dev, const char *what, uint64_t first, uint64_t count,
			    uint64_t limit)
{
	if (count && first <= limit && count - 1 <= limit - first)
		return true;
	device_log(dev, LOG_ERROR, "%s from 0x%lx, 0x%lx of them: expected at least 1, up to 0x%lx",
		   what, first, count, limit);
	return false;
}

static int device_hook_ports(struct device *dev, uint16_t first, uint32_t count, unsigned width,
			     const struct hook_ops *ops, void *opaque)
{
	struct hook_resource *h;

	if (!device_range_ok(dev, "I/O ports", first, count, UINT16_MAX))
		return -EINVAL;
	h = device_hook_alloc(dev, first, count, ops, opaque);
	if (!h)
		return -ENOMEM;
	h->hook.width = width;
	return device_keep(dev, &h->res, DEVICE_IO, device_release_io,
			   hook_io_add(dev->vm, &h->hook));
}

int device_hook_io(struct device *dev, uint16_t first, uint32_t count, const struct hook_ops *ops,
		   void *opaque)
{
	return device_hook_ports(dev, first, count, 0, ops, opaque);
}

int device_hook_io_register(struct device *dev, uint16_t port, unsigned width,
			    const struct hook_ops *ops, void *opaque)
{
	return device_hook_ports(dev, port, 1, width, ops, opaque);
}

int device_hook_msr(struct device *dev, uint32_t first, uint32_t count, const struct hook_ops *ops,
		    void *opaque)
{
	struct hook_resource *h;

	if (!device_range_ok(dev, "MSRs", first, count, UINT32_MAX))
		return -EINVAL;
	h = device_hook_alloc(dev, first, count, ops, opaque);
	if (!h)
		return -ENOMEM;
	return device_keep(dev, &h->res, DEVICE_MSR, device_release_msr,
			   hook_msr_add(dev->vm, &h->hook));
}

int device_hook_memory(struct device *dev, gpa_t gpa, uint64_t size, enum hook_memory_mode mode,
		       const struct hook_ops *ops, void *opaque)
{
	struct hook_resource *h;

	if (!device_range_ok(dev, "memory", gpa, size, BIT(GPA_BITS_MAX) - 1))
		return -EINVAL;
	h = device_hook_alloc(dev, gpa, size, ops, opaque);
	if (!h)
		return -ENOMEM;
	return device_keep(dev, &h->res, DEVICE_MEMORY, device_release_memory,
			   hook_memory_add(dev->vm, &h->hook, mode));
}

/* What no device has. */
static void device_release_io_rest(struct device_resource *res)
{
	hook_rest_clear(res->dev->vm, HOOK_REST_IO);
}

static void device_release_memory_rest(struct device_resource *res)
{
	hook_rest_clear(res->dev->vm, HOOK_REST_MEMORY);
}

int device_hook_io_rest(struct device *dev, const struct hook_ops *ops, void *opaque)
{
	struct hook_resource *h = device_hook_alloc(dev, 0, HOOK_IO_PORTS, ops, opaque);

	if (!h)
		return -ENOMEM;
	return device_keep(dev, &h->res, DEVICE_IO, device_release_io_rest,
			   hook_rest_set(dev->vm, HOOK_REST_IO, &h->hook));
}

int device_hook_memory_rest(struct device *dev, const struct hook_ops *ops, hook_changed_fn changed,
			    void *opaque)
{
	struct hook_resource *h = device_hook_alloc(dev, 0, BIT(GPA_BITS_MAX), ops, opaque);

	if (!h)
		return -ENOMEM;
	h->hook.changed = changed;
	return device_keep(dev, &h->res, DEVICE_MEMORY, device_release_memory_rest,
			   hook_rest_set(dev->vm, HOOK_REST_MEMORY, &h->hook));
}

struct cpuid_resource {
	struct device_resource res;
	struct hook_cpuid hook;
};

static void device_release_cpuid(struct device_resource *res)
{
	hook_cpuid_remove(res->dev->vm, &container_of(res, struct cpuid_resource, res)->hook);
}

int device_hook_cpuid(struct device *dev, uint32_t first, uint32_t last, hook_cpuid_fn fn,
		      void *opaque)
{
	struct cpuid_resource *c = device_resource_alloc(dev, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->hook = (struct hook_cpuid){first, last, fn, opaque, dev->id};
	return device_keep(dev, &c->res, DEVICE_CPUID, device_release_cpuid,
			   hook_cpuid_add(dev->vm, &c->hook));
}

struct call_resource {
	struct device_resource res;
	struct hook_call hook;
};

static void device_release_call(struct device_resource *res)
{
	hook_call_remove(res->dev->vm, &container_of(res, struct call_resource, res)->hook);
}

int device_hook_call(struct device *dev, uint64_t first, uint64_t last, hook_call_fn fn,
		     void *opaque)
{
	struct call_resource *c = device_resource_alloc(dev, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->hook = (struct hook_call){first, last, fn, opaque, dev->id};
	return device_keep(dev, &c->res, DEVICE_CALL, device_release_call,
			   hook_call_add(dev->vm, &c->hook));
}

struct own_resource {
	struct device_resource res;
	void (*release)(void *opaque);
	void *opaque;
};

static void device_release_own(struct device_resource *res)
{
	struct own_resource *own = container_of(res, struct own_resource, res);

	own->release(own->opaque);
}

int device_own_as(struct device *dev, enum device_resource_kind kind, void (*release)(void *opaque),
		  void *opaque)
{
	struct own_resource *own = device_resource_alloc(dev, sizeof(*own));

	if (!own)
		return -ENOMEM;
	own->release = release;
	own->opaque = opaque;
	device_resource_add(dev, &own->res, kind, device_release_own);
	return 0;
}

static bool device_owns(const struct device_resource *res, const void *release)
{
	return res->release == device_release_own &&
	       (const void *)container_of(res, struct own_resource, res)->release == release;
}

const struct device *device_owner(struct vm *vm, void (*release)(void *opaque))
{
	return device_holder(vm, device_owns, (const void *)release);
}
