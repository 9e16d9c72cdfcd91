/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A keyboard and a mouse at the other end of the PS/2 wire: they answer, so
 * that whoever identifies them is content. Of itself the mouse never sends
 * anything; the keyboard does when somebody types (ps2_keys.c).
 *
 * Spec: IBM PS/2 Hardware Interface Technical Reference (1990), "Keyboard and
 * Auxiliary Device", command tables.
 */
#include "devices/chipset/ps2.h"

#include <string.h>

#define PS2_ACK	     0xfa
#define PS2_RESEND   0xfe
#define PS2_SELFTEST 0xaa /* passed */

/* Both. */
#define PS2_CMD_ID	 0xf2
#define PS2_CMD_RATE	 0xf3 /* one argument */
#define PS2_CMD_ENABLE	 0xf4
#define PS2_CMD_DISABLE	 0xf5
#define PS2_CMD_DEFAULTS 0xf6
#define PS2_CMD_RESEND	 0xfe
#define PS2_CMD_RESET	 0xff

#define KEYBOARD_CMD_LEDS 0xed /* one argument */
#define KEYBOARD_CMD_ECHO 0xee
#define KEYBOARD_CMD_SET  0xf0 /* one argument; 0 asks */
#define KEYBOARD_CMD_KEYS 0xf7 /* to 0xfd: types of all keys, set 3 */
#define KEYBOARD_CMD_LAST 0xfd
#define KEYBOARD_SET	  2
#define KEYBOARD_ID_0	  0xab
#define KEYBOARD_ID_1	  0x83

#define MOUSE_CMD_SCALE_1    0xe6
#define MOUSE_CMD_SCALE_2    0xe7
#define MOUSE_CMD_RESOLUTION 0xe8 /* one argument */
#define MOUSE_CMD_STATUS     0xe9
#define MOUSE_CMD_STREAM     0xea
#define MOUSE_CMD_READ	     0xeb
#define MOUSE_CMD_WRAP_END   0xec
#define MOUSE_CMD_REMOTE     0xf0
#define MOUSE_ID	     0x00
#define MOUSE_STATUS_SCALE   0x10
#define MOUSE_STATUS_ENABLED 0x20
#define MOUSE_STATUS_REMOTE  0x40
#define MOUSE_PACKET_ONE     0x08 /* always set in a movement's first byte */
#define MOUSE_RATE	     100
#define MOUSE_RESOLUTION     2

void ps2_queue_put(struct ps2_queue *q, uint8_t byte)
{
	if (q->count < PS2_QUEUE)
		q->bytes[q->count++] = byte;
}

uint8_t ps2_queue_get(struct ps2_queue *q)
{
	uint8_t byte = q->bytes[0];

	if (!q->count)
		return 0;
	memmove(q->bytes, q->bytes + 1, --q->count);
	return byte;
}

static void ps2_answer(struct ps2_port *p, uint8_t byte)
{
	p->last = byte;
	ps2_queue_put(&p->queue, byte);
}

static void ps2_port_defaults(struct ps2_port *p)
{
	p->set = KEYBOARD_SET;
	p->status = 0;
	p->rate = MOUSE_RATE;
	p->resolution = MOUSE_RESOLUTION;
}

void ps2_port_reset(struct ps2_port *p)
{
	p->queue.count = 0;
	p->command = 0;
	p->last = 0;
	p->disabled = false;
	ps2_port_defaults(p);
}

static void ps2_argument(struct ps2_port *p, uint8_t byte)
{
	uint8_t command = p->command;

	p->command = 0;
	ps2_answer(p, PS2_ACK);
	if (command == PS2_CMD_RATE)
		p->rate = byte;
	else if (p->mouse)
		p->resolution = byte;
	else if (command == KEYBOARD_CMD_SET && byte)
		p->set = byte;
	else if (command == KEYBOARD_CMD_SET)
		ps2_answer(p, p->set);
}

