/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VGA's picture: what the registers make of the text memory, and what has
 * changed since the backend was last told. A guest's writes make no exits, so
 * a timer looks, and only while somebody watches.
 */
#include "devices/vga/vga.h"

#include "kernel/time.h"
#include "vmm/vm.h"

#include <string.h>

#define VGA_LOOK_NS (NSEC_PER_SEC / CONSOLE_HZ)

static unsigned vga_pair(const struct vga *v, unsigned index)
{
	return (unsigned)v->crtc[index] << 8 | v->crtc[index + 1];
}

/* Lines of the monitor that are shown. */
static unsigned vga_lines(const struct vga *v)
{
	uint8_t overflow = v->crtc[VGA_CRTC_OVERFLOW];
	unsigned lines =
		v->crtc[VGA_CRTC_V_END] | (overflow >> 1 & 1) << 8 | (overflow >> 6 & 1) << 9;

	return (lines + 1) >> (v->crtc[VGA_CRTC_SCAN] & VGA_CRTC_SCAN_DOUBLE ? 1 : 0);
}

static void vga_look_graphics(const struct vga *v, struct console_screen *s)
{
	unsigned repeat = (v->crtc[VGA_CRTC_SCAN] & 0x1f) + 1u;

	s->width = (uint16_t)((v->crtc[VGA_CRTC_H_END] + 1u) * 8);
	if (v->gfx[VGA_GFX_MODE] & VGA_GFX_MODE_256)
		s->width /= 2;
	/* The CGA's modes interleave their lines instead of repeating them. */
	s->height = (uint16_t)(vga_lines(v) / (v->crtc[VGA_CRTC_MODE] & 1 ? repeat : 1));
}

static void vga_look_cursor(const struct vga *v, struct console_screen *s, unsigned pitch)
{
	unsigned first = v->crtc[VGA_CRTC_CURSOR], last = v->crtc[VGA_CRTC_CURSOR_END] & 0x1f;
	unsigned at = (vga_pair(v, VGA_CRTC_CURSOR_POS) - vga_pair(v, VGA_CRTC_START)) & 0xffff;

	s->cursor_x = (uint16_t)(at % pitch);
	s->cursor_y = (uint16_t)(at / pitch);
	s->cursor = !(first & 0x20) && (first & 0x1f) <= last && s->cursor_x < s->columns &&
		    s->cursor_y < s->rows;
}

/* The space's other shapes are made one, so that they need not be drawn. */
static uint16_t vga_cell(struct vga *v, unsigned address)
{
	uint8_t ch = *vga_byte(v, 0, 2 * address), attr = *vga_byte(v, 1, 2 * address);

	if (ch == 0 || ch == 0xff)
		ch = ' ';
	return (uint16_t)(attr << 8 | ch);
}

static void vga_look_text(struct vga *v, struct console_screen *s, uint16_t *cells)
{
	unsigned height = (v->crtc[VGA_CRTC_SCAN] & 0x1f) + 1u;
	unsigned pitch = MAX(v->crtc[VGA_CRTC_OFFSET] * 2u, 1u);
	unsigned start = vga_pair(v, VGA_CRTC_START);
	bool shown = (v->attr_index & VGA_ATTR_SHOW) &&
		     !(v->seq[VGA_SEQ_CLOCKING] & VGA_SEQ_CLOCKING_OFF);

	s->columns = (uint16_t)(v->crtc[VGA_CRTC_H_END] + 1u);
	s->rows = (uint16_t)MIN(vga_lines(v) / height, CONSOLE_CELLS_MAX / s->columns);
	s->width = (uint16_t)(s->columns * 8);
	s->height = (uint16_t)(s->rows * height);
	s->blink = v->attr[VGA_ATTR_MODE] & VGA_ATTR_MODE_BLINK;
	if (shown)
		vga_look_cursor(v, s, pitch);
	for (unsigned y = 0; y < s->rows; y++)
		for (unsigned x = 0; x < s->columns; x++)
			*cells++ = shown ? vga_cell(v, start + y * pitch + x) : CONSOLE_BLANK;
}

/* Under the lock. */
static void vga_look(void *opaque, struct console_screen *screen, uint16_t *cells)
{
	struct vga *v = opaque;

	*screen = (struct console_screen){.columns = 0};
	if (v->gfx[VGA_GFX_MISC] & VGA_GFX_MISC_GFX)
		vga_look_graphics(v, screen);
	else
		vga_look_text(v, screen, cells);
}

