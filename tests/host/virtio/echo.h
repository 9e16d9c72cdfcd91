/* SPDX-License-Identifier: BSD-2-Clause */
/* Chains through virtio-trial, with data that is recognized. */
#ifndef TESTS_HOST_VIRTIO_ECHO_H
#define TESTS_HOST_VIRTIO_ECHO_H

#include "tests/host/virtio/guest.h"

/* @len bytes that are @seed's own to @gpa, which may lie in two granules; and that they are there.
 */
void fill(gpa_t gpa, uint32_t len, unsigned seed);
void expect_filled(gpa_t gpa, uint32_t len, unsigned seed);
/* A chain of @n buffers each way is echoed; @len bytes a buffer. */
void echo(struct guest_queue *q, gpa_t data, unsigned n, uint32_t len, gpa_t table);

#endif
