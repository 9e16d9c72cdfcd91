/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/transfer.c admin/xmodem.c admin/ymodem.c */
/* A file over a line, or over a pipe of one that is framed, with a peer that has our other end of
 * the protocol, or none. Time passes while we wait. */
#include "admin/transfer.h"

#include "admin/input.h"
#include "kernel/task.h"
#include "kernel/time.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE	5000u
#define CANCELS "\x18\x18\x18\x18\x18\x18\x18\x18"

uint64_t fake_tsc;
struct time_scale time_scale;

static struct console_sink line = {.name = "com1"};
static bool no_line, muted;
static char screen[1024];
static unsigned begun, ended; /* of progress */
static bool cancels;

/* The peer: one of the two protocols' ends, or neither. */
static struct xmodem taker;
static struct ymodem giver;
static uint64_t quiet_since;
static bool chatters;	  /* says something whenever it is listened to */
static uint8_t heard[64]; /* what a peer that has no end heard last */
static size_t heard_len, said_len;
static uint8_t said[8192]; /* that we have not taken */
static uint8_t file[SIZE], got[SIZE + 1024];
static size_t got_len;

static void peer_says(void *opaque, const uint8_t *s, size_t len)
{
	(void)opaque;
	assert_true(said_len + len <= sizeof(said));
	memcpy(said + said_len, s, len);
	said_len += len;
}

static void peer_hears(const uint8_t *s, size_t len)
{
	quiet_since = fake_tsc;
	for (size_t i = 0; taker.send && i < len; i++)
		(void)!xmodem_byte(&taker, s[i]);
	if (giver.send)
		(void)!ymodem_heard(&giver, s, len);
	for (size_t i = 0; i < len; i++)
		heard[heard_len++ % sizeof(heard)] = s[i];
}

/* What the peer says until then, and how long it thinks; ticks are nanoseconds. */
static void wait_until(uint64_t tsc)
{
	if (chatters)
		peer_says(NULL, (const uint8_t *)"U", 1);
	while (!said_len && fake_tsc < tsc) {
		uint64_t patience = xmodem_patience_ms(&taker) * NSEC_PER_MSEC;

		if (taker.send && quiet_since + patience < tsc) {
			fake_tsc = quiet_since = quiet_since + patience;
			(void)!xmodem_silence(&taker);
		} else {
			fake_tsc = tsc;
		}
	}
	fake_tsc += said_len ? NSEC_PER_MSEC : 0;
}

static size_t take(void *buf, size_t max)
{
	size_t n = said_len < max ? said_len : max;

	memcpy(buf, said, n);
	said_len -= n;
	memmove(said, said + n, said_len);
	return n;
}

const uint8_t *input_peek(size_t *len)
{
	*len = said_len;
	return said;
}

void input_taken(size_t n)
{
	uint8_t gone[sizeof(said)];

	assert_int_equal(take(gone, n), n);
}

void input_wait_ns(uint64_t ns)
{
	wait_until(fake_tsc + ns);
}

void task_sleep_until(uint64_t deadline)
{
	wait_until(deadline);
}

struct console_sink *console_input_sink(void)
{
	return no_line ? NULL : &line;
}

void console_set_framing(struct console_sink *sink, const struct console_framing *framing)
{
	assert_ptr_equal(sink, &line);
	assert_true(muted && !framing != !sink->framing);
	sink->framing = framing;
}

static void line_write(struct console_sink *sink, const char *s, size_t len)
{
	assert_ptr_equal(sink, &line);
	peer_hears((const uint8_t *)s, len);
}

void console_write_stream(struct console_sink *sink, unsigned stream, const char *s, size_t len)
{
	/* The log's, and the shell's, are none of the protocol's. */
	sink->framing->output(sink, CONSOLE_STREAM_LOG, "log", 3);
	sink->framing->output(sink, CONSOLE_STREAM_SHELL, "shell", 5);
	sink->framing->output(sink, stream, s, len);
}

void console_mute(bool mute)
{
	assert_true(muted != mute);
	muted = mute;
}

void console_input(struct console_sink *sink, const char *s, size_t len)
{
	(void)sink;
	peer_says(NULL, (const uint8_t *)s, len);
}

void console_pace(void)
{
	fail(); /* the line has no backlog */
}

void console_write(const char *s, size_t len)
{
	(void)s;
	(void)len;
}

