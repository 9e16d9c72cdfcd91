/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/font.h"

#include <font_glyphs.h>

const uint8_t font_rows[FONT_LAST - FONT_FIRST + 1][FONT_HEIGHT] = {FONT_GLYPHS};
