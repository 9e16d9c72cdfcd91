/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk in memory: empty, or a module's image. Pages are taken when they are
 * first written, and charged to the VM. With copy-on-write the module stays as
 * it is, so that it can be used again and by several; without, it is
 * written to, and belongs to one disk.
 *
 * Keys: frontend, image, size, block-size, cow, read-only.
 * Locks: `ramdisk_lock` over the list of disks with images. `pages` is changed
 * by the queue's worker alone, entry by entry, and read by anybody between two
 * quiescent points of its CPU. So is `frozen`, while it is there.
 */
#include "devices/backend/block_queue.h"
#include "devices/backend/ramdisk_image.h"
#include "kernel/boot_info.h"
#include "kernel/grace.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RAMDISK_DISCARDED   UINT64_C(1) /* in an entry of `pages` or `frozen`: to be freed */
#define RAMDISK_DISCARD_MAX (UINT64_C(1) << 30)
#define RAMDISK_FREE_TURN   1024 /* pages freed before others get the CPU */

struct ramdisk {
	struct block_queue queue;
	struct block_info info;
	struct device *dev;
	struct frontend *frontend;
	const struct boot_module *module; /* NULL: none */
	bool uses_module;		  /* alone, to write to it */
	uint8_t *image;			  /* the module's bytes; NULL: it starts as zeroes */
	bool writes_image;		  /* no page of its own is ever needed */
	uint8_t *written;		  /* `image` where it does, else NULL: see ramdisk_fields */
	uint64_t page_count;
	uint64_t *pages;       /* its own, by offset / PAGE_SIZE; 0: the image's, or zeroes */
	uint64_t *frozen;      /* what they were at a moment, and stays; NULL: nobody asks for it */
	bool torn;	       /* … but for lack of memory */
	struct list_head link; /* under ramdisk_lock */
};

static struct spinlock ramdisk_lock = SPINLOCK_INIT;
static struct list_head ramdisks = LIST_HEAD_INIT(ramdisks);

/* Its own page for @offset, or NULL. */
static uint8_t *ramdisk_page(const struct ramdisk *r, uint64_t offset)
{
	uint64_t entry = grace_read(r->pages[offset / PAGE_SIZE]);

	return entry & RAMDISK_DISCARDED ? NULL : (uint8_t *)entry;
}

/*
 * Its entry, where @page is the one that was there when the disk was frozen, and is its own still;
 * else NULL. To be read until the next quiescent point, also if the disk is thawed before it.
 */
static uint64_t *ramdisk_frozen(const struct ramdisk *r, uint64_t offset, const uint8_t *page)
{
	uint64_t *frozen = grace_read(r->frozen);

	if (likely(!frozen) || frozen[offset / PAGE_SIZE] != (uint64_t)page)
		return NULL;
	return &frozen[offset / PAGE_SIZE];
}

/* Where @page, which is frozen, goes on. */
static uint8_t *ramdisk_replace(struct ramdisk *r, uint64_t offset, uint8_t *page, uint64_t *frozen)
{
	uint8_t *copy = page_alloc(&r->dev->vm->owner, PAGE_ORDER_4K);

	if (!copy) {
		r->torn = true;
		return page;
	}
	memcpy(copy, page, PAGE_SIZE);
	grace_publish(r->pages[offset / PAGE_SIZE], (uint64_t)copy);
	*frozen |= RAMDISK_DISCARDED;
	return copy;
}

/* Where the byte at @offset is now; NULL: it is a zero. */
static const uint8_t *ramdisk_find(const struct ramdisk *r, uint64_t offset)
{
	const uint8_t *page = r->writes_image ? NULL : ramdisk_page(r, offset);

	if (page)
		return page + offset % PAGE_SIZE;
	return r->image ? r->image + offset : NULL;
}

/* The same for writing, with a page of its own where it takes one. NULL: no memory. */
static uint8_t *ramdisk_find_to_write(struct ramdisk *r, uint64_t offset)
{
	uint64_t start = ALIGN_DOWN(offset, PAGE_SIZE), *frozen;
	uint8_t *page;

	if (r->writes_image)
		return r->image + offset;
	page = ramdisk_page(r, offset);
	if (!page) {
		page = page_alloc_zeroed(&r->dev->vm->owner, PAGE_ORDER_4K);
		if (!page)
			return NULL;
		if (r->image)
			memcpy(page, r->image + start, MIN(PAGE_SIZE, r->info.capacity - start));
		grace_publish(r->pages[offset / PAGE_SIZE], (uint64_t)page);
	} else {
		frozen = ramdisk_frozen(r, offset, page);
		if (unlikely(frozen))
			page = ramdisk_replace(r, offset, page, frozen);
	}
	return page + offset % PAGE_SIZE;
}