void console_printf(const char *fmt, ...)
{
	size_t at = strlen(screen);
	va_list args;

	va_start(args, fmt);
	vsnprintf(screen + at, sizeof(screen) - at, fmt, args);
	va_end(args);
}

void progress_begin(struct progress *p, const char *what)
{
	(void)p;
	assert_non_null(what);
	begun++;
}

void progress_update(struct progress *p, uint64_t done, uint64_t total)
{
	(void)p;
	assert_true(!total || done <= total);
}

void progress_end(struct progress *p)
{
	(void)p;
	ended++;
}

bool progress_cancelled(void)
{
	return cancels;
}

/* A line that is framed. */

static struct console_pipe pipe;
static bool pipe_is_open, no_pipe;

static struct console_pipe *pipe_open(const char *name)
{
	assert_string_equal(name, "transfer");
	pipe_is_open = !no_pipe;
	return no_pipe ? NULL : &pipe;
}

static size_t pipe_read(struct console_pipe *of, char *buf, size_t max)
{
	assert_ptr_equal(of, &pipe);
	return take(buf, max);
}

static void pipe_write(struct console_pipe *of, const char *s, size_t len)
{
	assert_ptr_equal(of, &pipe);
	peer_hears((const uint8_t *)s, len);
}

static void pipe_close(struct console_pipe *of)
{
	assert_true(of == &pipe && pipe_is_open);
	pipe_is_open = false;
}

static const struct console_framing frames = {.pipe_open = pipe_open,
					      .pipe_read = pipe_read,
					      .pipe_write = pipe_write,
					      .pipe_close = pipe_close};

static int setup(void **state)
{
	(void)state;
	time_scale = (struct time_scale){
		.tsc_khz = 1000000, .ns_mult = UINT64_C(1) << 32, .tsc_mult = UINT64_C(1) << 32};
	for (size_t i = 0; i < SIZE; i++)
		file[i] = (uint8_t)(i * 2654435761u >> 13);
	taker = (struct xmodem){.send = NULL};
	giver = (struct ymodem){.send = NULL};
	line.framing = NULL;
	line.write = line_write;
	pipe = (struct console_pipe){.framing = &frames};
	no_line = muted = cancels = chatters = no_pipe = false;
	heard_len = said_len = got_len = 0;
	begun = ended = 0;
	screen[0] = '\0';
	return 0;
}

static int setup_framed(void **state)
{
	setup(state);
	line.framing = &frames;
	return 0;
}

static void get(void *opaque, uint64_t at, void *data, size_t len)
{
	(void)opaque;
	memcpy(data, file + at, len);
}

static int put(void *opaque, const uint8_t *data, size_t len)
{
	struct transfer *t = opaque;

	assert_true(got_len + len <= sizeof(got));
	memcpy(got + got_len, data, len);
	got_len += len;
	if (t)
		t->done = got_len < SIZE ? got_len : SIZE;
	return 0;
}

static int header(void *opaque, uint64_t size)
{
	(void)opaque;
	assert_int_equal(size, SIZE);
	return 0;
}

static const struct ymodem its = {.get = get, .name = "f", .size = SIZE};

static int send(struct transfer *t)
{
	struct ymodem y = its;
	int err;

	assert_int_equal(transfer_begin(t, "YMODEM", "rb", true), 0);
	err = transfer_send(t, &y);
	transfer_end(t);
	return err;
}

static int receive(struct transfer *t)
{
	struct xmodem x = {.put = put, .header = header, .opaque = t};
	int err;

	assert_int_equal(transfer_begin(t, "YMODEM", "sb -k FILE", false), 0);
	err = transfer_receive(t, &x);
	transfer_end(t);
	return err;
}

static void as_before(const struct console_framing *framing)
{
	assert_ptr_equal(line.framing, framing);
	assert_false(muted || pipe_is_open);
	assert_int_equal(begun, 1);
	assert_int_equal(ended, framing ? 1 : 0);
}

static void whole(const struct console_framing *framing)
{
	struct transfer t;

	taker = (struct xmodem){.put = put, .header = header, .send = peer_says};
	quiet_since = fake_tsc;
	xmodem_begin(&taker);
	assert_int_equal(send(&t), 0);
	assert_int_equal(t.done, SIZE);
	assert_int_equal(t.total, SIZE);
	assert_memory_equal(got, file, SIZE);
	assert_non_null(strstr(screen, "4 KiB in 0 s, "));
	as_before(framing);

	framing ? setup_framed(NULL) : setup(NULL);
	giver = its;
	giver.send = peer_says;
	assert_int_equal(receive(&t), 0);
	assert_memory_equal(got, file, SIZE);
	assert_int_equal(giver.done, SIZE);
	as_before(framing);
}

