/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/backend/screen.c devices/backend/screen_draw.c */
/* test-sources: devices/backend/screen_keys.c devices/backend/cp437.c vmm/console_frontend.c */
/* test-sources: devices/vga/vga.c devices/vga/vga_regs.c devices/vga/vga_memory.c */
/* test-sources: devices/vga/vga_text.c vmm/hook/hook_mapped.c vmm/vm_console.c lib/ring.c */
/* test-sources: devices/chipset/ps2.c devices/chipset/ps2_port.c devices/chipset/ps2_keys.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c vmm/irq.c */
/* A VGA and a keyboard on a terminal: what this shows after what it was sent is the screen. */
#include "devices/backend/screen.h"

#include "kernel/time.h"
#include "tests/host/devices/fake.h"
#include "vmm/vm_console.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COLUMNS 80
#define ROWS	25
#define LOOK	(NSEC_PER_SEC / CONSOLE_HZ)

static struct vm_console *console;
static unsigned wakes;

/* The terminal: larger than the screen, full of other things. */
#define TERM_ROWS 30
static struct {
	char cells[TERM_ROWS][COLUMNS + 1];
	char attrs[TERM_ROWS][COLUMNS][16]; /* of SGR, as text */
	char attr[16];
	int x, y, top, bottom; /* the region's first and last row */
	bool cursor;
	size_t received;
} term;

static void term_feed_line(void)
{
	if (term.y != term.bottom) {
		term.y++;
		return;
	}
	memmove(term.cells[term.top], term.cells[term.top + 1],
		(size_t)(term.bottom - term.top) * sizeof(term.cells[0]));
	memset(term.cells[term.bottom], ' ', COLUMNS);
	memmove(term.attrs[term.top], term.attrs[term.top + 1],
		(size_t)(term.bottom - term.top) * sizeof(term.attrs[0]));
	memset(term.attrs[term.bottom], 0, sizeof(term.attrs[0]));
}

static void term_csi(const char *params, char final)
{
	int a = 0, b = 0, n = sscanf(params, "%d;%d", &a, &b);

	switch (final) {
	case 'H':
		term.y = n > 0 ? a - 1 : 0;
		term.x = n > 1 ? b - 1 : 0;
		break;
	case 'm':
		snprintf(term.attr, sizeof(term.attr), "%s", strcmp(params, "0") ? params : "");
		break;
	case 'J':
		assert_string_equal(params, "2");
		for (int y = 0; y < TERM_ROWS; y++)
			memset(term.cells[y], ' ', COLUMNS);
		memset(term.attrs, 0, sizeof(term.attrs));
		break;
	case 'K':
		assert_string_equal(term.attr, "");
		memset(term.cells[term.y] + term.x, ' ', (size_t)(COLUMNS - term.x));
		memset(term.attrs[term.y] + term.x, 0,
		       (size_t)(COLUMNS - term.x) * sizeof(term.attr));
		break;
	case 'r':
		term.top = n > 0 ? a - 1 : 0;
		term.bottom = n > 1 ? b - 1 : TERM_ROWS - 1;
		term.x = term.y = 0;
		break;
	case 'h':
	case 'l':
		assert_string_equal(params, "?25");
		term.cursor = final == 'h';
		break;
	default:
		fail();
	}
}

/* UTF-8's bytes behind the first are passed over; a character of it shows as @. */
static void term_char(uint8_t ch)
{
	if ((ch & 0xc0) == 0x80)
		return;
	assert_in_range(term.x, 0, COLUMNS - 1);
	assert_in_range(term.y, 0, TERM_ROWS - 1);
	term.cells[term.y][term.x] = ch < 0x80 ? (char)ch : '@';
	strcpy(term.attrs[term.y][term.x++], term.attr);
}

static void term_receive(const uint8_t *data, size_t len)
{
	static char params[32];
	static size_t count;
	static int state;

	term.received += len;
	for (; len--; data++) {
		if (state == 0 && *data == 0x1b) {
			state = 1;
		} else if (state == 0) {
			*data == '\n' ? term_feed_line() : term_char(*data);
		} else if (state == 1) {
			assert_int_equal(*data, '[');
			state = 2;
			count = 0;
		} else if (*data >= '@') {
			params[count] = 0;
			state = 0;
			term_csi(params, (char)*data);
		} else {
			params[count++] = (char)*data;
			assert_true(count < sizeof(params));
		}
	}
}

/* Up to @max bytes come over the line. */
static void receive(size_t max)
{
	uint8_t data[100];
	size_t n;

	while (max && (n = vm_console_read(console, data, MIN(max, sizeof(data))))) {
		term_receive(data, n);
		max -= n;
	}
}

static void look(void)
{
	fake_advance(LOOK);
	receive(SIZE_MAX);
}

static void wake(void *opaque)
{
	(void)opaque;
	wakes++;
}

