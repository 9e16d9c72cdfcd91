/* SPDX-License-Identifier: BSD-2-Clause */
/* `info virtio-blk`: what each disk has done, copied under its locks and then printed. */
#include "devices/virtio/virtio_blk.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "vmm/device.h"
#include "vmm/vm.h"

#include <string.h>

struct virtio_blk_view {
	char id[DEVICE_ID_MAX + 1], vm[VM_NAME_MAX + 1];
	uint64_t capacity;
	unsigned queues;
	struct virtio_blk_counts counts;
};

/* Under host_devices_lock: it is not closed meanwhile. */
static void virtio_blk_look(struct virtio_blk *blk, struct virtio_blk_view *view)
{
	const struct device *owner = blk->virtio.hd->owner;
	struct block_info info;
	unsigned i;

	memset(view, 0, sizeof(*view));
	strcpy(view->id, owner->id);
	strcpy(view->vm, owner->vm->name);
	(void)!block_info(&blk->frontend, &info);
	view->capacity = info.capacity;
	view->queues = blk->queue_count;
	for (i = 0; i < blk->queue_count; i++) {
		struct virtio_blk_queue *bq = blk->queues[i];

		spin_lock(&bq->virtq->lock);
		view->counts.turns += bq->counts.turns;
		view->counts.requests += bq->counts.requests;
		view->counts.errors += bq->counts.errors;
		view->counts.bytes_read += bq->counts.bytes_read;
		view->counts.bytes_written += bq->counts.bytes_written;
		spin_unlock(&bq->virtq->lock);
	}
}

/* Disk number @index, as it is now. */
static bool virtio_blk_view(unsigned index, struct virtio_blk_view *view)
{
	struct host_device *hd;
	bool found = false;

	spin_lock(&host_devices_lock);
	list_for_each_entry (hd, &host_devices, link) {
		if (strcmp(hd->scheme->name, VIRTIO_BLK_SCHEME) || index--)
			continue;
		virtio_blk_look(container_of(hd->state, struct virtio_blk, virtio), view);
		found = true;
		break;
	}
	spin_unlock(&host_devices_lock);
	return found;
}

static void info_virtio_blk(char **argv __unused)
{
	struct virtio_blk_view view;
	unsigned i;

	for (i = 0; virtio_blk_view(i, &view); i++)
		console_printf("%s of %s: %lu bytes, queues: %u\n"
			       "  %lu requests in %lu turns, %lu failed; %lu bytes read, %lu "
			       "written\n",
			       view.id, view.vm, view.capacity, view.queues, view.counts.requests,
			       view.counts.turns, view.counts.errors, view.counts.bytes_read,
			       view.counts.bytes_written);
	if (!i)
		console_printf("no virtio disk\n");
}

INFO_TOPIC(info_virtio_blk_topic, .name = "virtio-blk", .args = "",
	   .help = "virtio disks: requests, how many at a time, bytes", .run = info_virtio_blk);
