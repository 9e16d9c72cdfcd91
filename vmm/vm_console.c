/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Consoles of VMs: between the char-console backend and whoever looks.
 *
 * Locks: the list's, then a console's. The latter is taken with a character
 * frontend's lock held (output), so that nothing is called back under it but
 * the viewer's wake().
 */
#include "vmm/vm_console.h"

#include "arch/x86_64/percpu.h"
#include "kernel/slab.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

/* All VMs' lists of consoles, and the counts of references. */
static struct spinlock list_lock = SPINLOCK_INIT;
/* Under it. */
static void (*vm_console_appeared)(void);

static void vm_console_put(struct vm_console *console)
{
	bool last;

	spin_lock(&list_lock);
	last = --console->refs == 0;
	spin_unlock(&list_lock);
	if (last) {
		kfree(console->ring.data);
		kfree(console);
	}
}

void vm_console_forget(struct vm *vm)
{
	struct vm_console *ended;

	spin_lock(&list_lock);
	ended = vm->ended;
	vm->ended = NULL;
	spin_unlock(&list_lock);
	if (ended)
		vm_console_put(ended);
}

struct vm_console *vm_console_register(struct vm *vm, const char *id, const char *port,
				       const struct vm_console_backend *backend, void *opaque)
{
	struct vm_console *console = kzalloc(sizeof(*console));
	void *data = kmalloc(VM_CONSOLE_RING);
	struct vm_console **end = &vm->consoles;

	if (!console || !data) {
		kfree(console);
		kfree(data);
		return NULL;
	}
	vm_console_forget(vm);
	ring_init(&console->ring, data, VM_CONSOLE_RING);
	console->id = id;
	strncpy(console->port, port, VM_CONSOLE_PORT_MAX);
	console->vm = vm;
	console->refs = 1;
	console->backend_opaque = opaque;
	console->leave = backend->leave;
	console->backend = backend;
	spin_lock(&list_lock);
	while (*end)
		end = &(*end)->next;
	*end = console;
	if (vm_console_appeared)
		vm_console_appeared();
	spin_unlock(&list_lock);
	return console;
}

/* Under the lock. */
static void vm_console_wake(struct vm_console *console)
{
	if (console->viewer)
		console->viewer->wake(console->viewer->opaque);
}

void vm_console_unregister(struct vm_console *console)
{
	struct vm_console **link = &console->vm->consoles;
	struct vm_console *before = console;

	spin_lock(&list_lock);
	while (*link != console)
		link = &(*link)->next;
	*link = console->next;
	console->next = NULL;
	spin_lock(&console->lock);
	/* One that said nothing has nothing to keep. */
	if (!console->backend->viewer && console->ring.head) {
		before = console->vm->ended;
		console->vm->ended = console; /* with the backend's reference */
	}
	console->backend = NULL;
	vm_console_wake(console);
	spin_unlock(&console->lock);
	spin_unlock(&list_lock);
	if (before)
		vm_console_put(before);
}

/* Bytes that the viewer has not read. Under the lock. */
static size_t vm_console_backlog(const struct vm_console *console)
{
	return console->ring.head - console->shown;
}

/*
 * Who writes more than is read gives way to who reads, and, now and then, to all
 * others: a guest that only writes, with its interrupts off, is never interrupted
 * by some emulated CPUs (docs/testing.md), and then this is the only way.
 */
static void vm_console_give_way(const struct vm_console *console, size_t len, size_t taken)
{
	if (taken < len || console->ring.head % VM_CONSOLE_BACKLOG < taken)
		this_cpu()->need_resched = true;
}

size_t vm_console_output(struct vm_console *console, const uint8_t *data, size_t len)
{
	size_t backlog, n = len;

	spin_lock(&console->lock);
	if (console->viewer) {
		backlog = MIN(vm_console_backlog(console), (size_t)VM_CONSOLE_BACKLOG);
		n = MIN(len, VM_CONSOLE_BACKLOG - backlog);
		console->refused |= n < len;
	}
	ring_put_over(&console->ring, data, n);
	vm_console_give_way(console, len, n);
	vm_console_wake(console);
	spin_unlock(&console->lock);
	return n;
}

void vm_console_input_ready(struct vm_console *console)
{
	spin_lock(&console->lock);
	vm_console_wake(console);
	spin_unlock(&console->lock);
}

int vm_console_attach(struct vm *vm, const char *id, const struct vm_console_viewer *viewer,
		      struct vm_console **out)
{
	void (*viewer_fn)(void *opaque, bool here) = NULL;
	struct vm_console *console;
	int err = -EBUSY;

	spin_lock(&list_lock);
	for (console = vm->consoles; console && id && strcmp(console->id, id);)
		console = console->next;
	if (!console && !id)
		console = vm->ended;
	if (!console) {
		spin_unlock(&list_lock);
		return -ENOENT;
	}
	spin_lock(&console->lock);
	if (!console->viewer) {
		console->refs++;
		if (console->backend)
			viewer_fn = console->backend->viewer;
		console->shown = viewer_fn ? console->ring.head : console->ring.tail;
		console->viewer = viewer;
		*out = console;
		err = 0;
	}
	spin_unlock(&console->lock);
	spin_unlock(&list_lock);
	if (viewer_fn)
		viewer_fn(console->backend_opaque, true);
	return err;
}

