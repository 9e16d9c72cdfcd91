/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VGA's registers: all are kept and read back as written; vga_memory.c and
 * vga_text.c act on them.
 *
 * Spec: IBM Personal System/2 Hardware Interface Technical Reference, "Video
 * Subsystem"; Intel OpenSource HD Graphics PRM vol. 3 part 1, "VGA Registers".
 */
#include "devices/vga/vga.h"

#include "kernel/time.h"
#include "vmm/vm.h"

#include <string.h>

#define VGA_IO_ATTR	    0x3c0
#define VGA_IO_ATTR_READ    0x3c1
#define VGA_IO_MISC	    0x3c2 /* W; R: input status 0 */
#define VGA_IO_ENABLE	    0x3c3
#define VGA_IO_SEQ	    0x3c4
#define VGA_IO_SEQ_DATA	    0x3c5
#define VGA_IO_DAC_MASK	    0x3c6
#define VGA_IO_DAC_READ	    0x3c7 /* W: index; R: what it is set up for */
#define VGA_IO_DAC_WRITE    0x3c8
#define VGA_IO_DAC_DATA	    0x3c9
#define VGA_IO_FEATURE_READ 0x3ca
#define VGA_IO_MISC_READ    0x3cc
#define VGA_IO_GFX	    0x3ce
#define VGA_IO_GFX_DATA	    0x3cf
/* At 0x3bx or 0x3dx, as VGA_MISC_COLOUR says; here as the latter. */
#define VGA_IO_CRTC	 0x3d4
#define VGA_IO_CRTC_DATA 0x3d5
#define VGA_IO_STATUS	 0x3da /* R: input status 1; W: feature control */
#define VGA_IO_COLOUR	 0x20

#define VGA_STATUS0_SENSE     0x10 /* a colour monitor is there */
#define VGA_STATUS1_OFF	      0x01 /* between lines or pictures */
#define VGA_STATUS1_RETRACE   0x08
#define VGA_DAC_READING	      0x03
#define VGA_CRTC_INDEX	      0x3f
#define VGA_CRTC_LINE_COMPARE 0x10 /* of VGA_CRTC_OVERFLOW: writable always */

/*
 * 449 lines in 1/70 s, 400 of them shown. The retrace lasts longer than a
 * monitor's two lines, so that a guest that is not always on a CPU sees it.
 */
#define VGA_LINE_NS	 31778
#define VGA_LINE_SHOWN	 25422
#define VGA_LINES	 449
#define VGA_LINES_SHOWN	 400
#define VGA_RETRACE_LINE 412

static const struct {
	uint8_t seq[VGA_SEQ_COUNT], crtc[VGA_CRTC_COUNT], gfx[VGA_GFX_COUNT], attr[VGA_ATTR_COUNT];
} vga_mode3_values = {
	.seq = {0x03, 0x00, 0x03, 0x00, 0x02},
	.crtc = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
		 0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff},
	.gfx = {0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff},
	.attr = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
		 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00},
};
#define VGA_MODE3_MISC 0x67

/* The EGA's 64 colours, two bits a part: the upper one, worth 42 of 63, in bits 0-2. */
static uint8_t vga_ega_part(unsigned colour, unsigned bit)
{
	return (uint8_t)((colour >> bit & 1 ? 42 : 0) + (colour >> (bit + 3) & 1 ? 21 : 0));
}

void vga_mode3(struct vga *v)
{
	v->misc = VGA_MODE3_MISC;
	v->feature = v->seq_index = v->crtc_index = v->gfx_index = 0;
	memcpy(v->seq, vga_mode3_values.seq, sizeof(v->seq));
	memcpy(v->crtc, vga_mode3_values.crtc, sizeof(v->crtc));
	memcpy(v->gfx, vga_mode3_values.gfx, sizeof(v->gfx));
	memcpy(v->attr, vga_mode3_values.attr, sizeof(v->attr));
	memset(v->latch, 0, sizeof(v->latch));
	v->attr_index = VGA_ATTR_SHOW;
	v->attr_data = v->dac_reading = false;
	v->dac_mask = 0xff;
	v->dac_read = v->dac_write = v->dac_part = 0;
	memset(v->dac, 0, sizeof(v->dac));
	for (unsigned i = 0; i < 64; i++)
		for (unsigned part = 0; part < 3; part++)
			v->dac[3 * i + part] = vga_ega_part(i, 2 - part);
}

static uint8_t vga_status1(struct vga *v)
{
	uint64_t now = vm_time_ns(v->vm);
	uint64_t line = now / VGA_LINE_NS % VGA_LINES;
	uint8_t status = 0;

	v->attr_data = false;
	if (line >= VGA_LINES_SHOWN || now % VGA_LINE_NS >= VGA_LINE_SHOWN)
		status |= VGA_STATUS1_OFF;
	if (line >= VGA_RETRACE_LINE)
		status |= VGA_STATUS1_RETRACE;
	return status;
}

/* The next of red, green, blue; behind blue comes the next colour. */
static uint8_t *vga_dac_next(struct vga *v, uint8_t *index)
{
	uint8_t *value = &v->dac[3 * *index + v->dac_part];

	if (++v->dac_part == 3) {
		v->dac_part = 0;
		++*index;
	}
	return value;
}

static uint8_t vga_at(const uint8_t *regs, unsigned count, unsigned index)
{
	return index < count ? regs[index] : 0;
}

