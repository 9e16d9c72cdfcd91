/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of virtio-blk: header, data, status (VIRTIO 1.2, 5.2.6), in however
 * many pieces.
 */
#include "devices/virtio/virtio_blk.h"

#include <errno.h>

#define VIRTIO_BLK_T_IN		  0
#define VIRTIO_BLK_T_OUT	  1
#define VIRTIO_BLK_T_FLUSH	  4
#define VIRTIO_BLK_T_GET_ID	  8
#define VIRTIO_BLK_T_DISCARD	  11
#define VIRTIO_BLK_T_WRITE_ZEROES 13

#define VIRTIO_BLK_S_OK	    0
#define VIRTIO_BLK_S_IOERR  1
#define VIRTIO_BLK_S_UNSUPP 2

#define VIRTIO_BLK_UNMAP 0x1 /* struct virtio_blk_range's flags; the only one */

/* Of one turn, before others get the CPU: the rest is the worker's. */
#define VIRTIO_BLK_TURN_REQUESTS 64u
#define VIRTIO_BLK_TURN_BYTES	 (512u << 10)

struct virtio_blk_header {
	uint32_t type, reserved;
	uint64_t sector;
};

_Static_assert(sizeof(struct virtio_blk_header) == 16, "VIRTIO 1.2, 5.2.6");

/* What is discarded, or zeroed. */
struct virtio_blk_range {
	uint64_t sector;
	uint32_t num_sectors, flags;
};

_Static_assert(sizeof(struct virtio_blk_range) == 16, "VIRTIO 1.2, 5.2.6");

static uint8_t virtio_blk_status(int err)
{
	if (!err)
		return VIRTIO_BLK_S_OK;
	return err == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
}

/* Sectors as the backend's bytes. */
static int virtio_blk_locate(struct block_request *block, uint64_t sector, uint64_t bytes)
{
	if (sector > UINT64_MAX / VIRTIO_BLK_SECTOR)
		return -EINVAL;
	block->offset = sector * VIRTIO_BLK_SECTOR;
	block->bytes = bytes;
	return 0;
}

static int virtio_blk_submit(struct virtio_blk_request *r, enum block_op op)
{
	r->block.op = op;
	return block_submit(&r->queue->blk->frontend, &r->block);
}

static int virtio_blk_move(struct virtio_blk_request *r, enum block_op op, uint64_t sector,
			   const struct virtq_span *data)
{
	int err = virtio_blk_locate(&r->block, sector, data->bytes);

	if (err)
		return err;
	r->block.pieces = &data->pieces->block;
	r->block.piece_count = data->count;
	r->data_in = op == BLOCK_READ ? data->bytes : 0;
	return virtio_blk_submit(r, op);
}

/* One range, as the configuration says; a flag that is not known refuses it (5.2.6.2). */
static int virtio_blk_clear(struct virtio_blk_request *r, enum block_op op)
{
	struct virtq_span *data = &r->chain.out;
	uint64_t needed = op == BLOCK_DISCARD ? VIRTIO_BLK_F_DISCARD : VIRTIO_BLK_F_WRITE_ZEROES;
	struct virtio_blk_range range;
	int err;

	if (!(r->queue->blk->virtio.features & needed))
		return -EOPNOTSUPP;
	if (data->bytes != sizeof(range))
		return -EINVAL;
	virtq_span_read(data, &range, sizeof(range));
	if (range.flags & ~(op == BLOCK_WRITE_ZEROES ? VIRTIO_BLK_UNMAP : 0u))
		return -EOPNOTSUPP;
	err = virtio_blk_locate(&r->block, range.sector,
				(uint64_t)range.num_sectors * VIRTIO_BLK_SECTOR);
	return err ? err : virtio_blk_submit(r, op);
}

static int virtio_blk_flush(struct virtio_blk_request *r)
{
	r->block.offset = r->block.bytes = 0;
	r->block.piece_count = 0;
	return virtio_blk_submit(r, BLOCK_FLUSH);
}

static int virtio_blk_get_id(struct virtio_blk_request *r)
{
	r->data_in =
		(uint32_t)virtq_span_write(&r->chain.in, r->queue->blk->serial, VIRTIO_BLK_ID_LEN);
	return 0;
}

/* 0, BLOCK_PENDING or an error. */
static int virtio_blk_begin(struct virtio_blk_request *r)
{
	struct virtio_blk_header header;

	r->data_in = 0;
	r->write_through = false;
	r->block.op = BLOCK_FLUSH; /* of nothing, until it is known */
	r->block.bytes = 0;
	if (virtq_span_read(&r->chain.out, &header, sizeof(header)) < sizeof(header))
		return -EINVAL;
	switch (header.type) {
	case VIRTIO_BLK_T_IN:
		return virtio_blk_move(r, BLOCK_READ, header.sector, &r->chain.in);
	case VIRTIO_BLK_T_OUT:
		return virtio_blk_move(r, BLOCK_WRITE, header.sector, &r->chain.out);
	case VIRTIO_BLK_T_FLUSH:
		return virtio_blk_flush(r);
	case VIRTIO_BLK_T_GET_ID:
		return virtio_blk_get_id(r);
	case VIRTIO_BLK_T_DISCARD:
		return virtio_blk_clear(r, BLOCK_DISCARD);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return virtio_blk_clear(r, BLOCK_WRITE_ZEROES);
	default:
		return -EOPNOTSUPP;
	}
}

