/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/ymodem.c admin/xmodem.c */
/* The end of YMODEM that sends, alone and with the one that receives, over good lines and bad. */
#include "admin/ymodem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ACK "\x06"
#define NAK "\x15"

static struct ymodem y;
static uint8_t file[100000], sent[1 << 12];
static size_t sent_len;

static void get(void *opaque, uint64_t at, void *data, size_t len)
{
	assert_ptr_equal(opaque, file);
	assert_true(at + len <= y.size);
	memcpy(data, file + at, len);
}

static void keep(void *opaque, const uint8_t *s, size_t len)
{
	(void)opaque;
	assert_true(sent_len + len <= sizeof(sent));
	memcpy(sent + sent_len, s, len);
	sent_len += len;
}

static int setup(void **state)
{
	(void)state;
	srand(2);
	for (size_t i = 0; i < sizeof(file); i++)
		file[i] = (uint8_t)rand();
	y = (struct ymodem){
		.get = get, .send = keep, .opaque = file, .name = "a.ckpt", .size = 1500};
	sent_len = 0;
	return 0;
}

static int hear(const char *text)
{
	sent_len = 0;
	return ymodem_heard(&y, (const uint8_t *)text, strlen(text));
}

/* A block of @size with @number went, and nothing else. */
static void expect_block(uint8_t number, size_t size, const void *data, size_t len)
{
	assert_int_equal(sent_len, 3 + size + 2);
	assert_int_equal(sent[0], size == 128 ? XMODEM_SOH : XMODEM_STX);
	assert_int_equal(sent[1], number);
	assert_int_equal(sent[2], (uint8_t)~number);
	assert_memory_equal(sent + 3, data, len);
	assert_int_equal(xmodem_crc(sent + 3, size + 2), 0);
}

static const char name[] = "a.ckpt\0"
			   "1500 0 0";

static void to_data(void)
{
	assert_int_equal(hear("CCC"), XMODEM_MORE);
	expect_block(0, 128, name, sizeof(name));
	assert_int_equal(hear(ACK "C"), XMODEM_MORE);
	expect_block(1, 1024, file, 1024);
}

static void to_last(void)
{
	assert_int_equal(hear(ACK), XMODEM_MORE);
	expect_block(2, 1024, file + 1024, 476);
	assert_int_equal(sent[3 + 476], XMODEM_PAD);
	assert_int_equal(hear(ACK), XMODEM_MORE);
	assert_int_equal(sent_len, 1);
	assert_int_equal(sent[0], XMODEM_EOT);
}

static void test_good(void **state)
{
	(void)state;
	to_data();
	to_last();
	assert_int_equal(hear(ACK), XMODEM_MORE);
	assert_int_equal(sent_len, 0);
	assert_int_equal(hear("C"), XMODEM_MORE);
	expect_block(0, 128, "", 1);
	assert_int_equal(y.done, 1500);
	assert_int_equal(hear(ACK), 0);
}

/* Each packet is refused once; answers that come twice mean one. */
static void test_again(void **state)
{
	(void)state;
	assert_int_equal(hear("C"), XMODEM_MORE);
	assert_int_equal(hear(NAK), XMODEM_MORE);
	expect_block(0, 128, name, sizeof(name));
	assert_int_equal(hear("C"), XMODEM_MORE);
	expect_block(0, 128, name, sizeof(name));
	assert_int_equal(hear(ACK), XMODEM_MORE);
	assert_int_equal(sent_len, 0);
	assert_int_equal(hear(ACK "C"), XMODEM_MORE); /* of the other one */
	expect_block(1, 1024, file, 1024);
	assert_int_equal(hear(NAK ACK), XMODEM_MORE);
	expect_block(1, 1024, file, 1024);
	assert_int_equal(hear(ACK ACK ACK), XMODEM_MORE);
	expect_block(2, 1024, file + 1024, 476);
	assert_int_equal(hear("C"), XMODEM_MORE);
	assert_int_equal(sent_len, 0);
	assert_int_equal(hear(ACK), XMODEM_MORE);
	assert_int_equal(hear(NAK), XMODEM_MORE);
	assert_int_equal(sent[0], XMODEM_EOT);
	assert_int_equal(hear("C"), XMODEM_MORE); /* its ACK was lost */
	expect_block(0, 128, "", 1);
	assert_int_equal(hear(NAK), XMODEM_MORE);
	expect_block(0, 128, "", 1);
	assert_int_equal(hear(ACK), 0);
}

static int silences(int limit)
{
	int n = 0, err;

	do
		err = ymodem_silence(&y);
	while (++n < limit && err == XMODEM_MORE);
	assert_int_equal(n, limit);
	return err;
}

