/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a VM's serial line shows to the administrator: a ring of the last
 * 64 KiB, and at most one attached viewer. The char-console backend feeds
 * it; the shell's `console` attaches.
 */
#ifndef VMM_VM_CONSOLE_H
#define VMM_VM_CONSOLE_H

#include "kernel/spinlock.h"
#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VM_CONSOLE_RING 65536

struct vm;

struct vm_console_viewer {
	/* New bytes from the guest; never waits. Under the console's lock. */
	void (*output)(void *opaque, const uint8_t *data, size_t len);
	/* The console or its VM goes away. */
	void (*gone)(void *opaque);
	void *opaque;
};

struct vm_console {
	const char *id; /* of the backend device */
	struct vm *vm;
	struct spinlock lock;
	uint8_t *ring;	  /* VM_CONSOLE_RING bytes */
	uint64_t written; /* bytes ever; the ring holds the last ones */
	const struct vm_console_viewer *viewer;
	/* The backend's way for input to the guest: how many bytes were taken. */
	size_t (*input)(void *opaque, const uint8_t *data, size_t len);
	void (*input_break)(void *opaque);
	void *opaque;
	struct vm_console *next;
};

int vm_console_register(struct vm *vm, struct vm_console *console) __must_check;
void vm_console_unregister(struct vm_console *console);
/* Backend: bytes from the guest. */
void vm_console_output(struct vm_console *console, const uint8_t *data, size_t len);
/* @id NULL: the VM's first. */
struct vm_console *vm_console_find(struct vm *vm, const char *id);
/* Shows the ring to @viewer first, then what comes. -EBUSY: someone is attached. */
int vm_console_attach(struct vm_console *console,
		      const struct vm_console_viewer *viewer) __must_check;
void vm_console_detach(struct vm_console *console, const struct vm_console_viewer *viewer);

#endif
