/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text mode as the boot loader left it; cells of a character and an attribute
 * in video memory (IBM VGA, "Video Subsystem", alphanumeric modes).
 */
#include "arch/x86_64/io.h"
#include "arch/x86_64/paging.h"
#include "drivers/screen.h"
#include "kernel/boot_info.h"

#define VGA_CRTC_INDEX	   0x3d4
#define VGA_CRTC_DATA	   0x3d5
#define VGA_CRTC_CURSOR_HI 0x0e
#define VGA_CRTC_CURSOR_LO 0x0f
#define VGA_ATTRIBUTE	   0x0700 /* light grey on black */
#define VGA_BYTES_PER_CELL 2

static struct {
	struct screen screen;
	volatile uint16_t *memory;
	unsigned pitch; /* cells from a line to the next */
} vga;

static void vga_draw(struct screen *screen, unsigned x, unsigned y, char c, bool cursor)
{
	unsigned at = y * vga.pitch + x;

	(void)screen;
	vga.memory[at] = VGA_ATTRIBUTE | (uint8_t)c;
	if (!cursor)
		return;
	io_out8(VGA_CRTC_INDEX, VGA_CRTC_CURSOR_HI);
	io_out8(VGA_CRTC_DATA, at >> 8);
	io_out8(VGA_CRTC_INDEX, VGA_CRTC_CURSOR_LO);
	io_out8(VGA_CRTC_DATA, at & 0xff);
}

static bool vga_init(void)
{
	const struct boot_framebuffer *fb = &boot_info.fb;

	if (!fb->present || !fb->text || !fb->width || !fb->height ||
	    (uint64_t)fb->width * fb->height > SCREEN_CELLS_MAX ||
	    fb->pitch < fb->width * VGA_BYTES_PER_CELL)
		return false;
	vga.memory = paging_map_device(fb->phys, (size_t)fb->pitch * fb->height, PAGING_UC);
	if (!vga.memory)
		return false;
	vga.pitch = fb->pitch / VGA_BYTES_PER_CELL;
	vga.screen.width = fb->width;
	vga.screen.height = fb->height;
	vga.screen.draw = vga_draw;
	return screen_register(&vga.screen, "vga");
}

SCREEN_DRIVER(vga_driver, .name = "vga", .init = vga_init);
