/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scan codes: what the keyboard sends for a key, in its set 1 or 2, and the
 * controller's translation of set 2 into set 1.
 *
 * Spec: IBM PS/2 Hardware Interface Technical Reference (1990), "Keyboards
 * (101- and 102-Key)", "Scan Code Tables".
 */
#include "devices/chipset/ps2.h"

#include "lib/compiler.h"
#include "vmm/keyboard.h"

#define PS2_EXTENDED   0xe0
#define PS2_RELEASE_1  0x80 /* set 1: in the code */
#define PS2_RELEASE_2  0xf0 /* set 2: before it */
#define PS2_CODE_BYTES 3    /* the longest: extended, released */

/* Set 2 by set 1; 0: no key. Those with a prefix have the same relation. */
static const uint8_t ps2_set2[] = {
	0x00, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66,
	0x0d, 0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14,
	0x1c, 0x1b, 0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a,
	0x22, 0x21, 0x2a, 0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05,
	0x06, 0x04, 0x0c, 0x03, 0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c, 0x75, 0x7d, 0x7b,
	0x6b, 0x73, 0x74, 0x79, 0x69, 0x72, 0x7a, 0x70, 0x71, 0x84, 0x00, 0x61, 0x78, 0x07,
};
_Static_assert(ARRAY_SIZE(ps2_set2) == KEY_F12 + 1, "F12 is the last");

/* The bytes of one event into @bytes; how many. */
static unsigned ps2_code(const struct ps2_port *p, const struct key_event *event, uint8_t *bytes)
{
	uint8_t code = event->key & (uint8_t)~KEY_EXTENDED;
	unsigned n = 0;

	if (code >= ARRAY_SIZE(ps2_set2) || !ps2_set2[code])
		return 0;
	if (event->key & KEY_EXTENDED)
		bytes[n++] = PS2_EXTENDED;
	if (p->set == 1) {
		bytes[n++] = event->down ? code : code | PS2_RELEASE_1;
		return n;
	}
	if (!event->down)
		bytes[n++] = PS2_RELEASE_2;
	bytes[n++] = ps2_set2[code];
	return n;
}

bool ps2_port_keys(struct ps2_port *p, const struct key_event *events, unsigned count)
{
	uint8_t bytes[KEYBOARD_EVENTS_MAX * PS2_CODE_BYTES];
	unsigned n = 0;

	if (p->disabled)
		return true;
	for (unsigned i = 0; i < count && i < KEYBOARD_EVENTS_MAX; i++)
		n += ps2_code(p, &events[i], bytes + n);
	if (p->queue.count + n > PS2_QUEUE)
		return false;
	for (unsigned i = 0; i < n; i++)
		ps2_queue_put(&p->queue, bytes[i]);
	return true;
}

bool ps2_translate(bool *release, uint8_t *byte)
{
	if (*byte == PS2_RELEASE_2) {
		*release = true;
		return false;
	}
	for (unsigned i = 1; i < ARRAY_SIZE(ps2_set2); i++) {
		if (ps2_set2[i] == *byte) {
			*byte = (uint8_t)(i | (*release ? PS2_RELEASE_1 : 0));
			break;
		}
	}
	*release = false;
	return true;
}
