/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A standard VGA for text: registers, four planes of memory, text modes that a
 * console backend shows. In the graphics modes registers and memory work; the
 * picture is not made.
 *
 * Spec: IBM Personal System/2 Hardware Interface Technical Reference, "Video
 * Subsystem"; Intel OpenSource HD Graphics PRM vol. 3 part 1, "VGA Registers".
 * Keys: none.
 * Lock: front.base.lock over everything but text memory; its timer's comes
 * after it.
 *
 * There is no VGA BIOS where a kernel is loaded without firmware: after a
 * reset the device stands in mode 3 with an empty screen, as one leaves it.
 */
#include "devices/vga/vga.h"

#include "kernel/slab.h"
#include "vmm/device_state.h"
#include "vmm/loader.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <string.h>

/* What vga_mode3() sets, for kernels that are told. */
static struct boot_screen vga_boot_screen = {.mode = 3, .columns = 80, .rows = 25, .points = 16};

static const struct {
	uint16_t first, count;
} vga_port_ranges[VGA_PORT_RANGES] = {{0x3b4, 2}, {0x3ba, 1}, {0x3c0, 16}, {0x3d4, 2}, {0x3da, 1}};

static void vga_reset(struct device *dev)
{
	struct vga *v = dev->state;

	spin_lock(&v->front.base.lock);
	vga_mode3(v);
	vga_clear(v);
	spin_unlock(&v->front.base.lock);
}

static size_t vga_text_save(void *state, uint8_t *buf, size_t size)
{
	if (size >= VGA_TEXT_SIZE)
		memcpy(buf, ((struct vga *)state)->text, VGA_TEXT_SIZE);
	return VGA_TEXT_SIZE;
}

static const char *vga_text_check(const void *state __unused, const uint8_t *data __unused,
				  size_t len)
{
	return len == VGA_TEXT_SIZE ? NULL : "another size";
}

static const char *vga_text_load(void *state, const uint8_t *data, size_t len)
{
	memcpy(((struct vga *)state)->text, data, len);
	return NULL;
}

static const struct device_blob vga_text = {vga_text_save, vga_text_check, vga_text_load};

static size_t vga_planes_save(void *state, uint8_t *buf, size_t size)
{
	if (size >= VGA_PLANES * VGA_PLANE_SIZE)
		memcpy(buf, ((struct vga *)state)->planes, VGA_PLANES * VGA_PLANE_SIZE);
	return VGA_PLANES * VGA_PLANE_SIZE;
}

static const char *vga_planes_check(const void *state __unused, const uint8_t *data __unused,
				    size_t len)
{
	return len == VGA_PLANES * VGA_PLANE_SIZE ? NULL : "another size";
}

static const char *vga_planes_load(void *state, const uint8_t *data, size_t len)
{
	memcpy(((struct vga *)state)->planes, data, len);
	return NULL;
}

static const struct device_blob vga_planes = {vga_planes_save, vga_planes_check, vga_planes_load};

/* What the backend was told is for the one that is there now. */
static const struct device_field vga_fields[] = {
	DEVICE_FIELD(struct vga, latch),
	DEVICE_FIELD(struct vga, misc),
	DEVICE_FIELD(struct vga, feature),
	DEVICE_FIELD(struct vga, seq_index, .max = 7),
	DEVICE_FIELD(struct vga, seq),
	DEVICE_FIELD(struct vga, crtc_index, .max = 0x3f),
	DEVICE_FIELD(struct vga, crtc),
	DEVICE_FIELD(struct vga, gfx_index, .max = 15),
	DEVICE_FIELD(struct vga, gfx),
	DEVICE_FIELD(struct vga, attr_index, .max = 0x3f),
	DEVICE_FIELD(struct vga, attr),
	DEVICE_FIELD(struct vga, attr_data),
	DEVICE_FIELD(struct vga, dac),
	DEVICE_FIELD(struct vga, dac_mask),
	DEVICE_FIELD(struct vga, dac_read),
	DEVICE_FIELD(struct vga, dac_write),
	DEVICE_FIELD(struct vga, dac_part, .max = 2),
	DEVICE_FIELD(struct vga, dac_reading),
	DEVICE_FIELD_BLOB("text", &vga_text),
	DEVICE_FIELD_BLOB("planes", &vga_planes),
	{},
};

static const struct device_state vga_saved = {
	.name = "vga",
	.version = 1,
	.size = sizeof(struct vga),
	.lock = DEVICE_STATE_LOCK(struct vga, front.base.lock),
	.fields = vga_fields,
};

static void vga_destroy(struct device *dev)
{
	struct vga *v = dev->state;

	kfree(v->text);
	kfree(v->planes);
	kfree(v);
}

static int vga_hook(struct device *dev, struct vga *v)
{
	int err = 0;

	for (unsigned i = 0; !err && i < VGA_PORT_RANGES; i++) {
		v->ports[i] = (struct vga_ports){v, vga_port_ranges[i].first};
		err = device_hook_io(dev, vga_port_ranges[i].first, vga_port_ranges[i].count,
				     &vga_port_ops, &v->ports[i]);
	}
	if (!err)
		err = device_hook_memory(dev, VGA_WINDOW, VGA_TEXT_WINDOW - VGA_WINDOW,
					 HOOK_MEMORY_FULL, &vga_window_ops, v);
	if (!err)
		err = device_hook_memory(dev, VGA_TEXT_WINDOW, VGA_TEXT_SIZE, HOOK_MEMORY_MAPPED,
					 &hook_mapped_ops, v->text);
	return err;
}

static int vga_create(struct device *dev, const struct device_config *config __unused)
{
	struct vga *v = kzalloc(sizeof(*v));
	int err;

	if (!v)
		return -ENOMEM;
	dev->state = v;
	v->vm = dev->vm;
	v->text = kmalloc(VGA_TEXT_SIZE);
	v->planes = kmalloc(VGA_PLANES * VGA_PLANE_SIZE);
	if (!v->text || !v->planes)
		return -ENOMEM;
	vga_text_init(v);
	vga_reset(dev);
	err = device_timer(dev, vga_text_timer, v, &v->timer);
	if (!err)
		err = vga_hook(dev, v);
	if (!err)
		err = device_provide(dev, BOOT_SCREEN_KIND, &vga_boot_screen);
	if (!err)
		err = device_provide_frontend(dev, &v->front.base);
	return err;
}

MACHINE_PART(vga_part, .machine = "pc", .text = "[device \"vga\"]\ntype = vga\n");

DEVICE_TYPE(vga_type, .name = "vga", .help = "VGA with text modes", .create = vga_create,
	    .destroy = vga_destroy, .reset = vga_reset, .saved = &vga_saved);
