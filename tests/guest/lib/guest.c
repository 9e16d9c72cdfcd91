/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/guest/lib/guest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LSR	 (GUEST_SERIAL_PORT + 5)
#define LSR_THRE 0x20

TABLE_DECLARE(guest_tests, struct guest_test);

uint32_t guest_magic, guest_info;
static bool test_failed;

void guest_start(uint32_t magic, uint32_t info);
void guest_traps_init(void);

static void guest_puts(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		while (!(inb(LSR) & LSR_THRE))
			;
		outb(GUEST_SERIAL_PORT, (uint8_t)s[i]);
	}
}

static void guest_vprintf(const char *fmt, va_list args)
{
	char line[256];
	int n = vsnprintf(line, sizeof(line), fmt, args);

	guest_puts(line, MIN((size_t)n, sizeof(line) - 1));
}

void guest_printf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	guest_vprintf(fmt, args);
	va_end(args);
}

void guest_fail(const char *fmt, ...)
{
	va_list args;

	guest_printf("# ");
	va_start(args, fmt);
	guest_vprintf(fmt, args);
	va_end(args);
	guest_printf("\n");
	test_failed = true;
}

void guest_check_failed(const char *cond, const char *fmt, ...)
{
	va_list args;

	guest_printf("# %s: ", cond);
	va_start(args, fmt);
	guest_vprintf(fmt, args);
	va_end(args);
	guest_printf("\n");
	test_failed = true;
}

void guest_exit(uint8_t code)
{
	/* What was sent must have left before the VM ends. */
	while (!(inb(LSR) & 0x40))
		;
	outb(GUEST_EXIT_PORT, code);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void guest_start(uint32_t magic, uint32_t info)
{
	const struct guest_test *t;
	unsigned passed = 0, failed = 0;

	guest_magic = magic;
	guest_info = info;
	guest_traps_init();
	for (t = TABLE_START(guest_tests); t < TABLE_END(guest_tests); t++) {
		test_failed = false;
		t->fn();
		guest_printf("%s %s\n", test_failed ? "not ok" : "ok", t->name);
		*(test_failed ? &failed : &passed) += 1;
	}
	guest_printf("%u passed, %u failed\n", passed, failed);
	guest_exit(failed ? 1 : 0);
}
