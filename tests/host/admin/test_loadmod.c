/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/loadmod.c admin/loadmod_xmodem.c admin/transfer.c admin/xmodem.c */
/* test-sources: admin/ymodem.c admin/base64.c tests/host/admin/loadmod_line.c */
/* test-sources: admin/paste.c admin/input.c lib/parse.c */
/*
 * `loadmod NAME xmodem`, and `ymodem`: a sender on the console's line, or in a channel of it, and
 * what is kept of what it sends.
 */
#include "admin/command.h"
#include "kernel/boot_info.h"
#include "kernel/console.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "tests/host/admin/loadmod_line.h"
#include "tests/host/admin/xmodem_sender.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define FILE_MAX (400u << 10)

/* The machine: pages, objects, modules. */

struct time_scale time_scale = {
	.tsc_khz = 1000000, .ns_mult = UINT64_C(1) << 32, .tsc_mult = UINT64_C(1) << 32};
uint64_t fake_tsc;
static long pages, objects, pages_left;
static int store_error;
static char stored[64];
static uint8_t *store;
static uint64_t store_len;

void *page_alloc(struct page_owner *owner, unsigned order)
{
	assert_string_equal(owner->name, "loadmod");
	if (pages + (1l << order) > pages_left)
		return NULL;
	pages += 1l << order;
	return malloc(PAGE_SIZE << order);
}

void page_free(struct page_owner *owner, void *block, unsigned order)
{
	(void)owner;
	pages -= 1l << order;
	free(block);
}

void page_owner_register(struct page_owner *owner, const char *name)
{
	owner->name = name;
}

void *kzalloc(size_t size)
{
	objects++;
	return calloc(1, size);
}

void kfree(const void *p)
{
	objects--;
	free((void *)p);
}

const struct boot_module *boot_module_find(const char *name)
{
	(void)name;
	return NULL;
}

int boot_module_add(const char *name, const void *data, uint64_t size)
{
	if (store_error)
		return store_error;
	snprintf(stored, sizeof(stored), "%s", name);
	store = (void *)data;
	store_len = size;
	return 0;
}

/* The console: text, or what a sender loadmod_hears while it is loadmod_muted. */

static char screen[4096];
bool loadmod_muted;
static uint8_t line[1 << 16]; /* what the sender has sent */
static size_t line_start, line_end;
void (*loadmod_hears)(char byte);

static void to_line(const uint8_t *data, size_t len)
{
	if (line_start == line_end)
		line_start = line_end = 0;
	assert_true(line_end + len <= sizeof(line));
	memcpy(line + line_end, data, len);
	line_end += len;
}

void console_mute(bool mute)
{
	assert_true(loadmod_muted != mute);
	loadmod_muted = mute;
}

void console_write(const char *s, size_t len)
{
	size_t at = strlen(screen);

	assert_null(loadmod_sink.framing == &loadmod_frames ? NULL : loadmod_sink.framing);
	for (size_t i = 0; i < len && at + 1 < sizeof(screen); i++)
		screen[at++] = s[i];
	screen[at] = '\0';
}

void console_printf(const char *fmt, ...)
{
	char text[512];
	va_list args;

	assert_false(loadmod_muted);
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	console_write(text, strlen(text));
}

void command_error(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	console_printf("error: %s", text);
}

void console_edit(const char *text, size_t cursor)
{
	(void)text;
	(void)cursor;
}

size_t console_read_timeout(char *buf, size_t max, uint64_t ns)
{
	size_t n = line_end - line_start;

	n = n < max ? n : max;
	memcpy(buf, line + line_start, n);
	line_start += n;
	fake_tsc += n ? n * 86806 : ns; /* 115200 baud */
	return n;
}

size_t console_read(char *buf, size_t max)
{
	(void)buf;
	(void)max;
	fail();
	return 0;
}

bool console_input_skip(char byte)
{
	(void)byte;
	return false;
}

/* The sender. */

static uint8_t file[FILE_MAX];
static size_t file_len, sent, size;
static uint8_t number;
static bool crc, deaf, over, batch, named;
static unsigned cancelled, acks;

static void send_block(void)
{
	uint8_t block[SENDER_BLOCK_MAX];
	size_t left = file_len - sent, n = left < size ? left : size;

	if (!left)
		to_line((const uint8_t[]){EOT}, 1);
	else
		to_line(block, sender_block(block, number, size, file + sent, n, crc));
}

