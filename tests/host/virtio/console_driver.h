/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver of `virtio-console:`. */
#ifndef TESTS_HOST_VIRTIO_CONSOLE_DRIVER_H
#define TESTS_HOST_VIRTIO_CONSOLE_DRIVER_H

#include "tests/host/virtio/guest.h"

#define MULTIPORT 0x2
#define SIZE	  0x1

#define RX	   0 /* queues */
#define TX	   1
#define CONTROL_RX 2
#define CONTROL_TX 3
#define RX1	   4
#define TX1	   5

#define CONTROL_BUFS 0x200000 /* what the driver receives messages in, 128 bytes each */
#define MESSAGE	     0x210000
#define DATA	     0x280000

/* The device of @url and its driver, with MULTIPORT's buffers for messages. */
void console_start(const char *url, uint64_t features);
int console_teardown(void **state);
/* One more buffer for messages, the @n-th of those at CONTROL_BUFS; not told. */
void give_control_buffer(unsigned n);

/* A chain of that text to @queue, from DATA; whether one is given back. */
void transmit(unsigned queue, const char *text);
bool transmitted(unsigned queue);

#endif