static void test_ends(void **state)
{
	(void)state;
	assert_int_equal(silences(12), -ETIMEDOUT);
	setup(NULL);
	to_data();
	assert_int_equal(silences(6), -EIO);
	setup(NULL);
	to_data();
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(hear(NAK), XMODEM_MORE);
	assert_int_equal(hear(NAK), -EIO);
	setup(NULL);
	to_data();
	assert_int_equal(hear("\x18"), XMODEM_MORE);
	assert_int_equal(hear("\x18"), -ECONNABORTED);
	setup(NULL);
	assert_int_equal(hear("\x03\x18"), XMODEM_MORE);
	assert_int_equal(hear("\x03\x03"), -ECANCELED);
	/* All of it has arrived: no matter what the other end says then. */
	setup(NULL);
	to_data();
	to_last();
	assert_int_equal(hear(ACK), XMODEM_MORE);
	assert_int_equal(silences(1), 0);
	setup(NULL);
	to_data();
	to_last();
	assert_int_equal(hear(ACK "\x18\x18"), 0);
}

/* Noise ends as well. */
static void test_noise(void **state)
{
	unsigned n = 0;

	(void)state;
	to_data();
	while (hear("U") == XMODEM_MORE)
		assert_true(++n < 10000);
	/* Whatever it is made of, and wherever it begins. */
	for (unsigned begin = 0; begin < 4; begin++) {
		for (const char *c = "CC UU C\x15 \x18\x03 C\x18 \x06U"; *c; c += 2) {
			setup(NULL);
			if (begin > 0)
				to_data();
			if (begin > 1)
				assert_int_equal(hear(ACK), XMODEM_MORE);
			if (begin > 2)
				assert_int_equal(hear(ACK), XMODEM_MORE);
			for (n = 0; hear((char[]){c[n % 2], '\0'}) == XMODEM_MORE; n++)
				assert_true(n < 10000);
			c += c[2] == ' ';
		}
	}
}

/* Both ends, and a line that breaks and loses bytes each way. */

static struct xmodem x;
static uint8_t to_x[4096], to_y[4096], got[sizeof(file) + 1024];
static size_t x_len, y_len, got_len, told;
static unsigned worse; /* one byte of so many is broken, and one lost */

static size_t travel(uint8_t *to, size_t at, const uint8_t *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		assert_true(at < sizeof(to_x));
		if (worse && !((unsigned)rand() % worse))
			continue;
		to[at++] = worse && !((unsigned)rand() % worse) ? (uint8_t)rand() : s[i];
	}
	return at;
}

static void y_says(void *opaque, const uint8_t *s, size_t len)
{
	(void)opaque;
	x_len = travel(to_x, x_len, s, len);
}

static void x_says(void *opaque, const uint8_t *s, size_t len)
{
	(void)opaque;
	y_len = travel(to_y, y_len, s, len);
}

static int put(void *opaque, const uint8_t *data, size_t len)
{
	(void)opaque;
	assert_true(got_len + len <= sizeof(got));
	memcpy(got + got_len, data, len);
	got_len += len;
	return 0;
}

static int header(void *opaque, uint64_t size)
{
	(void)opaque;
	told = size;
	return 0;
}

static int x_hears(void)
{
	int err = XMODEM_MORE;

	for (size_t i = 0; i < x_len && err == XMODEM_MORE; i++)
		err = xmodem_byte(&x, to_x[i]);
	x_len = 0;
	return err;
}

/* Whoever ends tells the other one. */
static void transfer(int *x_err, int *y_err)
{
	*x_err = *y_err = XMODEM_MORE;
	xmodem_begin(&x);
	while (*x_err == XMODEM_MORE || *y_err == XMODEM_MORE) {
		bool quiet = !y_len;

		if (y_len && *y_err == XMODEM_MORE)
			*y_err = ymodem_heard(&y, to_y, y_len);
		y_len = 0;
		if (*y_err == XMODEM_MORE && quiet && *x_err != XMODEM_MORE)
			*y_err = ymodem_silence(&y);
		if (*x_err != XMODEM_MORE)
			x_len = 0;
		else if (x_len)
			*x_err = x_hears();
		else
			*x_err = xmodem_silence(&x);
		x_len = *x_err == XMODEM_MORE ? x_len : 0;
	}
}

static void test_both(void **state)
{
	unsigned good = 0;
	int x_err, y_err;

	(void)state;
	for (unsigned seed = 0; seed < 200; seed++) {
		setup(NULL);
		srand(seed);
		worse = seed ? 5000 : 0;
		y.send = y_says;
		y.size = 1 + (size_t)rand() % (sizeof(file) - 1);
		x = (struct xmodem){.put = put, .header = header, .send = x_says};
		x_len = y_len = got_len = told = 0;
		transfer(&x_err, &y_err);
		if (!seed)
			assert_true(!x_err && !y_err);
		/* Who sends knows it only when it has arrived. */
		assert_true(y_err || !x_err || x_err == -EIO);
		if (x_err)
			continue;
		good++;
		assert_true(got_len >= told && got_len < told + 1024);
		if (told == y.size)
			assert_memory_equal(got, file, y.size);
	}
	assert_true(good > 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_good, setup), cmocka_unit_test_setup(test_again, setup),
		cmocka_unit_test_setup(test_ends, setup), cmocka_unit_test_setup(test_noise, setup),
		cmocka_unit_test_setup(test_both, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
