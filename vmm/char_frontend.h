/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Character frontends and backends: what a guest's serial port (frontend)
 * and whoever listens to it (backend) know of each other (vmm/frontend.h).
 */
#ifndef VMM_CHAR_FRONTEND_H
#define VMM_CHAR_FRONTEND_H

#include "vmm/frontend.h"

#include <stddef.h>
#include <stdint.h>

extern const struct frontend_kind char_frontend_kind;

/* What a backend offers. Calls come with the frontend's lock held; they never wait. */
struct char_backend_ops {
	struct backend_ops base;
	/* Takes up to @len bytes the guest sent; how many it took (fewer: call output_ready()
	 * later). */
	size_t (*output)(void *opaque, const uint8_t *data, size_t len);
	/* The frontend can take input again. */
	void (*input_ready)(void *opaque);
	void (*set_break)(void *opaque, bool on);
	/* What the frontend's lines to the modem are, or become. NULL: nobody looks. */
	void (*modem)(void *opaque, bool dtr, bool rts);
};

struct char_frontend {
	struct frontend base;
	/* Set by the frontend. Called by the backend without the lock: not from its own ops, nor
	 * with a lock that these take. */
	size_t (*input)(void *opaque, const uint8_t *data, size_t len); /* how many were taken */
	void (*output_ready)(void *opaque); /* the backend can take output again */
	void (*input_break)(void *opaque);
	/* The lines from the modem, until now all on: @ready is DSR and DCD, @clear CTS. NULL: it
	 * has none. */
	void (*input_modem)(void *opaque, bool ready, bool clear);
	/* How large the terminal is at the other end. NULL: it cannot tell the guest. */
	void (*input_size)(void *opaque, unsigned columns, unsigned rows);
	void *opaque;
};

/* Its lock and kind, and that a backend that goes gets what the frontend still keeps. */
void char_frontend_init(struct char_frontend *frontend);

/* Under the lock. NULL: there is none. */
static inline const struct char_backend_ops *char_backend(const struct char_frontend *frontend)
{
	const struct backend_ops *ops = frontend->base.backend;

	return ops ? container_of(ops, const struct char_backend_ops, base) : NULL;
}

#endif
