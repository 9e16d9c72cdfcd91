/* SPDX-License-Identifier: BSD-2-Clause */
/* A framebuffer of pixels as a console. */
#ifndef DRIVERS_FB_H
#define DRIVERS_FB_H

#include "lib/compiler.h"

#include <stdbool.h>

/* Boot, once devices can be mapped: false without a framebuffer that we can draw on. */
bool fb_console_init(void) __must_check;

#endif