/*
 * By how many rows the screen moved up, however the guest did that; 0: by none,
 * or no less is to be drawn than without. The last of the rows that moved may
 * have been written to before.
 */
static unsigned vga_scrolled(const struct vga *v, const struct console_screen *now)
{
	unsigned columns = now->columns, rows = now->rows;
	size_t row = columns * sizeof(v->cells[0]);
	unsigned differ = 0;

	for (unsigned y = 0; y < rows; y++)
		differ += memcmp(v->cells + y * columns, v->told_cells + y * columns, row) != 0;
	for (unsigned by = 1; by + 1 < differ; by++) {
		unsigned same = rows - by - 1;

		if (!memcmp(v->cells, v->told_cells + by * columns, same * row))
			return by;
	}
	return 0;
}

/* Tells which rectangle differs from what was told. */
static void vga_tell_update(struct vga *v, const struct console_backend_ops *backend)
{
	unsigned columns = v->told.columns, rows = v->told.rows;
	unsigned left = columns, right = 0, top = rows, bottom = 0;

	for (unsigned y = 0; y < rows; y++) {
		const uint16_t *now = v->cells + y * columns, *told = v->told_cells + y * columns;

		for (unsigned x = 0; x < columns; x++) {
			if (now[x] == told[x])
				continue;
			left = MIN(left, x);
			right = MAX(right, x);
			top = MIN(top, y);
			bottom = y;
		}
	}
	memcpy(v->told_cells, v->cells, rows * columns * sizeof(v->cells[0]));
	if (left <= right && top < rows)
		backend->update(v->front.base.backend_opaque, left, top, right - left + 1,
				bottom - top + 1);
}

static void vga_tell_text(struct vga *v, const struct console_backend_ops *backend)
{
	size_t cells = (size_t)v->told.columns * v->told.rows, moved;
	unsigned by;

	if (!memcmp(v->cells, v->told_cells, cells * sizeof(v->cells[0])))
		return;
	by = vga_scrolled(v, &v->told);
	if (by) {
		moved = cells - (size_t)by * v->told.columns;
		memmove(v->told_cells, v->told_cells + by * v->told.columns,
			moved * sizeof(v->cells[0]));
		for (size_t i = moved; i < cells; i++)
			v->told_cells[i] = CONSOLE_BLANK;
		backend->scroll(v->front.base.backend_opaque, by);
	}
	vga_tell_update(v, backend);
}

static void vga_tell(struct vga *v, const struct console_backend_ops *backend)
{
	void *opaque = v->front.base.backend_opaque;
	struct console_screen was = v->told;

	vga_look(v, &v->told, v->cells);
	if (was.columns != v->told.columns || was.rows != v->told.rows ||
	    was.width != v->told.width || was.height != v->told.height ||
	    was.blink != v->told.blink) {
		memcpy(v->told_cells, v->cells, sizeof(v->cells));
		backend->resolution(opaque);
	} else {
		vga_tell_text(v, backend);
	}
	if (was.cursor_x != v->told.cursor_x || was.cursor_y != v->told.cursor_y ||
	    was.cursor != v->told.cursor)
		backend->cursor(opaque);
}

void vga_text_timer(void *opaque)
{
	struct vga *v = opaque;
	const struct console_backend_ops *backend;

	spin_lock(&v->front.base.lock);
	backend = console_backend(&v->front);
	v->watched &= backend != NULL;
	if (v->watched) {
		vga_tell(v, backend);
		device_timer_arm(v->timer, vm_time_ns(v->vm) + VGA_LOOK_NS);
	}
	spin_unlock(&v->front.base.lock);
}

/* Whoever begins to watch takes a snapshot: all later changes are told. */
static void vga_watch(void *opaque, bool on)
{
	struct vga *v = opaque;

	v->watched = on;
	if (on) {
		vga_look(v, &v->told, v->told_cells);
		device_timer_arm(v->timer, vm_time_ns(v->vm) + VGA_LOOK_NS);
	} else {
		device_timer_cancel(v->timer);
	}
}

void vga_text_init(struct vga *v)
{
	spinlock_init(&v->front.base.lock);
	v->front.base.kind = &console_frontend_kind;
	v->front.watch = vga_watch;
	v->front.snapshot = vga_look;
	v->front.opaque = v;
}
