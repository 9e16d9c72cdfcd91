/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/mux/mux.c admin/mux/mux_input.c admin/mux/mux_console.c */
/* test-sources: admin/mux/mux_frame.c admin/mux/mux_pipe.c lib/cobs.c lib/crc32c.c */
/* test-sources: lib/ring.c vmm/vm_console.c */
/* test-sources: tests/host/admin/mux_world.c tests/host/vmm/fake.c */
/* One line with many streams, against docs/mux.md's other end. */
#include "tests/host/admin/mux_world.h"

#include "tests/host/vmm/fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	(void)state;
	world_reset();
	assert_int_equal(mux_start(&world_line), 0);
	return 0;
}

static enum mux_event decode_all(const uint8_t *data, size_t len, struct mux_frame *frame)
{
	static struct mux_decoder decoder;
	enum mux_event last = MUX_NOTHING;

	memset(&decoder, 0, sizeof(decoder));
	for (size_t i = 0; i < len; i++) {
		enum mux_event event = mux_frame_decode(&decoder, data[i], frame);

		if (event != MUX_NOTHING)
			last = event;
	}
	return last;
}

/* docs/mux.md's example. */
static void test_bytes(void **state)
{
	static const uint8_t expected[] = {0,	 0x01, 0x01, 0x01, 0x08, 'l', 's',
					   '\r', 0x55, 0xad, 0x12, 0xe3, 0};
	uint8_t wire[MUX_WIRE_MAX];

	(void)state;
	assert_int_equal(mux_frame_encode(wire, 0, 0, "ls\r", 3), 13);
	assert_memory_equal(wire, expected, sizeof(expected));
}

/* All lengths there and back; no changed, lost or added byte makes another frame. */
static void test_frames(void **state)
{
	uint8_t data[MUX_PAYLOAD_MAX], wire[MUX_WIRE_MAX + 1];
	struct mux_frame frame = {0};

	(void)state;
	for (size_t len = 0; len <= sizeof(data); len++) {
		size_t n, at = (size_t)rand() % 4;

		for (size_t i = 0; i < len; i++)
			data[i] = (uint8_t)(rand() % 3 ? rand() : 0);
		n = mux_frame_encode(wire, (uint8_t)len, (uint16_t)(len * 777), data, len);
		assert_null(memchr(wire + 1, 0, n - 2));
		assert_int_equal(decode_all(wire, n, &frame), MUX_FRAME);
		assert_int_equal(frame.channel, (uint8_t)len);
		assert_int_equal(frame.pos, (uint16_t)(len * 777));
		assert_int_equal(frame.len, len);
		assert_memory_equal(frame.data, data, len);
		at += 1 + (size_t)rand() % (n - 6);
		wire[at] ^= (uint8_t)(1 << rand() % 8);
		assert_int_not_equal(decode_all(wire, n, &frame), MUX_FRAME);
	}
}

static void test_no_frames(void **state)
{
	uint8_t wire[600] = {0};
	struct mux_frame frame;

	(void)state;
	assert_int_equal(decode_all(wire, 9, &frame), MUX_NOTHING);
	assert_int_equal(decode_all((const uint8_t *)"\0\x03"
						     "ab",
				    5, &frame),
			 MUX_TOO_SHORT);
	assert_int_equal(decode_all((const uint8_t *)"\0\x09"
						     "ab",
				    5, &frame),
			 MUX_BAD_COBS);
	memset(wire + 1, 'x', 500);
	assert_int_equal(decode_all(wire, sizeof(wire), &frame), MUX_TOO_LONG);
	/* Four zeroes, the words, a line's end; nothing less. */
	assert_int_equal(decode_all((const uint8_t *)"\0\0\0\0mux on\r", 11, &frame), MUX_SAID_ON);
	assert_int_equal(decode_all((const uint8_t *)"x\0\0\0\0mux off\n", 13, &frame),
			 MUX_SAID_OFF);
	assert_int_equal(decode_all((const uint8_t *)"\0\0\0mux on\r", 10, &frame), MUX_NOTHING);
	assert_int_equal(decode_all((const uint8_t *)"\0\0\0\0mux o\r", 10, &frame), MUX_NOTHING);
}