static void sender(char byte)
{
	if (byte == CAN) {
		cancelled++;
		if (deaf && line_start == line_end)
			to_line((const uint8_t *)"poweroff\r", 9);
		return;
	}
	if (byte == 'C' && !acks)
		crc = true;
	if (byte == *ACK) {
		acks++;
		over = sent == file_len;
		sent += file_len - sent < size ? file_len - sent : size;
		number++;
	}
	if (!over && (byte == *ACK || byte == *NAK || byte == 'C'))
		send_block();
}

static void silent(char byte)
{
	(void)byte;
}

/* By YMODEM: the file's name and size, when that was acknowledged the file, and then no name. */
static void batch_sender(char byte)
{
	char about[128] = "disk.img";
	uint8_t block[SENDER_BLOCK_MAX];

	if (byte == 'C' && (!named || over)) {
		sprintf(about + 9, "%zu 0 0", file_len);
		to_line(block,
			sender_block(block, 0, 128, (uint8_t *)about + (over ? 64 : 0), 64, true));
		loadmod_hears = over ? silent : batch_sender;
		named = true;
	} else if (byte == *ACK && !batch) {
		batch = true;
	} else {
		sender(byte);
	}
}

static int setup(void **state)
{
	(void)state;
	screen[0] = stored[0] = '\0';
	loadmod_muted = deaf = crc = over = batch = named = loadmod_no_line = loadmod_cancels =
		false;
	loadmod_sink.framing = NULL;
	loadmod_updates = 0;
	sent = cancelled = acks = 0;
	number = 1;
	loadmod_hears = sender;
	size = 1024;
	file_len = 300001;
	pages_left = 1 << 20;
	store_error = 0;
	store = NULL;
	pages = objects = 0;
	line_start = line_end = 0;
	for (size_t i = 0; i < sizeof(file); i++)
		file[i] = (uint8_t)(i * 2654435761u >> 13);
	return 0;
}

static void run(const char *way, const char *file_size)
{
	char *argv[] = {"loadmod", "disk.img", (char *)way, (char *)file_size, NULL};

	TABLE_START(commands)->run(argv);
	assert_false(loadmod_muted);
	assert_int_equal(objects, 0);
}

/* `loadmod NAME xmodem @file_size` was typed. */
static void loadmod(const char *file_size)
{
	run("xmodem", file_size);
}

static void expect_shown(const char *text)
{
	if (!strstr(screen, text))
		fail_msg("'%s' is not in:\n%s", text, screen);
}

/* Nothing is kept, and nothing of the file is left for the shell. */
static void expect_failed(const char *why)
{
	expect_shown(why);
	assert_string_equal(stored, "");
	assert_int_equal(pages, 0);
	assert_int_equal(line_start, line_end);
}

static void expect_stored(size_t len)
{
	assert_string_equal(stored, "disk.img");
	assert_int_equal(store_len, len);
	assert_memory_equal(store, file, file_len);
	free(store);
}

static void test_good(void **state)
{
	(void)state;
	loadmod("300001");
	expect_shown("Send the file by XMODEM within two minutes");
	expect_shown("\nmodule disk.img: 300001 bytes, CRC-32 ");
	assert_int_equal(acks, 294); /* blocks, and the end */
	expect_stored(300001);
}

/* Without a size, the padding stays. */
static void test_padded(void **state)
{
	(void)state;
	size = 128;
	loadmod(NULL);
	assert_int_equal(((uint8_t *)store)[300001], PAD);
	expect_stored(300032);
}

static void test_larger_than_said(void **state)
{
	(void)state;
	loadmod("200K");
	expect_failed(
		"error: loadmod: disk.img: more came than its size, or than 256 MiB; nothing is "
		"kept of 204800 bytes");
	assert_int_equal(cancelled, 8);
}

static void test_smaller_than_said(void **state)
{
	(void)state;
	loadmod("302000");
	expect_failed("less came than its size");
	assert_int_equal(cancelled, 0);
}

static void test_no_memory(void **state)
{
	(void)state;
	for (pages_left = 0; pages_left < 160; pages_left += 16) {
		long left = pages_left;

		setup(NULL);
		pages_left = left;
		loadmod("300001");
		expect_failed("loadmod: disk.img: out of memory; nothing is kept");
		assert_int_equal(cancelled, 8);
	}
}

static void test_store_is_full(void **state)
{
	(void)state;
	store_error = -ENOSPC;
	loadmod("300001");
	expect_failed("there is no place for another module");
}

