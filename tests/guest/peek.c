/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads and writes memory as it is told over its serial port, 4 bytes at a time:
 * `rADDRESS` and `wADDRESS=VALUE`, in hexadecimal and with a Return; `q` ends it. Answers
 * are numbered: what is attached later is shown the last ones again.
 */
#include "tests/guest/lib/guest.h"

#define UART_LSR (GUEST_SERIAL_PORT + 5)
#define LSR_DR	 0x01

static char next(void)
{
	while (!(inb(UART_LSR) & LSR_DR))
		__builtin_ia32_pause();
	return (char)inb(GUEST_SERIAL_PORT);
}

/* Up to what is no digit, which goes to @*end. */
static uint32_t number(char *end)
{
	uint32_t value = 0;
	char c;

	for (;;) {
		c = next();
		if (c >= '0' && c <= '9')
			value = value << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint32_t)(c - 'a' + 10);
		else
			break;
	}
	*end = c;
	return value;
}

GUEST_TEST(peek)
{
	uint32_t address;
	unsigned count = 0;
	char what, end;

	irq_on(); /* nothing comes, but Bochs 2.7 lets ours in then alone */
	guest_printf("# peeking\n");
	while ((what = next()) != 'q') {
		if (what != 'r' && what != 'w')
			continue;
		address = number(&end);
		if (what == 'w' && end == '=')
			mmio_write(address, number(&end));
		guest_printf("%u: %08x has %08x\n", ++count, address, mmio_read(address));
	}
}
