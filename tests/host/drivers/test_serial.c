/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: drivers/serial.c drivers/serial_claim.c kernel/console.c */
/* test-sources: kernel/time.c lib/ring.c */
/*
 * drivers/serial.c at a UART that drains at a baud rate of the test's, on a CPU as
 * quick as the test's: nothing is lost, and a dead one holds nobody up for long.
 */
#include "drivers/serial.h"
#include "arch/x86_64/irq.h"
#include "drivers/serial_claim.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "kernel/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COM1	    0x3f8
#define COM2	    0x2f8
#define PORT(n)	    (COM1 + (n))
#define LSR_EMPTY   0x60
#define FIFO	    16
#define READ_NS	    100 /* what a port access takes: less than on a machine */
#define DAMAGED_LSR 0xff

uint64_t fake_tsc;
static uint64_t khz, char_ns, busy_until; /* TSC */
static bool dead;
/* What the other end has sent and the UART has not been asked for; a real one would keep 16 of it.
 */
static const char *sent = "";
static bool overrun; /* LSR says that more was lost */
static uint8_t mcr;
static char got[64];	  /* what the console was given … */
static size_t space = 64; /* … and has space for */
static bool full;
static irq_handler irq;
static char log_line[128];
static char line[8192], other[8192];
static size_t line_len;

static void pass(uint64_t ns)
{
	fake_tsc += ns * khz / 1000000 + 1;
}

uint8_t io_in8(uint16_t port)
{
	uint8_t lsr;

	pass(READ_NS);
	if (port >= PORT(8) || port < COM1)
		return DAMAGED_LSR;
	if (port == PORT(2))
		return 0xc1;
	if (port == PORT(0))
		return *sent ? (uint8_t)*sent++ : 0;
	if (port != PORT(5))
		return 0;
	lsr = (*sent ? 1 : 0) | (overrun ? 2 : 0);
	overrun = false;
	return lsr | (!dead && fake_tsc >= busy_until ? LSR_EMPTY : 0);
}

void io_out8(uint16_t port, uint8_t value)
{
	if (port == PORT(4))
		mcr = value;
	pass(READ_NS);
}

/* Bytes that are written to a busy transmitter are lost, as they are in hardware. */
void io_out8_many(uint16_t port, const void *data, size_t n)
{
	assert_int_equal(port, COM1);
	assert_true(n <= FIFO && line_len + n < sizeof(line));
	if (dead || fake_tsc < busy_until)
		return;
	memcpy(line + line_len, data, n);
	line_len += n;
	busy_until = fake_tsc + n * char_ns * khz / 1000000;
}

void irq_register(uint8_t vector, irq_handler handler)
{
	(void)vector;
	irq = handler;
}

int irq_route_isa(unsigned irq, uint8_t vector)
{
	(void)irq;
	(void)vector;
	return 0;
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	va_list args;

	(void)level;
	va_start(args, fmt);
	vsnprintf(log_line, sizeof(log_line), fmt, args);
	va_end(args);
}

static struct timer *armed;
static uint64_t armed_for;

void timer_init(struct timer *timer, timer_fn fn)
{
	timer->fn = fn;
}

void timer_arm(struct timer *timer, uint64_t deadline)
{
	timer->armed = true;
	armed = timer;
	armed_for = deadline;
}

void *kmalloc(size_t size)
{
	static char ring[4096];

	assert_true(size <= sizeof(ring));
	return ring;
}

/* Time passes until no timer is armed. */
static void run_timers(void)
{
	while (armed) {
		struct timer *timer = armed;

		fake_tsc = fake_tsc > armed_for ? fake_tsc : armed_for;
		armed = NULL;
		timer->armed = false;
		timer->fn(timer);
	}
}

void console_line_input(struct console_sink *sink, const char *s, size_t len)
{
	(void)sink;
	assert_true(len <= space);
	strncat(got, s, len);
	space -= len;
}

size_t console_input_space(void)
{
	return space;
}

bool console_input_full(void)
{
	return full;
}

void console_input_stop(void)
{
}

static void write_other(struct console_sink *sink, const char *s, size_t len)
{
	(void)sink;
	assert_true(strlen(other) + len < sizeof(other));
	strncat(other, s, len);
}

static struct console_sink screen = {.name = "vga", .write = write_other};

static int setup_all(void **state)
{
	(void)state;
	khz = 1000000;
	assert_false(serial_console_init("com2"));
	assert_true(serial_console_init("com1"));
	console_register(&screen);
	return 0;
}

