/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's driver of `testdev:` in the world of front_world.h. */
#ifndef TESTS_HOST_DEVICES_FRONT_TESTDEV_H
#define TESTS_HOST_DEVICES_FRONT_TESTDEV_H

#include "devices/hostdev/testdev_regs.h"
#include "devices/pci/pci_regs.h"
#include "tests/host/devices/front_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define TESTDEV "hostdev = testdev:\n"
#define MSG	0xfee00000u
#define ON	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)
#define REGS_ID 0x7e571234u
#define EDU_ID	0x11e81234u
#define ROM_REG 0x30

static unsigned dev; /* its address */

static inline uint32_t reg(unsigned offset)
{
	return (uint32_t)front_read(front_bar(dev, TESTDEV_REGS) + offset, 4);
}

static inline void set_reg(unsigned offset, uint32_t value)
{
	front_write(front_bar(dev, TESTDEV_REGS) + offset, 4, value);
}

static inline void command(uint32_t c)
{
	set_reg(TESTDEV_COMMAND, c);
}

static inline uint32_t count(unsigned region, bool write, unsigned log2)
{
	return reg(TESTDEV_COUNT(region, write, log2));
}

static inline void begin(const char *keys)
{
	front_start();
	dev = front_make(keys);
	front_command(dev, ON);
}

static inline uint32_t size_of(unsigned offset)
{
	uint32_t was = front_config(dev, offset, 4), size;

	front_config_out(dev, offset, 4, UINT32_MAX);
	size = front_config(dev, offset, 4);
	front_config_out(dev, offset, 4, was);
	return size;
}

static inline int setup(void **state)
{
	(void)state;
	begin(TESTDEV);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	front_end();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
