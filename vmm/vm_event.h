/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens to VMs, for who tells others of it (admin/): a table of functions that hear of each
 * event when it has come to pass.
 */
#ifndef VMM_VM_EVENT_H
#define VMM_VM_EVENT_H

#include "lib/compiler.h"

#include <stdbool.h>

struct vm;

enum vm_event_kind {
	VM_EVENT_START, /* it runs, for the first time or again */
	VM_EVENT_PAUSE,
	VM_EVENT_RESUME,
	VM_EVENT_RESET,
	VM_EVENT_STOP,		 /* it is stopped, and what it had is given back */
	VM_EVENT_POWER_BUTTON,	 /* it was pressed */
	VM_EVENT_CRASH,		 /* detail: why */
	VM_EVENT_DEVICE_DELETED, /* detail: the device's id */
};

struct vm_event {
	enum vm_event_kind kind;
	const struct vm *vm; /* as long as it is told of */
	bool guest;	     /* the guest wanted it so; of RESET and STOP */
	const char *detail;  /* or NULL */
};

/* In a task, no lock held; what is of the VM's life, with that not let go of. */
struct vm_event_listener {
	void (*hear)(const struct vm_event *event);
};
#define VM_EVENT_LISTENER(ident_, ...) \
	TABLE_ENTRY(vm_event_listeners, struct vm_event_listener, ident_) = {__VA_ARGS__}
TABLE_DECLARE(vm_event_listeners, struct vm_event_listener);

static inline void vm_event(const struct vm *vm, enum vm_event_kind kind, bool guest,
			    const char *detail)
{
	const struct vm_event event = {kind, vm, guest, detail};
	const struct vm_event_listener *l;

	for (l = TABLE_START(vm_event_listeners); l < TABLE_END(vm_event_listeners); l++)
		l->hear(&event);
}

#endif
