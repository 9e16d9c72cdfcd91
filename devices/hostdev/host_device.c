/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/hostdev/host_device.h"

#include "kernel/slab.h"
#include "vmm/device.h"

#include <errno.h>
#include <string.h>

TABLE_DECLARE(host_schemes, struct host_scheme);

static const struct host_scheme *host_scheme_find(const char *name, size_t len)
{
	const struct host_scheme *scheme;

	for (scheme = TABLE_START(host_schemes); scheme < TABLE_END(host_schemes); scheme++)
		if (strlen(scheme->name) == len && !strncmp(scheme->name, name, len))
			return scheme;
	return NULL;
}

/* The scheme of @url, and that it is for @bus. */
static int host_scheme_of(struct device *owner, const char *url, enum host_bus bus,
			  const struct host_scheme **out)
{
	static const char *const names[] = {[HOST_BUS_PCI] = "pci", [HOST_BUS_DIRECT] = "direct"};
	const char *colon = strchr(url, ':');

	if (!colon || colon == url || colon - url > HOST_SCHEME_MAX) {
		device_log(owner, LOG_ERROR, "'%s': expected a host device's URL, SCHEME:PATH",
			   url);
		return -EINVAL;
	}
	*out = host_scheme_find(url, colon - url);
	if (!*out) {
		device_log(owner, LOG_ERROR, "'%s': no host device of that scheme is built in",
			   url);
		return -ENOENT;
	}
	if ((*out)->bus != bus) {
		device_log(owner, LOG_ERROR, "'%s' is a %s device: expected a %s one", url,
			   names[(*out)->bus], names[bus]);
		return -ENODEV;
	}
	return 0;
}

int host_device_open(struct device *owner, const char *url, enum host_bus bus,
		     struct host_device **out)
{
	const struct host_scheme *scheme;
	struct host_device *hd;
	char *path = NULL, *args;
	int err = host_scheme_of(owner, url, bus, &scheme);

	if (err)
		return err;
	hd = kzalloc(sizeof(*hd));
	path = kstrdup(strchr(url, ':') + 1);
	if (!hd || !path) {
		device_log(owner, LOG_ERROR, "no memory for host device '%s'", url);
		err = -ENOMEM;
		goto out;
	}
	hd->scheme = scheme;
	hd->owner = owner;
	args = strchr(path, '?');
	if (args)
		*args++ = '\0';
	err = scheme->open(hd, path, args ? args : "");
	if (!err)
		*out = hd;
out:
	if (err)
		kfree(hd);
	kfree(path);
	return err;
}

void host_device_close(struct host_device *hd)
{
	if (hd)
		hd->scheme->close(hd);
	kfree(hd);
}

static bool host_device_covers(const struct host_device *hd, unsigned region, uint64_t offset,
			       unsigned width)
{
	return region < HOST_REGIONS && offset < hd->regions[region].size &&
	       width <= hd->regions[region].size - offset;
}

int host_device_read(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		     uint64_t *value)
{
	if (!host_device_covers(hd, region, offset, width))
		return -ERANGE;
	return hd->scheme->read(hd, region, offset, width, value);
}

int host_device_write(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		      uint64_t value)
{
	if (!host_device_covers(hd, region, offset, width))
		return -ERANGE;
	return hd->scheme->write(hd, region, offset, width, value);
}
