/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk that keeps one checkpoint, so that a power cut at any moment leaves
 * the old one or the new one whole. docs/checkpoint.md has the layout: two
 * headers, of which the valid one with the higher number counts, and a ring in
 * which a new stream is written beside the old one. What is on the disk is
 * trusted in nothing.
 *
 * Context: one task. All that return int: 0 or a negative errno, and then `why` says in a line what
 * is the matter.
 */
#ifndef DEVICES_STORAGE_SNAPSHOT_VOLUME_H
#define DEVICES_STORAGE_SNAPSHOT_VOLUME_H

#include "lib/compiler.h"
#include "vmm/block_frontend.h"
#include "vmm/checkpoint/place.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAPSHOT_UNIT  4096u		   /* what all places on the disk are multiples of */
#define SNAPSHOT_RING  (2 * SNAPSHOT_UNIT) /* where the ring begins, behind two headers */
#define SNAPSHOT_STEP  65536u		   /* bytes that are read or written at a time */
#define SNAPSHOT_MAGIC "ALCZSNAP"

/* Little-endian, at the beginning of a unit that is zeroes otherwise. */
struct snapshot_header {
	char magic[8];
	uint32_t version; /* 1 */
	uint32_t sum;	  /* CRC32C of the stream */
	uint64_t number;  /* of writing it, from 1 on */
	uint64_t ring;	  /* its bytes */
	uint64_t start;	  /* of the stream, in the ring */
	uint64_t length;  /* of the stream, bytes; 0: there is none */
	char vm[32];	  /* whose it is, filled up with zeroes */
	uint32_t zero;
	uint32_t header_sum; /* CRC32C of what is before it */
};
_Static_assert(offsetof(struct snapshot_header, vm) == 48, "docs/checkpoint.md");
_Static_assert(offsetof(struct snapshot_header, header_sum) == 84, "docs/checkpoint.md");
_Static_assert(sizeof(struct snapshot_header) == 88, "docs/checkpoint.md");

enum snapshot_content {
	SNAPSHOT_EMPTY,	  /* none was written, or it was deleted */
	SNAPSHOT_THERE,	  /* its header says so */
	SNAPSHOT_DAMAGED, /* headers of ours, none of them good */
	SNAPSHOT_FOREIGN, /* something else: it is not touched */
};

struct snapshot_volume {
	/* By the owner: */
	struct block_info info;
	/* All of @bytes, whole units, done when it returns. @data: NULL for a flush. 0 or a
	 * negative errno: -ENODEV, when the disk is not the one any more that it was. */
	int (*io)(void *opaque, enum block_op op, uint64_t at, void *data, size_t bytes);
	void *opaque;
	/* By snapshot_volume_open(): */
	enum snapshot_content content;
	struct snapshot_header header; /* that counts; all 0: there is none */
	char why[CHECKPOINT_WHY_MAX];  /* of the first error */
	bool failed;		       /* a read did: of struct checkpoint_source */
	/* Own. */
	unsigned slot;		     /* where `header` is, 0 or 1 */
	uint8_t *buffer;	     /* two steps */
	struct snapshot_header next; /* that is being written */
	uint64_t room;		     /* bytes that it may have */
	uint32_t *sums;		     /* CRC32Cs of the stream, by steps */
	uint64_t loaded[2];	     /* which step each half of the buffer has */
};

/* Looks what is there. Whatever it returns, snapshot_volume_close() follows. */
int snapshot_volume_open(struct snapshot_volume *v) __must_check;
void snapshot_volume_close(struct snapshot_volume *v);

/* A new stream, of VM @vm. */
int snapshot_volume_begin(struct snapshot_volume *v, const char *vm) __must_check;
/* checkpoint_writer.write. -ENOSPC: there is no room for it. */
int snapshot_volume_append(void *opaque, const void *data, size_t len) __must_check;
/* The new stream takes the old one's place. */
int snapshot_volume_commit(struct snapshot_volume *v) __must_check;
/* There is no stream any more. */
int snapshot_volume_clear(struct snapshot_volume *v) __must_check;

/* That all of the stream is what was written; then it can be read. */
int snapshot_volume_verify(struct snapshot_volume *v) __must_check;
void snapshot_volume_source(struct snapshot_volume *v, struct checkpoint_source *source);

#endif
