/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/backend/block_queue.h"

#include "kernel/task.h"

#include <errno.h>

static bool block_queue_has_data(const struct block_request *request)
{
	return request->op == BLOCK_READ || request->op == BLOCK_WRITE;
}

/* All of a request that is short. */
static int block_queue_at_once(struct block_queue *q, struct block_request *request)
{
	uint64_t at = request->offset;
	int err = 0;
	size_t i;

	for (i = 0; i < request->piece_count && !err; i++) {
		const struct block_piece *piece = &request->pieces[i];

		err = q->ops->step(q->opaque, request->op, at, piece->data, piece->len);
		at += piece->len;
	}
	return err;
}

int block_queue_submit(struct block_queue *q, struct block_request *request)
{
	int err = BLOCK_PENDING;

	/* Memory keeps what was written as long as it keeps anything. */
	if (request->op == BLOCK_FLUSH)
		return 0;
	if (block_queue_has_data(request) && request->bytes <= BLOCK_QUEUE_AT_ONCE &&
	    q->ops->quick(q->opaque, request->op, request->offset, request->bytes))
		return block_queue_at_once(q, request);
	spin_lock(&q->lock);
	if (q->closed) {
		err = -ECANCELED;
	} else {
		list_add_tail(&request->link, &q->waiting);
		if (!q->active)
			work_queue(&q->work);
		q->active = true;
	}
	spin_unlock(&q->lock);
	return err;
}

/* The next step of a read or a write: pieces, or a part of one, up to BLOCK_QUEUE_STEP. */
static int block_queue_move(struct block_queue *q, struct block_request *request)
{
	uint64_t left = BLOCK_QUEUE_STEP;
	int err = 0;

	while (left && request->moved < request->bytes && !err) {
		const struct block_piece *piece = &request->pieces[q->piece];
		uint64_t n = MIN(left, piece->len - q->piece_at);

		err = q->ops->step(q->opaque, request->op, request->offset + request->moved,
				   piece->data + q->piece_at, n);
		request->moved += n;
		left -= n;
		q->piece_at += n;
		if (q->piece_at == piece->len) {
			q->piece++;
			q->piece_at = 0;
		}
	}
	return err;
}

static int block_queue_step(struct block_queue *q, struct block_request *request)
{
	uint64_t n = request->bytes - request->moved;
	int err;

	if (block_queue_has_data(request))
		return block_queue_move(q, request);
	n = MIN(n, request->op == BLOCK_DISCARD ? BLOCK_QUEUE_DISCARD : BLOCK_QUEUE_STEP);
	err = q->ops->step(q->opaque, request->op, request->offset + request->moved, NULL, n);
	request->moved += n;
	return err;
}

/* The first request, or NULL and the worker has nothing more to do. Under the lock. */
static struct block_request *block_queue_first(struct block_queue *q)
{
	if (!list_empty(&q->waiting))
		return list_first_entry(&q->waiting, struct block_request, link);
	q->active = false;
	return NULL;
}

/* One step of one request. */
static void block_queue_work(struct work *work)
{
	struct block_queue *q = container_of(work, struct block_queue, work);
	struct block_request *request;
	bool closed, more;
	int err;

	spin_lock(&q->lock);
	request = block_queue_first(q);
	closed = q->closed;
	spin_unlock(&q->lock);
	if (!request)
		return;
	err = closed ? -ECANCELED : block_queue_step(q, request);
	if (err || request->moved == request->bytes) {
		spin_lock(&q->lock);
		list_del(&request->link);
		spin_unlock(&q->lock);
		q->piece = q->piece_at = 0;
		block_done(request, err);
	}
	spin_lock(&q->lock);
	more = block_queue_first(q);
	spin_unlock(&q->lock);
	/* When there is no more, the queue may be gone. */
	if (more)
		work_queue(work);
}

void block_queue_init(struct block_queue *q, const struct block_queue_ops *ops, void *opaque)
{
	q->ops = ops;
	q->opaque = opaque;
	spinlock_init(&q->lock);
	list_init(&q->waiting);
	work_init(&q->work, block_queue_work);
}

void block_queue_cancel(struct block_queue *q)
{
	spin_lock(&q->lock);
	q->closed = true;
	spin_unlock(&q->lock);
}

void block_queue_stop(struct block_queue *q)
{
	bool active;

	do {
		task_yield();
		spin_lock(&q->lock);
		active = q->active;
		spin_unlock(&q->lock);
	} while (active);
}