struct vm_console *vm_console_attach_free(struct vm *vm, const struct vm_console_viewer *viewer)
{
	struct vm_console *console, *found = NULL;

	spin_lock(&list_lock);
	for (console = vm->consoles; console && !found; console = console->next) {
		spin_lock(&console->lock);
		if (!console->viewer && !console->backend->viewer) {
			console->refs++;
			console->shown = console->ring.tail;
			console->viewer = viewer;
			found = console;
		}
		spin_unlock(&console->lock);
	}
	spin_unlock(&list_lock);
	return found;
}

/* Tells the backend that there is space again, where it was refused any. */
static void vm_console_ready(struct vm_console *console, size_t backlog_max)
{
	const struct vm_console_backend *backend = NULL;

	spin_lock(&console->lock);
	if (console->refused && (!console->viewer || vm_console_backlog(console) <= backlog_max)) {
		console->refused = false;
		backend = console->backend;
	}
	spin_unlock(&console->lock);
	if (backend)
		backend->output_ready(console->backend_opaque);
}

void vm_console_detach(struct vm_console *console)
{
	const struct vm_console_backend *backend;

	spin_lock(&console->lock);
	console->viewer = NULL;
	backend = console->backend;
	spin_unlock(&console->lock);
	if (backend && backend->viewer)
		backend->viewer(console->backend_opaque, false);
	vm_console_ready(console, 0);
	vm_console_put(console);
}

/* The length of the whole lines in [@buf, @buf + @len), or @len when there is none. */
static size_t vm_console_lines(const uint8_t *buf, size_t len)
{
	size_t n = len;

	while (n && buf[n - 1] != '\n')
		n--;
	return n ? n : len;
}

size_t vm_console_read(struct vm_console *console, uint8_t *buf, size_t max)
{
	size_t n;

	spin_lock(&console->lock);
	n = ring_peek(&console->ring, console->shown, buf, max);
	if (n == max)
		n = vm_console_lines(buf, n);
	console->shown += n;
	spin_unlock(&console->lock);
	/* Not for each byte: the guest's UART works in bursts. */
	vm_console_ready(console, VM_CONSOLE_BACKLOG / 2);
	return n;
}

/* NULL: gone. What is called through it stays for a grace period. */
static const struct vm_console_backend *vm_console_backend(struct vm_console *console)
{
	const struct vm_console_backend *backend;

	spin_lock(&console->lock);
	backend = console->backend;
	spin_unlock(&console->lock);
	return backend;
}

size_t vm_console_input(struct vm_console *console, const uint8_t *data, size_t len)
{
	const struct vm_console_backend *backend = vm_console_backend(console);

	return backend ? backend->input(console->backend_opaque, data, len) : 0;
}

void vm_console_input_break(struct vm_console *console)
{
	const struct vm_console_backend *backend = vm_console_backend(console);

	if (backend)
		backend->input_break(console->backend_opaque);
}

void vm_console_input_size(struct vm_console *console, unsigned columns, unsigned rows)
{
	const struct vm_console_backend *backend = vm_console_backend(console);

	if (backend && backend->input_size)
		backend->input_size(console->backend_opaque, columns, rows);
}

bool vm_console_over(struct vm_console *console)
{
	bool over;

	spin_lock(&console->lock);
	over = !console->backend && !vm_console_backlog(console);
	spin_unlock(&console->lock);
	return over;
}

void vm_console_watch(void (*appeared)(void))
{
	spin_lock(&list_lock);
	vm_console_appeared = appeared;
	spin_unlock(&list_lock);
}

bool vm_console_gone(struct vm_console *console)
{
	return !vm_console_backend(console) || READ_ONCE(console->vm->state) == VM_CRASHED;
}

void vm_console_vm_crashed(struct vm *vm)
{
	struct vm_console *console;

	spin_lock(&list_lock);
	for (console = vm->consoles; console; console = console->next) {
		spin_lock(&console->lock);
		vm_console_wake(console);
		spin_unlock(&console->lock);
	}
	spin_unlock(&list_lock);
}

size_t vm_console_last(struct vm *vm, char *buf, size_t max)
{
	struct vm_console *console;
	size_t len = 0;

	spin_lock(&list_lock);
	/* What a screen's ring has is drawing, not text. */
	for (console = vm->consoles; console && console->backend && console->backend->viewer;)
		console = console->next;
	if (console) {
		spin_lock(&console->lock);
		len = MIN(max, ring_used(&console->ring));
		len = ring_peek(&console->ring, console->ring.head - len, buf, len);
		spin_unlock(&console->lock);
	}
	spin_unlock(&list_lock);
	return len;
}
