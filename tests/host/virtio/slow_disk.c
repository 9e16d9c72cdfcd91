/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/virtio/slow_disk.h"

#include "tests/host/backend/world.h"
#include "vmm/device.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct slow_disk slow_disk;

static int slow_submit(void *opaque, struct block_request *request)
{
	struct slow_disk *d = opaque;

	assert_true(d->count < SLOW_DISK_MAX && d->kept_count < SLOW_DISK_MAX);
	d->ops[d->count++] = request->op;
	if (!d->keep)
		return d->err;
	d->kept[d->kept_count++] = request;
	return BLOCK_PENDING;
}

void slow_disk_finish(unsigned n, int err)
{
	struct block_request *request = slow_disk.kept[n];

	assert_true(n < slow_disk.kept_count);
	slow_disk.kept_count--;
	memmove(slow_disk.kept + n, slow_disk.kept + n + 1,
		(slow_disk.kept_count - n) * sizeof(slow_disk.kept[0]));
	block_done(request, err);
}

static void slow_cancel(void *opaque)
{
	struct slow_disk *d = opaque;

	while (d->kept_count)
		slow_disk_finish(0, -ECANCELED);
}

static void slow_info(void *opaque, struct block_info *info)
{
	*info = ((struct slow_disk *)opaque)->info;
}

static void slow_gone(void *opaque)
{
	(void)opaque;
}

static const struct block_backend_ops slow_ops = {
	.base.gone = slow_gone,
	.submit = slow_submit,
	.cancel = slow_cancel,
	.info = slow_info,
};

static int slow_create(struct device *dev, const struct device_config *config)
{
	struct frontend *frontend;

	return device_connect(dev, device_config_device(config, "frontend")->id,
			      &block_frontend_kind, &slow_ops.base, &slow_disk, &frontend);
}

static const struct device_key slow_keys[] = {
	{.name = "frontend", .kind = KEY_FRONTEND, .help = "the disk"},
	{},
};

DEVICE_TYPE(slow_disk_type, .name = "slow-disk", .help = "for tests", .keys = slow_keys,
	    .create = slow_create);

void slow_disk_plug(void)
{
	assert_non_null(world_add(0, "slow-disk", "slow", "frontend = card\n"));
}

void slow_disk_unplug(void)
{
	world_del(0, "slow");
}
