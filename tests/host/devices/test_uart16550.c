/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/serial/uart16550.c devices/serial/uart16550_line.c vmm/char_frontend.c */
/* test-sources: vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "devices/serial/uart16550.h"

#include "tests/host/devices/fake.h"
#include "vmm/char_frontend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COM1 0x3f8

static struct char_frontend *front;
static char sent[4096];
static size_t sent_count, accepts; /* bytes the backend still takes */
static unsigned calls, ready_calls;
static bool break_on;

static size_t take(void *opaque, const uint8_t *data, size_t len)
{
	size_t n = MIN(len, accepts);

	(void)opaque;
	calls++;
	memcpy(sent + sent_count, data, n);
	sent_count += n;
	accepts -= n;
	return n;
}

static void input_ready(void *opaque)
{
	(void)opaque;
	ready_calls++;
}

static void set_break(void *opaque, bool on)
{
	(void)opaque;
	break_on = on;
}

static bool dtr, rts;
static unsigned modem_calls;

static void modem(void *opaque, bool now_dtr, bool now_rts)
{
	(void)opaque;
	dtr = now_dtr;
	rts = now_rts;
	modem_calls++;
}

static const struct char_backend_ops backend = {
	.output = take,
	.input_ready = input_ready,
	.set_break = set_break,
	.modem = modem,
};

