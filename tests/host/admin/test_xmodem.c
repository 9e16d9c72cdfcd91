/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/xmodem.c */
/* The end of XMODEM that receives, byte by byte and silence by silence. */
#include "admin/xmodem.h"
#include "tests/host/admin/xmodem_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static unsigned asked_again;

static void expect_end(void)
{
	assert_int_equal(xmodem_byte(&x, EOT), XMODEM_MORE);
	expect_said("");
	assert_int_equal(xmodem_patience_ms(&x), 500);
	assert_int_equal(xmodem_silence(&x), 0);
	expect_said(ACK);
}

static void test_check_value(void **state)
{
	(void)state;
	assert_int_equal(sender_crc((const uint8_t *)"123456789", 9), 0x31c3);
}

/* 300 blocks of both sizes: numbers begin again at 0. */
static void test_good(void **state)
{
	(void)state;
	for (unsigned n = 1, at = 0; n <= 300; n++) {
		size_t size = n % 7 ? 128 : 1024;

		assert_int_equal(feed_block((uint8_t)n, size, at), XMODEM_MORE);
		expect_said(ACK);
		at += size;
	}
	expect_end();
	assert_int_equal(got_len, 258 * 128 + 42 * 1024);
	assert_memory_equal(got, file, got_len);
}

static void test_only_long_ones(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 64; n++)
		assert_int_equal(feed_block((uint8_t)n, 1024, (n - 1) * 1024), XMODEM_MORE);
	assert_int_equal(strlen(said), 64);
	said[0] = '\0';
	expect_end();
	assert_int_equal(got_len, 64 * 1024);
	assert_memory_equal(got, file, 64 * 1024);
}

/* Who does not know 'C' is asked for a checksum, in time. */
static void test_checksum(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(xmodem_patience_ms(&x), 3000);
		assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
	}
	expect_said("CCCCCCCCCCCCCCCCCCC" NAK);
	assert_false(x.crc);
	assert_int_equal(feed_block(1, 128, 0), XMODEM_MORE);
	assert_int_equal(feed_block(2, 1024, 128), XMODEM_MORE);
	expect_said(ACK ACK);
	expect_end();
	assert_memory_equal(got, file, 1152);
}

/* A sender that heard an earlier 'C' sends CRCs when a checksum is asked for. */
static void test_ways_cross(void **state)
{
	uint8_t block[SENDER_BLOCK_MAX];
	size_t len = sender_block(block, 1, 128, file, 128, true);

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
	said[0] = '\0';
	assert_int_equal(feed(block, len), XMODEM_MORE);
	expect_said("");
	assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
	expect_said("C");
	assert_int_equal(feed(block, len), XMODEM_MORE);
	expect_said(ACK);
}

/* Any byte of a block broken, or lost: it is asked for again, and nothing of it is kept. */
static void test_each_byte_broken(void **state)
{
	uint8_t block[SENDER_BLOCK_MAX];
	size_t len = sender_block(block, 2, 128, file + 128, 128, true);

	(void)state;
	for (size_t i = 0; i < 2 * len; i++) {
		setup(NULL);
		assert_int_equal(feed_block(1, 128, 0), XMODEM_MORE);
		expect_said(ACK);
		for (size_t at = 0; at < len; at++) {
			if (i != len + at)
				assert_int_equal(xmodem_byte(&x, block[at] ^ (i == at ? 0x55 : 0)),
						 XMODEM_MORE);
		}
		expect_said("");
		assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
		expect_said(NAK);
		assert_int_equal(got_len, 128);
		assert_int_equal(feed(block, len), XMODEM_MORE);
		expect_said(ACK);
		expect_end();
		assert_int_equal(got_len, 256);
		assert_memory_equal(got, file, 256);
	}
}

/* A first byte that was turned into an end is no end: the block's rest follows. */
static void test_no_end(void **state)
{
	uint8_t block[SENDER_BLOCK_MAX];
	size_t len = sender_block(block, 2, 1024, file + 128, 1024, true);

	(void)state;
	assert_int_equal(feed_block(1, 128, 0), XMODEM_MORE);
	block[0] = EOT;
	assert_int_equal(feed(block, len), XMODEM_MORE);
	assert_int_equal(xmodem_patience_ms(&x), 1000);
	assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
	expect_said(ACK NAK);
}

