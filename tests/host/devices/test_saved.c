/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/chipset/pit.c devices/chipset/pic.c */
/* test-sources: devices/chipset/rtc.c devices/chipset/rtc_nvram.c lib/date.c */
/* test-sources: devices/serial/uart16550.c devices/serial/uart16550_line.c vmm/char_frontend.c */
/* test-sources: vmm/irq.c vmm/device_state.c vmm/device_state_load.c */
/* test-sources: tests/host/devices/saved.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/*
 * Devices whose state goes to a new VM in the middle of their work: there they
 * go on as if nothing had been.
 */
#include "devices/serial/uart16550.h"
#include "tests/host/devices/fake.h"
#include "tests/host/devices/saved.h"
#include "vmm/char_frontend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS   UINT64_C(1000000)
#define COM1 0x3f8

static const char *type;
static uint64_t then;
static unsigned edges[IRQ_LINES];
static struct char_frontend *front;
static char sent[256];
static size_t sent_count, accepts;
static bool dtr;

static void sink_set(void *opaque, unsigned line, bool level)
{
	(void)opaque;
	edges[line] += level;
}

static struct irq_sink sink = {.set = sink_set};

static size_t take(void *opaque, const uint8_t *data, size_t len)
{
	size_t n = MIN(MIN(len, accepts), sizeof(sent) - sent_count);

	(void)opaque;
	memcpy(sent + sent_count, data, n);
	sent_count += n;
	accepts -= n;
	return n;
}

static void nothing(void *opaque)
{
	(void)opaque;
}

static void set_break(void *opaque, bool on)
{
	(void)opaque;
	(void)on;
}

static void modem(void *opaque, bool now_dtr, bool now_rts)
{
	(void)opaque;
	(void)now_rts;
	dtr = now_dtr;
}

static const struct char_backend_ops backend = {
	.output = take,
	.input_ready = nothing,
	.set_break = set_break,
	.modem = modem,
};

/* A VM at the time `then`, with the device alone. */
static struct device *make(void)
{
	struct device *dev;

	fake_start(1);
	fake_now = then;
	assert_int_equal(irq_add_sink(&fake_vm, &sink), 0);
	memset(edges, 0, sizeof(edges));
	dev = fake_create(type, "d", NULL);
	assert_non_null(dev);
	front = device_iface(&fake_vm, "d", char_frontend_kind.name);
	if (front)
		front->base.backend = &backend.base;
	return dev;
}

static struct device *start(const char *name)
{
	type = name;
	then = 0;
	sent_count = 0;
	accepts = sizeof(sent);
	return make();
}

static void save(struct device *dev)
{
	saved_take(dev);
	then = fake_now;
	fake_end();
}

static void move(struct device *dev)
{
	save(dev);
	saved_give(make());
}

/* As its users see it; chips are not told of what was restored. */
static bool high(unsigned gsi)
{
	unsigned asserting;

	irq_line_users(&fake_vm, gsi, &asserting);
	return asserting;
}

static void use_ports(void)
{
	static const struct {
		uint16_t first, count;
	} ports[] = {{0x20, 2}, {0xa0, 2}, {0x40, 4}, {0x61, 1}, {0x70, 2}, {COM1, 8}};

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		for (uint16_t port = ports[i].first; port < ports[i].first + ports[i].count; port++)
			fake_inb(port);
	fake_advance(2100 * MS);
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		for (uint16_t port = ports[i].first; port < ports[i].first + ports[i].count; port++)
			fake_outb(port, (uint8_t)(port * 37));
	fake_advance(10 * MS);
}

static unsigned pit_count(unsigned channel)
{
	unsigned low;

	fake_outb(0x43, (uint8_t)(channel << 6));
	low = fake_inb((uint16_t)(0x40 + channel));
	return fake_inb((uint16_t)(0x40 + channel)) << 8 | low;
}

static void test_pit(void **state)
{
	struct device *dev = start("pit");
	unsigned count;

	(void)state;
	fake_outb(0x43, 0x34);
	fake_outb(0x40, 11932 & 0xff);
	fake_outb(0x40, 11932 >> 8); /* 100 Hz */
	fake_outb(0x43, 0xb0);
	fake_outb(0x61, 1);
	fake_outb(0x42, 0xff);
	fake_advance(1005 * MS);
	fake_outb(0x42, 0xff); /* counts, and is read, where a byte is half written */
	count = pit_count(2);
	move(dev);
	assert_int_equal(pit_count(2), count);
	assert_int_equal(fake_inb(0x61) & 0xf, 1);
	fake_advance(4 * MS);
	assert_int_equal(edges[0], 0);
	fake_advance(996 * MS);
	assert_int_equal(edges[0], 100);
	fake_end();
}

static void test_pit_flips(void **state)
{
	struct device *dev = start("pit");

	(void)state;
	fake_outb(0x43, 0x34);
	fake_outb(0x40, 0);
	fake_outb(0x40, 0x10);
	fake_advance(1005 * MS);
	save(dev);
	assert_true(saved_flips(make, use_ports, fake_end) > 100);
}

