/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk of zeroes: what is written to it is gone. For measuring what lies
 * before a disk, and as a place to send things.
 *
 * Keys: frontend, size, writes. No lock of its own.
 */
#include "devices/backend/block_queue.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"

#include <errno.h>
#include <string.h>

#define NULL_DISK_BLOCK 512u

struct null_disk {
	struct block_queue queue;
	struct block_info info;
	struct frontend *frontend;
};

static int null_disk_step(void *opaque __unused, enum block_op op, uint64_t offset __unused,
			  uint8_t *data, uint64_t bytes)
{
	if (op == BLOCK_READ)
		memset(data, 0, bytes);
	return 0;
}

static bool null_disk_quick(void *opaque __unused, enum block_op op __unused,
			    uint64_t offset __unused, uint64_t bytes __unused)
{
	return true;
}

static const struct block_queue_ops null_disk_queue_ops = {
	.step = null_disk_step,
	.quick = null_disk_quick,
};

static int null_disk_submit(void *opaque, struct block_request *request)
{
	struct null_disk *d = opaque;

	return block_queue_submit(&d->queue, request);
}

static void null_disk_cancel(void *opaque)
{
	struct null_disk *d = opaque;

	block_queue_cancel(&d->queue);
}

static void null_disk_info(void *opaque, struct block_info *info)
{
	const struct null_disk *d = opaque;

	*info = d->info;
}

static void null_disk_gone(void *opaque __unused)
{
}

static const struct block_backend_ops null_disk_ops = {
	.base.gone = null_disk_gone,
	.submit = null_disk_submit,
	.cancel = null_disk_cancel,
	.info = null_disk_info,
};

static void null_disk_stop(void *opaque)
{
	block_queue_stop(&((struct null_disk *)opaque)->queue);
}

static void null_disk_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int null_disk_create(struct device *dev, const struct device_config *config)
{
	struct null_disk *d = kzalloc(sizeof(*d));
	uint64_t size = device_config_uint(config, "size");
	int err;

	if (!d)
		return -ENOMEM;
	dev->state = d;
	if (size % NULL_DISK_BLOCK) {
		device_log(dev, LOG_ERROR, "size: %lu bytes: expected whole sectors of %u", size,
			   NULL_DISK_BLOCK);
		return -EINVAL;
	}
	d->info = (struct block_info){.capacity = size,
				      .block_size = NULL_DISK_BLOCK,
				      .read_only = device_config_uint(config, "writes"),
				      .discard_max = size,
				      .zeroes_max = size};
	block_queue_init(&d->queue, &null_disk_queue_ops, d);
	err = device_own(dev, null_disk_stop, d);
	if (err)
		return err;
	return device_connect(dev, device_config_device(config, "frontend")->id,
			      &block_frontend_kind, &null_disk_ops.base, d, &d->frontend);
}

static const struct device_key null_disk_keys[] = {
	{.name = "frontend", .kind = KEY_FRONTEND, .help = "the disk, or other block frontend"},
	{.name = "size",
	 .kind = KEY_SIZE,
	 .def = "1G",
	 .min = NULL_DISK_BLOCK,
	 .max = BIT(62),
	 .help = "bytes, whole sectors"},
	{.name = "writes",
	 .kind = KEY_CHOICE,
	 .def = "ignore",
	 .choices = "ignore|refuse",
	 .help = "what becomes of them"},
	{},
};

DEVICE_TYPE(null_disk_type, .name = "null-disk", .help = "a disk of zeroes", .keys = null_disk_keys,
	    .create = null_disk_create, .destroy = null_disk_destroy,
	    .saved = DEVICE_STATE_NONE("null-disk"));