/* What was written must last for a driver that cannot ask for that (5.2.6.2). The result so far is
 * @err. */
static int virtio_blk_go_on(struct virtio_blk_request *r, int err)
{
	bool written = r->block.op == BLOCK_WRITE || r->block.op == BLOCK_WRITE_ZEROES;

	if (err || r->write_through || !written ||
	    r->queue->blk->virtio.features & VIRTIO_BLK_F_FLUSH)
		return err;
	r->write_through = true;
	return virtio_blk_flush(r);
}

static void virtio_blk_free(struct virtio_blk_request *r)
{
	r->next = r->queue->free;
	r->queue->free = r;
}

static void virtio_blk_count(struct virtio_blk_request *r, int err)
{
	struct virtio_blk_counts *counts = &r->queue->counts;

	counts->requests++;
	counts->errors += err != 0;
	if (err)
		return;
	counts->bytes_read += r->block.op == BLOCK_READ ? r->block.bytes : 0;
	counts->bytes_written += r->block.op == BLOCK_WRITE ? r->block.bytes : 0;
}

/* The status is behind the data, so that of a read that failed nothing is there from the begin on
 * (2.7.8.2). */
static void virtio_blk_complete(struct virtio_blk_request *r, int err)
{
	uint32_t written = r->data_in + 1;

	*r->status = virtio_blk_status(err);
	if (err)
		written = r->chain.in.bytes ? 0 : 1;
	virtio_blk_count(r, err);
	virtq_push(r->queue->virtq, &r->chain, written);
	virtio_blk_free(r);
}

/* A chain that was popped. */
static void virtio_blk_take(struct virtio_blk_request *r)
{
	int err;

	r->status = virtq_span_last(&r->chain.in);
	if (!r->status) {
		virtio_break(&r->queue->blk->virtio, "a request without a status byte");
		virtq_push(r->queue->virtq, &r->chain, 0);
		virtio_blk_free(r);
		return;
	}
	err = virtio_blk_begin(r);
	if (err != BLOCK_PENDING)
		err = virtio_blk_go_on(r, err);
	if (err != BLOCK_PENDING)
		virtio_blk_complete(r, err);
}

static bool virtio_blk_pop(struct virtio_blk_queue *bq, struct virtio_blk_request **out)
{
	struct virtio_blk_request *r = bq->free;

	r->chain.pieces = r->pieces;
	r->chain.room = VIRTIO_BLK_PIECES;
	if (virtq_pop(bq->virtq, &r->chain) <= 0)
		return false;
	bq->free = r->next;
	*out = r;
	return true;
}

/*
 * All that is there, as long as there are requests for it. The driver's CPU is here itself: it
 * need not be told not to notify, but where the rest is for later.
 */
static void virtio_blk_serve(struct virtio_blk_queue *bq)
{
	unsigned requests = 0, bytes = 0;
	struct virtio_blk_request *r;

	do {
		while (bq->free && requests < VIRTIO_BLK_TURN_REQUESTS &&
		       bytes < VIRTIO_BLK_TURN_BYTES && virtio_blk_pop(bq, &r)) {
			requests++;
			bytes += MIN(r->chain.in.bytes + r->chain.out.bytes, VIRTIO_BLK_TURN_BYTES);
			virtio_blk_take(r);
		}
		virtq_flush(bq->virtq);
		bq->starved = !bq->free; /* the next that is done goes on */
		if (!bq->starved && requests < VIRTIO_BLK_TURN_REQUESTS &&
		    bytes < VIRTIO_BLK_TURN_BYTES)
			continue;
		virtq_disarm(bq->virtq);
		if (!bq->starved)
			virtq_kick(bq->virtq);
		return;
	} while (virtq_arm(bq->virtq));
}

void virtio_blk_notify(struct virtio *v, struct virtq *q)
{
	struct virtio_blk *blk = container_of(v, struct virtio_blk, virtio);
	struct virtio_blk_queue *bq = blk->queues[q->index];

	spin_lock(&q->lock);
	if (!virtq_idle(q)) {
		bq->counts.turns++;
		virtio_blk_serve(bq);
	}
	spin_unlock(&q->lock);
}

/* From the backend, on any CPU. */
static void virtio_blk_done(struct block_request *block, int err)
{
	struct virtio_blk_request *r = container_of(block, struct virtio_blk_request, block);
	struct virtio_blk_queue *bq = r->queue;

	spin_lock(&bq->virtq->lock);
	err = virtio_blk_go_on(r, err);
	if (err != BLOCK_PENDING) {
		virtio_blk_complete(r, err);
		if (bq->starved)
			virtio_blk_serve(bq);
		virtq_flush(bq->virtq);
	}
	spin_unlock(&bq->virtq->lock);
}

void virtio_blk_queue_init(struct virtio_blk_queue *bq, struct virtio_blk *blk, struct virtq *virtq)
{
	unsigned i;

	bq->blk = blk;
	bq->virtq = virtq;
	for (i = 0; i < VIRTIO_BLK_IN_FLIGHT; i++) {
		bq->requests[i].queue = bq;
		bq->requests[i].block.done = virtio_blk_done;
		virtio_blk_free(&bq->requests[i]);
	}
}
