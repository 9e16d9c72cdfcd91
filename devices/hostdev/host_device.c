/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/hostdev/host_device.h"

#include "devices/hostdev/host_args.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/guest_memory.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

TABLE_DECLARE(host_schemes, struct host_scheme);

struct list_head host_devices = LIST_HEAD_INIT(host_devices);
struct spinlock host_devices_lock = SPINLOCK_INIT;

static const struct host_scheme *host_scheme_named(const char *name, size_t len)
{
	const struct host_scheme *scheme;

	for (scheme = TABLE_START(host_schemes); scheme < TABLE_END(host_schemes); scheme++)
		if (strlen(scheme->name) == len && !strncmp(scheme->name, name, len))
			return scheme;
	return NULL;
}

const struct host_scheme *host_scheme_find(const char *name)
{
	return host_scheme_named(name, strlen(name));
}

void host_scheme_for_each(void (*fn)(void *opaque, const struct host_scheme *scheme), void *opaque)
{
	const struct host_scheme *scheme;

	for (scheme = TABLE_START(host_schemes); scheme < TABLE_END(host_schemes); scheme++)
		fn(opaque, scheme);
}

/* The scheme of @url, and that it is for @bus. */
static int host_scheme_of(struct device *owner, const char *url, enum host_bus bus,
			  const struct host_scheme **out)
{
	static const char *const names[] = {[HOST_BUS_PCI] = "pci", [HOST_BUS_DIRECT] = "direct"};
	const char *colon = strchr(url, ':');

	if (!colon || colon == url || colon - url > HOST_SCHEME_MAX) {
		device_log(owner, LOG_ERROR,
			   "hostdev: '%s': expected a host device's URL, SCHEME:PATH", url);
		return -EINVAL;
	}
	*out = host_scheme_named(url, colon - url);
	if (!*out) {
		device_log(owner, LOG_ERROR,
			   "hostdev: '%s': no host device of that scheme is built in", url);
		return -ENOENT;
	}
	if ((*out)->bus != bus) {
		device_log(owner, LOG_ERROR, "hostdev: '%s' is a %s device: expected a %s one", url,
			   names[(*out)->bus], names[bus]);
		return -ENODEV;
	}
	return 0;
}

/* Splits @rest, what follows the colon, and lets the scheme open it. */
static int host_device_open_path(struct host_device *hd, char *rest)
{
	char *text = strchr(rest, '?');
	struct host_args *args;
	int err;

	if (text)
		*text++ = '\0';
	if (*rest && !hd->scheme->path_help) {
		device_log(hd->owner, LOG_ERROR, "hostdev: %s: takes no path, got '%s'",
			   hd->scheme->name, rest);
		return -EINVAL;
	}
	err = host_args_parse(hd->owner, hd->scheme->keys, text, &args);
	if (err)
		return err;
	err = hd->scheme->open(hd, rest, args);
	host_args_free(args);
	return err;
}

static void host_device_free(struct host_device *hd)
{
	if (hd)
		kfree(hd->url);
	kfree(hd);
}

/* Closed is it when nobody can call any more: by the owner's destroy(). This is counted. */
static void host_device_counted(void *opaque __unused)
{
}

int host_device_open(struct device *owner, const char *url, enum host_bus bus,
		     const struct host_front_ops *front, void *front_opaque,
		     struct host_device **out)
{
	const struct host_scheme *scheme;
	struct host_device *hd;
	char *rest;
	int err = host_scheme_of(owner, url, bus, &scheme);

	if (!err)
		err = device_own_as(owner, DEVICE_HOSTDEV, host_device_counted, NULL);
	if (err)
		return err;
	hd = kzalloc(sizeof(*hd));
	rest = kstrdup(strchr(url, ':') + 1);
	err = -ENOMEM;
	if (hd)
		hd->url = kstrdup(url);
	if (hd && hd->url && rest) {
		hd->scheme = scheme;
		hd->owner = owner;
		hd->front = front;
		hd->front_opaque = front_opaque;
		hd->dma_size = UINT64_MAX;
		err = host_device_open_path(hd, rest);
	}
	if (err == -ENOMEM)
		device_log(owner, LOG_ERROR, "no memory for host device '%s'", url);
	kfree(rest);
	if (err) {
		host_device_free(hd);
		return err;
	}
	spin_lock(&host_devices_lock);
	list_add_tail(&hd->link, &host_devices);
	spin_unlock(&host_devices_lock);
	*out = hd;
	return 0;
}

