/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/vga/vga.c devices/vga/vga_regs.c devices/vga/vga_memory.c */
/* test-sources: devices/vga/vga_text.c vmm/console_frontend.c vmm/hook/hook_mapped.c */
/* test-sources: vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "devices/vga/vga.h"

#include "kernel/time.h"
#include "tests/host/devices/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOOK (NSEC_PER_SEC / CONSOLE_HZ)

static struct console_frontend *front;
static struct console_screen screen;
static uint16_t cells[CONSOLE_CELLS_MAX];
static char told[256];

static void note(const char *fmt, ...)
{
	size_t at = strlen(told);
	va_list args;

	va_start(args, fmt);
	vsnprintf(told + at, sizeof(told) - at, fmt, args);
	va_end(args);
}

static void note_resolution(void *opaque)
{
	(void)opaque;
	note("resolution ");
}

static void note_scroll(void *opaque, unsigned rows)
{
	(void)opaque;
	note("scroll %u ", rows);
}

static void note_update(void *opaque, unsigned x, unsigned y, unsigned columns, unsigned rows)
{
	(void)opaque;
	note("update %u,%u %ux%u ", x, y, columns, rows);
}

static void note_cursor(void *opaque)
{
	(void)opaque;
	note("cursor ");
}

static const struct console_backend_ops backend = {
	.resolution = note_resolution,
	.scroll = note_scroll,
	.update = note_update,
	.cursor = note_cursor,
};

/* What is told of the next look. */
static const char *look(void)
{
	told[0] = 0;
	fake_advance(LOOK);
	return told;
}

static void snapshot(void)
{
	spin_lock(&front->base.lock);
	front->snapshot(front->opaque, &screen, cells);
	spin_unlock(&front->base.lock);
}

static void watch(bool on)
{
	spin_lock(&front->base.lock);
	front->watch(front->opaque, on);
	spin_unlock(&front->base.lock);
}

static int setup(void **state)
{
	(void)state;
	fake_start(1);
	assert_non_null(fake_create("vga", "vga", NULL));
	front = device_iface(&fake_vm, "vga", console_frontend_kind.name);
	front->base.backend = &backend.base;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static void out(uint16_t port, uint8_t index, uint8_t value)
{
	fake_out(port, 2, (uint32_t)(value << 8 | index));
}

static uint8_t in(uint16_t port, uint8_t index)
{
	fake_outb(port, index);
	return fake_inb(port + 1);
}

static void attr(uint8_t index, uint8_t value)
{
	fake_inb(0x3da);
	fake_outb(0x3c0, index);
	fake_outb(0x3c0, value);
}

static void put(gpa_t gpa, uint8_t value)
{
	fake_mmio_write(0, gpa, 1, value);
}

static uint8_t get(gpa_t gpa)
{
	return (uint8_t)fake_mmio_read(0, gpa, 1);
}

static void text(unsigned cell, const char *s)
{
	for (; *s; s++)
		fake_mmio_write(0, 0xb8000 + 2 * cell++, 2, 0x0700u | (uint8_t)*s);
}

static void test_registers(void **state)
{
	(void)state;
	out(0x3d4, 0x0e, 0x12);
	assert_int_equal(in(0x3d4, 0x0e), 0x12);
	assert_int_equal(in(0x3d4, 0x18), 0xff);
	assert_int_equal(in(0x3d4, 0x19), 0);
	assert_int_equal(fake_in(0x3b4, 2), 0xffff); /* the registers are at 0x3dx */
	out(0x3d4, 0x00, 0x00);			     /* protected */
	assert_int_equal(in(0x3d4, 0x00), 0x5f);
	out(0x3d4, 0x07, 0xff);
	assert_int_equal(in(0x3d4, 0x07), 0x1f);
	out(0x3d4, 0x11, 0x0e);
	out(0x3d4, 0x00, 0x2d);
	assert_int_equal(in(0x3d4, 0x00), 0x2d);
	fake_outb(0x3c2, 0x66);
	assert_int_equal(fake_inb(0x3cc), 0x66);
	assert_int_equal(fake_inb(0x3d5), 0xff);
	assert_int_equal(in(0x3b4, 0x0e), 0x12);

	fake_reset();
	attr(0x01, 0x3f); /* the screen goes off, the palette can be written */
	attr(0x21, 0x00); /* and not when it is on */
	fake_inb(0x3da);
	fake_outb(0x3c0, 0x21);
	assert_int_equal(fake_inb(0x3c1), 0x3f);
	fake_inb(0x3da);
	attr(0x30, 0x04);
	assert_int_equal(fake_inb(0x3c1), 0x04);
}

static void test_dac(void **state)
{
	(void)state;
	fake_outb(0x3c7, 6); /* brown, of the EGA's colours: dark yellow */
	assert_int_equal(fake_inb(0x3c7), 3);
	assert_int_equal(fake_inb(0x3c9), 42);
	assert_int_equal(fake_inb(0x3c9), 42);
	assert_int_equal(fake_inb(0x3c9), 0);
	assert_int_equal(fake_inb(0x3c9), 42); /* 7 */
	fake_outb(0x3c8, 255);
	fake_outb(0x3c9, 0xc1);
	fake_outb(0x3c9, 2);
	fake_outb(0x3c9, 3);
	fake_outb(0x3c9, 4); /* the first comes behind the last */
	fake_outb(0x3c7, 255);
	assert_int_equal(fake_inb(0x3c9), 1);
	assert_int_equal(fake_inb(0x3c9), 2);
	assert_int_equal(fake_inb(0x3c9), 3);
	assert_int_equal(fake_inb(0x3c9), 4);
}

static void test_retrace(void **state)
{
	unsigned seen = 0, i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		uint8_t status = fake_inb(0x3da);

		assert_true(!(status & 8) || (status & 1));
		seen |= 1u << (status & 1) | (status & 8 ? 4 : 8);
		fake_advance(100000);
	}
	assert_int_equal(seen, 15);
}

