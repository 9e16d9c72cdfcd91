/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who sits at the other end of the serial line. A terminal answers when it is asked where its
 * cursor is (ECMA-48, 8.3.14 and 8.3.35), a script does not: so only a terminal that has answered
 * gets its output by pages. What the administrator set goes before that.
 */
#ifndef ADMIN_TERMINAL_H
#define ADMIN_TERMINAL_H

#include <stdbool.h>

struct terminal_size {
	unsigned rows, columns; /* at least 2 */
};

enum terminal_paging { PAGING_AUTO, PAGING_ON, PAGING_OFF };

/* Asks, without waiting, unless it is known already. The prompt is shown. */
void terminal_ask(void);
/* It has answered. */
void terminal_answered(unsigned rows, unsigned columns);
bool terminal_is_known(void);
/* 24 x 80 while it is not known. */
struct terminal_size terminal_size(void);
/* Whether it may come to pages at all; and whether somebody answers now, which takes half a second
 * where not. */
bool terminal_may_page(void);
bool terminal_pages(void);

void terminal_set_paging(enum terminal_paging paging);
enum terminal_paging terminal_paging(void);

#endif