/* A machine of @cpu_khz, whose rate is known to the driver or not yet, and a line of @baud. */
static void machine(uint64_t cpu_khz, bool known, uint64_t baud)
{
	khz = cpu_khz;
	time_scale.tsc_khz = known ? cpu_khz : 0;
	char_ns = 10 * NSEC_PER_SEC / baud;
	busy_until = 0;
	line_len = 0;
	memset(line, 0, sizeof(line));
	memset(other, 0, sizeof(other));
}

static void test_nothing_is_lost(void **state)
{
	static const uint64_t rates[] = {20000, 1000000, 7000000}; /* kHz */
	static const uint64_t bauds[] = {1200, 9600, 115200};
	char text[201], expected[210];
	unsigned i;

	(void)state;
	for (i = 0; i < 200; i++)
		text[i] = (char)('a' + i % 26);
	text[200] = '\0';
	snprintf(expected, sizeof(expected), "%s\r\n", text);
	for (i = 0; i < 18; i++) {
		machine(rates[i % 3], i & 1, bauds[i / 6]);
		console_write(text, 200);
		console_write("\n", 1);
		assert_string_equal(line, expected);
		assert_string_equal(other, "");
	}
}

/* A guest's lines end as they are to end already, however they are cut. */
static void test_lines_that_end_in_both(void **state)
{
	(void)state;
	machine(1000000, 1, 115200);
	console_write("one\r\ntwo\r", 9);
	console_write("\nthree\n\n", 8);
	assert_string_equal(line, "one\r\ntwo\r\nthree\r\n\r\n");
}

static void frame_nothing(struct console_sink *sink)
{
	(void)sink;
}

/* As one that frames: not one byte is the driver's. */
static void frame_output(struct console_sink *sink, unsigned stream, const char *s, size_t len)
{
	(void)stream;
	sink->write(sink, s, len);
}

static const struct console_framing framing = {
	.begin = frame_nothing, .end = frame_nothing, .output = frame_output};

static void test_framed_line_is_left_alone(void **state)
{
	struct console_sink *com1 = container_of(screen.link.prev, struct console_sink, link);

	(void)state;
	machine(1000000, true, 115200);
	console_set_framing(com1, &framing);
	full = true;
	irq();
	console_write("a\nb\r\n", 5);
	console_set_framing(com1, NULL);
	full = false;
	assert_string_equal(line, "a\nb\r\n");
}

/* The other end was told to wait while the line carried text: it is told to go on, and then never
 * to wait again. */
static void test_line_that_becomes_framed(void **state)
{
	struct console_sink *com1 = container_of(screen.link.prev, struct console_sink, link);

	(void)state;
	machine(1000000, true, 115200);
	space = 64;
	full = true;
	irq();
	assert_string_equal(line, "\x13");
	assert_int_equal(mcr, 0x09);
	console_set_framing(com1, &framing);
	irq();
	assert_string_equal(line, "\x13\x11");
	assert_int_equal(mcr, 0x0b);
	irq();
	assert_string_equal(line, "\x13\x11");
	console_set_framing(com1, NULL);
	full = false;
	irq();
	assert_string_equal(line, "\x13\x11");
}

static void test_dead_one_is_told_once(void **state)
{
	uint64_t start;
	unsigned known;

	(void)state;
	for (known = 0; known < 2; known++) {
		machine(3000000, known, 115200);
		dead = true;
		start = fake_tsc;
		console_write_line("one\n", 4);
		assert_true(fake_tsc - start < khz * 2000);
		start = fake_tsc;
		console_write_line("two\n", 4);
		console_write_line("three\n", 6);
		assert_true(fake_tsc - start < khz);
		assert_string_equal(other, "one\n\nconsole: com1 stands still: its output is "
					   "lost\ntwo\nthree\n");
		assert_string_equal(line, "");

		dead = false;
		console_write_line("four\n", 5);
		assert_string_equal(line, "\r\n-- output was lost here: `dmesg` has the log --\r\n"
					  "four\r\n");
	}
}

/* The reader is slow: the other end is told, both ways, and what it sends all the same stays. */
static void test_input_waits(void **state)
{
	(void)state;
	machine(1000000, true, 115200);
	serial_input_init();
	assert_int_equal(mcr, 0x0b);
	sent = "abc";
	irq();
	assert_string_equal(got, "abc");
	assert_string_equal(line, "");
	sent = "defghijklmnopqrstuv";
	space = 16;
	full = true;
	irq();
	assert_string_equal(got, "abcdefghijklmnopqrs");
	assert_string_equal(sent, "tuv");
	assert_int_equal(mcr, 0x09);
	assert_string_equal(line, "\x13");
	irq();
	assert_string_equal(sent, "tuv");
	console_write("x", 1);
	assert_string_equal(line, "\x13x");
	assert_string_equal(sent, "tuv");
	/* And told again. */
	space = 32;
	full = false;
	console_input_resume();
	assert_string_equal(got, "abcdefghijklmnopqrstuv");
	assert_int_equal(mcr, 0x0b);
	assert_string_equal(line, "\x13x\x11");
	console_input_resume();
	assert_string_equal(line, "\x13x\x11");
}

