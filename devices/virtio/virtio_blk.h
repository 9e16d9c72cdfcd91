/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of `virtio-blk:` (VIRTIO 1.2, 5.2): virtio_blk.c is the device,
 * virtio_blk_request.c does its requests. */
#ifndef DEVICES_VIRTIO_VIRTIO_BLK_H
#define DEVICES_VIRTIO_VIRTIO_BLK_H

#include "devices/virtio/virtio.h"
#include "vmm/block_frontend.h"

/* Feature bits (5.2.3). */
#define VIRTIO_BLK_F_SIZE_MAX	  BIT(1)
#define VIRTIO_BLK_F_SEG_MAX	  BIT(2)
#define VIRTIO_BLK_F_RO		  BIT(5)
#define VIRTIO_BLK_F_BLK_SIZE	  BIT(6)
#define VIRTIO_BLK_F_FLUSH	  BIT(9)
#define VIRTIO_BLK_F_TOPOLOGY	  BIT(10)
#define VIRTIO_BLK_F_MQ		  BIT(12)
#define VIRTIO_BLK_F_DISCARD	  BIT(13)
#define VIRTIO_BLK_F_WRITE_ZEROES BIT(14)

#define VIRTIO_BLK_SECTOR 512u /* bytes, whatever the blocks' size is */
#define VIRTIO_BLK_ID_LEN 20   /* bytes of a serial number */

/* The device's configuration (5.2.4). */
struct virtio_blk_config {
	uint64_t capacity; /* sectors */
	uint32_t size_max, seg_max;
	uint8_t geometry[4]; /* not offered */
	uint32_t blk_size;
	uint8_t physical_block_exp, alignment_offset;
	uint16_t min_io_size; /* blocks */
	uint32_t opt_io_size;
	uint8_t writeback, unused0;
	uint16_t num_queues;
	uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
	uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap, unused1[3];
};

_Static_assert(offsetof(struct virtio_blk_config, blk_size) == 20, "VIRTIO 1.2, 5.2.4");
_Static_assert(offsetof(struct virtio_blk_config, num_queues) == 34, "VIRTIO 1.2, 5.2.4");
_Static_assert(offsetof(struct virtio_blk_config, write_zeroes_may_unmap) == 56,
	       "VIRTIO 1.2, 5.2.4");

#define VIRTIO_BLK_QUEUES_MAX 16u
#define VIRTIO_BLK_QUEUE_SIZE 128 /* entries */
/*
 * Requests of a queue that the backend has at the same time: those that it does not do at once.
 * More of them wait in the ring.
 */
#define VIRTIO_BLK_IN_FLIGHT 32
/* What a driver is told: buffers of a request, and bytes of each. One of up to 1 MiB is in two
 * granules of the guest's memory at most, and so are the header and the status. */
#define VIRTIO_BLK_SEG_MAX  62
#define VIRTIO_BLK_SIZE_MAX (1u << 20)
#define VIRTIO_BLK_PIECES   (2 * (VIRTIO_BLK_SEG_MAX + 2))

struct virtio_blk_queue;

struct virtio_blk_request {
	struct block_request block;
	struct virtio_blk_queue *queue;
	struct virtio_blk_request *next; /* in `free` */
	struct virtq_chain chain;
	uint8_t *status;    /* in the guest */
	uint32_t data_in;   /* bytes that it reads, when it succeeds */
	bool write_through; /* it was written, and is being flushed */
	union virtq_piece pieces[VIRTIO_BLK_PIECES];
};

struct virtio_blk_counts {
	uint64_t turns, requests, errors, bytes_read, bytes_written;
};

/* Under the lock of its virtq. */
struct virtio_blk_queue {
	struct virtio_blk *blk;
	struct virtq *virtq;
	struct virtio_blk_request *free;
	bool starved; /* the ring may have more than there was room for */
	struct virtio_blk_counts counts;
	struct virtio_blk_request requests[VIRTIO_BLK_IN_FLIGHT];
};

struct virtio_blk {
	struct virtio virtio;
	struct block_frontend frontend;
	struct virtio_blk_config config; /* the transport's: virtio_config_set() */
	unsigned queue_count;
	struct virtio_blk_queue *queues[VIRTIO_BLK_QUEUES_MAX];
	uint8_t serial[VIRTIO_BLK_ID_LEN];
};

void virtio_blk_queue_init(struct virtio_blk_queue *bq, struct virtio_blk *blk,
			   struct virtq *virtq);
/* As struct virtio_ops. */
void virtio_blk_notify(struct virtio *v, struct virtq *q);

#endif