/* Commands that both know. False: @byte is none of them. */
static bool ps2_common(struct ps2_port *p, uint8_t byte)
{
	switch (byte) {
	case PS2_CMD_RATE:
		p->command = byte;
		break;
	case PS2_CMD_ENABLE:
		p->status |= MOUSE_STATUS_ENABLED;
		p->disabled = false;
		break;
	case PS2_CMD_DISABLE:
		p->status &= ~MOUSE_STATUS_ENABLED;
		p->disabled = true;
		if (!p->mouse)
			ps2_port_defaults(p);
		break;
	case PS2_CMD_DEFAULTS:
		ps2_port_defaults(p);
		break;
	case PS2_CMD_RESEND:
		ps2_answer(p, p->last);
		return true;
	case PS2_CMD_RESET:
		ps2_port_reset(p);
		ps2_answer(p, PS2_ACK);
		ps2_answer(p, PS2_SELFTEST);
		if (p->mouse)
			ps2_answer(p, MOUSE_ID);
		return true;
	default:
		return false;
	}
	ps2_answer(p, PS2_ACK);
	return true;
}

static void ps2_keyboard(struct ps2_port *p, uint8_t byte)
{
	switch (byte) {
	case PS2_CMD_ID:
		ps2_answer(p, PS2_ACK);
		ps2_answer(p, KEYBOARD_ID_0);
		ps2_answer(p, KEYBOARD_ID_1);
		break;
	case KEYBOARD_CMD_ECHO:
		ps2_answer(p, KEYBOARD_CMD_ECHO);
		break;
	case KEYBOARD_CMD_LEDS:
	case KEYBOARD_CMD_SET:
		p->command = byte;
		ps2_answer(p, PS2_ACK);
		break;
	case KEYBOARD_CMD_KEYS ... KEYBOARD_CMD_LAST:
		ps2_answer(p, PS2_ACK);
		break;
	default:
		ps2_answer(p, PS2_RESEND);
		break;
	}
}

static void ps2_mouse_mode(struct ps2_port *p, uint8_t set, uint8_t clear)
{
	p->status = (p->status & ~clear) | set;
	ps2_answer(p, PS2_ACK);
}

static void ps2_mouse(struct ps2_port *p, uint8_t byte)
{
	switch (byte) {
	case PS2_CMD_ID:
		ps2_answer(p, PS2_ACK);
		ps2_answer(p, MOUSE_ID);
		break;
	case MOUSE_CMD_SCALE_1:
		ps2_mouse_mode(p, 0, MOUSE_STATUS_SCALE);
		break;
	case MOUSE_CMD_SCALE_2:
		ps2_mouse_mode(p, MOUSE_STATUS_SCALE, 0);
		break;
	case MOUSE_CMD_STREAM:
	case MOUSE_CMD_WRAP_END:
		ps2_mouse_mode(p, 0, MOUSE_STATUS_REMOTE);
		break;
	case MOUSE_CMD_REMOTE:
		ps2_mouse_mode(p, MOUSE_STATUS_REMOTE, 0);
		break;
	case MOUSE_CMD_RESOLUTION:
		p->command = byte;
		ps2_answer(p, PS2_ACK);
		break;
	case MOUSE_CMD_STATUS:
		ps2_answer(p, PS2_ACK);
		ps2_answer(p, p->status);
		ps2_answer(p, p->resolution);
		ps2_answer(p, p->rate);
		break;
	case MOUSE_CMD_READ:
		ps2_answer(p, PS2_ACK);
		ps2_answer(p, MOUSE_PACKET_ONE);
		ps2_answer(p, 0);
		ps2_answer(p, 0);
		break;
	default:
		ps2_answer(p, PS2_RESEND);
		break;
	}
}

void ps2_port_write(struct ps2_port *p, uint8_t byte)
{
	/* A new command ends what was being said. */
	p->queue.count = 0;
	if (p->command)
		ps2_argument(p, byte);
	else if (ps2_common(p, byte))
		return;
	else if (p->mouse)
		ps2_mouse(p, byte);
	else
		ps2_keyboard(p, byte);
}
