/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The letters of the framebuffer's text: our own, 5 x 8 dots, in cells of 6 x 8.
 */
#ifndef DRIVERS_FONT_H
#define DRIVERS_FONT_H

#include <stdint.h>

#define FONT_COLUMNS	 5
#define FONT_CELL_WIDTH	 6
#define FONT_CELL_HEIGHT 8
#define FONT_FIRST	 0x20
#define FONT_LAST	 0x7e

/* By character and column from the left; bit 0 is the top row. */
extern const uint8_t font_columns[FONT_LAST - FONT_FIRST + 1][FONT_COLUMNS];

#endif
