/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver of `virtio-blk:`. */
#ifndef TESTS_HOST_VIRTIO_BLK_DRIVER_H
#define TESTS_HOST_VIRTIO_BLK_DRIVER_H

#include "devices/virtio/virtio_blk.h"
#include "tests/host/virtio/guest.h"

#define IN	     0
#define OUT	     1
#define FLUSH	     4
#define GET_ID	     8
#define DISCARD	     11
#define WRITE_ZEROES 13

#define OK     0
#define IOERR  1
#define UNSUPP 2

#define ALL                                                                     \
	(VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_BLK_SIZE | \
	 VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_TOPOLOGY | VIRTIO_BLK_F_DISCARD |    \
	 VIRTIO_BLK_F_WRITE_ZEROES)

#define HEADER 0x80000 /* where requests are made; each has 32 bytes */
#define STATUS 0x90000
#define TABLE  0x180000
#define DATA   0x200000

extern struct guest_queue *queue; /* that requests go to */
extern gpa_t table;		  /* an indirect one of what is sent, 0: none */

void plug_ramdisk(const char *more);
/* A header for request @n: where it is. */
gpa_t header(unsigned n, uint32_t type, uint64_t sector);
uint8_t status(unsigned n);
/* Request @n, with @len bytes at @data that the device reads or writes; not yet notified of. */
void add(unsigned n, uint32_t type, uint64_t sector, gpa_t data, uint32_t len);
/* One that is done: how many bytes were written. */
uint32_t done(void);
/* All of it: the status. */
uint8_t request(uint32_t type, uint64_t sector, gpa_t data, uint32_t len, uint32_t *written);
/* Each sector with a byte of its own, from @value on. */
void fill(gpa_t gpa, uint8_t value, size_t len);
bool is_filled(gpa_t gpa, uint8_t value, size_t len);

/* Of each test: a VM with a disk, to which nothing is connected. */
int blk_setup(void **state);
int blk_teardown(void **state);

#endif
