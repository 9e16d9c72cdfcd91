/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports of the world's VMs, device "port" in each, that take as much as a test lets them. */
#ifndef TESTS_HOST_BACKEND_PORTS_H
#define TESTS_HOST_BACKEND_PORTS_H

#include "vmm/char_frontend.h"

struct port {
	struct char_frontend front;
	char got[16384]; /* a break is a '!' */
	size_t count, room;
	bool wants; /* was offered more than it took */
	unsigned ready;
	bool dsr, cts;
	bool dtr, rts; /* its own */
};

/* A worker on another CPU that has found a port, and its news, and now is slow. */
struct slow {
	bool armed, waits;
	struct port *port;
	bool ready, clear;
};
extern struct slow slow;
void slow_ends(void);

struct port *port(unsigned vm);
/* What the guest says; how much of it was taken. */
size_t send_bytes(struct port *p, const void *data, size_t len);
size_t send(unsigned vm, const char *text);
void send_break(unsigned vm);
/* The guest takes so much more, and the workers run. */
void let_in(unsigned vm, size_t room);

#endif
