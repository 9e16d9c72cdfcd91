/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/fake/kernel/fake_panic.h"
#include "kernel/panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

jmp_buf fake_panic_jump;
bool fake_panic_expected;

void panic(const char *fmt, ...)
{
	va_list args;

	if (fake_panic_expected)
		longjmp(fake_panic_jump, 1);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}