static void test_begins_and_ends(void **state)
{
	(void)state;
	assert_int_equal(world_end.hellos, 1);
	assert_true(world_end.open[0] && world_end.open[1]);
	assert_int_equal(world_end.credit[0], MUX_SHELL_WINDOW);
	world_line.framing->output(&world_line, CONSOLE_STREAM_SHELL, "alcazar> ", 9);
	world_line.framing->output(&world_line, CONSOLE_STREAM_LOG, "a line\n", 7);
	assert_string_equal(world_end.said[0], "alcazar> ");
	assert_string_equal(world_end.said[1], "a line\n");
	world_frame(0, 0, "list\r", 5);
	assert_memory_equal(world_typed, "list\r", 5);
	world_frame(MUX_CONTROL, 0, &(uint8_t){MUX_OFF}, 1);
	assert_null(world_line.framing);
	assert_int_equal(world_end.byes, 1);
	assert_null(mux->sink);
	/* And in clear text. */
	assert_int_equal(mux_start(&world_line), 0);
	world_send("\0\0\0\0mux on\r", 11);
	assert_int_equal(world_end.hellos, 3);
	world_send("\0\0\0\0mux off\r", 12);
	assert_null(world_line.framing);
}

static void test_more_than_a_frame(void **state)
{
	char text[3 * MUX_PAYLOAD_MAX + 7];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	world_line.framing->output(&world_line, CONSOLE_STREAM_LOG, text, sizeof(text));
	assert_int_equal(world_end.len[1], sizeof(text));
	assert_memory_equal(world_end.said[1], text, sizeof(text));
}

static void test_consoles_come_and_go(void **state)
{
	uint8_t a, b;

	(void)state;
	world_start(0);
	world_says(0, "from a", 6);
	world_start(1);
	world_run();
	a = world_end.vm_channel[0];
	b = world_end.vm_channel[1];
	assert_true(world_end.open[a] && world_end.open[b] && a != b);
	/* Only what was allowed. */
	assert_int_equal(world_end.len[a], 0);
	world_credit(a, 4);
	assert_string_equal(world_end.said[a], "from");
	world_credit(b, 1000);
	world_frame(b, 0, "to b", 4);
	assert_memory_equal(world_guest[1], "to b", 4);
	/* All that it said comes before its end. */
	world_says(0, "!", 1);
	world_stop(0);
	world_run();
	assert_true(world_end.open[a]);
	world_credit(a, 100);
	assert_string_equal(world_end.said[a], "from a!");
	world_run();
	assert_false(world_end.open[a]);
	/* What was on its way reaches nobody. */
	world_start(0);
	world_run();
	assert_int_not_equal(world_end.vm_channel[0], a);
	world_frame(a, 0, "late", 4);
	assert_int_equal(world_guest_len[0], 0);
	assert_int_equal(world_end.errors[MUX_ERROR_CHANNEL], 1);
}

static void test_one_that_takes_nothing(void **state)
{
	static const char text[MUX_PAYLOAD_MAX] = "text";
	uint8_t a;
	uint16_t pos = 0;

	(void)state;
	world_start(0);
	world_start(1);
	world_guest_takes[0] = 0;
	world_run();
	a = world_end.vm_channel[0];
	assert_int_equal(world_end.credit[a], MUX_WINDOW);
	for (; pos < MUX_WINDOW; pos = (uint16_t)(pos + 128))
		world_frame(a, pos, text, 128);
	assert_int_equal(world_end.credit[a], MUX_WINDOW);
	assert_int_equal(world_end.errors[MUX_ERROR_OVERRUN], 0);
	world_frame(a, pos, "x", 1);
	assert_int_equal(world_end.errors[MUX_ERROR_OVERRUN], 1);
	world_frame(world_end.vm_channel[1], 0, "other", 5);
	assert_memory_equal(world_guest[1], "other", 5);
	world_guest_takes[0] = 2000;
	world_run();
	assert_int_equal(world_guest_len[0], MUX_WINDOW);
	assert_int_equal(world_end.credit[a], 2 * MUX_WINDOW + 1);
}

