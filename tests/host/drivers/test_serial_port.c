/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: drivers/serial_port.c lib/ring.c */
/* A UART that is a guest's: nothing is lost or added, and it goes whole. */
#include "drivers/serial_port.h"

#include "arch/x86_64/irq.h"
#include "drivers/serial_claim.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "kernel/timer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COM2	  0x2f8
#define FIFO	  16
#define MCR_RTS	  0x02
#define MCR_DTR	  0x01
#define LSR_THRE  0x20
#define LSR_TEMT  0x40
#define CHAR_NS	  86806
#define LSR_BREAK 0x11

struct time_scale time_scale;
uint64_t fake_tsc;

/* The UART and the line. */
static uint8_t regs[8], divisor;
static bool absent, stuck;
static uint64_t busy_until;
static char line[65536];
static size_t line_len;
static const char *sent = ""; /* a '!' is a break */
static irq_handler irq;
static int routes, route_err;
static bool claimed, no_memory;
static char got[65536];

/* The last byte has left the FIFO, and is on the line. */
static bool is_sending(void)
{
	return stuck || (busy_until && fake_tsc < busy_until + CHAR_NS);
}

uint8_t io_in8(uint16_t port)
{
	fake_tsc += 100;
	assert_in_range(port, COM2, COM2 + 7);
	switch (port - COM2) {
	case 0:
		return (uint8_t)(*sent == '!' ? (sent++, 0) : *sent++);
	case 2:
		return 0xc1;
	case 5:
		if (absent)
			return 0xff;
		return (uint8_t)((*sent == '!' ? LSR_BREAK : !!*sent) |
				 (!stuck && fake_tsc >= busy_until ? LSR_THRE : 0) |
				 (is_sending() ? 0 : LSR_TEMT));
	default:
		return 0;
	}
}

void io_out8(uint16_t port, uint8_t value)
{
	fake_tsc += 100;
	if (port == COM2 && (regs[3] & 0x80))
		divisor = value;
	/* Neither cleared nor hung up before all is out. */
	if (port - COM2 == 2 || (port - COM2 == 4 && !value))
		assert_true(stuck || !is_sending());
	regs[port - COM2] = value;
}

void io_out8_many(uint16_t port, const void *data, size_t n)
{
	assert_int_equal(port, COM2);
	assert_true(n <= FIFO && fake_tsc >= busy_until && !stuck);
	memcpy(line + line_len, data, n);
	line_len += n;
	busy_until = fake_tsc + n * CHAR_NS;
}

void irq_register(uint8_t vector, irq_handler handler)
{
	assert_int_equal(vector, IRQ_VECTOR_COM2);
	irq = handler;
}

int irq_route_isa(unsigned isa_irq, uint8_t vector)
{
	assert_int_equal(isa_irq, 3);
	assert_int_equal(vector, IRQ_VECTOR_COM2);
	routes++;
	return route_err;
}

const char *serial_claim(uint16_t first, uint32_t count, const void *owner, const char *user)
{
	assert_true(first == COM2 && count == 8 && owner == got);
	assert_string_equal(user, "me");
	if (claimed)
		return "another";
	claimed = true;
	return NULL;
}

void serial_release(uint16_t first, uint32_t count, const void *owner)
{
	assert_true(first == COM2 && count == 8 && owner == got && claimed);
	claimed = false;
}

