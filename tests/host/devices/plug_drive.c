/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/devices/plug_drive.h"

#include "lib/compiler.h"
#include "tests/host/devices/plug_world.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_io.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/vm.h"

#include <stddef.h>
#include <stdint.h>

#define PCI	 "[device \"pci0\"]\ntype = pci\n"
#define FUNCTION 0x80001800u /* CONFIG_ADDRESS of 00:03.0 */
#define BARS	 0xd8000000u
#define BAR_STEP 0x1000000u
#define QUEUES	 6
#define RINGS	 0x10000u /* 16 KiB a queue */
#define DATA	 0x100000u

const struct plug_need plug_fronts[] = {
	{"pci-front", PCI, "hostdev = testdev:\naddr = 3\n"},
	{"pci-front", PCI, "hostdev = edu:\naddr = 3\n"},
	{"pci-front", PCI, "hostdev = null:\naddr = 3\n"},
	{"pci-front", PCI, "hostdev = virtio-blk:\naddr = 3\n"},
	{"pci-front", PCI, "hostdev = virtio-net:\naddr = 3\n"},
	{"pci-front", PCI, "hostdev = virtio-console:\naddr = 3\n"},
	{"pci-front", PCI, "hostdev = virtio-rng:?rate=1M\naddr = 3\n"},
	{NULL, "", ""},
};

static void config_out(unsigned offset, unsigned width, uint32_t value)
{
	hook_io_write(plug_vm->vcpus[0], 0xcf8, 4, FUNCTION | offset);
	hook_io_write(plug_vm->vcpus[0], 0xcfc, width, value);
}

static void bar_out(unsigned offset, unsigned width, uint64_t value)
{
	hook_memory_write(plug_vm->vcpus[0], BARS + offset, width, value);
}

/* One buffer, available. */
static void make_ring(uint32_t at)
{
	const struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} desc = {DATA, 64, 2, 0};
	const uint16_t avail[3] = {0, 1, 0};

	(void)!guest_write(plug_vm, at, &desc, sizeof(desc));
	(void)!guest_write(plug_vm, at + 0x1000, avail, sizeof(avail));
}

void plug_drive(void)
{
	unsigned i;

	config_out(4, 2, 0);
	for (i = 0; i < 6; i++)
		config_out(0x10 + 4 * i, 4, i % 2 ? 0 : BARS + i * BAR_STEP);
	config_out(4, 2, 7);
	bar_out(8, 4, 1); /* VIRTIO_F_VERSION_1 */
	bar_out(12, 4, 1);
	for (i = 0; i < 4; i++)
		bar_out(20, 1, (const uint8_t[]){1, 3, 0xb, 0xf}[i]);
	for (i = 0; i < QUEUES; i++) {
		make_ring(RINGS + i * 0x4000);
		bar_out(22, 2, i);
		bar_out(32, 8, RINGS + i * 0x4000);
		bar_out(40, 8, RINGS + i * 0x4000 + 0x1000);
		bar_out(48, 8, RINGS + i * 0x4000 + 0x2000);
		bar_out(28, 2, 1);
	}
	for (i = 0; i < QUEUES; i++)
		bar_out(0x3000 + 4 * i, 2, i);
	for (i = 0; i < 0x1000; i += 64)
		(void)hook_memory_read(plug_vm->vcpus[0], BARS + i, 4);
}