static void test_repeated(void **state)
{
	(void)state;
	assert_int_equal(feed_block(1, 128, 0), XMODEM_MORE);
	assert_int_equal(feed_block(1, 128, 0), XMODEM_MORE);
	assert_int_equal(feed_block(2, 1024, 128), XMODEM_MORE);
	expect_said(ACK ACK ACK);
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(feed_block(2, 1024, 128), XMODEM_MORE);
	assert_int_equal(feed_block(2, 1024, 128), -EIO);
	assert_int_equal(got_len, 1152);
}

static void test_out_of_turn(void **state)
{
	static const uint8_t wrong[] = {0, 1, 4, 255};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong); i++) {
		setup(NULL);
		assert_int_equal(feed_block(1, 128, 0), XMODEM_MORE);
		assert_int_equal(feed_block(2, 128, 128), XMODEM_MORE);
		expect_said(ACK ACK);
		assert_int_equal(feed_block(wrong[i], 128, 0), -EPROTO);
		expect_said("");
	}
	/* YMODEM's begins with 0. */
	setup(NULL);
	assert_int_equal(feed_block(0, 128, 0), -EPROTO);
	xmodem_cancel(&x);
	expect_said("\x18\x18\x18\x18\x18\x18\x18\x18");
}

static void test_nobody_begins(void **state)
{
	unsigned ms = 0, asked = 1;
	int err;

	(void)state;
	for (;; asked++) {
		ms += xmodem_patience_ms(&x);
		err = xmodem_silence(&x);
		if (err != XMODEM_MORE)
			break;
	}
	assert_int_equal(err, -ETIMEDOUT);
	assert_int_equal(asked, 40);
	assert_int_equal(ms, 120000);
}

/* The sender falls silent between blocks, inside one, and wakes up again now and then. */
static void test_silence(void **state)
{
	(void)state;
	assert_int_equal(feed_block(1, 128, 0), XMODEM_MORE);
	for (unsigned i = 0; i < 9; i++) {
		assert_int_equal(xmodem_patience_ms(&x), 10000);
		assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
	}
	expect_said(ACK NAK NAK NAK NAK NAK NAK NAK NAK NAK);
	assert_int_equal(feed_block(2, 128, 128), XMODEM_MORE);
	for (unsigned i = 0; i < 9; i++) {
		assert_int_equal(feed_text("\x01"), XMODEM_MORE);
		assert_int_equal(xmodem_patience_ms(&x), 1000);
		assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
	}
	assert_int_equal(xmodem_silence(&x), -EIO);
}

static void test_given_up(void **state)
{
	(void)state;
	/* By the sender, with backspaces for its terminal; inside a block as well. */
	assert_int_equal(feed_text("\x18\x18\b\b"), XMODEM_MORE);
	assert_int_equal(xmodem_silence(&x), -ECONNABORTED);
	setup(NULL);
	assert_int_equal(feed_text("\x01\x01\xfe"
				   "abc\x18\x18\x18\x18\x18\b\b\b\b\b"),
			 XMODEM_MORE);
	assert_int_equal(xmodem_silence(&x), -ECONNABORTED);
	/* By the person. */
	setup(NULL);
	assert_int_equal(feed_text("\x03\x03"), XMODEM_MORE);
	assert_int_equal(xmodem_silence(&x), -ECANCELED);
	setup(NULL);
	assert_int_equal(feed_text("\x02 data \x03\x03\x03"), XMODEM_MORE);
	assert_int_equal(xmodem_silence(&x), -ECANCELED);
}

/* One alone is noise, and in a block it is data. */
static void test_not_given_up(void **state)
{
	static const char *const noise[] = {"\x18",	  "\x03",   "\x03\x18", "\x18\x18x",
					    "\x03\b\x03", "\x18\b", "\x04\x03"};

	(void)state;
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		assert_int_equal(feed_text(noise[i]), XMODEM_MORE);
		assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
	}
	said[0] = '\0';
	memset(file, CTRLC, 128);
	memset(file + 128, CAN, 128);
	assert_int_equal(feed_block(1, 128, 0), XMODEM_MORE);
	assert_int_equal(feed_block(2, 128, 128), XMODEM_MORE);
	expect_said(ACK ACK);
	assert_int_equal(xmodem_silence(&x), XMODEM_MORE);
	expect_said(NAK);
	expect_end();
}

static void test_nothing_to_send(void **state)
{
	(void)state;
	assert_int_equal(xmodem_byte(&x, EOT), XMODEM_MORE);
	assert_int_equal(xmodem_silence(&x), -ENODATA);
	expect_said(ACK);
}