/* One interrupt in service, one that waits, one that is masked: and the same vectors come. */
static void test_pic(void **state)
{
	struct device *dev = start("pic");
	static struct irq_line lines[3];
	static const unsigned gsis[] = {3, 4, 12};

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(irq_line_attach(&fake_vm, &lines[i], gsis[i]), 0);
	for (unsigned chip = 0; chip < 2; chip++) {
		uint16_t io = chip ? 0xa0 : 0x20;

		fake_outb(io, 0x11);
		fake_outb(io + 1, chip ? 0x38 : 0x30);
		fake_outb(io + 1, chip ? 2 : 4);
		fake_outb(io + 1, 1);
	}
	fake_outb(0x21, 0);
	fake_outb(0xa1, 0x10);
	irq_line_pulse(&lines[0]);
	assert_int_equal(fake_interrupt(0), 0x33);
	irq_line_pulse(&lines[1]);
	irq_line_pulse(&lines[2]);
	move(dev);
	assert_int_equal(fake_interrupt(0), -1); /* 3 is in service */
	fake_outb(0x20, 0x20);
	assert_int_equal(fake_interrupt(0), 0x34);
	fake_outb(0x20, 0x20);
	assert_int_equal(fake_interrupt(0), -1);
	fake_outb(0xa1, 0);
	assert_int_equal(fake_interrupt(0), 0x3c);
	fake_end();
}

static void test_pic_flips(void **state)
{
	(void)state;
	save(start("pic"));
	assert_true(saved_flips(make, use_ports, fake_end) > 100);
}

static uint8_t rtc_read(uint8_t reg)
{
	fake_outb(0x70, reg);
	return fake_inb(0x71);
}

static void rtc_write(uint8_t reg, uint8_t value)
{
	fake_outb(0x70, reg);
	fake_outb(0x71, value);
}

static void test_rtc(void **state)
{
	struct device *dev = start("rtc");

	(void)state;
	rtc_write(0x09, 0x33); /* 2033 */
	rtc_write(0x40, 0xa5);
	rtc_write(0x0a, 0x2f); /* 2 Hz */
	rtc_write(0x0b, 0x42);
	fake_advance(700 * MS);
	assert_int_equal(edges[8], 1);
	move(dev); /* with the line high */
	fake_advance(2000 * MS);
	assert_int_equal(edges[8], 0);
	assert_true(high(8));
	assert_int_equal(rtc_read(0x0c) & 0xc0, 0xc0);
	assert_false(high(8));
	fake_advance(600 * MS);
	assert_int_equal(edges[8], 1);
	assert_int_equal(rtc_read(0x09), 0x33);
	assert_int_equal(rtc_read(0x40), 0xa5);
	assert_int_equal(rtc_read(0x00), 0x03);
	fake_end();
}

static void test_rtc_flips(void **state)
{
	struct device *dev = start("rtc");

	(void)state;
	rtc_write(0x0b, 0x72);
	fake_advance(100 * MS);
	save(dev);
	assert_true(saved_flips(make, use_ports, fake_end) > 100);
}

static void test_uart(void **state)
{
	struct device *dev = start("uart16550");

	(void)state;
	fake_outb(COM1 + UART_FCR, 0xc1);
	fake_outb(COM1 + UART_MCR, UART_MCR_DTR);
	fake_outb(COM1 + UART_IER, UART_IER_ERBFI);
	fake_outb(COM1 + UART_SCR, 0x77);
	assert_int_equal(front->input(front->opaque, (const uint8_t *)"input", 5), 5);
	assert_true(high(4));
	accepts = 1;
	fake_outb(COM1 + UART_THR, 'a'); /* is taken, and the other is not */
	fake_outb(COM1 + UART_THR, 'b');
	save(dev);
	assert_memory_equal(sent, "a", sent_count);
	accepts = sizeof(sent);
	dtr = false;
	saved_give(make());
	assert_true(dtr);
	assert_int_equal(sent_count, 2);
	assert_memory_equal(sent, "ab", 2);
	assert_true(high(4));
	assert_int_equal(fake_inb(COM1 + UART_SCR), 0x77);
	for (const char *c = "input"; *c; c++) {
		assert_true(high(4));
		assert_int_equal(fake_inb(COM1 + UART_RBR), *c);
	}
	assert_false(high(4));
	fake_end();
}

static void test_uart_flips(void **state)
{
	struct device *dev = start("uart16550");

	(void)state;
	fake_outb(COM1 + UART_FCR, 0xc1);
	assert_int_equal(front->input(front->opaque, (const uint8_t *)"input", 5), 5);
	save(dev);
	assert_true(saved_flips(make, use_ports, fake_end) > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pit),	  cmocka_unit_test(test_pic),
		cmocka_unit_test(test_rtc),	  cmocka_unit_test(test_uart),
		cmocka_unit_test(test_pit_flips), cmocka_unit_test(test_pic_flips),
		cmocka_unit_test(test_rtc_flips), cmocka_unit_test(test_uart_flips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
