/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checkpoints in our own memory, by name, until they are deleted or the machine
 * is switched off. All together take at most half of the memory that was free
 * when the first of those that are there came. Context: tasks; one at a time has a snapshot open
 * for writing, the shell.
 */
#ifndef VMM_CHECKPOINT_STORE_H
#define VMM_CHECKPOINT_STORE_H

#include "lib/compiler.h"
#include "vmm/checkpoint/stream.h"

#include <stdint.h>

#define SNAPSHOT_NAME_MAX 31

struct snapshot;

/* A new one, empty, that nobody finds yet. -EEXIST, -EINVAL (a name that is none), -ENOMEM. */
int snapshot_create(const char *name, struct snapshot **out) __must_check;
/* checkpoint_writer.write. -ENOMEM; -ENOSPC: the limit. */
int snapshot_append(void *opaque, const void *data, size_t len) __must_check;
/* It is whole: it can be found. */
void snapshot_publish(struct snapshot *s);
/* Found or not. */
void snapshot_delete(struct snapshot *s);
struct snapshot *snapshot_find(const char *name);
void snapshot_source(struct snapshot *s, struct checkpoint_source *source);
/* The n-th in the order of their making, with its name and bytes; NULL: there are fewer. */
struct snapshot *snapshot_nth(unsigned n, const char **name, uint64_t *bytes);
/* Bytes that all together may take, from the last snapshot_create() on, and that they do. */
uint64_t snapshot_room(uint64_t *taken);

#endif
