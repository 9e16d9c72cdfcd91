/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/serial_port.h: a COM2 that keeps what it is given, and a COM1 that is the console's. */
#ifndef TESTS_HOST_FAKE_DRIVERS_FAKE_SERIAL_PORT_H
#define TESTS_HOST_FAKE_DRIVERS_FAKE_SERIAL_PORT_H

#include "drivers/serial_port.h"

struct fake_serial_port {
	struct serial_port_ops ops;
	void *opaque;
	char user[64];
	unsigned speed; /* 0: it is closed */
	bool absent;
	uint8_t said[256];
	size_t len, room; /* that much more is taken */
	unsigned ready;	  /* so often it was told that input is taken again */
	bool refused, breaks, dtr, rts;
};

extern struct fake_serial_port fake_serial_port;

/* What was written comes back, as far as it is taken, with a break before it, and there is space
 * again. */
void fake_serial_port_turn(void);

#endif
