/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the Ethernet switch: switch.c, and switch_info.c, which shows it. */
#ifndef DEVICES_BACKEND_SWITCH_H
#define DEVICES_BACKEND_SWITCH_H

#include "devices/backend/net_offload.h"
#include "devices/backend/switch_table.h"
#include "kernel/work.h"
#include "lib/list.h"
#include "lib/ring.h"

struct device;

#define SWITCH_NAME_MAX 63

/* Why a frame went no further. */
enum switch_drop {
	SWITCH_DROP_LENGTH,  /* from the guest: too short or too long */
	SWITCH_DROP_SOURCE,  /* from the guest, by a group's address */
	SWITCH_DROP_SAME,    /* from the guest, to an address behind the same port */
	SWITCH_DROP_OFFLOAD, /* from the guest, which left to us what cannot be done; or to it */
	SWITCH_DROP_FULL,    /* to the guest, which takes them too slowly */
	SWITCH_DROPS
};

struct switch_counts {
	uint64_t sent, sent_bytes;	   /* by the guest */
	uint64_t received, received_bytes; /* by the guest */
	uint64_t finished;  /* of frames for the guest, those that were summed or cut for it */
	uint64_t flooded;   /* sent ones whose destination no port is known for */
	uint64_t unlearned; /* sent ones whose source found no place in the table */
	uint64_t drops[SWITCH_DROPS];
};

/* All of it under the switch's lock, but what says otherwise. */
struct switch_port {
	struct net_switch *sw;
	struct device *dev;
	unsigned index;
	unsigned mac_limit;
	struct net_frontend *frontend; /* NULL: not yet, or no more */
	struct ring ring; /* frames for the guest; what is in it stays until the worker takes it */
	struct work work; /* gives them to the guest */
	/* The worker's: the oldest frame goes in pieces (cut) that the guest takes as they are. */
	bool cutting;
	struct net_cut cut;
	struct net_piece pieces[NET_CUT_PIECES]; /* of that frame, in the ring */
	bool active;				 /* the work is queued or runs */
	bool stalled; /* the guest had no room, and has not said since that it has */
	bool retry;   /* it said so while it was asked */
	struct switch_counts counts;
};

struct net_switch {
	struct list_head link; /* under switches_lock; whoever changes `ports` has that, too */
	unsigned port_count;
	struct spinlock lock;
	struct switch_port *ports[SWITCH_PORTS];
	struct switch_table table;
	char name[SWITCH_NAME_MAX + 1];
};

/* Over the list of switches, and which ports they have; the switches' own locks come after it. */
extern struct spinlock switches_lock;
extern struct list_head switches;

#endif
