/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command prints is held back until it ends: so no lock that it prints under is held for as
 * long as the serial line takes, and what is longer than the terminal is shown page by page.
 */
#ifndef ADMIN_PAGER_H
#define ADMIN_PAGER_H

#include <stdbool.h>

/* From here on console_write() and console_printf() fill memory; what is too much for it goes out
 * at once. */
void pager_hold(void);
/* Shows what was held, and all goes out at once again. */
void pager_show(void);

#endif
