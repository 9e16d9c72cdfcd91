/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/transfer_commands.c vmm/checkpoint/store.c vmm/checkpoint/stream.c */
/* test-sources: vmm/checkpoint/place.c vmm/checkpoint/place_memory.c */
/* test-sources: lib/parse.c lib/crc32c.c kernel/fast_crc32c.c */
/* test-sources: tests/host/fake/kernel/fake_memory.c */
/* `send` and `receive`: what is kept of what comes, and what leaves is what there is. */
#include "admin/command.h"
#include "admin/transfer.h"
#include "kernel/page_alloc.h"
#include "kernel/task.h"
#include "tests/host/fake/kernel/fake_memory.h"
#include "vmm/checkpoint/store.h"
#include "vmm/checkpoint/stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void task_yield(void)
{
}

void task_share(void)
{
	task_yield();
}

static char screen[4096];

static void __printf(1, 0) show(const char *fmt, va_list args)
{
	size_t at = strlen(screen);

	vsnprintf(screen + at, sizeof(screen) - at, fmt, args);
}

void console_printf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	show(fmt, args);
	va_end(args);
}

void command_add_snapshots(command_add_fn add, void *opaque)
{
	(void)add;
	(void)opaque;
}

static unsigned errors;

void command_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	show(fmt, args);
	va_end(args);
	errors++;
}

/* The line: blocks of the stream as it is, or of as much of it as comes, of a size that is told. */

static uint8_t stream[100000], sent[sizeof(stream)];
static size_t stream_len, told, comes;
static int line_err, begin_err;
static bool open;

int transfer_begin(struct transfer *t, const char *way, const char *program, bool from)
{
	assert_string_equal(way, "YMODEM");
	assert_string_equal(program, from ? "rb" : "sb -k FILE");
	assert_int_equal(t->total, 0);
	open = !begin_err;
	return begin_err;
}

void transfer_end(struct transfer *t)
{
	(void)t;
	assert_true(open);
	open = false;
}

int transfer_receive(struct transfer *t, struct xmodem *x)
{
	int err = x->header(x->opaque, told);
	uint8_t block[1024];

	(void)t;
	for (size_t at = 0; at < comes && !err; at += sizeof(block)) {
		memset(block, 0x1a, sizeof(block));
		memcpy(block, stream + at, MIN(sizeof(block), stream_len - at));
		err = x->put(x->opaque, block, sizeof(block));
	}
	return err ? err : line_err;
}

int transfer_send(struct transfer *t, struct ymodem *y)
{
	(void)t;
	assert_string_equal(y->name, "it.ckpt");
	assert_int_equal(y->size, stream_len);
	for (size_t at = 0; at < y->size; at += 1024)
		y->get(y->opaque, at, sent + at, MIN(y->size - at, UINT64_C(1024)));
	return line_err;
}

const char *transfer_why(int err)
{
	return err == -EIO ? "the line" : NULL;
}

static void run(const char *name, const char *arg)
{
	char *argv[] = {(char *)name, (char *)arg, NULL};

	screen[0] = '\0';
	errors = 0;
	for (const struct command *c = TABLE_START(commands); c < TABLE_END(commands); c++)
		if (!strcmp(c->name, name))
			c->run(argv);
	assert_false(open);
}

static int append(void *opaque, const void *data, size_t len)
{
	(void)opaque;
	memcpy(stream + stream_len, data, len);
	stream_len += len;
	return 0;
}

static void record(struct checkpoint_writer *w, enum checkpoint_kind kind, const void *data,
		   size_t len)
{
	assert_int_equal(checkpoint_record_begin(w, kind, len), 0);
	assert_int_equal(checkpoint_put(w, data, len), 0);
	assert_int_equal(checkpoint_record_end(w), 0);
}

static int setup(void **state)
{
	struct checkpoint_writer w = {.write = append};
	static uint8_t pages[50000];

	(void)state;
	stream_len = 0;
	for (size_t i = 0; i < sizeof(pages); i++)
		pages[i] = (uint8_t)(i * 2654435761u >> 13);
	assert_int_equal(checkpoint_write_header(&w), 0);
	record(&w, CHECKPOINT_MACHINE, "m", 1);
	record(&w, CHECKPOINT_CONFIG, "c", 1);
	record(&w, CHECKPOINT_MEMORY, pages, sizeof(pages));
	assert_int_equal(checkpoint_write_end(&w), 0);
	told = comes = stream_len;
	line_err = begin_err = 0;
	return 0;
}

static void expect_shown(const char *text)
{
	if (!strstr(screen, text))
		fail_msg("'%s' is not in: %s", text, screen);
}

/* Nothing is there, and nothing is kept. */
static void expect_refused(const char *why)
{
	run("receive", "it");
	expect_shown("receive: it: ");
	expect_shown(why);
	expect_shown("; nothing is kept\n");
	assert_int_equal(errors, 1);
	assert_null(snapshot_find("it"));
	assert_int_equal(objects, 0);
	assert_int_equal(pages_left, PAGES);
}

static void test_comes_and_goes(void **state)
{
	(void)state;
	run("receive", "it");
	expect_shown("it is here, and whole");
	assert_int_equal(errors, 0);
	run("receive", "it");
	expect_shown("there is a snapshot of that name");
	run("send", "it");
	expect_shown("it is sent as it.ckpt");
	assert_memory_equal(sent, stream, stream_len);
	line_err = -EIO;
	run("send", "it");
	expect_shown("send: it: the line");
	snapshot_delete(snapshot_find("it"));
	assert_int_equal(objects, 0);
	run("send", "it");
	expect_shown("no such snapshot");
}

static void test_refused(void **state)
{
	(void)state;
	run("receive", "a/b");
	expect_shown("expected a name");
	begin_err = -EIO;
	expect_refused("the line");
	setup(NULL);
	line_err = -EIO;
	expect_refused("the line");
	setup(NULL);
	told = PAGES / 2 * PAGE_SIZE + 1;
	expect_refused("snapshots may not take so much");
	setup(NULL);
	told = SIZE_MAX;
	expect_refused("snapshots may not take so much");
	setup(NULL);
	comes -= 1024;
	expect_refused("less came than its size");
	setup(NULL);
	told = 30000;
	expect_refused("more came than its size");
	setup(NULL);
	told = 30720;
	comes = 30720;
	expect_refused("record 2 (memory): it is longer than the stream");
}

/* The first block tells. */
static void test_no_checkpoint(void **state)
{
	(void)state;
	stream[0]++;
	comes = 1024;
	expect_refused("the header is not a checkpoint's");
	setup(NULL);
	stream[8] = 1;
	comes = 1024;
	expect_refused("the header is damaged");
	setup(NULL);
	told = comes = 5;
	expect_refused("the header is cut");
}

static void test_each_byte(void **state)
{
	(void)state;
	for (size_t at = 0; at < stream_len; at += at < 200 ? 1 : 997) {
		stream[at] ^= 4;
		run("receive", "it");
		expect_shown(at < 16 ? "header" : "record ");
		assert_null(snapshot_find("it"));
		stream[at] ^= 4;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_comes_and_goes, setup),
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_no_checkpoint, setup),
		cmocka_unit_test_setup(test_each_byte, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
