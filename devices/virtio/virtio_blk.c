/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `virtio-blk:`, a disk: what its block frontend is connected to, which may come
 * and go. Without a backend it has no capacity.
 *
 * What a backend is, its size apart, is fixed when the driver agrees on
 * features: what comes later and is read-only then fails what is written.
 *
 * Spec: VIRTIO 1.2, 5.2.
 * Arguments: queues, serial.
 * Locks: a queue's over all that the queue has in flight; virtio.lock over the
 * features that are offered; then the frontend's.
 */
#include "devices/virtio/virtio_blk.h"

#include "devices/hostdev/host_args.h"
#include "devices/virtio/virtio_saved.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define VIRTIO_BLK_CLASS 0x018000u /* mass storage, other */
#define VIRTIO_BLK_PAGE	 4096u	   /* of what disks in memory are made */

static const uint16_t virtio_blk_sizes[VIRTIO_BLK_QUEUES_MAX] = {
	[0 ... VIRTIO_BLK_QUEUES_MAX - 1] = VIRTIO_BLK_QUEUE_SIZE,
};

static uint32_t virtio_blk_sectors(uint64_t bytes)
{
	return (uint32_t)MIN(bytes / VIRTIO_BLK_SECTOR, (uint64_t)UINT32_MAX);
}

/* What the driver is told of @info; 0 in all of it: there is no backend. */
static void virtio_blk_describe(const struct virtio_blk *blk, const struct block_info *info,
				struct virtio_blk_config *config)
{
	uint32_t block = info->block_size ? info->block_size : VIRTIO_BLK_SECTOR;

	memset(config, 0, sizeof(*config));
	config->capacity = info->capacity / VIRTIO_BLK_SECTOR;
	config->size_max = VIRTIO_BLK_SIZE_MAX;
	config->seg_max = VIRTIO_BLK_SEG_MAX;
	config->blk_size = block;
	config->physical_block_exp = (uint8_t)__builtin_ctz(VIRTIO_BLK_PAGE / block);
	config->min_io_size = (uint16_t)(VIRTIO_BLK_PAGE / block);
	config->num_queues = (uint16_t)blk->queue_count;
	config->max_discard_sectors = virtio_blk_sectors(info->discard_max);
	config->max_discard_seg = 1;
	config->discard_sector_alignment = VIRTIO_BLK_PAGE / VIRTIO_BLK_SECTOR;
	config->max_write_zeroes_sectors = virtio_blk_sectors(info->zeroes_max);
	config->max_write_zeroes_seg = 1;
}

static uint64_t virtio_blk_features(const struct virtio_blk *blk, const struct block_info *info)
{
	uint64_t features = VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_BLK_SIZE |
			    VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_TOPOLOGY;

	if (blk->queue_count > 1)
		features |= VIRTIO_BLK_F_MQ;
	if (info->read_only)
		features |= VIRTIO_BLK_F_RO;
	if (info->discard_max)
		features |= VIRTIO_BLK_F_DISCARD;
	if (info->zeroes_max)
		features |= VIRTIO_BLK_F_WRITE_ZEROES;
	return features;
}

/* virtio.lock is held. */
static void virtio_blk_offer(struct virtio_blk *blk)
{
	struct block_info info;

	(void)!block_info(&blk->frontend, &info);
	blk->virtio.offered = virtio_blk_features(blk, &info) | VIRTIO_F_COMMON;
}

/* Another backend, or none. A driver that has begun keeps the features that it was offered. */
static void virtio_blk_changed(void *opaque)
{
	struct virtio_blk *blk = opaque;
	struct virtio_blk_config config;
	struct block_info info;

	spin_lock(&blk->virtio.lock);
	if (!blk->virtio.status)
		virtio_blk_offer(blk);
	spin_unlock(&blk->virtio.lock);
	(void)!block_info(&blk->frontend, &info);
	virtio_blk_describe(blk, &info, &config);
	virtio_config_set(&blk->virtio, 0, &config, sizeof(config));
}

static void virtio_blk_reset(struct virtio *v)
{
	virtio_blk_offer(container_of(v, struct virtio_blk, virtio));
}

static const struct virtio_ops virtio_blk_ops = {
	.id = VIRTIO_ID_BLOCK,
	.class_code = VIRTIO_BLK_CLASS,
	.varying = VIRTIO_BLK_F_RO | VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES,
	.reset = virtio_blk_reset,
	.notify = virtio_blk_notify,
};

