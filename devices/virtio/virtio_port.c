/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One more port of a virtio console: a char frontend under this device's id.
 * The guest sees it come and go.
 *
 * Spec: VIRTIO 1.2, 5.3.
 * Keys: console, port, name, is-console.
 */
#include "devices/virtio/virtio_console.h"
#include "vmm/device.h"
#include "vmm/device_state.h"

#include <errno.h>
#include <string.h>

static void virtio_port_drop(void *opaque)
{
	console_port_drop(opaque);
}

static int virtio_port_create(struct device *dev, const struct device_config *config)
{
	const struct device *owner = device_config_device(config, "console");
	struct virtio_console *console = device_iface(dev->vm, owner->id, VIRTIO_CONSOLE_KIND);
	unsigned nr = (unsigned)device_config_uint(config, "port");
	const char *name = device_config_string(config, "name");
	struct console_port *port;
	int err;

	if (!console) {
		device_log(dev, LOG_ERROR, "console: device %s is no virtio-console", owner->id);
		return -EINVAL;
	}
	if (nr >= console->port_count) {
		device_log(dev, LOG_ERROR, "port: %s has ports up to %u: expected one of these",
			   owner->id, console->port_count - 1);
		return -EINVAL;
	}
	if (strlen(name) > CONSOLE_NAME_MAX) {
		device_log(dev, LOG_ERROR,
			   "name: expected at most " STRINGIFY(CONSOLE_NAME_MAX) " characters");
		return -EINVAL;
	}
	port = &console->ports[nr];
	err = console_port_take(port, name, device_config_bool(config, "is-console"));
	if (err) {
		device_log(dev, LOG_ERROR, "port: another device is port %u of %s", nr, owner->id);
		return err;
	}
	err = device_own(dev, virtio_port_drop, port);
	if (err) {
		console_port_drop(port);
		return err;
	}
	return device_provide_frontend(dev, &port->frontend.base);
}

static const struct device_key virtio_port_keys[] = {
	{.name = "console", .kind = KEY_DEVICE, .help = "the pci-front that shows virtio-console:"},
	{.name = "port",
	 .kind = KEY_UINT,
	 .def = "1",
	 .min = 1,
	 .max = CONSOLE_PORTS_MAX - 1,
	 .help = "its number"},
	{.name = "name", .kind = KEY_STRING, .def = "", .help = "of the port, for the guest"},
	{.name = "is-console",
	 .kind = KEY_BOOL,
	 .def = "false",
	 .help = "the guest is to make a terminal of it"},
	{},
};

DEVICE_TYPE(virtio_port_type, .name = "virtio-port", .help = "a port of a virtio-console",
	    .keys = virtio_port_keys, .create = virtio_port_create,
	    .saved = DEVICE_STATE_NONE("virtio-port"));
