/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/storage/snapshot_volume.h"

#include "kernel/fast_crc32c.h"
#include "kernel/slab.h"
#include "lib/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define VERSION	   1u
#define NOT_LOADED (~UINT64_C(0))
#define NUMBER_MAX (UINT64_MAX / 2)

/* What leaves zeroes where our headers would be, and by what it is known. */
static const struct {
	uint32_t at;
	uint8_t len;
	char bytes[8];
} others[] = {
	{32769, 5, "CD001"},		       /* ISO 9660 (ECMA-119, 8.1.2) */
	{65536 + 64, 8, "_BHRfS_M"},	       /* btrfs: its superblock */
	{65536 + 1372, 4, "\x19\x01\x54\x19"}, /* UFS2: fs_magic */
	{131072, 4, "\x0c\xb1\xba"},	       /* ZFS: the first uberblock of a label */
};

/* The first error is told, not what comes of it. */
static int give_up(struct snapshot_volume *v, int err, const char *what)
{
	return *v->why ? err : checkpoint_why(v->why, err, "%s", what);
}

static const char *io_reason(int err)
{
	switch (err) {
	case -EIO:
		return "I/O error";
	case -ENODEV:
	case -ECANCELED:
		return "the disk's backend is gone";
	case -EROFS:
		return "the disk is read-only";
	case -ENOSPC:
		return "the disk's backend has no room or memory left";
	default:
		return "it does not take that";
	}
}

static int volume_io(struct snapshot_volume *v, enum block_op op, uint64_t at, void *data,
		     size_t bytes)
{
	int err = v->io(v->opaque, op, at, data, bytes);

	if (!err || *v->why)
		return err;
	if (op == BLOCK_FLUSH)
		return checkpoint_why(v->why, err, "flushing the disk: %s (error %d)",
				      io_reason(err), err);
	return checkpoint_why(v->why, err, "%s the disk at byte %" PRIu64 ": %s (error %d)",
			      op == BLOCK_READ ? "reading" : "writing", at, io_reason(err), err);
}

static int volume_flush(struct snapshot_volume *v)
{
	return volume_io(v, BLOCK_FLUSH, 0, NULL, 0);
}

/* At @at of @h's ring, over whose end it may go. @bytes is no more than the ring. */
static int ring_io(struct snapshot_volume *v, enum block_op op, const struct snapshot_header *h,
		   uint64_t at, uint8_t *data, size_t bytes)
{
	uint64_t place = (h->start + at) % h->ring, n = MIN(bytes, h->ring - place);
	int err = volume_io(v, op, SNAPSHOT_RING + place, data, n);

	if (!err && bytes > n)
		err = volume_io(v, op, SNAPSHOT_RING, data + n, bytes - n);
	return err;
}

static uint64_t ring_size(const struct snapshot_volume *v)
{
	return ALIGN_DOWN(v->info.capacity, SNAPSHOT_UNIT) - SNAPSHOT_RING;
}

static uint32_t header_sum(const struct snapshot_header *h)
{
	return fast_crc32c(0, h, offsetof(struct snapshot_header, header_sum));
}

static bool header_is_good(const struct snapshot_volume *v, const struct snapshot_header *h)
{
	if (memcmp(h->magic, SNAPSHOT_MAGIC, sizeof(h->magic)) || h->version != VERSION ||
	    h->header_sum != header_sum(h) || h->zero)
		return false;
	if (!h->number || h->number > NUMBER_MAX)
		return false;
	if (!h->ring || h->ring % SNAPSHOT_UNIT || h->ring > ring_size(v))
		return false;
	if (h->start % SNAPSHOT_UNIT || h->start >= h->ring || h->length > h->ring)
		return false;
	return !h->length || (!h->vm[sizeof(h->vm) - 1] && parse_name(h->vm, VM_NAME_MAX));
}

static bool is_zero(const uint8_t *data, size_t len)
{
	return !data[0] && !memcmp(data, data + 1, len - 1);
}

/* @*foreign, @*ours: what else than a good header, or zeroes, there was in one. */
static int read_header(struct snapshot_volume *v, unsigned slot, bool *foreign, bool *ours)
{
	struct snapshot_header h;
	int err = volume_io(v, BLOCK_READ, slot * SNAPSHOT_UNIT, v->buffer, SNAPSHOT_UNIT);

	if (err)
		return err;
	memcpy(&h, v->buffer, sizeof(h));
	if (header_is_good(v, &h)) {
		if (h.number > v->header.number) {
			v->header = h;
			v->slot = slot;
		}
	} else if (!memcmp(h.magic, SNAPSHOT_MAGIC, sizeof(h.magic))) {
		*ours = true;
	} else if (!is_zero(v->buffer, SNAPSHOT_UNIT)) {
		*foreign = true;
	}
	return 0;
}