static uint8_t vga_in(struct vga *v, uint16_t port)
{
	switch (port) {
	case VGA_IO_ATTR:
		return v->attr_index;
	case VGA_IO_ATTR_READ:
		return vga_at(v->attr, VGA_ATTR_COUNT, v->attr_index & 0x1f);
	case VGA_IO_MISC:
		return VGA_STATUS0_SENSE;
	case VGA_IO_ENABLE:
		return 1;
	case VGA_IO_SEQ:
		return v->seq_index;
	case VGA_IO_SEQ_DATA:
		return vga_at(v->seq, VGA_SEQ_COUNT, v->seq_index);
	case VGA_IO_DAC_MASK:
		return v->dac_mask;
	case VGA_IO_DAC_READ:
		return v->dac_reading ? VGA_DAC_READING : 0;
	case VGA_IO_DAC_WRITE:
		return v->dac_write;
	case VGA_IO_DAC_DATA:
		return *vga_dac_next(v, &v->dac_read);
	case VGA_IO_FEATURE_READ:
		return v->feature;
	case VGA_IO_MISC_READ:
		return v->misc;
	case VGA_IO_GFX:
		return v->gfx_index;
	case VGA_IO_GFX_DATA:
		return vga_at(v->gfx, VGA_GFX_COUNT, v->gfx_index);
	case VGA_IO_CRTC:
		return v->crtc_index;
	case VGA_IO_CRTC_DATA:
		return vga_at(v->crtc, VGA_CRTC_COUNT, v->crtc_index);
	case VGA_IO_STATUS:
		return vga_status1(v);
	default:
		return 0xff;
	}
}

static void vga_out_attr(struct vga *v, uint8_t value)
{
	uint8_t index = v->attr_index & 0x1f;

	if (!v->attr_data)
		v->attr_index = value & 0x3f;
	/* The palette's colours are the screen's while it is shown. */
	else if (index >= VGA_ATTR_MODE ? index < VGA_ATTR_COUNT : !(v->attr_index & VGA_ATTR_SHOW))
		v->attr[index] = value;
	v->attr_data = !v->attr_data;
}

static void vga_out_crtc(struct vga *v, uint8_t value)
{
	uint8_t index = v->crtc_index, keep = 0;

	if (index >= VGA_CRTC_COUNT)
		return;
	if (index <= VGA_CRTC_OVERFLOW && (v->crtc[VGA_CRTC_V_SYNC_END] & VGA_CRTC_PROTECT))
		keep = index == VGA_CRTC_OVERFLOW ? (uint8_t)~VGA_CRTC_LINE_COMPARE : 0xff;
	v->crtc[index] = (v->crtc[index] & keep) | (value & ~keep);
}

static void vga_out_dac(struct vga *v, uint16_t port, uint8_t value)
{
	if (port == VGA_IO_DAC_MASK) {
		v->dac_mask = value;
	} else if (port == VGA_IO_DAC_DATA) {
		*vga_dac_next(v, &v->dac_write) = value & 0x3f;
	} else {
		v->dac_part = 0;
		v->dac_reading = port == VGA_IO_DAC_READ;
		if (v->dac_reading)
			v->dac_read = value;
		else
			v->dac_write = value;
	}
}

static void vga_out(struct vga *v, uint16_t port, uint8_t value)
{
	switch (port) {
	case VGA_IO_ATTR:
		vga_out_attr(v, value);
		break;
	case VGA_IO_MISC:
		v->misc = value;
		break;
	case VGA_IO_SEQ:
		v->seq_index = value & 7;
		break;
	case VGA_IO_SEQ_DATA:
		if (v->seq_index < VGA_SEQ_COUNT)
			v->seq[v->seq_index] = value;
		break;
	case VGA_IO_DAC_MASK ... VGA_IO_DAC_DATA:
		vga_out_dac(v, port, value);
		break;
	case VGA_IO_GFX:
		v->gfx_index = value & 15;
		break;
	case VGA_IO_GFX_DATA:
		if (v->gfx_index < VGA_GFX_COUNT)
			v->gfx[v->gfx_index] = value;
		break;
	case VGA_IO_CRTC:
		v->crtc_index = value & VGA_CRTC_INDEX;
		break;
	case VGA_IO_CRTC_DATA:
		vga_out_crtc(v, value);
		break;
	case VGA_IO_STATUS:
		v->feature = value;
		break;
	}
}

/* 0x3bx and 0x3dx as the latter; 0: it is the other ones' turn. */
static uint16_t vga_port(const struct vga *v, uint16_t port)
{
	bool colour = v->misc & VGA_MISC_COLOUR;

	if (port >= VGA_IO_ATTR && port <= VGA_IO_GFX_DATA)
		return port;
	if (colour != (port >= VGA_IO_CRTC))
		return 0;
	return colour ? port : port + VGA_IO_COLOUR;
}

static int vga_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
		    uint64_t *value)
{
	const struct vga_ports *ports = opaque;
	struct vga *v = ports->vga;

	*value = 0;
	spin_lock(&v->front.base.lock);
	for (unsigned i = 0; i < width; i++) {
		uint16_t port = vga_port(v, (uint16_t)(ports->first + offset + i));

		*value |= (uint64_t)vga_in(v, port) << (8 * i);
	}
	spin_unlock(&v->front.base.lock);
	return 0;
}

static int vga_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
		     uint64_t value)
{
	const struct vga_ports *ports = opaque;
	struct vga *v = ports->vga;

	spin_lock(&v->front.base.lock);
	for (unsigned i = 0; i < width; i++) {
		uint16_t port = vga_port(v, (uint16_t)(ports->first + offset + i));

		vga_out(v, port, (uint8_t)(value >> (8 * i)));
	}
	spin_unlock(&v->front.base.lock);
	return 0;
}

const struct hook_ops vga_port_ops = {.read = vga_read, .write = vga_write};
