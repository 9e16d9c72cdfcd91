/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block frontends and backends: what a guest's disk (frontend) and who stores
 * it (backend) know of each other (vmm/frontend.h).
 *
 * A request belongs to the backend from block_submit() until it is done, which
 * happens exactly once: at once, as the call's result, or later by done(). A
 * side that goes waits for what is in flight; the backend gives up what it has
 * not begun.
 */
#ifndef VMM_BLOCK_FRONTEND_H
#define VMM_BLOCK_FRONTEND_H

#include "lib/list.h"
#include "vmm/frontend.h"

#include <stddef.h>
#include <stdint.h>

extern const struct frontend_kind block_frontend_kind;

enum block_op {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_FLUSH, /* all writes that were done before it last; of no bytes */
	BLOCK_DISCARD,
	BLOCK_WRITE_ZEROES,
};

/* Constant while a backend is connected. */
struct block_info {
	uint64_t capacity;   /* bytes, whole blocks */
	uint32_t block_size; /* bytes, a power of two from 512 to 4096 */
	bool read_only;
	uint64_t discard_max, zeroes_max; /* bytes of one request; 0: not offered */
};

/* A piece of the guest's memory, as we see it. */
struct block_piece {
	uint8_t *data;
	size_t len; /* any, but not 0 */
};

struct block_request {
	/* By the frontend; all of it stays until the request is done. */
	enum block_op op;
	uint64_t offset, bytes;		  /* whole blocks */
	const struct block_piece *pieces; /* of a read or a write: together @bytes */
	size_t piece_count;
	/*
	 * 0 or a negative errno: -EIO, -ENOSPC, -ECANCELED (the backend goes). Any CPU, with no
	 * lock held, also from within another request's.
	 */
	void (*done)(struct block_request *request, int err);
	void *opaque; /* the frontend's */
	/* The backend's. */
	struct block_frontend *frontend;
	struct list_head link;
	uint64_t moved; /* bytes that are done */
};

#define BLOCK_PENDING 1 /* result of submit: done() will come */

/* What a backend offers. */
struct block_backend_ops {
	struct backend_ops base;
	/*
	 * A request that block_submit() has checked: its result, or BLOCK_PENDING, and then
	 * block_done() once. Any CPU, several at a time, without the frontend's lock; does not
	 * wait, and does at once only what is short.
	 */
	int (*submit)(void *opaque, struct block_request *request);
	/*
	 * Nothing more comes: all that is not begun is soon done, with -ECANCELED, as is what
	 * still comes. From a task, without the frontend's lock.
	 */
	void (*cancel)(void *opaque);
	void (*info)(void *opaque, struct block_info *info); /* any time */
};

struct block_frontend {
	struct frontend base;
	uint32_t in_flight; /* atomic; counted up under the lock while there is a backend */
	/* Set by the frontend, or NULL: another backend, or none; see block_info(). From a task,
	 * with no lock held. */
	void (*changed)(void *opaque);
	void *opaque;
};

void block_frontend_init(struct block_frontend *frontend);

/* What the backend is; false, and all 0: there is none. */
bool block_info(struct block_frontend *frontend, struct block_info *info) __must_check;

/*
 * 0, BLOCK_PENDING, or a negative errno: -ENODEV (no backend), -EINVAL (not
 * whole blocks, beyond the end, pieces that are not as long as it), -EROFS,
 * -EOPNOTSUPP (a discard where it is not offered), or as done(). Any CPU, any
 * lock of the frontend's own may be held.
 */
int block_submit(struct block_frontend *frontend, struct block_request *request) __must_check;

/* Backend: a request that was pending is done, and gone. No lock held. */
void block_done(struct block_request *request, int err);

#endif