static const struct vm_console_viewer viewer = {.wake = wake};

static void attach(void)
{
	memset(&term, 0, sizeof(term));
	term.bottom = TERM_ROWS - 1;
	for (int y = 0; y < TERM_ROWS; y++)
		memset(term.cells[y], '#', COLUMNS);
	assert_int_equal(vm_console_attach(&fake_vm, "screen0", &viewer, &console), 0);
	receive(SIZE_MAX);
}

static int setup_with(const char *charset)
{
	const char *const keys[] = {"frontend=vga", "keyboard=ps2", charset, NULL};

	fake_start(1);
	assert_non_null(fake_create("vga", "vga", NULL));
	assert_non_null(fake_create("ps2", "ps2", NULL));
	assert_non_null(fake_create("screen", "screen0", keys));
	fake_outb(0x64, 0x60); /* as Linux: interrupts, and set 1 */
	fake_outb(0x60, 0x65);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	setup_with("charset=utf8");
	attach();
	return 0;
}

static int setup_ascii(void **state)
{
	(void)state;
	setup_with("charset=ascii");
	attach();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vm_console_detach(console);
	fake_end();
	return 0;
}

static void cell(unsigned x, unsigned y, uint8_t attr, char ch)
{
	fake_mmio_write(0, 0xb8000 + 2 * (y * COLUMNS + x), 2, (unsigned)attr << 8 | (uint8_t)ch);
}

static void text(unsigned x, unsigned y, const char *s)
{
	while (*s)
		cell(x++, y, 0x07, *s++);
}

static void shows(unsigned x, unsigned y, const char *s)
{
	assert_memory_equal(term.cells[y] + x, s, strlen(s));
}

static void crtc(uint8_t index, uint8_t value)
{
	fake_out(0x3d4, 2, (uint32_t)(value << 8 | index));
}

/* The guest's text memory and the terminal are the same, and nothing is below. */
static void same(void)
{
	for (unsigned y = 0; y < TERM_ROWS; y++)
		for (unsigned x = 0; x < COLUMNS; x++) {
			char ch = ' ';

			if (y < ROWS)
				ch = (char)fake_mmio_read(0, 0xb8000 + 2 * (y * COLUMNS + x), 1);
			assert_int_equal(term.cells[y][x], ch);
		}
}

static void test_draws(void **state)
{
	(void)state;
	same();
	assert_true(term.cursor);
	text(3, 2, "hello, terminal");
	text(79, 0, "x");
	text(79, 24, "z");
	crtc(0x0f, 85);
	look();
	same();
	assert_int_equal(term.x, 5);
	assert_int_equal(term.y, 1);
	/* Nothing new: nothing is sent. */
	term.received = 0;
	look();
	assert_int_equal(term.received, 0);
	/* Little new, little sent; blanks to the end of the row are erased. */
	text(3, 2, "HELLO,         ");
	look();
	same();
	assert_in_range(term.received, 10, 60);
	crtc(0x0a, 0x20);
	look();
	assert_false(term.cursor);
}

static void test_colours(void **state)
{
	(void)state;
	cell(0, 0, 0x1f, 'a');
	cell(1, 0, 0x47, 'b');
	cell(2, 0, 0x87, 'c');
	cell(3, 0, 0x06, 'd');
	cell(4, 0, 0x07, (char)0xc4);
	look();
	assert_string_equal(term.attrs[0][0], "0;97;44");
	assert_string_equal(term.attrs[0][1], "0;41");
	assert_string_equal(term.attrs[0][2], "0;5");
	assert_string_equal(term.attrs[0][3], "0;33");
	assert_string_equal(term.attrs[0][4], "");
	shows(0, 0, "abcd@ ");
	assert_string_equal(term.attr, ""); /* whatever is left, it is left plain */
}

static void test_ascii(void **state)
{
	const char all[] = "-|+Aa";

	(void)state;
	cell(0, 0, 7, (char)0xc4);
	cell(1, 0, 7, (char)0xb3);
	cell(2, 0, 7, (char)0xc5);
	cell(3, 0, 7, (char)0x8e);
	cell(4, 0, 7, (char)0xa0);
	look();
	shows(0, 0, all);
}

static void test_cp437(void **state)
{
	uint8_t bytes[3];

	(void)state;
	assert_int_equal(cp437_put(0xdb, false, bytes), 3);
	assert_memory_equal(bytes, "\xe2\x96\x88", 3);
	assert_int_equal(cp437_put(0x84, false, bytes), 2);
	assert_memory_equal(bytes, "\xc3\xa4", 2);
	for (unsigned ch = 0; ch < 256; ch++) {
		assert_int_equal(cp437_put((uint8_t)ch, true, bytes), 1);
		assert_in_range(bytes[0], ' ', '~');
	}
}