/* Within one page. */
static int ramdisk_move(struct ramdisk *r, enum block_op op, uint64_t offset, uint8_t *data,
			uint64_t n)
{
	const uint8_t *from = ramdisk_find(r, offset);
	uint8_t *to;

	if (op == BLOCK_READ) {
		if (from)
			memcpy(data, from, n);
		else
			memset(data, 0, n);
		return 0;
	}
	if (op == BLOCK_WRITE_ZEROES && !from)
		return 0;
	to = ramdisk_find_to_write(r, offset);
	if (!to)
		return -ENOSPC;
	if (op == BLOCK_WRITE)
		memcpy(to, data, n);
	else
		memset(to, 0, n);
	return 0;
}

/* Gives back the pages that lie in it as a whole. They may be read until a grace period is over. */
static void ramdisk_discard(struct ramdisk *r, uint64_t offset, uint64_t bytes)
{
	uint64_t first = ALIGN_UP(offset, PAGE_SIZE) / PAGE_SIZE;
	uint64_t end = (offset + bytes) / PAGE_SIZE, i, found = 0;

	for (i = first; i < end; i++) {
		if (r->pages[i]) {
			grace_publish(r->pages[i], r->pages[i] | RAMDISK_DISCARDED);
			found++;
		}
	}
	if (!found)
		return;
	grace_synchronize();
	for (i = first; i < end; i++) {
		uint8_t *page = (uint8_t *)(r->pages[i] & ~RAMDISK_DISCARDED);
		uint64_t *frozen = ramdisk_frozen(r, i * PAGE_SIZE, page);

		if (page && frozen)
			*frozen |= RAMDISK_DISCARDED;
		else if (page)
			page_free(&r->dev->vm->owner, page, PAGE_ORDER_4K);
		r->pages[i] = 0;
	}
}

static int ramdisk_step(void *opaque, enum block_op op, uint64_t offset, uint8_t *data,
			uint64_t bytes)
{
	struct ramdisk *r = opaque;
	int err = 0;
	uint64_t n;

	if (op == BLOCK_DISCARD) {
		/* With an image, the old content would come back. */
		if (!r->image)
			ramdisk_discard(r, offset, bytes);
		return 0;
	}
	for (; bytes && !err; offset += n, bytes -= n) {
		n = MIN(bytes, PAGE_SIZE - offset % PAGE_SIZE);
		err = ramdisk_move(r, op, offset, data, n);
		data = data ? data + n : NULL;
	}
	return err;
}

static bool ramdisk_quick(void *opaque, enum block_op op, uint64_t offset, uint64_t bytes)
{
	const struct ramdisk *r = opaque;
	uint64_t end = offset + bytes;

	if (op == BLOCK_READ || r->writes_image)
		return true;
	for (offset = ALIGN_DOWN(offset, PAGE_SIZE); offset < end; offset += PAGE_SIZE) {
		const uint8_t *page = ramdisk_page(r, offset);

		if (!page || ramdisk_frozen(r, offset, page))
			return false;
	}
	return true;
}

static const struct block_queue_ops ramdisk_queue_ops = {
	.step = ramdisk_step,
	.quick = ramdisk_quick,
};

static int ramdisk_submit(void *opaque, struct block_request *request)
{
	struct ramdisk *r = opaque;

	return block_queue_submit(&r->queue, request);
}

static void ramdisk_cancel(void *opaque)
{
	struct ramdisk *r = opaque;

	block_queue_cancel(&r->queue);
}

static void ramdisk_info(void *opaque, struct block_info *info)
{
	const struct ramdisk *r = opaque;

	*info = r->info;
}

static void ramdisk_gone(void *opaque __unused)
{
}

static const struct block_backend_ops ramdisk_ops = {
	.base.gone = ramdisk_gone,
	.submit = ramdisk_submit,
	.cancel = ramdisk_cancel,
	.info = ramdisk_info,
};

