/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command prints is held back until it ends: so no lock that it prints under is held for as
 * long as the serial line takes, and what is longer than the terminal is shown page by page.
 */
#ifndef ADMIN_PAGER_H
#define ADMIN_PAGER_H

#include <stdbool.h>
#include <stddef.h>

/* From here on console_write() and console_printf() fill memory; what is too much for it goes out
 * at once. */
void pager_hold(void);
/* Shows what was held, and all goes out at once again. */
void pager_show(void);
/* As pager_hold(), but nothing goes out: what is too much is lost. */
void pager_keep(void);
/* All goes out at once again, and the caller has the @*len bytes that were held until
 * pager_forget(); NULL: some were lost. */
const char *pager_kept(size_t *len);
void pager_forget(void);

#endif