/* What never is silent, and what is no sender, ends as well. */
static void test_noise(void **state)
{
	unsigned bytes = 0;

	(void)state;
	while (xmodem_byte(&x, 'U') == XMODEM_MORE)
		assert_true(++bytes <= 40 * 4096);
	assert_int_equal(bytes, 40 * 4096);
	setup(NULL);
	assert_int_equal(feed_block(1, 128, 0), XMODEM_MORE);
	for (bytes = 0; xmodem_byte(&x, 'U') == XMODEM_MORE; bytes++)
		assert_true(bytes <= 10 * 4096);
	expect_said(ACK);
}

static void test_no_space(void **state)
{
	(void)state;
	assert_int_equal(feed_block(1, 128, 0), XMODEM_MORE);
	put_error = -EFBIG;
	assert_int_equal(feed_block(2, 128, 128), -EFBIG);
	expect_said(ACK);
}

/* A sender on a line that breaks, loses and adds bytes, both ways. */

struct sender {
	size_t at, len; /* of `file` */
	size_t size;	/* of the block that is under way */
	uint8_t number;
	bool crc, begun, over;
};

static bool rarely(void)
{
	return rand() % 6000 == 0;
}

/* To the receiver. */
static int send_badly(const uint8_t *data, size_t len)
{
	int err = XMODEM_MORE;

	for (size_t i = 0; i < len && err == XMODEM_MORE; i++) {
		uint8_t byte = rarely() ? (uint8_t)rand() : data[i];

		if (rarely())
			err = xmodem_byte(&x, (uint8_t)rand());
		if (err == XMODEM_MORE && !rarely())
			err = xmodem_byte(&x, byte);
	}
	return err;
}

static int send_next(struct sender *s)
{
	uint8_t block[SENDER_BLOCK_MAX];
	size_t left = s->len - s->at, n;

	if (!left)
		return send_badly((const uint8_t[]){EOT}, 1);
	s->size = left < 1024 ? 128 : 1024;
	n = left < s->size ? left : s->size;
	return send_badly(block, sender_block(block, s->number, s->size, file + s->at, n, s->crc));
}

static int heard(struct sender *s, char byte)
{
	if (!s->begun) {
		s->begun = byte == 'C' || byte == *NAK;
		s->crc = byte == 'C';
		return s->begun ? send_next(s) : XMODEM_MORE;
	}
	if (byte == *ACK) {
		s->over = s->at == s->len;
		s->at += s->len - s->at < s->size ? s->len - s->at : s->size;
		s->number++;
		return s->over ? XMODEM_MORE : send_next(s);
	}
	if (byte != *NAK && byte != 'C')
		return XMODEM_MORE;
	asked_again++;
	return send_next(s);
}

/* 0 when both ends think that it went well. */
static int transfer(struct sender *s)
{
	int err = XMODEM_MORE;

	while (err == XMODEM_MORE) {
		char byte = said[0];

		memmove(said, said + 1, sizeof(said) - 1);
		if (byte && !rarely())
			err = heard(s, byte);
		else if (!byte)
			err = xmodem_silence(&x);
	}
	return err;
}

/* Whatever happens on the line: what arrives is the file, or an error. */
static void test_bad_lines(void **state)
{
	unsigned good = 0;

	(void)state;
	for (unsigned seed = 1; seed <= 300; seed++) {
		struct sender s = {.number = 1};
		int err;

		setup(NULL);
		say(said, (const uint8_t *)"C", 1);
		srand(seed);
		s.len = 1 + (size_t)rand() % 20000;
		err = transfer(&s);
		if (err)
			continue;
		good++;
		assert_true(got_len >= s.len && got_len < s.len + 1024);
		assert_memory_equal(got, file, s.len);
	}
	assert_true(good > 200);
	assert_true(asked_again > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_check_value, setup),
		cmocka_unit_test_setup(test_good, setup),
		cmocka_unit_test_setup(test_only_long_ones, setup),
		cmocka_unit_test_setup(test_checksum, setup),
		cmocka_unit_test_setup(test_ways_cross, setup),
		cmocka_unit_test_setup(test_each_byte_broken, setup),
		cmocka_unit_test_setup(test_no_end, setup),
		cmocka_unit_test_setup(test_repeated, setup),
		cmocka_unit_test_setup(test_out_of_turn, setup),
		cmocka_unit_test_setup(test_nobody_begins, setup),
		cmocka_unit_test_setup(test_silence, setup),
		cmocka_unit_test_setup(test_given_up, setup),
		cmocka_unit_test_setup(test_not_given_up, setup),
		cmocka_unit_test_setup(test_nothing_to_send, setup),
		cmocka_unit_test_setup(test_noise, setup),
		cmocka_unit_test_setup(test_no_space, setup),
		cmocka_unit_test_setup(test_bad_lines, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
