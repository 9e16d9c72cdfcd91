/* SPDX-License-Identifier: BSD-2-Clause */
/* VGA text mode as a console. */
#ifndef DRIVERS_VGA_H
#define DRIVERS_VGA_H

#include "lib/compiler.h"

#include <stdbool.h>

/* Boot, once devices can be mapped: false when the screen is not in a text mode. */
bool vga_console_init(void) __must_check;

#endif
