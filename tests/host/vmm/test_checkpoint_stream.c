/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/checkpoint/stream.c lib/crc32c.c kernel/fast_crc32c.c */
/*
 * A small stream: what is written is read, each byte that is changed and each
 * length that it is cut to is refused, and the record is named.
 */
#include "kernel/task.h"
#include "vmm/checkpoint/stream.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t stream[16384];
static size_t stream_len;
static char why[CHECKPOINT_WHY_MAX];

void task_yield(void)
{
}

void task_share(void)
{
	task_yield();
}

static int append(void *opaque, const void *data, size_t len)
{
	(void)opaque;
	if (len > sizeof(stream) - stream_len)
		return -ENOSPC;
	memcpy(stream + stream_len, data, len);
	stream_len += len;
	return 0;
}

/* What is read is a copy of its own size, so that a byte too many is seen. */
static void read_part(void *opaque, uint64_t at, void *buf, size_t len)
{
	memcpy(buf, (const uint8_t *)opaque + at, len);
}

static int put(struct checkpoint_writer *w, enum checkpoint_kind kind, const char *text)
{
	int err = checkpoint_record_begin(w, kind, strlen(text));

	if (!err)
		err = checkpoint_put(w, text, strlen(text));
	return err ? err : checkpoint_record_end(w);
}

static const struct {
	enum checkpoint_kind kind;
	const char *text;
} records[] = {
	{CHECKPOINT_MACHINE, "machine"}, {CHECKPOINT_CONFIG, "config"}, {CHECKPOINT_VCPU, "0"},
	{CHECKPOINT_VCPU, ""},		 {CHECKPOINT_DEVICE, "device"}, {CHECKPOINT_MEMORY, "mem"},
};

static void write_stream(void)
{
	struct checkpoint_writer w = {.write = append};

	stream_len = 0;
	assert_int_equal(checkpoint_write_header(&w), 0);
	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		assert_int_equal(put(&w, records[i].kind, records[i].text), 0);
	assert_int_equal(checkpoint_write_end(&w), 0);
	assert_int_equal(w.bytes, stream_len);
}

static int verify(size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct checkpoint_source source = {.size = len, .read = read_part, .opaque = copy};
	int err;

	memcpy(copy, stream, len);
	why[0] = 0;
	err = checkpoint_verify(&source, why);
	free(copy);
	return err;
}

static void test_whole(void **state)
{
	struct checkpoint_source source = {.read = read_part, .opaque = stream};
	struct checkpoint_record r = {.at = 0};
	char text[16] = "";

	(void)state;
	write_stream();
	assert_int_equal(verify(stream_len), 0);
	source.size = stream_len;
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		assert_true(checkpoint_next(&source, &r));
		assert_int_equal(r.kind, records[i].kind);
		assert_int_equal(r.number, i);
		assert_int_equal(r.length, strlen(records[i].text));
		read_part(stream, r.at, text, r.length);
		assert_memory_equal(text, records[i].text, r.length);
	}
	assert_false(checkpoint_next(&source, &r));
	assert_int_equal(r.kind, CHECKPOINT_END);
}

/* The record that byte @at is of; -1: the header. */
static int record_of(size_t at)
{
	size_t begin = 16;

	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		begin += 24 + strlen(records[i].text) + 4;
		if (at < begin)
			return at < 16 ? -1 : (int)i;
	}
	return (int)ARRAY_SIZE(records);
}

static void expect_named(size_t at)
{
	char name[32] = "header";

	if (record_of(at) >= 0)
		snprintf(name, sizeof(name), "record %d (", record_of(at));
	else if (at >= 8 && at < 12)
		return; /* of a version, or damaged */
	if (!strstr(why, name))
		fail_msg("byte %zu: expected %s, got %s", at, name, why);
}