/* The way in which fonts are loaded: plane 2 at 0xa0000, and the text stays as it is. */
static void test_font(void **state)
{
	(void)state;
	text(0, "AB");
	out(0x3c4, 2, 0x04);
	out(0x3c4, 4, 0x07);
	out(0x3ce, 5, 0x00);
	out(0x3ce, 6, 0x00);
	out(0x3ce, 4, 0x02);
	put(0xa0000, 0x18);
	put(0xa0001, 0x3c);
	fake_mmio_write(0, 0xa2000, 4, 0x04030201);
	assert_int_equal(get(0xa0000), 0x18);
	assert_int_equal(get(0xa0001), 0x3c);
	assert_int_equal(fake_mmio_read(0, 0xa2000, 4), 0x04030201);
	out(0x3ce, 4, 0x00); /* what the planes 0 and 1 have */
	assert_int_equal(get(0xa0000), 'A');
	assert_int_equal(get(0xb0000), 'A'); /* a plane ends at 64 KiB */
	out(0x3ce, 6, 0x05);
	assert_int_equal(get(0xa0002), 'B');
	assert_int_equal(get(0xb0000), 0xff);
	out(0x3ce, 4, 0x01);
	assert_int_equal(get(0xa0002), 0x07);
	snapshot();
	assert_int_equal(screen.columns, 0);
}

/* Mode 12h: planes, latches, write and read modes. */
static void test_planes(void **state)
{
	(void)state;
	out(0x3c4, 4, 0x06);
	out(0x3ce, 6, 0x05);
	out(0x3ce, 5, 0x00);
	out(0x3c4, 2, 0x0f);
	put(0xa8001, 0xa5); /* write mode 0: all planes */
	for (unsigned plane = 0; plane < 4; plane++) {
		out(0x3ce, 4, (uint8_t)plane);
		assert_int_equal(get(0xa8001), 0xa5);
	}
	out(0x3ce, 0, 0x05); /* set/reset: planes 0 and 2 are set, 1 is reset */
	out(0x3ce, 1, 0x07);
	out(0x3ce, 8, 0x0f);
	get(0xa8001);
	put(0xa8001, 0x00);
	out(0x3ce, 4, 0);
	assert_int_equal(get(0xa8001), 0xaf);
	out(0x3ce, 4, 1);
	assert_int_equal(get(0xa8001), 0xa0);
	out(0x3ce, 4, 3);
	assert_int_equal(get(0xa8001), 0xa0);
	out(0x3ce, 5, 0x01); /* write mode 1: the latches */
	get(0xa8001);
	put(0xa8002, 0x77);
	out(0x3ce, 4, 0);
	assert_int_equal(get(0xa8002), 0xaf);
	out(0x3ce, 5, 0x02); /* write mode 2: a colour */
	out(0x3ce, 8, 0x80);
	get(0xa8002);
	put(0xa8002, 0x08);
	assert_int_equal(get(0xa8002), 0x2f);
	out(0x3ce, 4, 3);
	assert_int_equal(get(0xa8002), 0xa0);
	out(0x3ce, 5, 0x03); /* write mode 3: the value is the mask, turned by one */
	out(0x3ce, 8, 0xff);
	out(0x3ce, 3, 0x01);
	get(0xa8002);
	put(0xa8002, 0x01);
	out(0x3ce, 4, 0);
	assert_int_equal(get(0xa8002), 0xaf);
	out(0x3ce, 3, 0x18); /* exclusive or */
	out(0x3ce, 5, 0x00);
	out(0x3ce, 1, 0x00);
	get(0xa8002);
	put(0xa8002, 0xff);
	assert_int_equal(get(0xa8002), 0x50);
	out(0x3ce, 5, 0x08); /* read mode 1: where plane 0 is set, whatever the others are */
	out(0x3ce, 2, 0x01);
	out(0x3ce, 7, 0x01);
	assert_int_equal(get(0xa8002), 0x50);
	snapshot();
	assert_int_equal(screen.columns, 0);
	assert_int_equal(screen.width, 640);
}