static void virtio_blk_free(struct virtio_blk *blk)
{
	unsigned i;

	for (i = 0; i < blk->queue_count; i++)
		kfree(blk->queues[i]);
	kfree(blk);
}

static int virtio_blk_make_queues(struct virtio_blk *blk)
{
	unsigned i;

	for (i = 0; i < blk->queue_count; i++) {
		blk->queues[i] = kzalloc(sizeof(*blk->queues[i]));
		if (!blk->queues[i])
			return -ENOMEM;
		virtio_blk_queue_init(blk->queues[i], blk, &blk->virtio.queues[i]);
	}
	return 0;
}

/* The longest serial number, or what the device is called. */
static int virtio_blk_set_serial(struct virtio_blk *blk, struct device *owner, const char *serial)
{
	size_t len = strlen(serial);

	if (len > VIRTIO_BLK_ID_LEN) {
		device_log(owner, LOG_ERROR, "hostdev: argument serial: expected at most %u bytes",
			   VIRTIO_BLK_ID_LEN);
		return -EINVAL;
	}
	if (!len) {
		serial = owner->id;
		len = MIN(strlen(serial), (size_t)VIRTIO_BLK_ID_LEN);
	}
	memcpy(blk->serial, serial, len);
	return 0;
}

static int virtio_blk_start(struct virtio_blk *blk, struct host_device *hd)
{
	struct block_info none = {0};
	struct virtio_shape shape = {
		.ops = &virtio_blk_ops,
		.features = virtio_blk_features(blk, &none),
		.queue_count = blk->queue_count,
		.queue_sizes = virtio_blk_sizes,
		.config = &blk->config,
		.config_size = sizeof(blk->config),
	};
	int err;

	virtio_blk_describe(blk, &none, &blk->config);
	err = virtio_open(&blk->virtio, hd, &shape);
	if (err)
		return err;
	err = virtio_blk_make_queues(blk);
	if (!err)
		err = device_provide_frontend(hd->owner, &blk->frontend.base);
	if (err)
		virtio_close(&blk->virtio);
	return err;
}

static int virtio_blk_open(struct host_device *hd, const char *path __unused,
			   const struct host_args *args)
{
	unsigned queues = (unsigned)host_args_uint(args, "queues");
	struct virtio_blk *blk = kzalloc(sizeof(*blk));
	int err;

	if (!blk)
		return -ENOMEM;
	if (!queues)
		queues = MAX(hd->owner->vm->vcpu_count, 1u);
	blk->queue_count = MIN(queues, VIRTIO_BLK_QUEUES_MAX);
	block_frontend_init(&blk->frontend);
	blk->frontend.changed = virtio_blk_changed;
	blk->frontend.opaque = blk;
	err = virtio_blk_set_serial(blk, hd->owner, host_args_string(args, "serial"));
	if (!err)
		err = virtio_blk_start(blk, hd);
	if (err)
		virtio_blk_free(blk);
	else
		virtio_take_args(&blk->virtio, args);
	return err;
}

static void virtio_blk_close(struct host_device *hd)
{
	struct virtio_blk *blk = container_of(hd->state, struct virtio_blk, virtio);

	virtio_close(&blk->virtio);
	virtio_blk_free(blk);
}

static const struct device_field virtio_blk_fields[] = {
	VIRTIO_SAVED_FIELD(struct virtio_blk),
	{},
};

static const struct device_state virtio_blk_saved = {
	.name = VIRTIO_BLK_SCHEME,
	.version = 1,
	.size = sizeof(struct virtio_blk),
	.fields = virtio_blk_fields,
};

static const struct device_key virtio_blk_args[] = {
	{.name = "queues",
	 .kind = KEY_UINT,
	 .def = "0",
	 .max = VIRTIO_BLK_QUEUES_MAX,
	 .help = "how many queues; 0: as many as the VM has vCPUs"},
	{.name = "serial",
	 .kind = KEY_STRING,
	 .def = "",
	 .help = "serial number, up to 20 characters; else the device's id"},
	VIRTIO_ARGS,
	{},
};

HOST_SCHEME(virtio_blk_scheme, .name = VIRTIO_BLK_SCHEME, .help = "a virtio disk",
	    .keys = virtio_blk_args, .open = virtio_blk_open, .close = virtio_blk_close,
	    VIRTIO_SCHEME, .saved = &virtio_blk_saved);
