/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A checkpoint as a stream of bytes: a header, records, and a record that ends
 * it. docs/checkpoint.md has the format. It is written from beginning to end to
 * anywhere, and read from where any part of it can be read again: who loads
 * one looks through all of it first.
 */
#ifndef VMM_CHECKPOINT_STREAM_H
#define VMM_CHECKPOINT_STREAM_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECKPOINT_VERSION    2u
#define CHECKPOINT_RECORD_MAX (16u << 20) /* bytes */
#define CHECKPOINT_WHY_MAX    256

/* In the order in which they come; of the first two and the last there is one. */
enum checkpoint_kind {
	CHECKPOINT_MACHINE,
	CHECKPOINT_CONFIG,
	CHECKPOINT_VCPU,
	CHECKPOINT_DEVICE,
	CHECKPOINT_MEMORY,
	CHECKPOINT_END,
	CHECKPOINT_KINDS /* none of these */
};
extern const char *const checkpoint_kind_names[CHECKPOINT_KINDS + 1];

struct checkpoint_writer {
	/* 0, or a negative errno, which ends the writing. */
	int (*write)(void *opaque, const void *data, size_t len);
	void *opaque;
	uint32_t records;
	uint64_t bytes; /* written so far */
	/* Now and then, for a person, while memory is written, of which @done bytes of @total are
	 * done. True: it is to be given up. NULL: nobody asks. */
	bool (*step)(struct checkpoint_writer *w, uint64_t done, uint64_t total);
	uint64_t still_ns; /* by checkpoint_save(): for how long the VM stood still */
	uint32_t crc;	   /* of the record */
};

/* All: 0, or what write() returned. */
int checkpoint_write_header(struct checkpoint_writer *w) __must_check;
/* Then @length bytes in all by checkpoint_put(), then the end. */
int checkpoint_record_begin(struct checkpoint_writer *w, enum checkpoint_kind kind,
			    uint64_t length) __must_check;
int checkpoint_put(struct checkpoint_writer *w, const void *data, size_t len) __must_check;
int checkpoint_record_end(struct checkpoint_writer *w) __must_check;
/* The record that ends the stream. */
int checkpoint_write_end(struct checkpoint_writer *w) __must_check;

struct checkpoint_source {
	uint64_t size;
	/* Within it. The same bytes each time, or zeroes, and then @failed is set. */
	void (*read)(void *opaque, uint64_t at, void *buf, size_t len);
	void *opaque;
	const bool *failed; /* NULL: nothing can */
};

struct checkpoint_record {
	enum checkpoint_kind kind;
	uint32_t number;
	uint64_t at, length; /* of its payload */
};

/*
 * Whether all of it is there and undamaged, and the records are those of a checkpoint, in their
 * order. -EINVAL: @why (CHECKPOINT_WHY_MAX) says what is wrong with which record. Task: yields.
 */
int checkpoint_verify(const struct checkpoint_source *source, char *why) __must_check;
/* The same of no more than the header: what @source has may be the beginning of one. */
int checkpoint_verify_header(const struct checkpoint_source *source, char *why) __must_check;
/* Of a stream that was verified: the next record, or the first, where @r->at is 0. False: there is
 * none but the end. */
bool checkpoint_next(const struct checkpoint_source *source, struct checkpoint_record *r);

#endif