/* While output waits for the line, input is taken, and XOFF goes before the next bytes. */
static void test_input_while_output(void **state)
{
	(void)state;
	machine(1000000, true, 115200);
	console_write("0123456789abcdef", 16);
	got[0] = '\0';
	space = 64;
	sent = "xyz";
	full = true;
	console_write("ghi", 3);
	assert_string_equal(got, "xyz");
	assert_int_equal(mcr, 0x09);
	assert_string_equal(line, "0123456789abcdef\x13ghi");
	full = false;
	console_input_resume();
	assert_string_equal(line, "0123456789abcdef\x13ghi\x11");
}

static void test_loss_is_told(void **state)
{
	(void)state;
	log_line[0] = '\0';
	irq();
	assert_string_equal(log_line, "");
	overrun = true;
	irq();
	assert_non_null(strstr(log_line, "com1: what was typed came too fast"));
	log_line[0] = '\0';
	overrun = true;
	irq();
	assert_string_equal(log_line, "");
}

/* Its ports are nobody else's. */
static void test_its_ports(void **state)
{
	(void)state;
	assert_string_equal(serial_user(COM1, 1), "the serial console");
	assert_null(serial_user(COM2, 8));
}

/* With its ring: who writes does not wait, and all comes, in its order. */
static void test_nobody_waits(void **state)
{
	char text[6001], expected[6200];
	uint64_t start;

	(void)state;
	for (unsigned i = 0; i < 6000; i++)
		text[i] = (char)('a' + i % 26);
	text[6000] = '\0';
	serial_output_init();
	machine(1000000, true, 115200);
	start = fake_tsc;
	console_write(text, 200);
	console_write_line("a line\n", 7);
	console_write("end", 3);
	assert_true(fake_tsc - start < 100000); /* ns */
	assert_int_equal(line_len, 16);
	run_timers();
	snprintf(expected, sizeof(expected), "%.200s\r\na line\r\nend", text);
	assert_string_equal(line, expected);

	/* More than it has space for: not faster than the line, and not a byte less. */
	machine(1000000, true, 115200);
	console_write(text, 6000);
	assert_true(line_len >= 1900);
	run_timers();
	assert_string_equal(line, text);

	/* What must be out is, and what came before it. */
	machine(1000000, true, 115200);
	console_write(text, 300);
	console_drain();
	assert_int_equal(line_len, 300);
	console_write(text, 300);
	/* Whoever has the input's locks may be stopped: what comes stays where it is. */
	got[0] = '\0';
	space = sizeof(got);
	serial_input_init();
	sent = "key";
	console_write_emergency("PANIC\n", 6);
	assert_string_equal(got, "");
	sent = "";
	snprintf(expected, sizeof(expected), "%.300s%.300sPANIC\r\n", text, text);
	assert_string_equal(line, expected);
}

/* One that dies with something in its ring is told like any other. */
static void test_ring_of_a_dead_one(void **state)
{
	uint64_t start;

	(void)state;
	serial_output_init();
	container_of(screen.link.prev, struct console_sink, link)->now = false;
	machine(1000000, true, 115200);
	dead = true;
	console_write("one\n", 4);
	start = fake_tsc;
	run_timers();
	assert_true(fake_tsc - start < 1000000000);
	console_write_line("two\n", 4);
	assert_non_null(strstr(other, "com1 stands still"));
	dead = false;
	console_write_line("three\n", 6);
	run_timers();
	assert_string_equal(line,
			    "\r\n-- output was lost here: `dmesg` has the log --\r\nthree\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_lost),
		cmocka_unit_test(test_lines_that_end_in_both),
		cmocka_unit_test(test_dead_one_is_told_once),
		cmocka_unit_test(test_input_waits),
		cmocka_unit_test(test_input_while_output),
		cmocka_unit_test(test_loss_is_told),
		cmocka_unit_test(test_framed_line_is_left_alone),
		cmocka_unit_test(test_line_that_becomes_framed),
		cmocka_unit_test(test_its_ports),
		cmocka_unit_test(test_nobody_waits),
		cmocka_unit_test(test_ring_of_a_dead_one),
	};

	return cmocka_run_group_tests(tests, setup_all, NULL);
}
