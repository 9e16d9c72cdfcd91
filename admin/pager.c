/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/pager.h"

#include "admin/input.h"
#include "admin/terminal.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "lib/compiler.h"

#include <stddef.h>
#include <string.h>

#define PAGER_MIN   4096u
#define PAGER_MAX   (256u << 10)
#define PAGER_PIECE 256u /* bytes that go out before others on this CPU run */
#define PAGER_CTRLC 0x03
#define PAGER_ESC   0x1b

/* What is held. The shell's task alone fills and shows it. */
static char *held;
static size_t held_len, held_size;
static bool keeps, lost; /* pager_keep(): what does not fit is … */

struct pager {
	struct terminal_size size;
	bool paged;    /* somebody sits there who can go on */
	bool quit;     /* the rest is not wanted */
	unsigned left; /* rows until --More-- */
};

static bool pager_grow(size_t len)
{
	size_t size = MAX(held_size, (size_t)PAGER_MIN);
	char *more;

	while (size < len && size < PAGER_MAX)
		size *= 2;
	more = size < len ? NULL : kmalloc(size);
	if (!more)
		return false;
	if (held)
		memcpy(more, held, held_len);
	kfree(held);
	held = more;
	held_size = size;
	return true;
}

void pager_forget(void)
{
	kfree(held);
	held = NULL;
	held_len = held_size = 0;
}

/* Where there is no space, all of it goes out unpaged, and so does what follows. */
static void pager_take(const char *s, size_t len)
{
	if (!len || (keeps && lost))
		return;
	lost = len > held_size - held_len && !pager_grow(held_len + len);
	if (lost && keeps)
		return;
	if (lost) {
		console_redirect(NULL);
		console_write(held, held_len);
		console_write(s, len);
		pager_forget();
		return;
	}
	memcpy(held + held_len, s, len);
	held_len += len;
}

/* A byte that is not a key of ours begins the next line, and ends this. */
static void pager_key(struct pager *p, uint8_t byte)
{
	p->left = byte == '\r' || byte == '\n' ? 1 : p->size.rows - 1;
	if (byte == '\r' || byte == '\n' || byte == ' ') {
		input_taken(1);
		return;
	}
	p->quit = true;
	if (byte == 'q' || byte == PAGER_CTRLC || byte == PAGER_ESC)
		input_taken(1);
}

static void pager_more(struct pager *p)
{
	static const char more[] = "--More--", erase[] = "\r\x1b[K";
	const uint8_t *data;
	size_t len;

	console_write(more, sizeof(more) - 1);
	while (data = input_peek(&len), !len)
		input_wait();
	pager_key(p, *data);
	if (p->quit)
		console_write("\n", 1);
	else
		console_write(erase, sizeof(erase) - 1);
}

/* Bytes of the line at @s, with its end, and the rows that it takes. */
static size_t pager_line(const struct pager *p, const char *s, size_t len, unsigned *rows)
{
	unsigned column = 0;
	size_t n = 0;

	*rows = 1;
	while (n < len && s[n++] != '\n') {
		if ((s[n - 1] & 0xc0) == 0x80)
			continue; /* of the same character */
		if (column++ == p->size.columns) {
			column = 1;
			++*rows;
		}
	}
	return n;
}

static void pager_write(const char *s, size_t len)
{
	for (size_t n; len; s += n, len -= n) {
		n = MIN(len, (size_t)PAGER_PIECE);
		console_write(s, n);
		console_pace();
	}
}

/* Whether all of it has @rows at most. */
static bool pager_fits(const struct pager *p, unsigned rows)
{
	unsigned more, all = 0;

	for (size_t at = 0; at < held_len && all <= rows; all += more)
		at += pager_line(p, held + at, held_len - at, &more);
	return all <= rows;
}

void pager_hold(void)
{
	console_redirect(pager_take);
}

void pager_keep(void)
{
	keeps = true;
	lost = false;
	pager_hold();
}

const char *pager_kept(size_t *len)
{
	console_redirect(NULL);
	keeps = false;
	*len = held_len;
	return lost ? NULL : held ? held : "";
}

void pager_show(void)
{
	struct pager p = {.size = terminal_size()};
	unsigned rows;
	size_t n;

	console_redirect(NULL);
	p.left = p.size.rows - 1;
	p.paged = terminal_may_page() && !pager_fits(&p, p.left) && terminal_pages();
	for (size_t at = 0; at < held_len; at += n) {
		n = pager_line(&p, held + at, held_len - at, &rows);
		if (p.paged && rows > p.left)
			pager_more(&p);
		if (p.quit)
			break;
		pager_write(held + at, n);
		p.left -= MIN(rows, p.left);
	}
	pager_forget();
}
