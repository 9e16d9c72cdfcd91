/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PS/2 between its files: ps2.c is the controller, ps2_port.c what is plugged
 * into it, a keyboard and a mouse that nobody touches, ps2_keys.c the codes of
 * the keyboard's keys.
 */
#ifndef DEVICES_CHIPSET_PS2_H
#define DEVICES_CHIPSET_PS2_H

#include <stdbool.h>
#include <stdint.h>

#define PS2_QUEUE 16

/* Bytes on their way to the host; what does not fit is lost, as on the wire. */
struct ps2_queue {
	uint8_t bytes[PS2_QUEUE];
	uint8_t count;
};

void ps2_queue_put(struct ps2_queue *q, uint8_t byte);
uint8_t ps2_queue_get(struct ps2_queue *q); /* 0 when it is empty */

struct ps2_port {
	struct ps2_queue queue;
	bool mouse;
	uint8_t command; /* that waits for its argument, 0: none */
	uint8_t last;	 /* byte sent, for RESEND */
	uint8_t set;	 /* keyboard: scan code set */
	bool disabled;	 /* keyboard: keys are not looked at */
	uint8_t status;	 /* mouse: bits 4-6 of its status */
	uint8_t rate, resolution;
};

/* As after power-on; its queue is emptied. */
void ps2_port_reset(struct ps2_port *p);
/* A byte from the host; answers go into the queue. */
void ps2_port_write(struct ps2_port *p, uint8_t byte);

struct key_event;
/* Keyboard: all of these keys, or false: there is no room for them yet. */
bool ps2_port_keys(struct ps2_port *p, const struct key_event *events, unsigned count);
/* What the controller makes of a byte of set 2, if anything: in set 1. @release: between calls. */
bool ps2_translate(bool *release, uint8_t *byte);

#endif