void host_device_close(struct host_device *hd)
{
	if (!hd)
		return;
	spin_lock(&host_devices_lock);
	list_del(&hd->link);
	spin_unlock(&host_devices_lock);
	hd->scheme->close(hd);
	host_device_free(hd);
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
	if (READ_ONCE(hd->vanished))
		return -ENODEV;
	if (!host_device_covers(hd, region, offset, width))
		return -ERANGE;
	return hd->scheme->read(hd, region, offset, width, value);
}

int host_device_write(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		      uint64_t value)
{
	const struct host_region *r;

	if (READ_ONCE(hd->vanished))
		return -ENODEV;
	if (!host_device_covers(hd, region, offset, width))
		return -ERANGE;
	r = &hd->regions[region];
	if (offset - r->doorbell_offset < r->doorbell_size) {
		hd->scheme->doorbell(hd, region, offset, value);
		return 0;
	}
	return hd->scheme->write(hd, region, offset, width, value);
}

void host_device_reset(struct host_device *hd)
{
	if (hd->scheme->reset)
		hd->scheme->reset(hd);
}

void host_device_drain(struct host_device *hd)
{
	if (hd->scheme->drain)
		hd->scheme->drain(hd);
}

void host_device_eoi(struct host_device *hd)
{
	if (hd->scheme->eoi)
		hd->scheme->eoi(hd);
}

void host_device_intx(struct host_device *hd, bool level)
{
	if (hd->front)
		hd->front->intx(hd->front_opaque, level);
}

void host_device_message(struct host_device *hd, unsigned vector)
{
	if (hd->front)
		hd->front->message(hd->front_opaque, vector);
}

enum host_irq_mode host_device_irq_mode(struct host_device *hd)
{
	return hd->front ? hd->front->irq_mode(hd->front_opaque) : HOST_IRQ_INTX;
}

void host_device_vanish(struct host_device *hd)
{
	if (!__atomic_exchange_n(&hd->vanished, true, __ATOMIC_ACQ_REL) && hd->front)
		hd->front->vanished(hd->front_opaque);
}

bool host_device_may_dma(struct host_device *hd)
{
	return hd->front && !READ_ONCE(hd->vanished) && hd->front->master(hd->front_opaque);
}

int host_device_confine(struct host_device *hd, gpa_t base, uint64_t size)
{
	int err = device_dma_window(hd->owner, base, size);

	if (err)
		return err;
	hd->dma_base = base;
	hd->dma_size = size;
	return 0;
}

/* Told once: a guest may try it all day. */
static bool host_device_reaches(struct host_device *hd, gpa_t gpa, size_t len)
{
	gpa_t offset = gpa - hd->dma_base;

	if (likely(offset <= hd->dma_size && len <= hd->dma_size - offset))
		return true;
	if (!__atomic_exchange_n(&hd->dma_told, true, __ATOMIC_RELAXED))
		device_log(hd->owner, LOG_WARN,
			   "DMA to %#lx+%#zx: beyond its window %#lx+%#lx; more is not told", gpa,
			   len, hd->dma_base, hd->dma_size);
	return false;
}

static int host_device_dma(struct host_device *hd, gpa_t gpa, size_t len)
{
	if (!host_device_may_dma(hd))
		return -EACCES;
	return host_device_reaches(hd, gpa, len) ? 0 : -EFAULT;
}

int host_device_dma_read(struct host_device *hd, gpa_t gpa, void *buf, size_t len)
{
	int err = host_device_dma(hd, gpa, len);

	return err ? err : guest_read(hd->owner->vm, gpa, buf, len);
}

int host_device_dma_write(struct host_device *hd, gpa_t gpa, const void *buf, size_t len)
{
	int err = host_device_dma(hd, gpa, len);

	return err ? err : guest_write(hd->owner->vm, gpa, buf, len);
}

uint8_t *host_device_dma_map(struct host_device *hd, gpa_t gpa, size_t len, bool write)
{
	const struct guest_memory *m = hd->owner->vm->memory;

	if (host_device_dma(hd, gpa, len))
		return NULL;
	return write ? guest_memory_ptr_to_write(m, gpa, len) : guest_memory_ptr(m, gpa, len);
}

static const struct device_state *host_device_scheme_saved(const void *state, const char **name)
{
	const struct host_device *hd = state;

	*name = hd->scheme->name;
	return hd->scheme->saved;
}

static const struct device_ref host_device_scheme_ref = {.type_of = host_device_scheme_saved};

static const struct device_field host_device_fields[] = {
	DEVICE_FIELD(struct host_device, vanished),
	DEVICE_FIELD_REF(struct host_device, state, &host_device_scheme_ref),
	{},
};

static const struct device_state host_device_saved = {
	.name = "host-device",
	.version = 1,
	.size = sizeof(struct host_device),
	.fields = host_device_fields,
};

const struct device_ref host_device_ref = {.type = &host_device_saved};