/* Mode 13h. */
static void test_chain4(void **state)
{
	(void)state;
	out(0x3c4, 4, 0x0e);
	out(0x3c4, 2, 0x0f);
	out(0x3ce, 5, 0x40);
	out(0x3ce, 6, 0x05);
	out(0x3d4, 9, 0x41);
	for (unsigned i = 0; i < 256; i++)
		put(0xa0100 + i, (uint8_t)i);
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(get(0xa0100 + i), i);
	snapshot();
	assert_int_equal(screen.width, 320);
	assert_int_equal(screen.height, 200);
}

static void test_mono(void **state)
{
	(void)state;
	fake_outb(0x3c2, 0x66);
	out(0x3ce, 6, 0x0a);
	fake_mmio_write(0, 0xb0000, 2, 0x0f4d);
	snapshot();
	assert_int_equal(screen.columns, 80);
	assert_int_equal(cells[0], 0x0f4d);
	assert_int_equal(get(0xa0000), 0xff);
}

static void test_modes(void **state)
{
	(void)state;
	snapshot();
	assert_int_equal(screen.columns, 80);
	assert_int_equal(screen.rows, 25);
	assert_true(screen.cursor && screen.blink);
	assert_int_equal(cells[1999], CONSOLE_BLANK);
	out(0x3d4, 0x09, 0x47); /* 8 lines a character */
	out(0x3d4, 0x0a, 0x20); /* no cursor */
	snapshot();
	assert_int_equal(screen.rows, 50);
	assert_false(screen.cursor);
	fake_reset();
	out(0x3d4, 0x11, 0x0e);
	out(0x3d4, 0x01, 0x27);
	out(0x3d4, 0x13, 0x14);
	text(41, "x");
	snapshot();
	assert_int_equal(screen.columns, 40);
	assert_int_equal(cells[41], 0x0778);
	out(0x3c4, 1, 0x20); /* off */
	snapshot();
	assert_int_equal(cells[41], CONSOLE_BLANK);
	assert_false(screen.cursor);
	/* As many cells as registers can tell of. */
	out(0x3c4, 1, 0);
	out(0x3d4, 0x01, 0xff);
	out(0x3d4, 0x09, 0x00);
	out(0x3d4, 0x07, 0xff);
	out(0x3d4, 0x13, 0x00);
	snapshot();
	assert_true(screen.columns * screen.rows <= CONSOLE_CELLS_MAX);
}

static void test_start_and_cursor(void **state)
{
	(void)state;
	text(160, "two");
	out(0x3d4, 0x0d, 160);
	out(0x3d4, 0x0f, 165);
	snapshot();
	assert_int_equal(cells[0], 0x0774);
	assert_int_equal(screen.cursor_x, 5);
	assert_int_equal(screen.cursor_y, 0);
	out(0x3d4, 0x0f, 100); /* above the screen */
	snapshot();
	assert_false(screen.cursor);
}

static void test_watch(void **state)
{
	(void)state;
	assert_string_equal(look(), "");
	watch(true);
	assert_string_equal(look(), "");
	text(85, "hello");
	text(160, "w");
	assert_string_equal(look(), "update 0,1 10x2 ");
	assert_string_equal(look(), "");
	for (unsigned y = 2; y < 24; y++)
		text(y * 80 + y, "row");
	look();
	text(24 * 80, "last");
	out(0x3d4, 0x0f, 7);
	assert_string_equal(look(), "update 0,24 4x1 cursor ");
	/* The guest copies. */
	for (unsigned i = 0; i < 24 * 80; i++)
		fake_mmio_write(0, 0xb8000 + 2 * i, 2, fake_mmio_read(0, 0xb8000 + 2 * i + 160, 2));
	text(24 * 80, "new ");
	text(23 * 80 + 4, " words");
	assert_string_equal(look(), "scroll 1 update 0,23 10x2 ");
	/* It moves the start; the cursor's cell stays behind. */
	out(0x3d4, 0x0d, 80);
	assert_string_equal(look(), "scroll 1 cursor ");
	out(0x3d4, 0x09, 0x47);
	assert_string_equal(look(), "resolution ");
	front->base.backend = NULL;
	text(85, "nobody");
	assert_string_equal(look(), "");
	front->base.backend = &backend.base;
	assert_string_equal(look(), "");
	watch(true);
	text(165, "again");
	watch(false);
	assert_string_equal(look(), "");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_registers), TEST(test_dac),	 TEST(test_retrace),
		TEST(test_font),      TEST(test_planes), TEST(test_chain4),
		TEST(test_mono),      TEST(test_modes),	 TEST(test_start_and_cursor),
		TEST(test_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
