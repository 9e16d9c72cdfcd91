/* SPDX-License-Identifier: BSD-2-Clause */
/* Checkpoints in our memory: what vmm/checkpoint/store.h keeps, as a place. */
#include "vmm/checkpoint/place.h"
#include "vmm/checkpoint/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct snapshot *memory_find(const char *name, char *why)
{
	struct snapshot *s = snapshot_find(name);

	if (!s)
		checkpoint_why(why, -ENOENT, "no such snapshot; `snapshots` lists them");
	return s;
}

static bool memory_nth(unsigned n, char *name)
{
	const char *text;
	uint64_t bytes;
	bool is_there = snapshot_nth(n, &text, &bytes);

	if (is_there)
		strcpy(name, text);
	return is_there;
}

static void memory_describe(const char *name, char *what)
{
	struct snapshot *s = memory_find(name, what);
	struct checkpoint_source source;

	if (!s)
		return;
	snapshot_source(s, &source);
	snprintf(what, CHECKPOINT_WHY_MAX, "%10" PRIu64 " KiB", source.size >> 10);
}

static int memory_create(const char *name, const char *vm __unused, struct checkpoint_writer *w,
			 char *why)
{
	struct snapshot *s;
	int err = snapshot_create(name, &s);

	if (err == -EEXIST)
		return checkpoint_why(why, err,
				      "a snapshot of that name is there already; "
				      "`snapshot-delete %s`",
				      name);
	if (err == -EINVAL)
		return checkpoint_why(why, err,
				      "expected a name of 1 to %u letters, digits and . _ -",
				      SNAPSHOT_NAME_MAX);
	if (err)
		return checkpoint_why(why, err,
				      "no memory is left: see `info memory`, and destroy VMs or "
				      "delete snapshots");
	w->write = snapshot_append;
	w->opaque = s;
	return 0;
}

static int memory_end(struct checkpoint_writer *w, int err, char *why)
{
	size_t len = strlen(why);
	uint64_t taken, room;

	if (!err) {
		snapshot_publish(w->opaque);
		return 0;
	}
	snapshot_delete(w->opaque);
	if (err == -ENOSPC) {
		room = snapshot_room(&taken);
		snprintf(why + len, CHECKPOINT_WHY_MAX - len,
			 "; snapshots have %" PRIu64 " of at most %" PRIu64
			 " KiB: `snapshot-delete` forgets one",
			 taken >> 10, room >> 10);
	}
	return err;
}

static int memory_open(const char *name, struct checkpoint_source *source, char *why)
{
	struct snapshot *s = memory_find(name, why);

	if (!s)
		return -ENOENT;
	snapshot_source(s, source);
	return 0;
}

static int memory_remove(const char *name, char *why)
{
	struct snapshot *s = memory_find(name, why);

	if (!s)
		return -ENOENT;
	snapshot_delete(s);
	return 0;
}

CHECKPOINT_PLACE(memory_place, .scheme = "", .nth = memory_nth, .describe = memory_describe,
		 .create = memory_create, .end = memory_end, .open = memory_open,
		 .remove = memory_remove);
