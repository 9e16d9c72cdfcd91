/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host devices: implementations that know nothing of the bus that shows them.
 * A device opens one by URL, `scheme:path?key=value&…`, and accesses it by
 * (region, offset, width): it never sees a guest's address. A scheme is a const
 * descriptor in a linker section.
 */
#ifndef DEVICES_HOSTDEV_HOST_DEVICE_H
#define DEVICES_HOSTDEV_HOST_DEVICE_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct device;
struct host_device;

/* What can show it: PCI's front-end, or devices with ports and memory of their own. */
enum host_bus { HOST_BUS_PCI, HOST_BUS_DIRECT };

#define HOST_SCHEME_MAX 31
#define HOST_REGIONS	9

/* Size 0: there is none of that number. */
struct host_region {
	uint64_t size; /* bytes */
	bool io;       /* ports; else memory */
};

struct host_scheme {
	const char *name;
	const char *help; /* one line */
	enum host_bus bus;
	/*
	 * Sets state and regions. @path is what stands between `:` and `?`, @args what follows.
	 * A negative errno is logged by it, and leaves nothing.
	 */
	int (*open)(struct host_device *hd, const char *path, const char *args);
	/* Nobody accesses it any more. */
	void (*close)(struct host_device *hd);
	/* Within a region; a negative errno is answered as by a device that is not there. Any
	 * CPU, several at a time; never wait. */
	int (*read)(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		    uint64_t *value);
	int (*write)(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		     uint64_t value);
};

#define HOST_SCHEME(ident_, ...) \
	TABLE_ENTRY(host_schemes, struct host_scheme, ident_) = {__VA_ARGS__}

struct host_device {
	const struct host_scheme *scheme;
	struct device *owner;
	void *state; /* the scheme's */
	struct host_region regions[HOST_REGIONS];
};

/*
 * Opens @url for @owner, on a bus of kind @bus. -EINVAL (no URL), -ENOENT (no
 * such scheme), -ENODEV (another bus's), -ENOMEM, or the scheme's. Logged. Task.
 */
int host_device_open(struct device *owner, const char *url, enum host_bus bus,
		     struct host_device **out) __must_check;
/* No handler uses it any more: from the owner's destroy(). NULL is fine. */
void host_device_close(struct host_device *hd);

/* -ERANGE: not within the region. */
int host_device_read(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		     uint64_t *value) __must_check;
int host_device_write(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		      uint64_t value) __must_check;

#endif
