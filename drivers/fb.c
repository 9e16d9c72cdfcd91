/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text on the framebuffer that the boot loader set up (Multiboot2 2.0, 3.6.12,
 * direct RGB of 16 to 32 bits). Every dot of the font is one pixel, or two by two
 * on a large one.
 */
#include "arch/x86_64/paging.h"
#include "drivers/font.h"
#include "drivers/screen.h"
#include "kernel/boot_info.h"

#include <string.h>

#define FB_LARGE      1920 /* pixels of width, from which on dots are two by two */
#define FB_BRIGHTNESS 0xc0 /* of 255, each colour of the text */
#define FB_MAX_CELL   (2 * FONT_WIDTH)

static struct {
	struct screen screen;
	uint8_t *memory;
	unsigned pitch; /* bytes */
	unsigned bytes; /* of a pixel */
	unsigned dot;	/* its width and height in pixels */
	uint32_t text;	/* the colour as a pixel; the background is 0 */
} fb;

/* One row of a cell, as pixels. */
static size_t fb_row(uint8_t *pixels, uint8_t dots)
{
	uint8_t *at = pixels;

	for (unsigned left = 1u << (FONT_WIDTH - 1); left; left >>= 1) {
		uint32_t pixel = (dots & left) ? fb.text : 0;

		for (unsigned i = 0; i < fb.dot; i++, at += fb.bytes)
			memcpy(at, &pixel, fb.bytes);
	}
	return (size_t)(at - pixels);
}

static void fb_draw(struct screen *screen, unsigned x, unsigned y, char c, bool cursor)
{
	const uint8_t *rows = font_rows[c - FONT_FIRST];
	/* memcpy of the last pixel in three bytes stays inside. */
	uint8_t pixels[FB_MAX_CELL * sizeof(uint32_t)];
	uint8_t *at = fb.memory + (size_t)y * FONT_HEIGHT * fb.dot * fb.pitch +
		      (size_t)x * FONT_WIDTH * fb.dot * fb.bytes;

	(void)screen;
	for (unsigned row = 0; row < FONT_HEIGHT; row++) {
		size_t len = fb_row(pixels, cursor && row == FONT_HEIGHT - 1 ? 0xff : rows[row]);

		for (unsigned i = 0; i < fb.dot; i++, at += fb.pitch)
			memcpy(at, pixels, len);
	}
}

static uint32_t fb_colour(uint8_t position, uint8_t size)
{
	return size && size <= 8 && position < 32
		       ? (uint32_t)(FB_BRIGHTNESS >> (8 - size)) << position
		       : 0;
}

static bool fb_usable(const struct boot_framebuffer *info)
{
	return info->present && !info->text &&
	       (info->bpp == 16 || info->bpp == 24 || info->bpp == 32) &&
	       info->pitch >= (uint64_t)info->width * (info->bpp / 8);
}

static bool fb_init(void)
{
	const struct boot_framebuffer *info = &boot_info.fb;

	if (!fb_usable(info))
		return false;
	fb.pitch = info->pitch;
	fb.bytes = info->bpp / 8;
	fb.dot = info->width >= FB_LARGE ? 2 : 1;
	fb.text = fb_colour(info->red_pos, info->red_size) |
		  fb_colour(info->green_pos, info->green_size) |
		  fb_colour(info->blue_pos, info->blue_size);
	fb.screen.width = info->width / (FONT_WIDTH * fb.dot);
	fb.screen.height = info->height / (FONT_HEIGHT * fb.dot);
	if (!fb.screen.width || !fb.screen.height)
		return false;
	/* A very large one is used in its upper left part. */
	fb.screen.width = MIN(fb.screen.width, 240u);
	fb.screen.height = MIN(fb.screen.height, SCREEN_CELLS_MAX / fb.screen.width);
	fb.memory = paging_map_device(info->phys, (size_t)info->pitch * info->height, PAGING_WC);
	if (!fb.memory)
		return false;
	fb.screen.draw = fb_draw;
	return screen_register(&fb.screen, "fb");
}

SCREEN_DRIVER(fb_driver, .name = "fb", .init = fb_init);
