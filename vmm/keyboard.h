/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's keyboard, for whoever types on it: an interface that its device
 * provides (KEYBOARD_KIND). Keys have the numbers of scan code set 1, whatever
 * the guest gets for them (IBM PS/2 Hardware Interface Technical Reference,
 * "Keyboards", "Scan Code Tables").
 */
#ifndef VMM_KEYBOARD_H
#define VMM_KEYBOARD_H

#include <stdbool.h>
#include <stdint.h>

#define KEYBOARD_KIND "keyboard"

#define KEY_EXTENDED 0x80 /* with prefix 0xe0 */
#define KEY_ESC	     0x01
#define KEY_ENTER    0x1c
#define KEY_BACK     0x0e
#define KEY_TAB	     0x0f
#define KEY_SPACE    0x39
#define KEY_CTRL     0x1d
#define KEY_SHIFT    0x2a
#define KEY_ALT	     0x38
#define KEY_F1	     0x3b /* to F10 */
#define KEY_F11	     0x57
#define KEY_F12	     0x58
#define KEY_HOME     (KEY_EXTENDED | 0x47)
#define KEY_UP	     (KEY_EXTENDED | 0x48)
#define KEY_PAGE_UP  (KEY_EXTENDED | 0x49)
#define KEY_LEFT     (KEY_EXTENDED | 0x4b)
#define KEY_RIGHT    (KEY_EXTENDED | 0x4d)
#define KEY_END	     (KEY_EXTENDED | 0x4f)
#define KEY_DOWN     (KEY_EXTENDED | 0x50)
#define KEY_PAGE_DN  (KEY_EXTENDED | 0x51)
#define KEY_INSERT   (KEY_EXTENDED | 0x52)
#define KEY_DELETE   (KEY_EXTENDED | 0x53)

struct key_event {
	uint8_t key;
	bool down;
};

/* One key with Ctrl, Alt and Shift, down and up again. */
#define KEYBOARD_EVENTS_MAX 8

struct keyboard {
	/*
	 * All of up to KEYBOARD_EVENTS_MAX events, or none: -EAGAIN when the guest has not taken
	 * what was typed before. Without the lock of a device.
	 */
	int (*keys)(void *opaque, const struct key_event *events, unsigned count);
	/* Calls @ready, never waiting, under the keyboard's lock, when events refused may come
	 * again. One listener; NULL: none. */
	void (*listen)(void *opaque, void (*ready)(void *opaque), void *ready_opaque);
	void *opaque;
};

#endif