const char *serial_user(uint16_t first, uint32_t count)
{
	assert_true(first == COM2 && count == 8);
	return claimed ? "another" : NULL;
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

void timer_cancel_sync(struct timer *timer)
{
	timer->armed = false;
	armed = NULL;
}

static void run_timer(void)
{
	struct timer *timer = armed;

	fake_tsc = fake_tsc > armed_for ? fake_tsc : armed_for;
	armed = NULL;
	timer->armed = false;
	timer->fn(timer);
}

void task_sleep_until(uint64_t deadline)
{
	if (armed)
		run_timer();
	fake_tsc = fake_tsc > deadline ? fake_tsc : deadline;
}

void grace_synchronize(void)
{
}

void *kmalloc(size_t size)
{
	return no_memory ? NULL : malloc(size);
}

void kfree(const void *p)
{
	free((void *)p);
}

/* The guest. */
static struct serial_port *port;
static size_t got_len, takes;
static unsigned readies;
static bool tells_at_once; /* that it takes input, from another CPU, while it is given some */

static size_t user_input(void *opaque, const uint8_t *data, size_t len)
{
	size_t n = len < takes ? len : takes;

	assert_ptr_equal(opaque, got);
	memcpy(got + got_len, data, n);
	got_len += n;
	takes -= n;
	if (tells_at_once && n < len) {
		tells_at_once = false;
		takes = SIZE_MAX;
		serial_port_input_ready(port);
	}
	return n;
}

static void user_break(void *opaque)
{
	assert_ptr_equal(opaque, got);
	got[got_len++] = '!';
}

static void user_ready(void *opaque)
{
	assert_ptr_equal(opaque, got);
	readies++;
}

static const struct serial_port_ops ops = {user_input, user_break, user_ready};

static int setup(void **state)
{
	(void)state;
	time_scale = (struct time_scale){
		.tsc_khz = 1000000, .ns_mult = UINT64_C(1) << 32, .tsc_mult = UINT64_C(1) << 32};
	line_len = got_len = 0;
	takes = SIZE_MAX;
	readies = 0;
	sent = "";
	memset(got, 0, sizeof(got));
	assert_int_equal(serial_port_open("com2", 115200, "me", &ops, got, &port), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	stuck = false;
	serial_port_close(port);
	assert_false(claimed);
	assert_int_equal(regs[1], 0);
	assert_int_equal(regs[4], 0);
	return 0;
}

static void test_refusals(void **state)
{
	struct serial_port *other;

	(void)state;
	assert_int_equal(serial_port_open("com3", 115200, "me", &ops, got, &other), -ENODEV);
	claimed = true;
	assert_int_equal(serial_port_open("com2", 115200, "me", &ops, got, &other), -EBUSY);
	assert_string_equal(serial_port_user("com2"), "another");
	claimed = false;
	assert_string_equal(serial_port_user("com2"), "nobody any more");
	assert_string_equal(serial_port_user("com3"), "nobody any more");
	absent = true;
	assert_int_equal(serial_port_open("com2", 115200, "me", &ops, got, &other), -ENODEV);
	absent = false;
	route_err = -ENODEV;
	assert_int_equal(serial_port_open("com2", 115200, "me", &ops, got, &other), -ENODEV);
	route_err = 0;
	no_memory = true;
	assert_int_equal(serial_port_open("com2", 115200, "me", &ops, got, &other), -ENOMEM);
	no_memory = false;
	assert_false(claimed);
	assert_int_equal(serial_port_open("com2", 9600, "me", &ops, got, &other), 0);
	assert_int_equal(divisor, 12);
	assert_int_equal(regs[3], 0x03);
	serial_port_close(other);
	assert_int_equal(routes, 2);
}

/* More than the ring has: what does not fit is asked for again. */
static void test_output(void **state)
{
	char text[10000];
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)rand();
	at = serial_port_write(port, (uint8_t *)text, sizeof(text));
	assert_int_equal(line_len, FIFO); /* at once */
	assert_true(at >= 4096 && at < sizeof(text));
	for (unsigned asked = 0; at < sizeof(text) || armed;) {
		assert_non_null(armed);
		run_timer();
		if (readies == asked)
			continue;
		asked = readies;
		at += serial_port_write(port, (uint8_t *)text + at, sizeof(text) - at);
	}
	assert_in_range(readies, 1, 4);
	assert_int_equal(line_len, sizeof(text));
	assert_memory_equal(line, text, sizeof(text));
	/* Nothing more to do, nobody comes. */
	assert_null(armed);
}

static void test_input(void **state)
{
	static const char text[] = "What is longer than a FIFO comes in pieces, !a break behind "
				   "what came before it!, and no other way.";

	(void)state;
	sent = text;
	irq();
	assert_string_equal(got, text);
	assert_true(regs[4] & MCR_RTS);
	assert_int_equal(regs[1], 1);
}

/* RTS goes off and the interrupt, the rest stays in the UART; it comes as soon as it is wanted. */
static void test_input_that_is_not_taken(void **state)
{
	static const char text[] = "0123456789abcdef0123456789!abcdef";

	(void)state;
	sent = text;
	takes = 20;
	irq();
	assert_int_equal(got_len, 20);
	assert_false(regs[4] & MCR_RTS);
	assert_true(regs[4] & MCR_DTR);
	assert_int_equal(regs[1], 0);
	assert_null(armed);
	takes = 7;
	serial_port_input_ready(port);
	run_timer();
	assert_int_equal(got_len, 27 + 1);
	assert_int_equal(regs[1], 0);
	/* It is said while the others are refused. */
	tells_at_once = true;
	takes = 1;
	serial_port_input_ready(port);
	run_timer();
	assert_string_equal(got, text);
	assert_true(regs[4] & MCR_RTS);
	assert_int_equal(regs[1], 1);
}

static void test_lines(void **state)
{
	(void)state;
	assert_int_equal(regs[4], 0x0b);
	serial_port_set_modem(port, true, false);
	assert_int_equal(regs[4], 0x09);
	serial_port_set_modem(port, false, true);
	assert_int_equal(regs[4], 0x0a);
	serial_port_set_break(port, true);
	assert_int_equal(regs[3], 0x43);
	serial_port_set_break(port, false);
	assert_int_equal(regs[3], 0x03);
}

/* What a guest has said last still goes out; but not for ever. */
static void test_last_words(void **state)
{
	char text[1000];
	uint64_t before;

	memset(text, 'x', sizeof(text));
	(void)state;
	serial_port_write(port, (uint8_t *)text, sizeof(text));
	serial_port_close(port);
	assert_int_equal(line_len, sizeof(text));
	sent = "to nobody";
	irq();
	assert_int_equal(got_len, 0);
	assert_int_equal(serial_port_open("com2", 115200, "me", &ops, got, &port), 0);
	stuck = true;
	serial_port_write(port, (uint8_t *)text, sizeof(text));
	before = fake_tsc;
	serial_port_close(port);
	assert_in_range(fake_tsc - before, 400 * NSEC_PER_MSEC, 600 * NSEC_PER_MSEC);
	assert_null(armed);
	stuck = false;
	assert_int_equal(serial_port_open("com2", 115200, "me", &ops, got, &port), 0);
	assert_int_equal(line_len, sizeof(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test_setup_teardown(test_output, setup, teardown),
		cmocka_unit_test_setup_teardown(test_input, setup, teardown),
		cmocka_unit_test_setup_teardown(test_input_that_is_not_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_words, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
