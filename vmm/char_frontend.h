/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Character frontends and backends: what a guest's serial port (frontend)
 * and whoever listens to it (backend) know of each other. A frontend device
 * provides a struct char_frontend (device_provide_char); a backend connects by
 * the frontend's device id (device_connect_char, which ends the connection when
 * the backend's device goes). Either side may go first.
 */
#ifndef VMM_CHAR_FRONTEND_H
#define VMM_CHAR_FRONTEND_H

#include "kernel/spinlock.h"
#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vm;

#define CHAR_FRONTEND_KIND "char"

/* What a backend offers. Calls come with the frontend's lock held; they never wait. */
struct char_backend_ops {
	/* Takes up to @len bytes the guest sent; how many it took (fewer: call ready() later). */
	size_t (*output)(void *opaque, const uint8_t *data, size_t len);
	/* The frontend can take input again. */
	void (*input_ready)(void *opaque);
	void (*set_break)(void *opaque, bool on);
	/* The frontend goes away; it will not be called again. */
	void (*gone)(void *opaque);
};

struct char_frontend {
	struct spinlock lock; /* the frontend's own state, and backend below */
	/* Set by the frontend. Called by the backend without the lock: not from its own ops, nor
	 * with a lock that these take. */
	size_t (*input)(void *opaque, const uint8_t *data, size_t len); /* how many were taken */
	void (*output_ready)(void *opaque); /* the backend can take output again */
	void (*input_break)(void *opaque);
	void *opaque;
	/* Set by connect, under the lock; NULL: what the guest sends goes nowhere. */
	const struct char_backend_ops *backend;
	void *backend_opaque;
};

/* -ENOENT: no such device; -EINVAL: it is no char frontend; -EBUSY: connected already. Logged. */
int char_frontend_connect(struct vm *vm, const char *id, const struct char_backend_ops *ops,
			  void *opaque, struct char_frontend **out) __must_check;
/* The backend goes: its ops will not be called again. Nothing when @opaque is not connected. */
void char_frontend_disconnect(struct char_frontend *frontend, const void *opaque);
/* The frontend goes: tells the backend. */
void char_frontend_gone(struct char_frontend *frontend);

#endif