static int setup(void **state)
{
	(void)state;
	fake_start(1);
	assert_non_null(fake_create("uart16550", "com1", NULL));
	front = device_iface(&fake_vm, "com1", char_frontend_kind.name);
	front->base.backend = &backend.base;
	sent_count = calls = ready_calls = 0;
	accepts = sizeof(sent);
	break_on = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static void send(const char *s)
{
	while (*s)
		fake_outb(COM1 + UART_THR, (uint8_t)*s++);
}

static void test_line_goes_out_at_once(void **state)
{
	(void)state;
	send("hello\n");
	assert_int_equal(sent_count, 6);
	assert_memory_equal(sent, "hello\n", 6);
	assert_int_equal(calls, 1);
}

static void test_prompt_goes_out_by_time(void **state)
{
	(void)state;
	send("$ ");
	assert_int_equal(sent_count, 0);
	assert_int_equal(fake_inb(COM1 + UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
	fake_advance(1000000);
	assert_memory_equal(sent, "$ ", 2);
}

static void test_full_backend_keeps_it_busy(void **state)
{
	int i;

	(void)state;
	accepts = 0;
	for (i = 0; i < 300; i++)
		fake_outb(COM1 + UART_THR, 'x');
	assert_int_equal(fake_inb(COM1 + UART_LSR), 0);
	fake_outb(COM1 + UART_IER, UART_IER_ETBEI); /* and OUT2 low, as xv6 does */
	assert_false(fake_line(4));
	accepts = 100;
	front->output_ready(front->opaque);
	assert_int_equal(sent_count, 100);
	assert_true(fake_line(4));
	assert_int_equal(fake_inb(COM1 + UART_IIR), UART_IIR_THRE);
	assert_false(fake_line(4));
	assert_int_equal(fake_inb(COM1 + UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
	front->base.backend = NULL;
	for (i = 0; i < 300; i++)
		fake_outb(COM1 + UART_THR, 'x');
	assert_int_equal(fake_inb(COM1 + UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
}

/* Told that the FIFO is empty, a guest fills all of it at once, as Linux does. */
static void test_empty_fifo_takes_sixteen(void **state)
{
	size_t i, count = 0;

	(void)state;
	accepts = 0;
	fake_outb(COM1 + UART_FCR, UART_FCR_ENABLE);
	while (fake_inb(COM1 + UART_LSR) & UART_LSR_THRE)
		for (i = 0; i < 16; i++)
			fake_outb(COM1 + UART_THR, (uint8_t)count++);
	accepts = sizeof(sent);
	front->output_ready(front->opaque);
	assert_int_equal(sent_count, count);
	for (i = 0; i < count; i++)
		assert_int_equal((uint8_t)sent[i], (uint8_t)i);
}

static unsigned edges;

static void count_edges(void *opaque, unsigned line, bool level)
{
	static bool was;

	(void)opaque;
	if (line != 4)
		return;
	edges += level && !was;
	was = level;
}

static struct irq_sink edge_sink = {.set = count_edges};

/* A handler that writes a byte and returns, without a look at IIR: the next interrupt comes. */
static void test_thre_comes_again_without_iir(void **state)
{
	(void)state;
	assert_int_equal(irq_add_sink(&fake_vm, &edge_sink), 0);
	edges = 0;
	fake_outb(COM1 + UART_IER, UART_IER_ETBEI);
	assert_int_equal(edges, 1);
	fake_outb(COM1 + UART_THR, 'a');
	assert_int_equal(edges, 2);
	fake_outb(COM1 + UART_THR, 'b');
	assert_int_equal(edges, 3);
	assert_int_equal(fake_inb(COM1 + UART_IIR), UART_IIR_THRE);
	assert_false(fake_line(4));
	fake_outb(COM1 + UART_THR, 'c');
	assert_int_equal(edges, 4);
	/* What is received holds the line: no edge until it was read. */
	fake_outb(COM1 + UART_IER, UART_IER_ETBEI | UART_IER_ERBFI);
	front->input(front->opaque, (const uint8_t *)"x", 1);
	fake_outb(COM1 + UART_THR, 'd');
	assert_int_equal(edges, 4);
	assert_int_equal(fake_inb(COM1 + UART_RBR), 'x');
	assert_true(fake_line(4));
	/* A full backend: nothing until there is room. */
	accepts = 0;
	while (fake_inb(COM1 + UART_LSR) & UART_LSR_THRE)
		fake_outb(COM1 + UART_THR, 'x');
	assert_false(fake_line(4));
	edges = 0;
	accepts = sizeof(sent);
	front->output_ready(front->opaque);
	assert_int_equal(edges, 1);
	irq_remove_sink(&fake_vm, &edge_sink);
}

static void test_receive_fifo(void **state)
{
	uint8_t data[20] = "0123456789abcdefghij";
	int i;

	(void)state;
	assert_int_equal(front->input(front->opaque, data, 20), 1);
	assert_int_equal(fake_inb(COM1 + UART_RBR), '0');
	assert_int_equal(ready_calls, 1);
	fake_outb(COM1 + UART_FCR, UART_FCR_ENABLE | UART_FCR_TRIGGER);
	fake_outb(COM1 + UART_IER, UART_IER_ERBFI);
	fake_outb(COM1 + UART_MCR, UART_MCR_OUT2);
	assert_int_equal(front->input(front->opaque, data, 20), 16);
	assert_true(fake_line(4));
	assert_int_equal(fake_inb(COM1 + UART_IIR), UART_IIR_DATA | UART_IIR_FIFO);
	for (i = 0; i < 16; i++) {
		assert_int_equal(fake_inb(COM1 + UART_LSR) & UART_LSR_DR, UART_LSR_DR);
		assert_int_equal(fake_inb(COM1 + UART_RBR), data[i]);
		if (i == 4)
			assert_int_equal(fake_inb(COM1 + UART_IIR),
					 UART_IIR_TIMEOUT | UART_IIR_FIFO);
	}
	assert_false(fake_line(4));
	assert_int_equal(fake_inb(COM1 + UART_IIR), UART_IIR_NONE | UART_IIR_FIFO);
}

static void test_breaks_and_errors(void **state)
{
	(void)state;
	fake_outb(COM1 + UART_FCR, UART_FCR_ENABLE);
	fake_outb(COM1 + UART_IER, UART_IER_ELSI);
	fake_outb(COM1 + UART_MCR, UART_MCR_OUT2);
	front->input(front->opaque, (const uint8_t *)"a", 1);
	front->input_break(front->opaque);
	assert_int_equal(fake_inb(COM1 + UART_LSR) & ~(UART_LSR_THRE | UART_LSR_TEMT),
			 UART_LSR_DR | UART_LSR_FIFOE);
	assert_int_equal(fake_inb(COM1 + UART_RBR), 'a');
	assert_true(fake_line(4));
	assert_int_equal(fake_inb(COM1 + UART_IIR), UART_IIR_LINE | UART_IIR_FIFO);
	assert_int_equal(fake_inb(COM1 + UART_LSR) & 0x9f,
			 UART_LSR_DR | UART_LSR_BI | UART_LSR_FE | UART_LSR_FIFOE);
	assert_false(fake_line(4));
	assert_int_equal(fake_inb(COM1 + UART_RBR), 0);
	assert_int_equal(fake_inb(COM1 + UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);

	fake_outb(COM1 + UART_LCR, UART_LCR_BREAK);
	assert_true(break_on);
	fake_outb(COM1 + UART_LCR, 3);
	assert_false(break_on);
	/* The line does not stay in one of a guest that is no more. */
	fake_outb(COM1 + UART_LCR, UART_LCR_BREAK);
	fake_reset();
	assert_false(break_on);
}

/* What Linux does to tell a UART from none, and to measure its FIFO. */
static void test_probe(void **state)
{
	int i;

	(void)state;
	fake_outb(COM1 + UART_IER, 0x0f);
	assert_int_equal(fake_inb(COM1 + UART_IER), 0x0f);
	fake_outb(COM1 + UART_IER, 0);
	fake_outb(COM1 + UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	assert_int_equal(fake_inb(COM1 + UART_MSR) & 0xf0, 0x90);
	fake_outb(COM1 + UART_FCR, 1);
	assert_int_equal(fake_inb(COM1 + UART_IIR) >> 6, 3);
	for (i = 0; i < 256; i++)
		fake_outb(COM1 + UART_THR, (uint8_t)i);
	assert_int_equal(fake_inb(COM1 + UART_LSR) & UART_LSR_OE, UART_LSR_OE);
	for (i = 0; fake_inb(COM1 + UART_LSR) & UART_LSR_DR; i++)
		assert_int_equal(fake_inb(COM1 + UART_RBR), i);
	assert_int_equal(i, 16);
	assert_int_equal(sent_count, 0);
	fake_outb(COM1 + UART_MCR, 0);
	assert_int_equal(fake_inb(COM1 + UART_MSR) & 0xf0, 0xb0);
	assert_int_equal(fake_inb(COM1 + UART_MSR), 0xb0);
}

static void test_divisor_and_scratch(void **state)
{
	(void)state;
	fake_outb(COM1 + UART_SCR, 0x5a);
	assert_int_equal(fake_inb(COM1 + UART_SCR), 0x5a);
	fake_outb(COM1 + UART_LCR, UART_LCR_DLAB);
	fake_out(COM1, 2, 0x1234);
	assert_int_equal(fake_in(COM1, 2), 0x1234);
	fake_outb(COM1 + UART_LCR, 3);
	assert_int_equal(fake_inb(COM1 + UART_IER), 0);
	fake_reset();
	assert_int_equal(fake_inb(COM1 + UART_LCR), 0);
}

/* What waits to be sent when the port goes: its timer must not raise a line that is gone. */
static void test_goes_with_output_waiting(void **state)
{
	(void)state;
	fake_outb(COM1 + UART_MCR, UART_MCR_OUT2);
	fake_outb(COM1 + UART_IER, UART_IER_ETBEI);
	accepts = 0;
	while (fake_inb(COM1 + UART_LSR) & UART_LSR_THRE)
		fake_outb(COM1 + UART_THR, 'x');
	accepts = sizeof(sent);
	fake_end();
	assert_int_equal(sent_count, 0);
	fake_start(1);
}

static void test_modem_lines(void **state)
{
	(void)state;
	fake_outb(COM1 + UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
	assert_true(dtr && rts);
	modem_calls = 0;
	fake_outb(COM1 + UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
	assert_int_equal(modem_calls, 0);
	front->base.attached(&front->base);
	assert_int_equal(modem_calls, 1);
	fake_inb(COM1 + UART_MSR);
	fake_outb(COM1 + UART_IER, UART_IER_EDSSI);
	front->input_modem(front->opaque, false, true);
	assert_true(fake_line(4));
	assert_int_equal(fake_inb(COM1 + UART_IIR), UART_IIR_MODEM);
	assert_int_equal(fake_inb(COM1 + UART_MSR), UART_MSR_CTS | UART_MSR_DDSR | UART_MSR_DDCD);
	assert_false(fake_line(4));
	/* In loopback the cable sees nothing, and nothing is seen of it (but later). */
	fake_outb(COM1 + UART_MCR, UART_MCR_DTR | UART_MCR_LOOP);
	assert_true(!dtr && !rts);
	fake_inb(COM1 + UART_MSR);
	front->input_modem(front->opaque, true, false);
	assert_int_equal(fake_inb(COM1 + UART_MSR), UART_MSR_DSR);
	fake_outb(COM1 + UART_MCR, 0);
	assert_int_equal(fake_inb(COM1 + UART_MSR), UART_MSR_DSR | UART_MSR_DCD | UART_MSR_DDCD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_line_goes_out_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prompt_goes_out_by_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_backend_keeps_it_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty_fifo_takes_sixteen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_thre_comes_again_without_iir, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receive_fifo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_breaks_and_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_probe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_divisor_and_scratch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_goes_with_output_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modem_lines, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
