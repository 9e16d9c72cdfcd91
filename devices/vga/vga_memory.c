/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VGA's memory: four planes of 64 KiB behind the window that the graphics
 * controller maps at 0xa0000 to 0xbffff.
 *
 * Text memory at 0xb8000 is mapped into the guest, at all times: where the
 * register "memory map select" has the window elsewhere, hardware would not
 * answer there. In the modes that have it there, text and those of the CGA, it
 * is linear, so that what the guest writes is what odd/even addressing gives.
 *
 * Spec: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem",
 * "Graphics Controller".
 */
#include "devices/vga/vga.h"

#include <string.h>

static const struct {
	uint32_t first, size; /* in the window */
} vga_maps[4] = {{0, 0x20000}, {0, 0x10000}, {0x10000, 0x8000}, {0x18000, 0x8000}};

uint8_t *vga_byte(struct vga *v, unsigned plane, unsigned offset)
{
	offset &= VGA_PLANE_SIZE - 1;
	if (plane < 2 && offset < VGA_TEXT_SIZE && !(offset & 1))
		return &v->text[offset | plane];
	return &v->planes[plane * VGA_PLANE_SIZE + offset];
}

void vga_clear(struct vga *v)
{
	memset(v->planes, 0, VGA_PLANES * VGA_PLANE_SIZE);
	for (unsigned i = 0; i < VGA_TEXT_SIZE; i += 2) {
		v->text[i] = CONSOLE_BLANK & 0xff;
		v->text[i + 1] = CONSOLE_BLANK >> 8;
	}
}

/* Which planes an address of the window reaches, bit by bit, and where in them. */
static unsigned vga_decode(const struct vga *v, unsigned addr, unsigned *offset)
{
	*offset = addr;
	if (v->seq[VGA_SEQ_MEMORY] & VGA_SEQ_MEMORY_CHAIN) {
		*offset = addr & ~3u;
		return 1u << (addr & 3);
	}
	if (v->gfx[VGA_GFX_MISC] & VGA_GFX_MISC_CHAIN)
		*offset = addr & ~1u;
	if (!(v->seq[VGA_SEQ_MEMORY] & VGA_SEQ_MEMORY_SEQ))
		return addr & 1 ? 0xa : 0x5;
	return 0xf;
}

static uint8_t vga_compare(const struct vga *v)
{
	uint8_t differ = 0;

	for (unsigned p = 0; p < VGA_PLANES; p++)
		if (v->gfx[VGA_GFX_DONT_CARE] >> p & 1)
			differ |= v->latch[p] ^ (v->gfx[VGA_GFX_COMPARE] >> p & 1 ? 0xff : 0);
	return (uint8_t)~differ;
}

static uint8_t vga_read_byte(struct vga *v, unsigned addr)
{
	unsigned offset, planes = vga_decode(v, addr, &offset);
	unsigned plane = v->gfx[VGA_GFX_READ_MAP] & 3;

	for (unsigned p = 0; p < VGA_PLANES; p++)
		v->latch[p] = *vga_byte(v, p, offset);
	if (v->seq[VGA_SEQ_MEMORY] & VGA_SEQ_MEMORY_CHAIN)
		return v->latch[__builtin_ctz(planes)];
	if (v->gfx[VGA_GFX_MODE] & VGA_GFX_MODE_READ)
		return vga_compare(v);
	if (v->gfx[VGA_GFX_MODE] & VGA_GFX_MODE_ODD)
		plane = (plane & 2) | (addr & 1);
	return v->latch[plane];
}

/* "Function Select": the data, and what the latch had. */
static uint8_t vga_combine(const struct vga *v, uint8_t data, uint8_t latch)
{
	switch (v->gfx[VGA_GFX_ROTATE] >> 3 & 3) {
	case 1:
		return data & latch;
	case 2:
		return data | latch;
	case 3:
		return data ^ latch;
	default:
		return data;
	}
}

static uint8_t vga_spread(uint8_t bits, unsigned plane)
{
	return bits >> plane & 1 ? 0xff : 0;
}

/* What a write of @value makes of a plane's byte. */
static uint8_t vga_written(const struct vga *v, unsigned plane, uint8_t value)
{
	unsigned turn = v->gfx[VGA_GFX_ROTATE] & 7;
	uint8_t rotated = (uint8_t)(value >> turn | value << (8 - turn));
	uint8_t mask = v->gfx[VGA_GFX_BIT_MASK], latch = v->latch[plane];
	uint8_t data = rotated;

	switch (v->gfx[VGA_GFX_MODE] & 3) {
	case 0:
		if (v->gfx[VGA_GFX_ENABLE] >> plane & 1)
			data = vga_spread(v->gfx[VGA_GFX_SET_RESET], plane);
		break;
	case 1:
		return latch;
	case 2:
		data = vga_spread(value, plane);
		break;
	case 3:
		mask &= rotated;
		data = vga_spread(v->gfx[VGA_GFX_SET_RESET], plane);
		break;
	}
	return (vga_combine(v, data, latch) & mask) | (latch & ~mask);
}

static void vga_write_byte(struct vga *v, unsigned addr, uint8_t value)
{
	unsigned offset, planes = vga_decode(v, addr, &offset) & v->seq[VGA_SEQ_MAP_MASK];

	for (unsigned p = 0; p < VGA_PLANES; p++)
		if (planes >> p & 1)
			*vga_byte(v, p, offset) = vga_written(v, p, value);
}

/* An address in the part of the window that is mapped; false: nobody answers. */
static bool vga_map(const struct vga *v, uint64_t offset, unsigned *addr)
{
	unsigned map = v->gfx[VGA_GFX_MISC] >> 2 & 3;

	*addr = (unsigned)offset - vga_maps[map].first;
	return offset >= vga_maps[map].first && *addr < vga_maps[map].size;
}

static int vga_window_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset,
			   unsigned width, uint64_t *value)
{
	struct vga *v = opaque;
	unsigned addr;

	*value = 0;
	spin_lock(&v->front.base.lock);
	for (unsigned i = 0; i < width; i++) {
		uint8_t byte = vga_map(v, offset + i, &addr) ? vga_read_byte(v, addr) : 0xff;

		*value |= (uint64_t)byte << (8 * i);
	}
	spin_unlock(&v->front.base.lock);
	return 0;
}

static int vga_window_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset,
			    unsigned width, uint64_t value)
{
	struct vga *v = opaque;
	unsigned addr;

	spin_lock(&v->front.base.lock);
	for (unsigned i = 0; i < width; i++)
		if (vga_map(v, offset + i, &addr))
			vga_write_byte(v, addr, (uint8_t)(value >> (8 * i)));
	spin_unlock(&v->front.base.lock);
	return 0;
}

const struct hook_ops vga_window_ops = {.read = vga_window_read, .write = vga_window_write};
