/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver of `virtio-net:`. */
#ifndef TESTS_HOST_VIRTIO_NET_DRIVER_H
#define TESTS_HOST_VIRTIO_NET_DRIVER_H

#include "devices/virtio/virtio_net.h"
#include "tests/host/virtio/guest.h"

#define CONTROL_ALL                                                                 \
	(VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_RX_EXTRA | \
	 VIRTIO_NET_F_CTRL_VLAN | VIRTIO_NET_F_CTRL_MAC_ADDR | VIRTIO_NET_F_GUEST_ANNOUNCE)
#define OFFLOADS                                                               \
	(VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 | \
	 VIRTIO_NET_F_HOST_ECN | VIRTIO_NET_GUEST_OFFLOADS)

#define HEADER 12
#define DATA   0x200000
#define ACK    0x90000
#define TABLE  0x180000

extern struct virtio_net *net; /* the card */
extern struct guest_queue *rx, *tx, *control;
extern uint8_t frame[70000];
extern const struct net_offload plain;

/* Another card instead. */
void replug(const char *url);
/* The card that is plugged now is `net`. */
void plugged(void);

void put_header(gpa_t at, uint8_t flags, uint8_t gso, uint16_t size, uint16_t start,
		uint16_t offset);
/* @len bytes of `frame` behind the header at DATA, in two buffers. */
void send(size_t len);
/* Chains that came back. */
unsigned count_used(struct guest_queue *q);
/* @count buffers of @len bytes for frames that come. */
void offer(uint32_t len, unsigned count);
/* A command; whether it was done. */
bool command(uint8_t class, uint8_t cmd, const void *data, uint32_t len);
bool mode(uint8_t which, uint8_t on);
uint64_t config_mac(void);

/* Of each test: a VM with a card, to which nothing is connected. */
int net_setup(void **state);
int net_teardown(void **state);

#endif