/* A full screen that moves up costs a line, not a screen. */
static void test_scrolls(void **state)
{
	char line[32];

	(void)state;
	for (unsigned y = 0; y < ROWS; y++) {
		snprintf(line, sizeof(line), "line %u of the boot", y);
		text(0, y, line);
	}
	look();
	same();
	term.received = 0;
	for (unsigned i = 0; i < 2 * 24 * COLUMNS; i += 2)
		fake_mmio_write(0, 0xb8000 + i, 2, fake_mmio_read(0, 0xb8000 + i + 160, 2));
	text(0, 24, "the next one       ");
	look();
	same();
	assert_in_range(term.received, 10, 80);
}

/* The line is slow: the guest is not held up, and in the end all is there, once. */
static void test_slow_line(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 100; round++) {
		for (unsigned y = 0; y < ROWS; y++)
			for (unsigned x = 0; x < COLUMNS; x++)
				cell(x, y, (uint8_t)(x + round) & 0x7f, (char)('A' + round % 26));
		fake_advance(LOOK);
		receive(50);
	}
	for (unsigned i = 0; i < 2 * COLUMNS * ROWS; i += 2)
		fake_mmio_write(0, 0xb8000 + i, 2, 0x0778);
	fake_advance(LOOK);
	term.received = 0;
	receive(SIZE_MAX);
	same();
	assert_in_range(term.received, 1, 4 * VM_CONSOLE_BACKLOG);
}

static void test_attach_again(void **state)
{
	(void)state;
	text(0, 0, "before");
	look();
	vm_console_detach(console);
	assert_string_equal(console->leave, "\033[0m\033[r\033[?25h\033[999;1H");
	text(0, 1, "meanwhile");
	fake_advance(10 * LOOK);
	attach();
	same();
	shows(0, 1, "meanwhile");
}

static void test_graphics(void **state)
{
	(void)state;
	text(0, 0, "text");
	look();
	fake_out(0x3ce, 2, 0x0506);
	look();
	shows(0, 0, "    ");
	shows(30, 12, "graphics mode 640x25"); /* a character's 16 lines are one */
	fake_out(0x3ce, 2, 0x0e06);
	look();
	same();
	crtc(0x09, 0x47);
	look();
	assert_true(term.cursor);
}

static void type(const char *s)
{
	assert_int_equal(vm_console_input(console, (const uint8_t *)s, strlen(s)), strlen(s));
}

/* The codes of set 1 that the guest gets, in hex. */
static void gets(const char *codes)
{
	char got[256] = "";
	size_t at = 0;

	while (fake_inb(0x64) & 1)
		at += (size_t)snprintf(got + at, sizeof(got) - at, "%02x ", fake_inb(0x60));
	assert_string_equal(got, codes);
}

static void test_keys(void **state)
{
	(void)state;
	type("a");
	gets("1e 9e ");
	type("A");
	gets("2a 1e 9e aa ");
	type("?");
	gets("2a 35 b5 aa ");
	type("\r");
	gets("1c 9c ");
	type("\x7f");
	gets("0e 8e ");
	type("\x03");
	gets("1d 2e ae 9d ");
	type("\x1c");
	gets("1d 2b ab 9d ");
	type("\033x");
	gets("38 2d ad b8 ");
	type("\033[A");
	gets("e0 48 e0 c8 ");
	type("\033OP");
	gets("3b bb ");
	type("\033[24~");
	gets("58 d8 ");
	type("\033[[E");
	gets("3f bf ");
	type("\033[3;5~");
	gets("1d e0 53 e0 d3 9d ");
	type("\033[1;4C");
	gets("38 2a e0 4d e0 cd aa b8 ");
	type("\033[Z");
	gets("2a 0f 8f aa ");
	type("\xc3\xa4\033[99;99;99;99X\033[?1l"); /* nothing that a keyboard has */
	gets("");
	type("\033\033x");
	gets("01 81 38 2d ad b8 ");
	/* An Escape with nothing behind it, in time. */
	type("\033");
	gets("");
	fake_advance(NSEC_PER_SEC);
	gets("01 81 ");
	type("[");
	gets("1a 9a ");
}

/* What the guest does not take waits with the viewer. */
static void test_keyboard_full(void **state)
{
	(void)state;
	assert_int_equal(vm_console_input(console, (const uint8_t *)"AAAAAAAA", 8), 2);
	wakes = 0;
	gets("2a 1e 9e aa 2a 1e 9e aa ");
	assert_int_not_equal(wakes, 0);
	type("b");
	gets("30 b0 ");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_draws),
		TEST(test_colours),
		cmocka_unit_test_setup_teardown(test_ascii, setup_ascii, teardown),
		cmocka_unit_test(test_cp437),
		TEST(test_scrolls),
		TEST(test_slow_line),
		TEST(test_attach_again),
		TEST(test_graphics),
		TEST(test_keys),
		TEST(test_keyboard_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