/* Zeroes are where headers would be. */
static int look_for_others(struct snapshot_volume *v, bool *foreign)
{
	int err = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(others) && !err; i++) {
		uint64_t unit = ALIGN_DOWN(others[i].at, SNAPSHOT_UNIT);

		if (unit + SNAPSHOT_UNIT > v->info.capacity)
			continue;
		err = volume_io(v, BLOCK_READ, unit, v->buffer, SNAPSHOT_UNIT);
		*foreign |= !err && !memcmp(v->buffer + others[i].at % SNAPSHOT_UNIT,
					    others[i].bytes, others[i].len);
	}
	return err;
}

int snapshot_volume_open(struct snapshot_volume *v)
{
	bool foreign = false, ours = false;
	int err = 0;

	v->slot = 1;
	v->loaded[0] = v->loaded[1] = NOT_LOADED;
	if (v->info.capacity < SNAPSHOT_RING + SNAPSHOT_UNIT)
		return checkpoint_why(v->why, -EINVAL,
				      "the disk has %" PRIu64 " bytes, and %u are the fewest",
				      v->info.capacity, SNAPSHOT_RING + SNAPSHOT_UNIT);
	v->buffer = kmalloc(2 * SNAPSHOT_STEP);
	if (!v->buffer)
		return give_up(v, -ENOMEM, "no memory is left: see `info memory`");
	for (unsigned slot = 0; slot < 2 && !err; slot++)
		err = read_header(v, slot, &foreign, &ours);
	if (!err && !v->header.number && !ours && !foreign)
		err = look_for_others(v, &foreign);
	if (v->header.number)
		v->content = v->header.length ? SNAPSHOT_THERE : SNAPSHOT_EMPTY;
	else if (ours)
		v->content = SNAPSHOT_DAMAGED;
	else
		v->content = foreign ? SNAPSHOT_FOREIGN : SNAPSHOT_EMPTY;
	return err;
}

void snapshot_volume_close(struct snapshot_volume *v)
{
	kfree(v->buffer);
	kfree(v->sums);
}

/*
 * The old stream stays what it is until the new header is on the disk: that is written where the
 * one is that does not count. What was read may be in the disk's cache alone, and is made to last
 * first: else a power cut might bring back a header whose stream is written over by then.
 */
static int begin(struct snapshot_volume *v)
{
	if (v->info.read_only)
		return give_up(v, -EROFS, "the disk is read-only");
	if (v->content == SNAPSHOT_FOREIGN)
		return give_up(v, -EINVAL,
			       "the disk has something else on it: it is used when its first 8 KiB "
			       "are zeroes");
	if (v->header.number == NUMBER_MAX)
		return give_up(
			v, -EINVAL,
			"its headers have no number left: it is used when its first 8 KiB are "
			"zeroes");
	v->next = (struct snapshot_header){.magic = SNAPSHOT_MAGIC,
					   .version = VERSION,
					   .number = v->header.number + 1,
					   .ring = ring_size(v)};
	return volume_flush(v);
}

int snapshot_volume_begin(struct snapshot_volume *v, const char *vm)
{
	uint64_t taken = ALIGN_UP(v->header.length, SNAPSHOT_UNIT);
	int err;

	if (v->content == SNAPSHOT_DAMAGED)
		return give_up(v, -EINVAL,
			       "both headers on the disk are damaged, of another version, or of a "
			       "larger disk: `snapshot-delete` empties it");
	err = begin(v);
	if (err)
		return err;
	if (taken) {
		v->next.ring = v->header.ring;
		v->next.start = (v->header.start + taken) % v->header.ring;
	}
	strncpy(v->next.vm, vm, sizeof(v->next.vm) - 1);
	v->room = v->next.ring - taken;
	return 0;
}

static int no_room(struct snapshot_volume *v)
{
	if (!v->header.length)
		return checkpoint_why(v->why, -ENOSPC, "the disk takes %" PRIu64 " KiB",
				      v->room >> 10);
	return checkpoint_why(v->why, -ENOSPC,
			      "the disk takes %" PRIu64 " KiB beside the %" PRIu64
			      " KiB of vm %s, which stay",
			      v->room >> 10, v->header.length >> 10, v->header.vm);
}

/* The buffer's first @bytes, whole units, are the stream's before @end. */
static int write_step(struct snapshot_volume *v, uint64_t end, size_t bytes)
{
	return ring_io(v, BLOCK_WRITE, &v->next, end - bytes, v->buffer, bytes);
}

int snapshot_volume_append(void *opaque, const void *data, size_t len)
{
	struct snapshot_volume *v = opaque;
	const uint8_t *from = data;

	if (len > v->room - v->next.length)
		return no_room(v);
	v->next.sum = fast_crc32c(v->next.sum, data, len);
	while (len) {
		size_t at = v->next.length % SNAPSHOT_STEP, n = MIN(len, SNAPSHOT_STEP - at);
		int err = 0;

		memcpy(v->buffer + at, from, n);
		v->next.length += n;
		if (at + n == SNAPSHOT_STEP)
			err = write_step(v, v->next.length, SNAPSHOT_STEP);
		if (err)
			return err;
		from += n;
		len -= n;
	}
	return 0;
}

