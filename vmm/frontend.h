/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frontends and backends: what a guest sees of a disk, a network card, a
 * serial port or a screen (the frontend), and who does its work (the backend).
 * A frontend's device provides it under the device's id
 * (device_provide_frontend); a backend connects to it by that id
 * (device_connect), and the connection ends when the backend's device goes.
 * Either side may go first. Each kind adds its own calls in both directions:
 * char_frontend.h, block_frontend.h, net_frontend.h, console_frontend.h.
 *
 * Lock: frontend.lock covers the connection and whatever the frontend puts
 * under it. A backend's ops are called with it held and never wait.
 */
#ifndef VMM_FRONTEND_H
#define VMM_FRONTEND_H

#include "kernel/spinlock.h"
#include "lib/compiler.h"

#include <stdbool.h>

struct vm;

/* What can be connected to what: compared by address. */
struct frontend_kind {
	const char *name; /* "character": for messages */
};

/* First member of every kind's ops. */
struct backend_ops {
	/* The frontend goes away; it will not call again, nor may it be called (but by what drain()
	 * waits for). */
	void (*gone)(void *opaque);
};

struct frontend {
	struct spinlock lock;
	const struct frontend_kind *kind;
	/* Set by connect, under the lock; NULL: what the guest sends goes nowhere. */
	const struct backend_ops *backend;
	void *backend_opaque;
	/* A backend has come, or is about to go and can be called for the last time. Without the
	 * lock. NULL: all the same. */
	void (*attached)(struct frontend *frontend);
	void (*detaching)(struct frontend *frontend);
	/* One side goes, and the frontend has no backend any more: waits for what that one still
	 * does for it. From a task, without the lock. NULL: nothing. */
	void (*drain)(struct frontend *frontend, const struct backend_ops *ops, void *opaque);
};

/*
 * Connects to frontend @id of @vm. -ENOENT: no such device; -EINVAL: it is no
 * frontend of @kind; -EBUSY: connected already. Logged. Task.
 */
int frontend_connect(struct vm *vm, const char *id, const struct frontend_kind *kind,
		     const struct backend_ops *ops, void *opaque,
		     struct frontend **out) __must_check;
/* The backend goes: its ops will not be called again. Nothing when @opaque is not connected. */
void frontend_disconnect(struct frontend *frontend, const void *opaque);
/* The frontend goes: tells the backend. */
void frontend_gone(struct frontend *frontend);

#endif
