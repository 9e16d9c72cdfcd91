/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device that is not there: its configuration space reads all ones, as
 * that of an empty slot, and it has no region beside. A front that shows it
 * keeps the slot empty.
 *
 * Lock: none, there is no state.
 */
#include "devices/hostdev/host_config.h"
#include "devices/hostdev/host_device.h"

static int null_open(struct host_device *hd, const char *path __unused,
		     const struct host_args *args __unused)
{
	hd->regions[HOST_REGION_CONFIG].size = HOST_CONFIG_SIZE;
	return 0;
}

static void null_close(struct host_device *hd __unused)
{
}

static int null_read(struct host_device *hd __unused, unsigned region __unused,
		     uint64_t offset __unused, unsigned width __unused, uint64_t *value)
{
	*value = UINT64_MAX;
	return 0;
}

static int null_write(struct host_device *hd __unused, unsigned region __unused,
		      uint64_t offset __unused, unsigned width __unused, uint64_t value __unused)
{
	return 0;
}

HOST_SCHEME(null_scheme, .name = "null", .help = "a device that is not there: an empty slot",
	    .bus = HOST_BUS_PCI, .open = null_open, .close = null_close, .read = null_read,
	    .write = null_write);