/* Whoever sends on is not taken for a person, and does not hold up the shell for ever. */
static void test_deaf_sender(void **state)
{
	uint64_t begin;

	(void)state;
	deaf = true;
	store_error = 0;
	begin = fake_tsc;
	file_len = 3000;
	loadmod("100");
	expect_shown("more came than its size");
	assert_true(cancelled > 8);
	assert_true(fake_tsc - begin < 40 * NSEC_PER_SEC);
	assert_int_equal(pages, 0);
}

static void test_nobody(void **state)
{
	uint64_t begin = fake_tsc;

	(void)state;
	loadmod_hears = silent;
	loadmod(NULL);
	expect_failed("nobody began at the other end; nothing is kept of 0 bytes");
	assert_true(fake_tsc - begin >= 120 * NSEC_PER_SEC &&
		    fake_tsc - begin < 125 * NSEC_PER_SEC);
}

static void test_given_up(void **state)
{
	(void)state;
	loadmod_hears = silent;
	to_line((const uint8_t[]){CTRLC, CTRLC}, 2);
	loadmod(NULL);
	expect_failed("given up; nothing is kept");
	setup(NULL);
	loadmod_hears = silent;
	to_line((const uint8_t[]){CAN, CAN, '\b', '\b'}, 4);
	loadmod(NULL);
	expect_failed("the other end gave up; nothing is kept");
}

static void test_empty_file(void **state)
{
	(void)state;
	file_len = 0;
	loadmod(NULL);
	expect_failed("the sender has nothing to send");
}

static void test_batch(void **state)
{
	(void)state;
	loadmod_hears = batch_sender;
	run("ymodem", NULL);
	expect_shown("Send the file by YMODEM within two minutes, with nothing else on the line: "
		     "sb -k FILE. Ctrl-C twice gives up.");
	expect_shown("\nmodule disk.img: 300001 bytes, CRC-32 ");
	expect_stored(300001);
}

static void test_batch_too_large(void **state)
{
	(void)state;
	loadmod_hears = batch_sender;
	file_len = (256u << 20) + 1;
	run("ymodem", NULL);
	expect_failed("more came than its size, or than 256 MiB; nothing is kept of 0 bytes");
	assert_int_equal(cancelled, 8);
}

/* `mux on`. */
static void test_in_a_channel(void **state)
{
	(void)state;
	loadmod_sink.framing = &loadmod_frames;
	loadmod_hears = batch_sender;
	run("ymodem", NULL);
	expect_shown(
		"in the folder of alcazar-mux: sb -k FILE < transfer > transfer. Ctrl-C gives");
	assert_true(loadmod_updates > 294);
	expect_stored(300001);
	assert_false(loadmod_pipe_is_open);
}

static void test_channel_given_up(void **state)
{
	(void)state;
	loadmod_sink.framing = &loadmod_frames;
	loadmod_cancels = true;
	run("ymodem", NULL);
	expect_failed("given up; nothing is kept of 0 bytes");
	assert_true(cancelled >= 8);
	assert_false(loadmod_pipe_is_open);
}

/* Frames end, as after `mux off` on the line. */
static void test_channel_ends(void **state)
{
	(void)state;
	loadmod_sink.framing = &loadmod_frames;
	loadmod_pipe.over = true;
	loadmod_hears = silent;
	run("ymodem", NULL);
	loadmod_pipe.over = false;
	expect_failed("the line's frames have ended");
	assert_false(loadmod_pipe_is_open);
}

static void test_no_line(void **state)
{
	(void)state;
	loadmod_no_line = true;
	run("ymodem", NULL);
	expect_failed("no serial line brought this command");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_good, setup),
		cmocka_unit_test_setup(test_padded, setup),
		cmocka_unit_test_setup(test_larger_than_said, setup),
		cmocka_unit_test_setup(test_smaller_than_said, setup),
		cmocka_unit_test_setup(test_no_memory, setup),
		cmocka_unit_test_setup(test_store_is_full, setup),
		cmocka_unit_test_setup(test_deaf_sender, setup),
		cmocka_unit_test_setup(test_nobody, setup),
		cmocka_unit_test_setup(test_given_up, setup),
		cmocka_unit_test_setup(test_empty_file, setup),
		cmocka_unit_test_setup(test_batch, setup),
		cmocka_unit_test_setup(test_batch_too_large, setup),
		cmocka_unit_test_setup(test_in_a_channel, setup),
		cmocka_unit_test_setup(test_channel_given_up, setup),
		cmocka_unit_test_setup(test_channel_ends, setup),
		cmocka_unit_test_setup(test_no_line, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
