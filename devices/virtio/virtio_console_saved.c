/* SPDX-License-Identifier: BSD-2-Clause */
/* What a checkpoint has of virtio-console. Which ports there are, and who is at their other ends,
 * is by the devices of the VM. */
#include "devices/virtio/virtio_console.h"
#include "devices/virtio/virtio_saved.h"

static const struct device_field console_port_fields[] = {
	DEVICE_FIELD(struct console_port, size),
	DEVICE_FIELD(struct console_port, ready),
	DEVICE_FIELD(struct console_port, guest_open),
	DEVICE_FIELD(struct console_port, news, .max = BIT(CONSOLE_NEWS_COUNT) - 1),
	DEVICE_FIELD(struct console_port, sent),
	{},
};

static const struct device_state console_port_saved = {
	.name = "port",
	.version = 1,
	.size = sizeof(struct console_port),
	.fields = console_port_fields,
};

static size_t console_ports_count(const void *state)
{
	return ((const struct virtio_console *)state)->port_count;
}

static const struct device_ref console_ports = {
	.type = &console_port_saved,
	.count = console_ports_count,
};

static const struct device_field console_fields[] = {
	VIRTIO_SAVED_FIELD(struct virtio_console),
	DEVICE_FIELD(struct virtio_console, config.cols),
	DEVICE_FIELD(struct virtio_console, config.rows),
	DEVICE_FIELD(struct virtio_console, driver_ready),
	DEVICE_FIELD_TAIL(struct virtio_console, ports, &console_ports),
	{},
};

const struct device_state virtio_console_saved = {
	.name = "virtio-console",
	.version = 1,
	.size = sizeof(struct virtio_console),
	.fields = console_fields,
};
