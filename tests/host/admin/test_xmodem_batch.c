/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/xmodem.c */
/* The end of YMODEM that receives: what is told of a file, before it and behind it. */
#include "tests/host/admin/xmodem_world.h"

#include <errno.h>

static uint64_t told_size;
static int header_error;

static int header(void *opaque, uint64_t size)
{
	assert_ptr_equal(opaque, got);
	told_size = size;
	return header_error;
}

static int setup_batch(void **state)
{
	setup(state);
	x.header = header;
	told_size = 0;
	header_error = 0;
	xmodem_begin(&x);
	expect_said("C");
	return 0;
}

static int feed_name(const char *text, size_t len)
{
	uint8_t block[SENDER_BLOCK_MAX], padded[128] = {0};

	memcpy(padded, text, len);
	return feed(block, sender_block(block, 0, 128, padded, 128, true));
}

#define NAME          \
	"some.file\0" \
	"2000 14567 100644"

static void test_batch(void **state)
{
	(void)state;
	assert_int_equal(feed_name(NAME, sizeof(NAME)), XMODEM_MORE);
	assert_int_equal(told_size, 2000);
	expect_said(ACK "C");
	/* The sender has not heard it, and later not a block's. */
	assert_int_equal(feed_name(NAME, sizeof(NAME)), XMODEM_MORE);
	expect_said(ACK "C");
	assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
	expect_said("C");
	assert_int_equal(feed_block(1, 1024, 0), XMODEM_MORE);
	assert_int_equal(feed_block(1, 1024, 0), XMODEM_MORE);
	assert_int_equal(feed_block(2, 1024, 1024), XMODEM_MORE);
	expect_said(ACK ACK ACK);
	assert_int_equal(xmodem_byte(&x, EOT), XMODEM_MORE);
	assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
	expect_said(ACK "C");
	/* The same of the end. */
	assert_int_equal(xmodem_byte(&x, EOT), XMODEM_MORE);
	assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
	expect_said(ACK "C");
	assert_int_equal(feed_name("", 1), 0);
	expect_said(ACK);
	assert_int_equal(got_len, 2048);
	assert_memory_equal(got, file, 2048);
}

static void file_is_there(void)
{
	setup_batch(NULL);
	assert_int_equal(feed_name(NAME, sizeof(NAME)), XMODEM_MORE);
	assert_int_equal(feed_block(1, 1024, 0), XMODEM_MORE);
	assert_int_equal(feed_block(2, 1024, 1024), XMODEM_MORE);
	assert_int_equal(xmodem_byte(&x, EOT), XMODEM_MORE);
	assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
	expect_said(ACK "C" ACK ACK ACK "C");
}

/* Once the file is there, nothing takes it away. */
static void test_batch_ends(void **state)
{
	(void)state;
	file_is_there();
	assert_int_equal(feed_name(NAME, sizeof(NAME)), 0); /* another file */
	expect_said("\x18\x18\x18\x18\x18\x18\x18\x18");
	file_is_there();
	assert_int_equal(feed_text("\x18\x18"), XMODEM_MORE);
	assert_int_equal(xmodem_silence(&x), 0);
	file_is_there();
	assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
	assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
	assert_int_equal(xmodem_silence(&x), 0);
	expect_said("CC");
	assert_int_equal(got_len, 2048);
}

/* Whatever the sender says again and again, it comes to an end. */
static void test_batch_goes_round(void **state)
{
	unsigned n = 0;

	(void)state;
	file_is_there();
	for (; n < 2; n++) {
		assert_int_equal(xmodem_byte(&x, EOT), XMODEM_MORE);
		assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
		expect_said(ACK "C");
	}
	assert_int_equal(xmodem_byte(&x, EOT), XMODEM_MORE);
	assert_int_equal(xmodem_silence(&x), 0);
	expect_said(ACK);
	setup_batch(NULL);
	for (n = 0; feed_name(NAME, sizeof(NAME)) == XMODEM_MORE; n++) {
		assert_true(n < 100);
		said[0] = '\0';
	}
	setup_batch(NULL);
	for (n = 0; feed_text("\x04U") == XMODEM_MORE; n++)
		assert_true(n < 1000000);
}

static void test_batch_refused(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		int err;
	} names[] = {
		{"", 1, -ENODATA},
		{"no.size", 8, -EDOM},
		{"f\0 12", 6, -EDOM},
		{"f\0"
		 "0",
		 4, -EDOM},
		{"f\0"
		 "12",
		 4, -ENOSPC},
	};
	char longest[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setup_batch(NULL);
		header_error = -ENOSPC;
		assert_int_equal(feed_name(names[i].name, names[i].len), names[i].err);
	}
	setup_batch(NULL);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(feed_name(longest, sizeof(longest)), -EDOM);
	setup_batch(NULL);
	memset(longest + 1, '9', sizeof(longest) - 1);
	longest[1] = '\0';
	assert_int_equal(feed_name(longest, sizeof(longest)), XMODEM_MORE);
	assert_true(told_size > UINT64_MAX / 200);
	setup_batch(NULL);
	assert_int_equal(feed_block(1, 1024, 0), -EPROTO);
	setup_batch(NULL);
	assert_int_equal(xmodem_byte(&x, EOT), XMODEM_MORE);
	assert_int_equal(xmodem_silence(&x), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_batch, setup_batch),
		cmocka_unit_test(test_batch_ends),
		cmocka_unit_test(test_batch_goes_round),
		cmocka_unit_test(test_batch_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
