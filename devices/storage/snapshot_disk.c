/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk for a checkpoint: a block frontend that no guest sees. What is
 * connected to it keeps one, which the shell calls disk:OWNER.DEVICE, by the VM
 * that has the device and the device's id. What is on the disk is looked at anew
 * each time: it may have come with a checkpoint of its owner.
 *
 * Keys: none.
 * Locks: snapshot_disks_lock over the list, and over who uses a disk; a disk's
 * own over which backend that is for, held while a request is submitted, so
 * that none reaches another backend.
 *
 * Who uses a disk holds a reference, and nobody waits for it: when the device or
 * its backend goes, the request that is under way ends, and there is no other.
 */
#include "devices/storage/snapshot_volume.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct snapshot_disk {
	struct block_frontend frontend;
	char name[CHECKPOINT_NAME_MAX + 1]; /* OWNER.DEVICE */
	char owner[VM_NAME_MAX + 1];
	unsigned refs;	       /* atomic: the device's, and who uses it */
	bool used;	       /* by one at a time; under snapshot_disks_lock */
	struct list_head link; /* under snapshot_disks_lock */
	struct spinlock lock;
	uint32_t changes; /* of the backend; under the lock */
	struct block_request request;
	struct block_piece piece;
	int result;
	bool done; /* the request is; atomic */
};

/* Somebody who uses it. */
struct snapshot_use {
	struct snapshot_volume volume;
	struct snapshot_disk *disk;
	uint32_t changes; /* at its beginning */
};

static struct spinlock snapshot_disks_lock = SPINLOCK_INIT;
static struct list_head snapshot_disks = LIST_HEAD_INIT(snapshot_disks);

static void disk_put(struct snapshot_disk *d)
{
	if (!__atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL))
		kfree(d);
}

/* Another backend, or none. */
static void disk_changed(void *opaque)
{
	struct snapshot_disk *d = opaque;

	spin_lock(&d->lock);
	d->changes++;
	spin_unlock(&d->lock);
}

static void disk_done(struct block_request *request, int err)
{
	struct snapshot_disk *d = request->opaque;

	d->result = err;
	__atomic_store_n(&d->done, true, __ATOMIC_RELEASE);
}

/* struct snapshot_volume's io. */
static int disk_io(void *opaque, enum block_op op, uint64_t at, void *data, size_t bytes)
{
	struct snapshot_use *use = opaque;
	struct snapshot_disk *d = use->disk;
	int err = -ENODEV;

	d->piece = (struct block_piece){data, bytes};
	d->request = (struct block_request){.op = op,
					    .offset = at,
					    .bytes = bytes,
					    .pieces = &d->piece,
					    .piece_count = bytes ? 1 : 0,
					    .done = disk_done,
					    .opaque = d};
	d->done = false;
	spin_lock(&d->lock);
	if (d->changes == use->changes)
		err = block_submit(&d->frontend, &d->request);
	spin_unlock(&d->lock);
	if (err != BLOCK_PENDING) {
		task_share();
		return err;
	}
	while (!__atomic_load_n(&d->done, __ATOMIC_ACQUIRE))
		task_yield();
	return d->result;
}

/* The disk is the caller's, with a reference, until disk_end(). NULL: @why. */
static struct snapshot_disk *disk_take(const char *name, char *why)
{
	struct snapshot_disk *d, *found = NULL;
	const char *fault = "no VM has such a snapshot-disk: expected disk:OWNER.DEVICE of one "
			    "that is started; `snapshots` lists them";

	spin_lock(&snapshot_disks_lock);
	list_for_each_entry (d, &snapshot_disks, link) {
		if (strcmp(d->name, name))
			continue;
		/* Names may have dots as well. */
		fault = found ? "two disks are called so" : NULL;
		found = d;
	}
	if (!fault && found->used)
		fault = "the disk is being saved to, or restored from";
	if (!fault) {
		found->used = true;
		__atomic_add_fetch(&found->refs, 1, __ATOMIC_RELAXED);
	}
	spin_unlock(&snapshot_disks_lock);
	if (!fault)
		return found;
	checkpoint_why(why, -ENOENT, "%s", fault);
	return NULL;
}

static void disk_end(struct snapshot_disk *d)
{
	spin_lock(&snapshot_disks_lock);
	d->used = false;
	spin_unlock(&snapshot_disks_lock);
	disk_put(d);
}

static void use_end(struct snapshot_use *use)
{
	snapshot_volume_close(&use->volume);
	disk_end(use->disk);
	kfree(use);
}

static struct snapshot_use *use_of(struct snapshot_volume *v)
{
	return container_of(v, struct snapshot_use, volume);
}

/* Looks what is on disk @name. NULL: @why. */
static struct snapshot_use *use_begin(const char *name, char *why)
{
	struct snapshot_disk *d = disk_take(name, why);
	struct snapshot_use *use = d ? kzalloc(sizeof(*use)) : NULL;

	if (!d)
		return NULL;
	if (!use) {
		checkpoint_why(why, -ENOMEM, "no memory is left: see `info memory`");
		disk_end(d);
		return NULL;
	}
	use->disk = d;
	use->volume.io = disk_io;
	use->volume.opaque = use;
	spin_lock(&d->lock);
	use->changes = d->changes;
	spin_unlock(&d->lock);
	if (!block_info(&d->frontend, &use->volume.info))
		checkpoint_why(use->volume.why, -ENODEV, "the disk has no backend");
	else if (!snapshot_volume_open(&use->volume))
		return use;
	strcpy(why, use->volume.why);
	use_end(use);
	return NULL;
}