/* What is lost on the way, of data and of credit, uses nothing up. */
static void test_losses(void **state)
{
	uint8_t a;

	(void)state;
	world_start(0);
	world_run();
	a = world_end.vm_channel[0];
	for (uint16_t pos = 900; pos; pos = (uint16_t)(pos < 60000 ? pos + 900 : 0)) {
		world_frame(a, pos, "x", 1);
		assert_true((uint16_t)(world_end.credit[a] - pos - 1) >= MUX_WINDOW / 2);
	}
	assert_int_equal(world_end.errors[MUX_ERROR_GAP], 67);
	world_end.credit[a] = 0;
	world_frame(MUX_CONTROL, 0, "\x06token", 6);
	assert_int_equal(world_end.pongs, 1);
	/* What was told of a channel that is open is told again. */
	world_end.open[world_end.vm_channel[0]] = world_end.open[CONSOLE_STREAM_LOG] = false;
	world_frame(MUX_CONTROL, 6, "\x06", 1);
	assert_int_equal(world_end.pongs, 2);
	assert_true(world_end.open[world_end.vm_channel[0]] && world_end.open[CONSOLE_STREAM_LOG]);
	assert_int_not_equal(world_end.credit[a], 0);
	world_frame(0, 30000, "list", 4);
	assert_int_equal(world_end.credit[0], (uint16_t)(30004 + MUX_SHELL_WINDOW));
}

static void test_shell_that_is_full(void **state)
{
	(void)state;
	world_shell_space = 10;
	world_frame(0, 0, "0123456789", 10);
	world_frame(0, 10, "x", 1);
	assert_int_equal(world_end.errors[MUX_ERROR_OVERRUN], 1);
	assert_int_equal(world_typed_len, 10);
	world_shell_space = SIZE_MAX;
	world_run();
	world_frame(MUX_CONTROL, 0, "\x06", 1);
	assert_int_equal(world_end.credit[0], 11 + MUX_SHELL_WINDOW);
}

static void test_messages_that_are_none(void **state)
{
	(void)state;
	world_frame(MUX_CONTROL, 0, "", 0);
	world_frame(MUX_CONTROL, 0, "\x77", 1);
	world_frame(MUX_CONTROL, 1, "\x04\x00\x00", 3);
	world_frame(MUX_CONTROL, 4, "\x08\x00", 2);
	assert_int_equal(world_end.errors[MUX_ERROR_MESSAGE], 4);
	assert_non_null(world_line.framing);
	world_frame(MUX_CONTROL, 6, "\x04\x63\x00\x00", 4);
	world_frame(CONSOLE_STREAM_LOG, 0, "x", 1);
	world_frame(255, 0, "x", 1);
	assert_int_equal(world_end.errors[MUX_ERROR_CHANNEL], 3);
	world_send("\0\x09"
		   "a\0\0\x02"
		   "a\0",
		   8);
	assert_int_equal(world_end.errors[MUX_ERROR_COBS], 1);
	assert_int_equal(world_end.errors[MUX_ERROR_TOO_SHORT], 1);
	assert_int_equal(world_end.errors[MUX_ERROR_GAP], 0);
}

static void test_line_that_is_too_fast(void **state)
{
	static const char flood[MUX_LINE_SIZE + 1] = "";

	(void)state;
	world_line.framing->input(&world_line, flood, sizeof(flood));
	world_run();
	while (mux->line.head != mux->line.tail)
		world_run();
	assert_int_equal(world_end.errors[MUX_ERROR_LINE], 1);
	world_frame(0, 0, "list", 4);
	assert_memory_equal(world_typed, "list", 4);
}

static void test_another_session(void **state)
{
	(void)state;
	world_start(0);
	world_run();
	world_credit(world_end.vm_channel[0], 100);
	world_says(0, "once", 4);
	world_run();
	world_send("\x1d\x03\0\0\0\0mux on\r", 13);
	assert_int_equal(world_end.hellos, 2);
	world_run();
	world_credit(world_end.vm_channel[0], 100);
	assert_string_equal(world_end.said[world_end.vm_channel[0]], "once");
	assert_int_equal(world_end.errors[MUX_ERROR_TOO_SHORT], 0);
}

static void test_no_memory(void **state)
{
	size_t objects = fake_objects;

	(void)state;
	world_run();
	fake_memory_left = 0;
	world_run();
	fake_memory_left = -1;
	world_start(2);
	fake_memory_left = 0;
	world_run();
	fake_memory_left = -1;
	world_run();
	assert_true(world_end.open[world_end.vm_channel[2]]);
	world_stop(2);
	world_run();
	mux_stop();
	assert_true(fake_objects <= objects + 1); /* the next console's */
}

