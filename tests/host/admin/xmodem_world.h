/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of XMODEM and YMODEM that receives, fed by hand: what it says, and what it has got. */
#ifndef TESTS_HOST_ADMIN_XMODEM_WORLD_H
#define TESTS_HOST_ADMIN_XMODEM_WORLD_H

#include "admin/xmodem.h"
#include "tests/host/admin/xmodem_sender.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct xmodem x;
static char said[256];
static uint8_t file[1 << 17], got[1 << 20];
static size_t got_len;
static int put_error;

static inline void say(void *opaque, const uint8_t *s, size_t len)
{
	size_t at = strlen(said);

	assert_ptr_equal(opaque, said);
	assert_true(at + len < sizeof(said));
	memcpy(said + at, s, len);
	said[at + len] = '\0';
}

static inline int put(void *opaque, const uint8_t *data, size_t len)
{
	assert_ptr_equal(opaque, got);
	assert_true(len == 128 || len == 1024);
	assert_true(got_len + len <= sizeof(got));
	memcpy(got + got_len, data, len);
	got_len += len;
	return put_error;
}

/* What was said since the last call. */
static inline void expect_said(const char *wanted)
{
	assert_string_equal(said, wanted);
	said[0] = '\0';
}

static inline int setup(void **state)
{
	(void)state;
	x = (struct xmodem){.put = put, .send = say, .opaque = got, .line = said};
	said[0] = '\0';
	got_len = 0;
	put_error = 0;
	srand(1);
	for (size_t i = 0; i < sizeof(file); i++)
		file[i] = (uint8_t)rand();
	xmodem_begin(&x);
	expect_said("C");
	return 0;
}

static inline int feed(const uint8_t *data, size_t len)
{
	int err = XMODEM_MORE;

	for (size_t i = 0; i < len; i++) {
		assert_int_equal(err, XMODEM_MORE);
		err = xmodem_byte(&x, data[i]);
	}
	return err;
}

static inline int feed_block(uint8_t number, size_t size, size_t at)
{
	uint8_t block[SENDER_BLOCK_MAX];

	return feed(block, sender_block(block, number, size, file + at, size, x.crc));
}

static inline int feed_text(const char *text)
{
	return feed((const uint8_t *)text, strlen(text));
}

#endif
