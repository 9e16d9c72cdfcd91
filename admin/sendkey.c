/* SPDX-License-Identifier: BSD-2-Clause */
/* `sendkey`: keys of a VM's keyboard, by the names that QEMU's monitor has for them. */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "lib/compiler.h"
#include "vmm/device.h"
#include "vmm/keyboard.h"
#include "vmm/vm.h"
#include "vmm/vm_life.h"

#include <errno.h>
#include <string.h>

#define SENDKEY_TOGETHER (KEYBOARD_EVENTS_MAX / 2)
#define SENDKEY_WAIT_NS	 (10 * NSEC_PER_MSEC)
#define SENDKEY_WAITS	 200 /* until the guest has had time to take a key */

/* In the order of their codes (vmm/keyboard.h): those from 1 on, … */
static const char *const plain_keys[] = {
	"esc",
	"1",
	"2",
	"3",
	"4",
	"5",
	"6",
	"7",
	"8",
	"9",
	"0",
	"minus",
	"equal",
	"backspace",
	"tab",
	"q",
	"w",
	"e",
	"r",
	"t",
	"y",
	"u",
	"i",
	"o",
	"p",
	"bracket_left",
	"bracket_right",
	"ret",
	"ctrl",
	"a",
	"s",
	"d",
	"f",
	"g",
	"h",
	"j",
	"k",
	"l",
	"semicolon",
	"apostrophe",
	"grave_accent",
	"shift",
	"backslash",
	"z",
	"x",
	"c",
	"v",
	"b",
	"n",
	"m",
	"comma",
	"dot",
	"slash",
	"shift_r",
	"asterisk",
	"alt",
	"spc",
	"caps_lock",
	"f1",
	"f2",
	"f3",
	"f4",
	"f5",
	"f6",
	"f7",
	"f8",
	"f9",
	"f10",
	"num_lock",
	"scroll_lock",
};
/* … and others. */
static const struct {
	const char *name;
	uint8_t key;
} other_keys[] = {
	{"f11", KEY_F11},
	{"f12", KEY_F12},
	{"ctrl_r", KEY_EXTENDED | KEY_CTRL},
	{"alt_r", KEY_EXTENDED | KEY_ALT},
	{"home", KEY_HOME},
	{"up", KEY_UP},
	{"pgup", KEY_PAGE_UP},
	{"left", KEY_LEFT},
	{"right", KEY_RIGHT},
	{"end", KEY_END},
	{"down", KEY_DOWN},
	{"pgdn", KEY_PAGE_DN},
	{"insert", KEY_INSERT},
	{"delete", KEY_DELETE},
	{"meta_l", KEY_EXTENDED | 0x5b},
	{"meta_r", KEY_EXTENDED | 0x5c},
	{"menu", KEY_EXTENDED | 0x5d},
};

static bool sendkey_is(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && !memcmp(name, text, len);
}

/* 0: there is none of that name. */
static uint8_t sendkey_code(const char *text, size_t len)
{
	for (unsigned i = 0; i < ARRAY_SIZE(plain_keys); i++)
		if (sendkey_is(plain_keys[i], text, len))
			return (uint8_t)(i + KEY_ESC);
	for (unsigned i = 0; i < ARRAY_SIZE(other_keys); i++)
		if (sendkey_is(other_keys[i].name, text, len))
			return other_keys[i].key;
	return 0;
}

/* KEY-KEY…: all go down, and up again the other way round. How many events; 0 with a message. */
static unsigned sendkey_events(const char *text, struct key_event events[KEYBOARD_EVENTS_MAX])
{
	uint8_t keys[SENDKEY_TOGETHER];
	unsigned n = 0;

	for (const char *at = text;; at++) {
		size_t len = strcspn(at, "-");
		uint8_t key = sendkey_code(at, len);

		if (!key || n == SENDKEY_TOGETHER) {
			command_error("sendkey: %s: expected up to %u keys with - between them, as "
				      "in ctrl-alt-delete\n",
				      text, SENDKEY_TOGETHER);
			return 0;
		}
		keys[n++] = key;
		at += len;
		if (!*at)
			break;
	}
	for (unsigned i = 0; i < n; i++) {
		events[i] = (struct key_event){keys[i], true};
		events[2 * n - 1 - i] = (struct key_event){keys[i], false};
	}
	return 2 * n;
}

static int sendkey_once(const char *name, const struct key_event *events, unsigned n)
{
	const struct keyboard *keyboard;
	enum vm_state state;
	struct vm *vm = vm_arg_begin(name, &state);
	int err;

	if (!vm)
		return -ENODEV;
	keyboard = device_iface(vm, NULL, KEYBOARD_KIND);
	err = keyboard ? keyboard->keys(keyboard->opaque, events, n) : -ENODEV;
	vm_life_end(vm, state);
	if (!keyboard)
		command_error("vm %s has no keyboard (a `ps2` device)\n", name);
	return err;
}

static bool sendkey_word(const char *name, const char *word)
{
	struct key_event events[KEYBOARD_EVENTS_MAX];
	unsigned n = sendkey_events(word, events);
	int err = -EINVAL;

	for (unsigned waits = 0; n; waits++) {
		err = sendkey_once(name, events, n);
		if (err != -EAGAIN || waits == SENDKEY_WAITS)
			break;
		task_sleep_until(time_tsc() + time_ns_to_tsc(SENDKEY_WAIT_NS));
	}
	if (err == -EAGAIN)
		command_error("vm %s does not take its keyboard's keys\n", name);
	return !err;
}

static void command_sendkey(char **argv)
{
	for (unsigned i = 2; argv[i] && sendkey_word(argv[1], argv[i]); i++)
		;
}

COMMAND(sendkey_entry, .name = "sendkey", .args = "VM KEY[-KEY] [KEY]",
	.help = "press keys of a VM's keyboard: a, shift-a, ret, f1, ctrl-alt-delete",
	.example = "sendkey linux ctrl-alt-delete", .min = 2, .max = 31, .run = command_sendkey);
