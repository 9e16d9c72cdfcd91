/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/frontend.h"

#include "vmm/device.h"
#include "vmm/vm.h"

#include <errno.h>

static bool frontend_take(struct frontend *frontend, const struct backend_ops *ops, void *opaque)
{
	bool is_free;

	spin_lock(&frontend->lock);
	is_free = !frontend->backend;
	if (is_free) {
		frontend->backend_opaque = opaque;
		frontend->backend = ops;
	}
	spin_unlock(&frontend->lock);
	return is_free;
}

int frontend_connect(struct vm *vm, const char *id, const struct frontend_kind *kind,
		     const struct backend_ops *ops, void *opaque, struct frontend **out)
{
	struct frontend *frontend = device_iface(vm, id, kind->name);

	if (!device_find(vm, id)) {
		vm_log(vm, LOG_ERROR, "no device %s to connect a %s backend to", id, kind->name);
		return -ENOENT;
	}
	if (!frontend) {
		vm_log(vm, LOG_ERROR, "device %s is no %s frontend: nothing to connect to", id,
		       kind->name);
		return -EINVAL;
	}
	if (!frontend_take(frontend, ops, opaque)) {
		vm_log(vm, LOG_ERROR, "%s frontend %s has a backend already", kind->name, id);
		return -EBUSY;
	}
	*out = frontend;
	if (frontend->attached)
		frontend->attached(frontend);
	return 0;
}

void frontend_disconnect(struct frontend *frontend, const void *opaque)
{
	const struct backend_ops *backend = NULL;

	if (frontend->detaching)
		frontend->detaching(frontend);
	spin_lock(&frontend->lock);
	if (frontend->backend_opaque == opaque) {
		backend = frontend->backend;
		frontend->backend = NULL;
	}
	spin_unlock(&frontend->lock);
	if (backend && frontend->drain)
		frontend->drain(frontend, backend, frontend->backend_opaque);
}

void frontend_gone(struct frontend *frontend)
{
	const struct backend_ops *backend;

	spin_lock(&frontend->lock);
	backend = frontend->backend;
	frontend->backend = NULL;
	if (backend)
		backend->gone(frontend->backend_opaque);
	spin_unlock(&frontend->lock);
	if (backend && frontend->drain)
		frontend->drain(frontend, backend, frontend->backend_opaque);
}
