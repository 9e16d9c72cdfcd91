/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/checkpoint/store.h"

#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "lib/list.h"
#include "lib/parse.h"

#include <errno.h>
#include <string.h>

#define BLOCK_ORDER 4
#define BLOCK_SIZE  (PAGE_SIZE << BLOCK_ORDER)

struct snapshot {
	struct list_head link;
	char name[SNAPSHOT_NAME_MAX + 1];
	uint64_t size;
	uint8_t **blocks;
	size_t block_count, block_room;
};

static struct list_head snapshots = LIST_HEAD_INIT(snapshots);
static struct page_owner owner;
static uint64_t pages_max; /* as there was room when the first of those that are there came */

static void find_limit(void)
{
	struct page_stats stats;

	if (!owner.name)
		page_owner_register(&owner, "snapshots");
	if (owner.pages)
		return;
	page_alloc_stats(&stats);
	pages_max = stats.free / 2;
}

struct snapshot *snapshot_find(const char *name)
{
	struct snapshot *s;

	list_for_each_entry (s, &snapshots, link)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

int snapshot_create(const char *name, struct snapshot **out)
{
	struct snapshot *s;

	if (!parse_name(name, SNAPSHOT_NAME_MAX))
		return -EINVAL;
	if (snapshot_find(name))
		return -EEXIST;
	s = kzalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	find_limit();
	strcpy(s->name, name);
	list_init(&s->link);
	*out = s;
	return 0;
}

static int more_room(struct snapshot *s)
{
	size_t room = s->block_room ? 2 * s->block_room : 64;
	uint8_t **blocks = kmalloc(room * sizeof(*blocks));

	if (!blocks)
		return -ENOMEM;
	if (s->blocks)
		memcpy(blocks, s->blocks, s->block_count * sizeof(*blocks));
	kfree(s->blocks);
	s->blocks = blocks;
	s->block_room = room;
	return 0;
}

static int add_block(struct snapshot *s)
{
	int err = s->block_count == s->block_room ? more_room(s) : 0;
	uint8_t *block;

	if (err)
		return err;
	if (owner.pages + (1u << BLOCK_ORDER) > pages_max)
		return -ENOSPC;
	block = page_alloc(&owner, BLOCK_ORDER);
	if (!block)
		return -ENOMEM;
	s->blocks[s->block_count++] = block;
	return 0;
}

int snapshot_append(void *opaque, const void *data, size_t len)
{
	struct snapshot *s = opaque;
	const uint8_t *from = data;

	while (len) {
		size_t at = s->size % BLOCK_SIZE, n = MIN(len, BLOCK_SIZE - at);
		int err = at ? 0 : add_block(s);

		if (err)
			return err;
		memcpy(s->blocks[s->block_count - 1] + at, from, n);
		s->size += n;
		from += n;
		len -= n;
	}
	return 0;
}

void snapshot_publish(struct snapshot *s)
{
	list_add_tail(&s->link, &snapshots);
}

void snapshot_delete(struct snapshot *s)
{
	list_del(&s->link);
	for (size_t i = 0; i < s->block_count; i++)
		page_free(&owner, s->blocks[i], BLOCK_ORDER);
	kfree(s->blocks);
	kfree(s);
}

static void snapshot_read(void *opaque, uint64_t at, void *buf, size_t len)
{
	const struct snapshot *s = opaque;
	uint8_t *to = buf;

	while (len) {
		size_t offset = at % BLOCK_SIZE, n = MIN(len, BLOCK_SIZE - offset);

		memcpy(to, s->blocks[at / BLOCK_SIZE] + offset, n);
		at += n;
		to += n;
		len -= n;
	}
}

void snapshot_source(struct snapshot *s, struct checkpoint_source *source)
{
	*source = (struct checkpoint_source){.size = s->size, .read = snapshot_read, .opaque = s};
}

uint64_t snapshot_room(uint64_t *taken)
{
	*taken = owner.pages * PAGE_SIZE;
	return pages_max * PAGE_SIZE;
}

struct snapshot *snapshot_nth(unsigned n, const char **name, uint64_t *bytes)
{
	struct snapshot *s;

	list_for_each_entry (s, &snapshots, link) {
		if (n--)
			continue;
		*name = s->name;
		*bytes = s->size;
		return s;
	}
	return NULL;
}