/* gdb's: a stream of its own, both ways, that ends with either side. */
static void test_pipe(void **state)
{
	const struct console_framing *framing = world_line.framing;
	struct console_pipe *pipe = framing->pipe_open("a.gdb");
	char buf[MUX_WINDOW];
	uint8_t c = MUX_FIRST_CONSOLE;

	(void)state;
	while (!world_end.open[c])
		c++;
	assert_non_null(pipe);
	assert_int_equal(world_end.kind[c], MUX_KIND_GDB);
	assert_int_equal(world_end.credit[c], MUX_WINDOW);
	assert_int_equal(framing->pipe_read(pipe, buf, sizeof(buf)), 0);
	world_frame(c, 0, "$?#3f", 5);
	assert_int_equal(framing->pipe_read(pipe, buf, 3), 3);
	assert_int_equal(framing->pipe_read(pipe, buf + 3, sizeof(buf)), 2);
	assert_memory_equal(buf, "$?#3f", 5);
	framing->pipe_write(pipe, "+$S05#b8", 8);
	assert_string_equal(world_end.said[c], "+$S05#b8");
	/* Nobody reads: as many as were allowed, and then the next ones are. */
	memset(buf, 'x', sizeof(buf));
	for (unsigned n = 0; n < 10; n++)
		world_frame(c, (uint16_t)(5 + 200 * n), buf, 200);
	assert_int_equal(world_end.errors[MUX_ERROR_OVERRUN], 5);
	assert_int_equal(framing->pipe_read(pipe, buf, sizeof(buf)), MUX_WINDOW);
	assert_int_equal(world_end.credit[c], 5 + 2000 + MUX_WINDOW);
	/* A console beside it, and what a ping tells. */
	world_start(0);
	world_run();
	assert_int_not_equal(world_end.vm_channel[0], c);
	world_stop(0);
	world_run();
	assert_true(world_end.open[c]);
	framing->pipe_close(pipe);
	assert_false(world_end.open[c]);
	/* The other end begins anew. */
	pipe = framing->pipe_open("b.gdb");
	assert_non_null(pipe);
	assert_false(pipe->over);
	assert_int_equal(mux_start(&world_line), 0);
	assert_true(pipe->over);
	framing->pipe_write(pipe, "lost", 4);
	assert_int_equal(framing->pipe_read(pipe, buf, sizeof(buf)), 0);
	framing->pipe_close(pipe);
	fake_memory_left = 0;
	assert_null(framing->pipe_open("c.gdb"));
	fake_memory_left = -1;
}

static bool is_open(const char *name)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 256; i++)
		n += world_end.open[i] && !strcmp(world_end.name[i], name);
	assert_in_range(n, 0, 1);
	return n;
}

/* A port may be called as a VM's gdb is, and whoever comes second has another name. */
static void test_names_that_are_alike(void **state)
{
	const struct console_framing *framing = world_line.framing;
	struct console_pipe *pipe, *other;

	(void)state;
	world_start(0);
	world_run();
	assert_true(is_open("a.com1"));
	pipe = framing->pipe_open("a.com1");
	assert_string_equal(pipe->name, "a.com1-2");
	other = framing->pipe_open("a.com1");
	assert_true(is_open("a.com1") && is_open("a.com1-2") && is_open("a.com1-3"));
	framing->pipe_close(pipe);
	assert_false(is_open("a.com1-2"));
	pipe = framing->pipe_open("b.com1");
	assert_string_equal(pipe->name, "b.com1");
	world_start(1);
	world_run();
	assert_true(is_open("b.com1") && is_open("b.com1-2"));
	assert_string_equal(world_end.name[world_end.vm_channel[1]], "b.com1-2");
	framing->pipe_close(pipe);
	framing->pipe_close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_no_frames),
		cmocka_unit_test_setup(test_begins_and_ends, setup),
		cmocka_unit_test_setup(test_more_than_a_frame, setup),
		cmocka_unit_test_setup(test_consoles_come_and_go, setup),
		cmocka_unit_test_setup(test_one_that_takes_nothing, setup),
		cmocka_unit_test_setup(test_losses, setup),
		cmocka_unit_test_setup(test_shell_that_is_full, setup),
		cmocka_unit_test_setup(test_messages_that_are_none, setup),
		cmocka_unit_test_setup(test_line_that_is_too_fast, setup),
		cmocka_unit_test_setup(test_another_session, setup),
		cmocka_unit_test_setup(test_no_memory, setup),
		cmocka_unit_test_setup(test_pipe, setup),
		cmocka_unit_test_setup(test_names_that_are_alike, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
