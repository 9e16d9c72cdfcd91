/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/storage/cut_disk.h"

#include "kernel/slab.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECTORS (SIZE / SECTOR)

static unsigned objects;

void *kmalloc(size_t size)
{
	objects++;
	return memset(malloc(size), 0xa5, size);
}

void *kcalloc(size_t n, size_t size)
{
	objects++;
	return calloc(n, size);
}

void kfree(const void *p)
{
	objects -= p != NULL;
	free((void *)p);
}

/* The disk. */

uint8_t cut_disk_seen[SIZE];
static uint8_t lasting[SIZE]; /* without what is in the cache */
static bool cached[SECTORS];
unsigned cut_disk_ops;
static unsigned bad_op;
static int bad_err; /* 0: the power is cut */
static bool is_off;
static uint32_t seed = 1;

uint32_t cut_disk_any(void)
{
	/* xorshift: a multiplier's low bits would make all streams the same. */
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

int cut_disk_io(void *opaque, enum block_op op, uint64_t at, void *data, size_t bytes)
{
	bool bad = cut_disk_ops++ == bad_op;

	(void)opaque;
	if (is_off)
		return -EIO;
	assert_true(at % SNAPSHOT_UNIT == 0 && bytes % SNAPSHOT_UNIT == 0);
	assert_true(at <= SIZE && bytes <= SIZE - at && (op == BLOCK_FLUSH) == !bytes);
	if (op == BLOCK_READ && !bad)
		memcpy(data, cut_disk_seen + at, bytes);
	for (uint64_t i = at / SECTOR; op == BLOCK_WRITE && i < (at + bytes) / SECTOR; i++) {
		/* One that fails may have done a part. */
		if (bad && cut_disk_any() % 2)
			continue;
		memcpy(cut_disk_seen + i * SECTOR, (uint8_t *)data + i * SECTOR - at, SECTOR);
		cached[i] = true;
	}
	if (op == BLOCK_FLUSH && !bad) {
		memcpy(lasting, cut_disk_seen, SIZE);
		memset(cached, 0, sizeof(cached));
	}
	is_off = bad && !bad_err;
	return bad ? (bad_err ? bad_err : -EIO) : 0;
}

/* The power is back. @kept of 8 sectors of the cache have lasted. */
void cut_disk_power_on(unsigned kept)
{
	for (unsigned i = 0; i < SECTORS; i++)
		if (cached[i] && cut_disk_any() % 8 < kept)
			memcpy(lasting + i * SECTOR, cut_disk_seen + i * SECTOR, SECTOR);
	memcpy(cut_disk_seen, lasting, SIZE);
	memset(cached, 0, sizeof(cached));
	is_off = false;
	bad_op = NEVER;
}

void cut_disk_make_bad(unsigned op, int err)
{
	cut_disk_ops = 0;
	bad_op = op;
	bad_err = err;
}

/* Streams, told apart by a number. */

uint8_t cut_disk_content[8][RING];

int cut_disk_open(struct snapshot_volume *v)
{
	memset(v, 0, sizeof(*v));
	v->info = (struct block_info){.capacity = SIZE, .block_size = SECTOR};
	v->io = cut_disk_io;
	return snapshot_volume_open(v);
}

int cut_disk_append(struct snapshot_volume *v, unsigned stream, size_t len)
{
	size_t at, n;
	int err = 0;

	for (at = 0; at < len && !err; at += n) {
		n = MIN(len - at,
			cut_disk_any() % 3 ? cut_disk_any() % 200 + 1 : cut_disk_any() % 30000 + 1);
		err = snapshot_volume_append(v, cut_disk_content[stream] + at, n);
	}
	return err;
}

char cut_disk_why[CHECKPOINT_WHY_MAX];

/* All of a save. */
int cut_disk_save(unsigned stream, size_t len)
{
	struct snapshot_volume v;
	char vm[2] = {(char)('a' + stream)};
	int err = cut_disk_open(&v);

	if (!err)
		err = snapshot_volume_begin(&v, vm);
	if (!err)
		err = cut_disk_append(&v, stream, len);
	if (!err)
		err = snapshot_volume_commit(&v);
	assert_int_equal(!err, !*v.why);
	strcpy(cut_disk_why, v.why);
	snapshot_volume_close(&v);
	return err;
}

int cut_disk_clear(void)
{
	struct snapshot_volume v;
	int err = cut_disk_open(&v);

	if (!err)
		err = snapshot_volume_clear(&v);
	assert_int_equal(!err, !*v.why);
	strcpy(cut_disk_why, v.why);
	snapshot_volume_close(&v);
	return err;
}

/* Which stream is there, whole; -1: it is empty. Anything else fails. */
int cut_disk_what(void)
{
	static uint8_t got[RING];
	struct checkpoint_source source;
	struct snapshot_volume v;
	int stream = -1;

	assert_int_equal(cut_disk_open(&v), 0);
	if (v.content != SNAPSHOT_EMPTY) {
		assert_int_equal(v.content, SNAPSHOT_THERE);
		if (snapshot_volume_verify(&v))
			fail_msg("%s", v.why);
		snapshot_volume_source(&v, &source);
		for (uint64_t at = 0, n; at < source.size; at += n) {
			n = MIN(source.size - at, cut_disk_any() % 5000 + 1);
			source.read(source.opaque, at, got + at, n);
		}
		assert_false(*source.failed);
		stream = v.header.vm[0] - 'a';
		assert_memory_equal(got, cut_disk_content[stream], source.size);
	}
	snapshot_volume_close(&v);
	return stream;
}

int cut_disk_setup(void **state)
{
	(void)state;
	objects = 0;
	memset(lasting, 0, SIZE);
	memset(cut_disk_seen, 0, SIZE);
	memset(cached, 0, sizeof(cached));
	is_off = false;
	cut_disk_make_bad(NEVER, 0);
	return 0;
}

int cut_disk_teardown(void **state)
{
	(void)state;
	assert_int_equal(objects, 0);
	return 0;
}

int cut_disk_init(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		for (unsigned at = 0; at < RING; at++)
			cut_disk_content[i][at] = (uint8_t)cut_disk_any();
	return 0;
}
