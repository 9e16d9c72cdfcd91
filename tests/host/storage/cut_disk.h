/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk with a cache that is lost when the power is cut, at an access that a
 * test chooses, or that fails there; and struct snapshot_volume on it, with
 * streams that are told apart by a number, which is their VM's letter.
 */
#ifndef TESTS_HOST_STORAGE_CUT_DISK_H
#define TESTS_HOST_STORAGE_CUT_DISK_H

#include "devices/storage/snapshot_volume.h"

#include <stdint.h>

#define KIB    1024u
#define SECTOR 512u
#define RING   (256 * KIB)
#define SIZE   (SNAPSHOT_RING + RING)
#define NEVER  1000000u

extern uint8_t cut_disk_seen[SIZE];	      /* what reads give */
extern uint8_t cut_disk_content[8][RING];     /* of the streams */
extern char cut_disk_why[CHECKPOINT_WHY_MAX]; /* of the last save or delete */
extern unsigned cut_disk_ops;		      /* accesses since cut_disk_make_bad() */

/* Once; for each test. */
int cut_disk_init(void **state);
int cut_disk_setup(void **state);
int cut_disk_teardown(void **state);

/* Access @op from now on, counted from 0, fails with @err, or, 0, is where the power is cut. */
void cut_disk_make_bad(unsigned op, int err);
/* The power is back. @kept of 8 sectors of the cache have lasted. */
void cut_disk_power_on(unsigned kept);
/* struct snapshot_volume's. */
int cut_disk_io(void *opaque, enum block_op op, uint64_t at, void *data, size_t bytes);
uint32_t cut_disk_any(void);

int cut_disk_open(struct snapshot_volume *v);
/* In odd pieces. */
int cut_disk_append(struct snapshot_volume *v, unsigned stream, size_t len);
/* All of a save; all of a delete. */
int cut_disk_save(unsigned stream, size_t len);
int cut_disk_clear(void);
/* Which stream is there, whole; -1: it is empty. Anything else fails. */
int cut_disk_what(void);

#endif
