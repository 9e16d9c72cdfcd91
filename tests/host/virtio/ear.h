/* SPDX-License-Identifier: BSD-2-Clause */
/* A character backend, of type `ear`, that takes as much as a test lets it. */
#ifndef TESTS_HOST_VIRTIO_EAR_H
#define TESTS_HOST_VIRTIO_EAR_H

#include "vmm/char_frontend.h"

#include <stddef.h>

#define EARS 4

struct ear {
	struct char_frontend *front; /* NULL: gone */
	char heard[65536];	     /* the last ones, once there were more */
	size_t count, room;
	unsigned ready;
};

/* By their key `n`; NULL: there is none. */
extern struct ear *ears[EARS];

#endif
