/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which Ethernet address is behind which port of a switch: learned from what
 * comes in, forgotten when nothing came for a while. A port can have so many
 * addresses and not more, so that no guest pushes out what others need: an
 * address that finds no place is not learned, and frames to it go to all.
 */
#ifndef DEVICES_BACKEND_SWITCH_TABLE_H
#define DEVICES_BACKEND_SWITCH_TABLE_H

#include "vmm/net_frontend.h"

#include <stdbool.h>
#include <stdint.h>

#define SWITCH_PORTS   32
#define SWITCH_BUCKETS 128u
#define SWITCH_WAYS    8u  /* entries of a bucket */
#define SWITCH_AGE     300 /* seconds after which an address is forgotten */
#define SWITCH_NO_PORT 0xffu

struct switch_entry {
	uint8_t mac[NET_MAC_LEN];
	uint8_t port;  /* SWITCH_NO_PORT: free */
	uint32_t seen; /* the second of the last frame from it */
};

/* Under its switch's lock. */
struct switch_table {
	uint64_t seed; /* where an address goes is not for guests to know */
	unsigned counts[SWITCH_PORTS];
	struct switch_entry entries[SWITCH_BUCKETS * SWITCH_WAYS]; /* a bucket after the other */
};

void switch_table_init(struct switch_table *t, uint64_t seed);
/* A frame came from @mac by @port at second @now; false: there is no place to keep that, or the
 * port has @limit already. */
bool switch_table_learn(struct switch_table *t, const uint8_t *mac, unsigned port, unsigned limit,
			uint32_t now);
/* The port of @mac, or SWITCH_NO_PORT. */
unsigned switch_table_find(struct switch_table *t, const uint8_t *mac, uint32_t now);
void switch_table_forget(struct switch_table *t, unsigned port);

#endif