/* The header counts, or the one that did before. */
static int write_header(struct snapshot_volume *v, unsigned slot)
{
	int err;

	v->next.header_sum = header_sum(&v->next);
	memset(v->buffer, 0, SNAPSHOT_UNIT);
	memcpy(v->buffer, &v->next, sizeof(v->next));
	err = volume_io(v, BLOCK_WRITE, slot * SNAPSHOT_UNIT, v->buffer, SNAPSHOT_UNIT);
	return err ? err : volume_flush(v);
}

int snapshot_volume_commit(struct snapshot_volume *v)
{
	size_t rest = v->next.length % SNAPSHOT_STEP, bytes = ALIGN_UP(rest, SNAPSHOT_UNIT);
	int err = 0;

	memset(v->buffer + rest, 0, bytes - rest);
	if (rest)
		err = write_step(v, ALIGN_UP(v->next.length, SNAPSHOT_UNIT), bytes);
	if (!err)
		err = volume_flush(v);
	if (err)
		return err;
	err = write_header(v, !v->slot);
	if (err) {
		size_t len = strlen(v->why);

		snprintf(v->why + len, sizeof(v->why) - len,
			 "; the disk has this checkpoint now, or still what it had");
	}
	return err;
}

int snapshot_volume_clear(struct snapshot_volume *v)
{
	int err;

	if (v->content == SNAPSHOT_EMPTY)
		return give_up(v, -ENOENT, "the disk is empty");
	err = begin(v);
	if (!err)
		err = write_header(v, !v->slot);
	/* Of damaged ones, none is left that might be read after all. */
	if (!err && v->content == SNAPSHOT_DAMAGED) {
		v->next.number++;
		err = write_header(v, v->slot);
	}
	return err;
}

/* The half of the buffer that has step @step of the stream; NULL: it cannot be read. */
static uint8_t *load_step(struct snapshot_volume *v, uint64_t step, uint32_t *sum)
{
	uint8_t *half = v->buffer + step % 2 * SNAPSHOT_STEP;
	uint64_t at = step * SNAPSHOT_STEP, len = MIN(v->header.length - at, SNAPSHOT_STEP);

	v->loaded[step % 2] = NOT_LOADED;
	if (ring_io(v, BLOCK_READ, &v->header, at, half, ALIGN_UP(len, SNAPSHOT_UNIT)))
		return NULL;
	*sum = fast_crc32c(0, half, len);
	v->loaded[step % 2] = step;
	return half;
}

int snapshot_volume_verify(struct snapshot_volume *v)
{
	uint64_t length = v->header.length, steps = (length + SNAPSHOT_STEP - 1) / SNAPSHOT_STEP;
	uint32_t all = 0;

	if (v->content == SNAPSHOT_EMPTY)
		return give_up(v, -ENOENT, "the disk is empty");
	if (v->content == SNAPSHOT_FOREIGN)
		return give_up(v, -EINVAL, "the disk has something else on it");
	if (v->content == SNAPSHOT_DAMAGED)
		return give_up(v, -EINVAL,
			       "both headers on the disk are damaged, of another version, or of a "
			       "larger disk");
	v->sums = kcalloc(steps, sizeof(*v->sums));
	if (!v->sums)
		return give_up(v, -ENOMEM, "no memory is left: see `info memory`");
	for (uint64_t step = 0; step < steps; step++) {
		uint64_t at = step * SNAPSHOT_STEP;
		const uint8_t *data = load_step(v, step, &v->sums[step]);

		if (!data)
			return -EIO;
		all = fast_crc32c(all, data, MIN(length - at, SNAPSHOT_STEP));
	}
	if (all != v->header.sum)
		return give_up(v, -EINVAL, "the stream on the disk is damaged (CRC32C)");
	return 0;
}

/* What @step is of the stream that was verified; NULL: it is not any more. */
static const uint8_t *find_step(struct snapshot_volume *v, uint64_t step)
{
	uint8_t *half = v->buffer + step % 2 * SNAPSHOT_STEP;
	uint32_t sum;

	if (v->failed)
		return NULL;
	if (v->loaded[step % 2] == step)
		return half;
	if (!load_step(v, step, &sum)) {
		v->failed = true;
	} else if (sum != v->sums[step]) {
		v->failed = true;
		give_up(v, -EIO, "the disk gives something else than when it was verified");
	}
	return v->failed ? NULL : half;
}

/* Who reads it has looked through it, and may rely on what was there. */
static void volume_read(void *opaque, uint64_t at, void *buf, size_t len)
{
	struct snapshot_volume *v = opaque;
	uint8_t *to = buf;

	if (at > v->header.length || len > v->header.length - at)
		v->failed = true;
	while (len) {
		size_t offset = at % SNAPSHOT_STEP, n = MIN(len, SNAPSHOT_STEP - offset);
		const uint8_t *from = find_step(v, at / SNAPSHOT_STEP);

		if (from)
			memcpy(to, from + offset, n);
		else
			memset(to, 0, n);
		at += n;
		to += n;
		len -= n;
	}
}

void snapshot_volume_source(struct snapshot_volume *v, struct checkpoint_source *source)
{
	*source = (struct checkpoint_source){
		.size = v->header.length, .read = volume_read, .opaque = v, .failed = &v->failed};
}