static void test_whole(void **state)
{
	(void)state;
	whole(NULL);
	setup_framed(NULL);
	whole(&frames);
	assert_non_null(strstr(screen, "sb -k FILE < transfer > transfer. Ctrl-C gives up."));
}

static void expect_cancels(unsigned times)
{
	assert_true(heard_len >= 8 * times);
	for (size_t i = heard_len - 8 * times; i < heard_len; i++)
		assert_int_equal(heard[i % sizeof(heard)], XMODEM_CAN);
}

/* Two minutes, and the peer is told. */
static void test_nobody(void **state)
{
	struct transfer t;
	uint64_t start = fake_tsc;

	(void)state;
	assert_int_equal(send(&t), -ETIMEDOUT);
	assert_in_range(fake_tsc - start, 120 * NSEC_PER_SEC, 125 * NSEC_PER_SEC);
	expect_cancels(1);
	as_before(NULL);
	setup(NULL);
	start = fake_tsc;
	assert_int_equal(receive(&t), -ETIMEDOUT);
	assert_in_range(fake_tsc - start, 110 * NSEC_PER_SEC, 125 * NSEC_PER_SEC);
	expect_cancels(1);
	assert_int_equal(t.done, 0);
	assert_null(strstr(screen, "KiB/s"));
}

/* Who never falls silent is given up on, and then listened to for so long and no longer. */
static void test_chatter(void **state)
{
	struct transfer t;
	uint64_t start = fake_tsc;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		i & 2 ? setup_framed(NULL) : setup(NULL);
		chatters = true;
		start = fake_tsc;
		assert_int_equal(i & 1 ? receive(&t) : send(&t), -EIO);
		assert_in_range(fake_tsc - start, 30 * NSEC_PER_SEC, 300 * NSEC_PER_SEC);
		expect_cancels(1);
		as_before(i & 2 ? &frames : NULL);
	}
}

/* What a peer that has given up says itself needs no answer. */
static void test_peer_gives_up(void **state)
{
	struct transfer t;

	(void)state;
	peer_says(NULL, (const uint8_t *)CANCELS, 8);
	assert_int_equal(send(&t), -ECONNABORTED);
	assert_int_equal(heard_len, 0);
	setup(NULL);
	peer_says(NULL, (const uint8_t *)"\x03\x03", 2);
	assert_int_equal(send(&t), -ECANCELED);
	expect_cancels(1);
	setup(NULL);
	peer_says(NULL, (const uint8_t *)CANCELS, 8);
	assert_int_equal(receive(&t), -ECONNABORTED);
	assert_int_equal(heard_len, 1); /* the call for the file */
}

static void test_pipe_ends(void **state)
{
	struct transfer t;

	(void)state;
	pipe.over = true;
	assert_int_equal(send(&t), -ENOTCONN);
	assert_int_equal(heard_len, 0);
	as_before(&frames);
	setup_framed(NULL);
	cancels = true;
	assert_int_equal(receive(&t), -ECANCELED);
	expect_cancels(1);
	as_before(&frames);
}

static void test_refused(void **state)
{
	static const int results[] = {-ENODEV,	 -EBUSY, -ECANCELED, -ETIMEDOUT, -ECONNABORTED,
				      -ENOTCONN, -EIO,	 -EPROTO,    -ENODATA,	 -EDOM};
	struct transfer t;

	(void)state;
	no_line = true;
	assert_int_equal(transfer_begin(&t, "YMODEM", "rb", true), -ENODEV);
	no_line = false;
	no_pipe = true;
	assert_int_equal(transfer_begin(&t, "YMODEM", "rb", true), -EBUSY);
	assert_string_equal(screen, "");
	for (size_t i = 0; i < ARRAY_SIZE(results); i++)
		assert_non_null(transfer_why(results[i]));
	assert_null(transfer_why(-ENOMEM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_whole, setup),
		cmocka_unit_test_setup(test_nobody, setup),
		cmocka_unit_test_setup(test_chatter, setup),
		cmocka_unit_test_setup(test_peer_gives_up, setup),
		cmocka_unit_test_setup(test_pipe_ends, setup_framed),
		cmocka_unit_test_setup(test_refused, setup_framed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
