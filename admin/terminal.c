/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/terminal.h"

#include "admin/input.h"
#include "kernel/console.h"
#include "kernel/time.h"
#include "lib/compiler.h"

#include <string.h>

#define TERMINAL_ROWS	   24
#define TERMINAL_COLUMNS   80
#define TERMINAL_SIZE_MAX  1000
#define TERMINAL_ANSWER_NS (500 * NSEC_PER_MSEC)

/* Keeps the cursor, moves it as far as it goes, asks where it is, and puts it back. */
static const char question[] = "\x1b"
			       "7\x1b[999;999H\x1b[6n\x1b"
			       "8";

/* The shell's task alone uses these. */
static bool known;
static struct terminal_size size = {TERMINAL_ROWS, TERMINAL_COLUMNS};
static enum terminal_paging paging;

void terminal_ask(void)
{
	if (!known)
		console_write(question, sizeof(question) - 1);
}

void terminal_answered(unsigned rows, unsigned columns)
{
	known = true;
	if (rows >= 2 && rows <= TERMINAL_SIZE_MAX && columns >= 2 && columns <= TERMINAL_SIZE_MAX)
		size = (struct terminal_size){rows, columns};
}

bool terminal_is_known(void)
{
	return known;
}

struct terminal_size terminal_size(void)
{
	return size;
}

void terminal_set_paging(enum terminal_paging wanted)
{
	paging = wanted;
}

enum terminal_paging terminal_paging(void)
{
	return paging;
}

bool terminal_may_page(void)
{
	return paging == PAGING_ON || (paging == PAGING_AUTO && known);
}

/* The next byte of an answer within the time; -1: none came. */
static int terminal_byte(uint64_t deadline)
{
	const uint8_t *data;
	uint64_t now;
	size_t len;

	while (data = input_peek(&len), !len) {
		now = time_tsc();
		if (now >= deadline)
			return -1;
		input_wait_ns(time_tsc_to_ns(deadline - now));
	}
	return *data;
}

/* A number of it, and @end behind it, which is taken. */
static bool terminal_number(uint64_t deadline, char end, unsigned *number)
{
	int byte;

	for (*number = 0; (byte = terminal_byte(deadline)) != end; input_taken(1)) {
		if (byte < '0' || byte > '9' || *number > TERMINAL_SIZE_MAX)
			return false;
		*number = *number * 10 + (unsigned)(byte - '0');
	}
	input_taken(1);
	return true;
}

/* What is typed meanwhile stays, for the next line: who types ahead wants no pages. */
bool terminal_pages(void)
{
	uint64_t deadline = time_tsc() + time_ns_to_tsc(TERMINAL_ANSWER_NS);
	unsigned rows, columns;
	static const char begin[] = "\x1b[";

	if (paging == PAGING_ON)
		return true;
	known = false;
	terminal_ask();
	for (const char *c = begin; *c; c++) {
		if (terminal_byte(deadline) != *c)
			return false;
		input_taken(1);
	}
	if (!terminal_number(deadline, ';', &rows) || !terminal_number(deadline, 'R', &columns))
		return false;
	terminal_answered(rows, columns);
	return true;
}
