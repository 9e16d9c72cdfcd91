/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to a store in memory: what is short and certain is done at once,
 * the rest in bounded steps by a worker, which lets others run in between.
 */
#ifndef DEVICES_BACKEND_BLOCK_QUEUE_H
#define DEVICES_BACKEND_BLOCK_QUEUE_H

#include "kernel/spinlock.h"
#include "kernel/work.h"
#include "vmm/block_frontend.h"

#define BLOCK_QUEUE_STEP    UINT64_C(65536)	 /* bytes that are moved without a break */
#define BLOCK_QUEUE_DISCARD (UINT64_C(16) << 20) /* … or given up */
#define BLOCK_QUEUE_AT_ONCE UINT64_C(16384)	 /* bytes of a request that is done at once */

struct block_queue_ops {
	/*
	 * Does @op to @bytes from @offset of the store, at most a step, with @data (BLOCK_READ
	 * and BLOCK_WRITE). One at a time by the worker; besides any number of those that
	 * quick() let pass, on any CPU.
	 */
	int (*step)(void *opaque, enum block_op op, uint64_t offset, uint8_t *data, uint64_t bytes);
	/* Whether that step would allocate nothing, nor wait. */
	bool (*quick)(void *opaque, enum block_op op, uint64_t offset, uint64_t bytes);
};

struct block_queue {
	const struct block_queue_ops *ops;
	void *opaque;
	struct work work;
	struct spinlock lock;	  /* leaf */
	struct list_head waiting; /* the first of them is begun when its `moved` says so */
	bool active;		  /* the work is queued or runs */
	bool closed;
	/* The worker's: where the first request's next byte is. */
	size_t piece, piece_at;
};

void block_queue_init(struct block_queue *q, const struct block_queue_ops *ops, void *opaque);
/* As struct block_backend_ops. */
int block_queue_submit(struct block_queue *q, struct block_request *request) __must_check;
void block_queue_cancel(struct block_queue *q);
/* Waits for the worker's last access. Task; nothing is submitted any more. */
void block_queue_stop(struct block_queue *q);

#endif