/* Images: a module that one disk writes to is no other's. */

static const struct ramdisk *ramdisk_rival(const struct ramdisk *r)
{
	const struct ramdisk *other;

	list_for_each_entry (other, &ramdisks, link)
		if (other->image == r->image && (other->writes_image || r->writes_image))
			return other;
	return NULL;
}

static void ramdisk_release(void *opaque)
{
	struct ramdisk *r = opaque;

	block_queue_stop(&r->queue);
	spin_lock(&ramdisk_lock);
	list_del(&r->link);
	spin_unlock(&ramdisk_lock);
}

/* Whoever would read it from then on, but as a disk, is refused. */
static int ramdisk_use_module(struct ramdisk *r)
{
	r->uses_module = r->writes_image && boot_module_use(r->module, true);
	if (r->uses_module == r->writes_image)
		return 0;
	device_log(r->dev, LOG_ERROR, "image: %s is a device's ROM, too: expected cow = true",
		   r->module->name);
	return -EBUSY;
}

static int ramdisk_claim(struct ramdisk *r)
{
	const struct ramdisk *rival = NULL;
	int err = device_own(r->dev, ramdisk_release, r);

	if (err || !r->image)
		return err;
	spin_lock(&ramdisk_lock);
	rival = ramdisk_rival(r);
	if (!rival)
		list_add_tail(&r->link, &ramdisks);
	spin_unlock(&ramdisk_lock);
	if (!rival)
		return ramdisk_use_module(r);
	device_log(
		r->dev, LOG_ERROR,
		"image: %s of VM %s has this module, and one of the two writes to it: cow = true",
		rival->dev->id, rival->dev->vm->name);
	return -EBUSY;
}

/* Sets capacity and image from the keys. */
static int ramdisk_size(struct ramdisk *r, const struct device_config *config)
{
	const struct boot_module *module = device_config_module(config, "image");
	uint64_t size = device_config_uint(config, "size");

	if (!module == !size) {
		device_log(r->dev, LOG_ERROR, "%s: expected either image or size",
			   size ? "size" : "image");
		return -EINVAL;
	}
	r->module = module;
	r->image = module ? (uint8_t *)module->data : NULL;
	r->info.capacity = module ? module->size : size;
	if (!r->info.capacity || r->info.capacity % r->info.block_size) {
		device_log(r->dev, LOG_ERROR, "%s: %lu bytes: expected whole blocks of %u bytes",
			   module ? "image" : "size", r->info.capacity, r->info.block_size);
		return -EINVAL;
	}
	r->writes_image = module && !r->info.read_only && !device_config_bool(config, "cow");
	r->written = r->writes_image ? r->image : NULL;
	return r->writes_image ? ramdisk_image_check(r->dev, r->module) : 0;
}

/* A module that is written to is not the disk's alone: others may find in it what was there when
 * the VM was saved, or not. */
static const struct device_state *ramdisk_image_type(const void *state __unused, const char **name)
{
	*name = "an image that it writes to";
	return NULL;
}

static const struct device_ref ramdisk_written = {.type_of = ramdisk_image_type};

static const struct device_field ramdisk_fields[] = {
	DEVICE_FIELD_REF(struct ramdisk, written, &ramdisk_written),
	{},
};

static uint64_t ramdisk_pages_size(const void *state)
{
	return ((const struct ramdisk *)state)->info.capacity;
}

static const uint8_t *ramdisk_pages_read(const void *state, uint64_t at)
{
	const struct ramdisk *r = state;

	if (!r->frozen)
		return ramdisk_page(r, at);
	return (const uint8_t *)(r->frozen[at / PAGE_SIZE] & ~RAMDISK_DISCARDED);
}

static uint8_t *ramdisk_pages_write(void *state, uint64_t at)
{
	return ramdisk_find_to_write(state, at);
}

static int ramdisk_pages_freeze(void *state)
{
	struct ramdisk *r = state;
	uint64_t *frozen = kmalloc(r->page_count * sizeof(*frozen));

	if (!frozen)
		return -ENOMEM;
	memcpy(frozen, r->pages, r->page_count * sizeof(*frozen));
	r->torn = false;
	grace_publish(r->frozen, frozen);
	return 0;
}

