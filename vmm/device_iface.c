/* SPDX-License-Identifier: BSD-2-Clause */
/* What devices are to each other: interfaces, references, frontends. */
#include "vmm/device_internal.h"

#include "kernel/slab.h"
#include "vmm/frontend.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

struct iface_resource {
	struct device_resource res;
	const char *kind;
	void *iface;
};

static void *device_provides(const struct device *dev, const char *kind)
{
	const struct iface_resource *provided;
	struct device_resource *res;

	list_for_each_entry (res, &dev->resources, link) {
		provided = container_of(res, struct iface_resource, res);
		if (res->kind == DEVICE_IFACE && !strcmp(provided->kind, kind))
			return provided->iface;
	}
	return NULL;
}

void *device_iface(struct vm *vm, const char *id, const char *kind)
{
	struct device *dev;
	void *iface = NULL;

	list_for_each_entry (dev, &vm->devices->devices, link) {
		if (!id || !strcmp(dev->id, id))
			iface = device_provides(dev, kind);
		if (iface)
			break;
	}
	return iface;
}

/* Nothing to give back: with the resource, nobody finds the interface any more. */
static void device_release_iface(struct device_resource *res)
{
	(void)res;
}

static int device_provide_as(struct device *dev, const char *kind, void *iface,
			     void (*release)(struct device_resource *res))
{
	struct iface_resource *provided;

	if (device_provides(dev, kind)) {
		device_log(dev, LOG_ERROR, "provides interface %s twice", kind);
		return -EEXIST;
	}
	provided = device_resource_alloc(dev, sizeof(*provided));
	if (!provided)
		return -ENOMEM;
	provided->kind = kind;
	provided->iface = iface;
	device_resource_add(dev, &provided->res, DEVICE_IFACE, release);
	return 0;
}

int device_provide(struct device *dev, const char *kind, void *iface)
{
	return device_provide_as(dev, kind, iface, device_release_iface);
}

static void device_release_frontend(struct device_resource *res)
{
	frontend_gone(container_of(res, struct iface_resource, res)->iface);
}

int device_provide_frontend(struct device *dev, struct frontend *frontend)
{
	return device_provide_as(dev, frontend->kind->name, frontend, device_release_frontend);
}

struct connection_resource {
	struct device_resource res;
	char id[DEVICE_ID_MAX + 1]; /* of the frontend, which may be gone when we go */
	const struct frontend_kind *kind;
	void *opaque;
};

static void device_release_connection(struct device_resource *res)
{
	struct connection_resource *c = container_of(res, struct connection_resource, res);
	struct frontend *frontend = device_iface(res->dev->vm, c->id, c->kind->name);

	if (frontend)
		frontend_disconnect(frontend, c->opaque);
}

static bool device_is_connected_to(const struct device_resource *res, const void *id)
{
	return res->kind == DEVICE_CONNECTION &&
	       !strcmp(container_of(res, struct connection_resource, res)->id, id);
}

int device_connect(struct device *dev, const char *id, const struct frontend_kind *kind,
		   const struct backend_ops *ops, void *opaque, struct frontend **out)
{
	struct connection_resource *c = device_resource_alloc(dev, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	err = frontend_connect(dev->vm, id, kind, ops, opaque, out);
	if (err) {
		const struct device *other = device_holder(dev->vm, device_is_connected_to, id);

		if (err == -EBUSY && other)
			device_log(dev, LOG_ERROR, "frontend %s is connected to device %s", id,
				   other->id);
		kfree(c);
		return err;
	}
	strcpy(c->id, id); /* it was found: no longer than an id */
	c->kind = kind;
	c->opaque = opaque;
	device_resource_add(dev, &c->res, DEVICE_CONNECTION, device_release_connection);
	return 0;
}

struct reference_resource {
	struct device_resource res;
	const struct device *target;
};

int device_refer(struct device *dev, struct device *target)
{
	struct reference_resource *ref = device_resource_alloc(dev, sizeof(*ref));

	if (!ref)
		return -ENOMEM;
	ref->target = target;
	device_resource_add(dev, &ref->res, DEVICE_REF, device_release_iface);
	return 0;
}

static bool device_refers_to(const struct device_resource *res, const void *target)
{
	return res->kind == DEVICE_REF &&
	       container_of(res, struct reference_resource, res)->target == target;
}

const struct device *device_referrer(const struct device *target)
{
	return device_holder(target->vm, device_refers_to, target);
}
