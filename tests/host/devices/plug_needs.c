/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/devices/plug_needs.h"

#include "lib/compiler.h"

#include <stddef.h>
#include <string.h>

#define UART   "[device \"f\"]\ntype = uart16550\n"
#define NET    "[device \"f\"]\ntype = net-socket\n"
#define SOCKET "[device \"f\"]\ntype = socket\n"

#define PCI "[device \"pci0\"]\ntype = pci\n"

static const struct plug_need needs[] = {
	{"char-console", UART, "frontend = f\n"},
	{"char-log", UART, "frontend = f\n"},
	{"char-uart", UART, "frontend = f\n"},
	{"char-pair", UART, "frontend = f\nname = cable\n"},
	{"generic", "",
	 "ports = 0x300-0x30f:passthrough, 0x80:print-and-ignore\n"
	 "memory = 0xfed40000-0xfed40fff:ignore, 0xfd000000-0xfd000fff:passthrough, "
	 "0xfd001000-0xfd001fff:forward=1\n"
	 "hostdev = scratch:?memory=4K\n"},
	{"isa-bridge", PCI, ""},
	{"null-disk", SOCKET, "frontend = f\n"},
	{"net-null", NET, "frontend = f\n"},
	{"pci-bridge", PCI, ""},
	{"pci-hotplug", PCI "[device \"pm\"]\ntype = pm\n", ""},
	{"pci-front", PCI, "hostdev = testdev:\naddr = 3\ndma = 0x1000+4K\n"},
	{"ramdisk", SOCKET, "frontend = f\nsize = 64K\n"},
	{"switch", NET, "frontend = f\nswitch = s\n"},
	{"virtio-port", PCI "[device \"f\"]\ntype = pci-front\nhostdev = virtio-console:\n",
	 "console = f\n"},
	{"screen", "[device \"f\"]\ntype = vga\n", "frontend = f\n"},
};

const struct plug_need *plug_need_of(const char *type)
{
	static const struct plug_need none = {NULL, "", ""};

	for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
		if (!strcmp(needs[i].type, type))
			return &needs[i];
	return &none;
}
