/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a VM's serial line or screen shows to the administrator: a ring of the
 * last 64 KiB, and at most one attached viewer. The backends char-console and
 * screen feed it; the shell's `console` attaches.
 *
 * The viewer reads from the ring at its own pace. While it is more than
 * VM_CONSOLE_BACKLOG bytes behind, the guest's output is not taken (its UART
 * stays busy): nothing is lost, and no exit handler waits. Without a viewer
 * everything is taken.
 */
#ifndef VMM_VM_CONSOLE_H
#define VMM_VM_CONSOLE_H

#include "kernel/spinlock.h"
#include "lib/compiler.h"
#include "lib/ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VM_CONSOLE_RING	   65536
#define VM_CONSOLE_BACKLOG 4096

struct vm;

struct vm_console_viewer {
	/* Under the console's lock, on any CPU, never waiting: there is something to read, the
	 * guest takes input again, or the console is gone. */
	void (*wake)(void *opaque);
	void *opaque;
};

/* Towards the guest; called without the console's lock. */
struct vm_console_backend {
	size_t (*input)(void *opaque, const uint8_t *data, size_t len); /* how many were taken */
	void (*input_break)(void *opaque);
	void (*input_size)(void *opaque, unsigned columns, unsigned rows); /* NULL: of no use */
	void (*output_ready)(void *opaque); /* vm_console_output() takes bytes again */
	/*
	 * NULL: a viewer gets what the ring has. Else: it gets nothing of that, and
	 * someone begins or ends to look. A task.
	 */
	void (*viewer)(void *opaque, bool here);
	const char *leave; /* what makes the viewer's terminal plain afterwards, or NULL */
};

#define VM_CONSOLE_PORT_MAX 63

struct vm_console {
	const char *id;			    /* of the backend device */
	char port[VM_CONSOLE_PORT_MAX + 1]; /* the guest's device that it shows */
	const char *leave;		    /* as its backend has it */
	struct vm *vm;
	struct spinlock lock;
	struct ring ring; /* VM_CONSOLE_RING bytes */
	size_t shown;	  /* the viewer's position, in the count of ring.head */
	bool refused;	  /* output was: output_ready() is due */
	unsigned refs;	  /* the backend and the viewer */
	const struct vm_console_viewer *viewer;
	const struct vm_console_backend *backend; /* NULL: gone */
	void *backend_opaque;
	struct vm_console *next;
};

/* For a backend. @id is kept by pointer until it is unregistered, @port, the device that it shows,
 * is copied. NULL: no memory. Tasks. */
struct vm_console *vm_console_register(struct vm *vm, const char *id, const char *port,
				       const struct vm_console_backend *backend,
				       void *opaque) __must_check;
/*
 * The backend goes; its ops may still be running until a grace period has
 * passed. What the guest said is kept until the VM has a console again.
 */
void vm_console_unregister(struct vm_console *console);
/* What an ended VM said is kept no longer. */
void vm_console_forget(struct vm *vm);
/* Bytes from the guest: how many were taken. Any CPU, exit path. */
size_t vm_console_output(struct vm_console *console, const uint8_t *data, size_t len);
/* The guest can take input again. Any CPU, exit path. */
void vm_console_input_ready(struct vm_console *console);

/*
 * For a viewer: console @id (NULL: the VM's first, or the last that went), from the oldest byte of
 * its ring on; *@out stays until vm_console_detach(). -ENOENT: there is none;
 * -EBUSY: someone is attached. @viewer is kept by pointer.
 */
int vm_console_attach(struct vm *vm, const char *id, const struct vm_console_viewer *viewer,
		      struct vm_console **out) __must_check;
/* The same for the first of @vm's serial consoles that has no viewer. NULL: there is none. With the
 * list of VMs locked, too. */
struct vm_console *vm_console_attach_free(struct vm *vm, const struct vm_console_viewer *viewer);
void vm_console_detach(struct vm_console *console);
/*
 * The viewer's: up to @max of the bytes that it has not seen. What does not fit
 * is cut behind a line where it can be: others write to the terminal in between.
 */
size_t vm_console_read(struct vm_console *console, uint8_t *buf, size_t max);
/* How many bytes the guest took; 0 when it is gone. */
size_t vm_console_input(struct vm_console *console, const uint8_t *data, size_t len);
void vm_console_input_break(struct vm_console *console);
/* The viewer's terminal is this large: a guest that asks for it is told. A task. */
void vm_console_input_size(struct vm_console *console, unsigned columns, unsigned rows);
/* Copies up to @max of the bytes that the VM's first serial console got last; returns how many. */
size_t vm_console_last(struct vm *vm, char *buf, size_t max);
/* Nothing more will come: the backend is gone, or the VM has crashed. */
bool vm_console_gone(struct vm_console *console);
/* The backend is gone, and the viewer has read all. */
bool vm_console_over(struct vm_console *console);
/* Calls @appeared, under a lock, for each console from now on; NULL: no more. A task. */
void vm_console_watch(void (*appeared)(void));
/* The VM has crashed: its viewers look at vm_console_gone(). */
void vm_console_vm_crashed(struct vm *vm);

#endif