/* Ends it, and says what went wrong. */
static int use_done(struct snapshot_use *use, int err, char *why)
{
	if (err && *use->volume.why)
		strcpy(why, use->volume.why);
	use_end(use);
	return err;
}

static bool disk_nth(unsigned n, char *name)
{
	struct snapshot_disk *d;
	bool found = false;

	spin_lock(&snapshot_disks_lock);
	list_for_each_entry (d, &snapshot_disks, link) {
		found = !n--;
		if (!found)
			continue;
		strcpy(name, d->name);
		break;
	}
	spin_unlock(&snapshot_disks_lock);
	return found;
}

static void disk_describe(const char *name, char *what)
{
	static const char *const words[] = {
		[SNAPSHOT_EMPTY] = "empty",
		[SNAPSHOT_DAMAGED] = "both headers are damaged, of another version, or of a larger "
				     "disk",
		[SNAPSHOT_FOREIGN] = "something else is on it",
	};
	struct snapshot_use *use = use_begin(name, what);
	const struct snapshot_volume *v;

	if (!use)
		return;
	v = &use->volume;
	if (v->content == SNAPSHOT_THERE)
		snprintf(what, CHECKPOINT_WHY_MAX, "%10" PRIu64 " KiB of vm %s",
			 v->header.length >> 10, v->header.vm);
	else
		strcpy(what, words[v->content]);
	use_end(use);
}

static int disk_save(const char *name, const char *vm, struct checkpoint_writer *w, char *why)
{
	struct snapshot_use *use = use_begin(name, why);
	int err;

	if (!use)
		return -ENODEV;
	if (!strcmp(use->disk->owner, vm)) {
		use_end(use);
		return checkpoint_why(why, -EINVAL,
				      "the disk is vm %s's own, and would be in its checkpoint: "
				      "expected one of another VM",
				      vm);
	}
	err = snapshot_volume_begin(&use->volume, vm);
	if (err)
		return use_done(use, err, why);
	w->write = snapshot_volume_append;
	w->opaque = &use->volume;
	return 0;
}

static int disk_save_end(struct checkpoint_writer *w, int err, char *why)
{
	struct snapshot_volume *v = w->opaque;
	size_t len = strlen(why);

	/* How much it may need is told already. */
	if (err == -ENOSPC && *v->why) {
		snprintf(why + len, CHECKPOINT_WHY_MAX - len, ": %s", v->why);
		*v->why = 0;
	}
	if (!err)
		err = snapshot_volume_commit(v);
	return use_done(use_of(v), err, why);
}

static int disk_open(const char *name, struct checkpoint_source *source, char *why)
{
	struct snapshot_use *use = use_begin(name, why);
	int err;

	if (!use)
		return -ENODEV;
	err = snapshot_volume_verify(&use->volume);
	if (err)
		return use_done(use, err, why);
	snapshot_volume_source(&use->volume, source);
	return 0;
}

static void disk_close(struct checkpoint_source *source, char *why)
{
	struct snapshot_volume *v = source->opaque;

	(void)use_done(use_of(v), v->failed ? -EIO : 0, why);
}

static int disk_remove(const char *name, char *why)
{
	struct snapshot_use *use = use_begin(name, why);

	return use ? use_done(use, snapshot_volume_clear(&use->volume), why) : -ENODEV;
}

CHECKPOINT_PLACE(disk_place, .scheme = "disk:", .nth = disk_nth, .describe = disk_describe,
		 .create = disk_save, .end = disk_save_end, .open = disk_open, .close = disk_close,
		 .remove = disk_remove);

static void snapshot_disk_unlist(void *opaque)
{
	struct snapshot_disk *d = opaque;

	spin_lock(&snapshot_disks_lock);
	list_del(&d->link);
	spin_unlock(&snapshot_disks_lock);
}

static void snapshot_disk_destroy(struct device *dev)
{
	disk_put(dev->state);
}

static int snapshot_disk_create(struct device *dev, const struct device_config *config __unused)
{
	struct snapshot_disk *d = kzalloc(sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	dev->state = d;
	d->refs = 1;
	spinlock_init(&d->lock);
	list_init(&d->link);
	snprintf(d->name, sizeof(d->name), "%s.%s", dev->vm->name, dev->id);
	strcpy(d->owner, dev->vm->name);
	block_frontend_init(&d->frontend);
	d->frontend.changed = disk_changed;
	d->frontend.opaque = d;
	err = device_provide_frontend(dev, &d->frontend.base);
	if (!err)
		err = device_own(dev, snapshot_disk_unlist, d);
	if (err)
		return err;
	spin_lock(&snapshot_disks_lock);
	list_add_tail(&d->link, &snapshot_disks);
	spin_unlock(&snapshot_disks_lock);
	return 0;
}

DEVICE_TYPE(snapshot_disk_type, .name = "snapshot-disk",
	    .help = "a disk that no guest sees, for a checkpoint of another VM",
	    .create = snapshot_disk_create, .destroy = snapshot_disk_destroy,
	    .saved = DEVICE_STATE_NONE("snapshot-disk"));
