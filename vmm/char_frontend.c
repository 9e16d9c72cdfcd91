/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/char_frontend.h"

#include "vmm/device.h"
#include "vmm/vm.h"

#include <errno.h>

int char_frontend_connect(struct vm *vm, const char *id, const struct char_backend_ops *ops,
			  void *opaque, struct char_frontend **out)
{
	struct char_frontend *frontend = device_iface(vm, id, CHAR_FRONTEND_KIND);
	bool busy;

	if (!device_find(vm, id)) {
		vm_log(vm, LOG_ERROR, "no device %s to connect a character backend to", id);
		return -ENOENT;
	}
	if (!frontend) {
		vm_log(vm, LOG_ERROR, "device %s is no character frontend: nothing to connect to",
		       id);
		return -EINVAL;
	}
	spin_lock(&frontend->lock);
	busy = frontend->backend;
	if (!busy) {
		frontend->backend_opaque = opaque;
		frontend->backend = ops;
	}
	spin_unlock(&frontend->lock);
	if (busy) {
		vm_log(vm, LOG_ERROR, "character frontend %s has a backend already", id);
		return -EBUSY;
	}
	*out = frontend;
	return 0;
}

void char_frontend_disconnect(struct char_frontend *frontend, const void *opaque)
{
	/* What it still keeps of the guest's words: the last ones may be why the VM ends. */
	frontend->output_ready(frontend->opaque);
	spin_lock(&frontend->lock);
	if (frontend->backend_opaque == opaque)
		frontend->backend = NULL;
	spin_unlock(&frontend->lock);
}

void char_frontend_gone(struct char_frontend *frontend)
{
	const struct char_backend_ops *backend;

	spin_lock(&frontend->lock);
	backend = frontend->backend;
	frontend->backend = NULL;
	if (backend)
		backend->gone(frontend->backend_opaque);
	spin_unlock(&frontend->lock);
}
