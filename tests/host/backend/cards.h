/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network cards 0 to 3, each at a port of the switch `lan`: c0 and c1 of VM a, c2 and c3 of VM b;
 * their addresses end with 1 to 4.
 */
#ifndef TESTS_HOST_BACKEND_CARDS_H
#define TESTS_HOST_BACKEND_CARDS_H

#include "vmm/net_frontend.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct card {
	struct net_frontend front;
	unsigned got, room;
	uint8_t last[NET_FRAME_MAX];
	size_t last_len;
	struct net_offload offload;
	bool wants, up;
	void (*meanwhile)(struct card *card); /* while it is offered a frame that it refuses */
};

/* What put() sends, and what is left to do in the next ones. */
extern uint8_t frame[NET_FRAME_MAX + 1];
extern struct net_offload offload;
/* What `info switch` printed. */
extern char printed[8192];
extern const uint8_t all[6];

/* NULL: it is gone. */
struct card *card(unsigned i);
/* A port of the switch for card @i. */
void plug(unsigned i, const char *keys);
/* A frame of @len bytes from address @source by card @i, in pieces; nothing is given to anyone. */
bool put(unsigned i, unsigned source, const uint8_t *to, size_t len);
/* Card @i's address. */
const uint8_t *mac(unsigned i);
/* A frame by card @from, and all that follows from it. */
void send(unsigned from, const uint8_t *to);
/* How many frames each card has got since the last time. */
void check_got(unsigned a, unsigned b, unsigned c, unsigned d);
/* Card @i has room for so many. */
void let_in(unsigned i, unsigned room);
const char *info(void);

/* Of each test. */
int cards_setup(void **state);
int cards_teardown(void **state);

#endif