static void test_each_byte(void **state)
{
	(void)state;
	write_stream();
	for (size_t at = 0; at < stream_len; at++) {
		for (unsigned flip = 1; flip < 256; flip = flip * 2 + 1) {
			stream[at] ^= flip;
			assert_int_equal(verify(stream_len), -EINVAL);
			expect_named(at);
			stream[at] ^= flip;
		}
	}
}

static void test_each_length(void **state)
{
	(void)state;
	write_stream();
	for (size_t len = 0; len < stream_len; len++) {
		assert_int_equal(verify(len), -EINVAL);
		expect_named(len);
	}
	stream[stream_len] = 0;
	assert_int_equal(verify(stream_len + 1), -EINVAL);
	assert_string_equal(why, "record 6 (end): the stream goes on behind it");
}

static void expect_order(const enum checkpoint_kind *kinds, unsigned count, const char *what)
{
	struct checkpoint_writer w = {.write = append};

	stream_len = 0;
	assert_int_equal(checkpoint_write_header(&w), 0);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(put(&w, kinds[i], "x"), 0);
	assert_int_equal(checkpoint_write_end(&w), 0);
	assert_int_equal(verify(stream_len), -EINVAL);
	if (!strstr(why, what))
		fail_msg("expected %s, got %s", what, why);
}

static void test_order(void **state)
{
	(void)state;
	expect_order(NULL, 0, "record 0 (end): it does not belong here");
	expect_order((enum checkpoint_kind[]){CHECKPOINT_CONFIG}, 1, "record 0 (config)");
	expect_order((enum checkpoint_kind[]){CHECKPOINT_MACHINE}, 1, "record 1 (end)");
	expect_order(
		(enum checkpoint_kind[]){CHECKPOINT_MACHINE, CHECKPOINT_CONFIG, CHECKPOINT_CONFIG},
		3, "record 2 (config)");
	expect_order((enum checkpoint_kind[]){CHECKPOINT_MACHINE, CHECKPOINT_CONFIG,
					      CHECKPOINT_MEMORY, CHECKPOINT_VCPU},
		     4, "record 3 (vcpu)");
}

static void expect_too_many(enum checkpoint_kind kind, unsigned max)
{
	struct checkpoint_writer w = {.write = append};

	for (unsigned n = max; n <= max + 1; n++) {
		stream_len = 0;
		w.records = 0;
		w.bytes = 0;
		assert_int_equal(checkpoint_write_header(&w), 0);
		assert_int_equal(put(&w, CHECKPOINT_MACHINE, "m"), 0);
		assert_int_equal(put(&w, CHECKPOINT_CONFIG, "c"), 0);
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(put(&w, kind, "x"), 0);
		assert_int_equal(checkpoint_write_end(&w), 0);
		assert_int_equal(verify(stream_len), n == max ? 0 : -EINVAL);
	}
	assert_non_null(strstr(why, "more than a VM can have"));
}

static void test_too_many(void **state)
{
	(void)state;
	expect_too_many(CHECKPOINT_VCPU, VM_MAX_VCPUS);
	expect_too_many(CHECKPOINT_DEVICE, VM_CONFIG_SECTIONS_MAX);
}

/* A destination that is full says so, at whatever moment. */
static int full_at;

static int append_some(void *opaque, const void *data, size_t len)
{
	return full_at-- ? append(opaque, data, len) : -ENOSPC;
}

static int write_some(void)
{
	struct checkpoint_writer w = {.write = append_some};
	int err = checkpoint_write_header(&w);

	stream_len = 0;
	if (!err)
		err = put(&w, CHECKPOINT_MACHINE, "machine");
	return err ? err : checkpoint_write_end(&w);
}

static void test_full(void **state)
{
	(void)state;
	for (int at = 0; at < 7; at++) {
		full_at = at;
		assert_int_equal(write_some(), -ENOSPC);
	}
	full_at = 7;
	assert_int_equal(write_some(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	    cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_each_length), cmocka_unit_test(test_order),
		cmocka_unit_test(test_full),	    cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