/* The worker has seen that it is over, and nobody reads pages that were replaced or discarded. */
static bool ramdisk_pages_thaw(void *state)
{
	struct ramdisk *r = state;
	uint64_t *frozen = r->frozen;

	if (!frozen)
		return true;
	grace_publish(r->frozen, NULL);
	grace_synchronize();
	for (uint64_t i = 0; i < r->page_count; i++) {
		if (frozen[i] & RAMDISK_DISCARDED)
			page_free(&r->dev->vm->owner, (void *)(frozen[i] & ~RAMDISK_DISCARDED),
				  PAGE_ORDER_4K);
		if (i % RAMDISK_FREE_TURN == RAMDISK_FREE_TURN - 1)
			task_share();
	}
	kfree(frozen);
	return !r->torn;
}

/* Its own pages. Who has requests under way, the frontend's device, ends them before it is saved.
 */
static const struct device_pages ramdisk_own_pages = {
	.size = ramdisk_pages_size,
	.read = ramdisk_pages_read,
	.write = ramdisk_pages_write,
	.freeze = ramdisk_pages_freeze,
	.thaw = ramdisk_pages_thaw,
};

static const struct device_state ramdisk_saved = {
	.name = "ramdisk",
	.version = 1,
	.size = sizeof(struct ramdisk),
	.fields = ramdisk_fields,
	.pages = &ramdisk_own_pages,
};

static void ramdisk_destroy(struct device *dev)
{
	struct ramdisk *r = dev->state;
	uint64_t i;

	for (i = 0; r->pages && i < r->page_count; i++) {
		if (r->pages[i])
			page_free(&dev->vm->owner, (void *)r->pages[i], PAGE_ORDER_4K);
		if (i % RAMDISK_FREE_TURN == RAMDISK_FREE_TURN - 1)
			task_share();
	}
	if (r->uses_module)
		boot_module_unuse(r->module);
	kfree(r->pages);
	kfree(r);
}

static int ramdisk_create(struct device *dev, const struct device_config *config)
{
	struct ramdisk *r = kzalloc(sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	dev->state = r;
	r->dev = dev;
	list_init(&r->link);
	r->info.block_size = device_config_uint(config, "block-size") ? 4096 : 512;
	r->info.read_only = device_config_bool(config, "read-only");
	err = ramdisk_size(r, config);
	if (err)
		return err;
	if (!r->info.read_only)
		r->info.discard_max = r->info.zeroes_max = RAMDISK_DISCARD_MAX;
	r->page_count = ALIGN_UP(r->info.capacity, PAGE_SIZE) / PAGE_SIZE;
	r->pages = r->writes_image ? NULL : kcalloc(r->page_count, sizeof(*r->pages));
	if (!r->pages && !r->writes_image) {
		device_log(dev, LOG_ERROR, "no memory for the table of %lu pages", r->page_count);
		return -ENOMEM;
	}
	block_queue_init(&r->queue, &ramdisk_queue_ops, r);
	err = ramdisk_claim(r);
	if (err)
		return err;
	return device_connect(dev, device_config_device(config, "frontend")->id,
			      &block_frontend_kind, &ramdisk_ops.base, r, &r->frontend);
}

static const struct device_key ramdisk_keys[] = {
	{.name = "frontend", .kind = KEY_FRONTEND, .help = "the disk, or other block frontend"},
	{.name = "image", .kind = KEY_MODULE, .def = "", .help = "the disk's content"},
	{.name = "size",
	 .kind = KEY_SIZE,
	 .def = "0",
	 .max = UINT64_C(1) << 40,
	 .help = "bytes, without an image"},
	{.name = "block-size",
	 .kind = KEY_CHOICE,
	 .def = "512",
	 .choices = "512|4096",
	 .help = "bytes of a sector"},
	{.name = "cow",
	 .kind = KEY_BOOL,
	 .def = "true",
	 .help = "writes leave the image as it is (copy on write)"},
	{.name = "read-only", .kind = KEY_BOOL, .def = "false", .help = "no writes"},
	{},
};

DEVICE_TYPE(ramdisk_type, .name = "ramdisk", .help = "a disk in memory", .keys = ramdisk_keys,
	    .create = ramdisk_create, .destroy = ramdisk_destroy, .saved = &ramdisk_saved);
