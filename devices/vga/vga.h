/* SPDX-License-Identifier: BSD-2-Clause */
/* VGA between its files: registers (vga_regs.c), memory (vga_memory.c), the picture
 * (vga_text.c), the device (vga.c). The lock is front.base.lock. */
#ifndef DEVICES_VGA_VGA_H
#define DEVICES_VGA_VGA_H

#include "vmm/console_frontend.h"
#include "vmm/device.h"

#include <stdbool.h>
#include <stdint.h>

#define VGA_PLANES	4
#define VGA_PLANE_SIZE	0x10000u
#define VGA_WINDOW	UINT64_C(0xa0000)
#define VGA_TEXT_WINDOW UINT64_C(0xb8000)
#define VGA_TEXT_SIZE	0x8000u

#define VGA_SEQ_CLOCKING     0x01
#define VGA_SEQ_CLOCKING_OFF 0x20 /* the screen is */
#define VGA_SEQ_MAP_MASK     0x02
#define VGA_SEQ_MEMORY	     0x04
#define VGA_SEQ_COUNT	     5
#define VGA_SEQ_MEMORY_SEQ   0x04 /* sequential: not odd/even */
#define VGA_SEQ_MEMORY_CHAIN 0x08

#define VGA_CRTC_H_END	     0x01
#define VGA_CRTC_OVERFLOW    0x07
#define VGA_CRTC_SCAN	     0x09
#define VGA_CRTC_SCAN_DOUBLE 0x80
#define VGA_CRTC_CURSOR	     0x0a /* first line; bit 5: off */
#define VGA_CRTC_CURSOR_END  0x0b
#define VGA_CRTC_START	     0x0c /* and the next: the first cell shown */
#define VGA_CRTC_CURSOR_POS  0x0e /* and the next: the cell that it is in */
#define VGA_CRTC_V_SYNC_END  0x11
#define VGA_CRTC_PROTECT     0x80 /* of 0 to 7 */
#define VGA_CRTC_V_END	     0x12
#define VGA_CRTC_OFFSET	     0x13 /* of a row to the next, in two cells */
#define VGA_CRTC_MODE	     0x17
#define VGA_CRTC_COUNT	     25

#define VGA_GFX_SET_RESET  0
#define VGA_GFX_ENABLE	   1
#define VGA_GFX_COMPARE	   2
#define VGA_GFX_ROTATE	   3
#define VGA_GFX_READ_MAP   4
#define VGA_GFX_MODE	   5
#define VGA_GFX_MISC	   6
#define VGA_GFX_DONT_CARE  7
#define VGA_GFX_BIT_MASK   8
#define VGA_GFX_COUNT	   9
#define VGA_GFX_MODE_READ  0x08 /* read mode 1 */
#define VGA_GFX_MODE_ODD   0x10 /* reads are odd/even */
#define VGA_GFX_MODE_256   0x40
#define VGA_GFX_MISC_GFX   0x01
#define VGA_GFX_MISC_CHAIN 0x02 /* A0 selects planes, not bytes */

#define VGA_ATTR_MODE	    0x10
#define VGA_ATTR_MODE_BLINK 0x08
#define VGA_ATTR_COUNT	    21
#define VGA_ATTR_SHOW	    0x20 /* in the index: the palette is the screen's */

#define VGA_MISC_COLOUR 0x01 /* registers at 0x3dx, not 0x3bx */

struct vga;

/* A range of ports, for a handler that only gets the offset. */
struct vga_ports {
	struct vga *vga;
	uint16_t first;
};

#define VGA_PORT_RANGES 5

struct vga {
	struct console_frontend front;
	struct vm *vm;
	struct device_timer *timer;
	struct vga_ports ports[VGA_PORT_RANGES];

	/*
	 * Text memory, mapped at VGA_TEXT_WINDOW: the planes 0 and 1 interleaved, at their even
	 * offsets below VGA_TEXT_SIZE, as odd/even addressing shows them. Not under the lock: the
	 * guest writes whenever it likes.
	 */
	uint8_t *text;
	uint8_t *planes; /* the rest: VGA_PLANES of VGA_PLANE_SIZE */
	uint8_t latch[VGA_PLANES];

	uint8_t misc, feature;
	uint8_t seq_index, seq[VGA_SEQ_COUNT];
	uint8_t crtc_index, crtc[VGA_CRTC_COUNT];
	uint8_t gfx_index, gfx[VGA_GFX_COUNT];
	uint8_t attr_index, attr[VGA_ATTR_COUNT];
	bool attr_data; /* the next write to 0x3c0 is data */
	uint8_t dac[256 * 3], dac_mask;
	uint8_t dac_read, dac_write, dac_part; /* the part: red, green, blue */
	bool dac_reading;

	/* What the backend was last told of, while it watches. */
	bool watched;
	struct console_screen told;
	uint16_t told_cells[CONSOLE_CELLS_MAX];
	uint16_t cells[CONSOLE_CELLS_MAX]; /* for the time of a look */
};

extern const struct hook_ops vga_port_ops;   /* opaque: struct vga_ports */
extern const struct hook_ops vga_window_ops; /* of VGA_WINDOW to VGA_TEXT_WINDOW */
/* Mode 3, 80 by 25 characters, as a VGA BIOS leaves it. Under the lock. */
void vga_mode3(struct vga *v);
/* A plane's byte, wherever it is kept. */
uint8_t *vga_byte(struct vga *v, unsigned plane, unsigned offset);
void vga_clear(struct vga *v);
/* The frontend's side of vmm/console_frontend.h; @timer is v->timer's. */
void vga_text_init(struct vga *v);
void vga_text_timer(void *opaque);

#endif
