/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The letters of the framebuffer's text, 8 x 13 dots: misc-fixed, the font of X's
 * terminals, in the public domain. The build takes it from Debian's xfonts-base
 * (scripts/gen-font; third-party/THIRD-PARTY.md).
 */
#ifndef DRIVERS_FONT_H
#define DRIVERS_FONT_H

#include <stdint.h>

#define FONT_WIDTH  8
#define FONT_HEIGHT 13
#define FONT_FIRST  0x20
#define FONT_LAST   0x7e

/* By character and row from the top; bit 7 is the left dot. */
extern const uint8_t font_rows[FONT_LAST - FONT_FIRST + 1][FONT_HEIGHT];

#endif
