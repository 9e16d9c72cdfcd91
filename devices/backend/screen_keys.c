/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a terminal sends for its keys, as keys of a US keyboard.
 *
 * Spec: ECMA-48 (CSI); VT220 Programmer Reference Manual, ch. 3 (function
 * keys); xterm's "PC-Style Function Keys" (modifiers); Linux' console for F1
 * to F5.
 */
#include "devices/backend/screen.h"

#include "lib/compiler.h"

#include <string.h>

#define KEYS_ESC       0x1b
#define KEYS_DELETE    0x7f /* what Backspace sends */
#define KEYS_PARAM_MAX 99

/* Keys side by side. */
static const struct {
	uint8_t first;
	const char *plain, *shifted;
} keys_rows[] = {
	{0x02, "1234567890-=", "!@#$%^&*()_+"},
	{0x10, "qwertyuiop[]", "QWERTYUIOP{}"},
	{0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
	{0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
	{KEY_SPACE, " ", " "},
};

/* By the number before the ~; 0: none. */
static const uint8_t keys_numbers[] = {
	0,	    KEY_HOME,	KEY_INSERT, KEY_DELETE, KEY_END,    KEY_PAGE_UP, KEY_PAGE_DN,
	KEY_HOME,   KEY_END,	0,	    0,		KEY_F1,	    KEY_F1 + 1,	 KEY_F1 + 2,
	KEY_F1 + 3, KEY_F1 + 4, 0,	    KEY_F1 + 5, KEY_F1 + 6, KEY_F1 + 7,	 KEY_F1 + 8,
	KEY_F1 + 9, 0,		KEY_F11,    KEY_F12,
};

static bool keys_printable(uint8_t ch, struct screen_stroke *s)
{
	for (unsigned i = 0; ch && i < ARRAY_SIZE(keys_rows); i++) {
		const char *plain = strchr(keys_rows[i].plain, ch);
		const char *shifted = strchr(keys_rows[i].shifted, ch);

		if (plain)
			s->key = (uint8_t)(keys_rows[i].first + (plain - keys_rows[i].plain));
		else if (shifted)
			s->key = (uint8_t)(keys_rows[i].first + (shifted - keys_rows[i].shifted));
		else
			continue;
		s->mods |= plain ? 0 : SCREEN_MOD_SHIFT;
		return true;
	}
	return false;
}

/* One byte is one key. */
static bool keys_plain(uint8_t byte, struct screen_stroke *s)
{
	switch (byte) {
	case '\r':
	case '\n':
		s->key = KEY_ENTER;
		return true;
	case '\t':
		s->key = KEY_TAB;
		return true;
	case '\b':
	case KEYS_DELETE:
		s->key = KEY_BACK;
		return true;
	case 0:
		s->mods |= SCREEN_MOD_CTRL;
		return keys_printable(' ', s);
	case 1 ... '\b' - 1:
	case '\n' + 1 ... '\r' - 1:
	case '\r' + 1 ... 26:
		s->mods |= SCREEN_MOD_CTRL;
		return keys_printable(byte | 0x60, s);
	case KEYS_ESC + 1 ... 0x1f:
		s->mods |= SCREEN_MOD_CTRL;
		return keys_printable(byte | 0x40, s);
	default:
		return keys_printable(byte, s);
	}
}

/* The last byte of CSI and SS3 sequences. */
static uint8_t keys_letter(uint8_t byte)
{
	switch (byte) {
	case 'A':
		return KEY_UP;
	case 'B':
		return KEY_DOWN;
	case 'C':
		return KEY_RIGHT;
	case 'D':
		return KEY_LEFT;
	case 'F':
		return KEY_END;
	case 'H':
		return KEY_HOME;
	case 'P' ... 'S':
		return KEY_F1 + (byte - 'P');
	default:
		return 0;
	}
}

static bool keys_csi(struct screen_keys *k, uint8_t byte, struct screen_stroke *s)
{
	unsigned *param = k->param < ARRAY_SIZE(k->params) ? &k->params[k->param] : NULL;

	if (byte >= '0' && byte <= '9') {
		if (param)
			*param = MIN(*param * 10 + (byte - '0'), KEYS_PARAM_MAX + 0u);
		return false;
	}
	if (byte == ';') {
		k->param += param != NULL;
		return false;
	}
	if (byte < '@' && byte >= ' ')
		return false;
	k->state = SCREEN_KEYS_PLAIN;
	s->mods = k->params[1] ? (k->params[1] - 1) & 7 : 0;
	if (byte == 'Z') {
		*s = (struct screen_stroke){KEY_TAB, SCREEN_MOD_SHIFT};
	} else if (byte == '~') {
		s->key = k->params[0] < sizeof(keys_numbers) ? keys_numbers[k->params[0]] : 0;
	} else {
		s->key = keys_letter(byte);
	}
	return s->key;
}

/* Behind an Escape: a sequence, or a key with Alt. */
static bool keys_escape(struct screen_keys *k, uint8_t byte, struct screen_stroke *s)
{
	switch (byte) {
	case '[':
		*k = (struct screen_keys){.state = SCREEN_KEYS_CSI};
		return false;
	case 'O':
		k->state = SCREEN_KEYS_SS3;
		return false;
	case KEYS_ESC:
		s->key = KEY_ESC;
		return true;
	default:
		k->state = SCREEN_KEYS_PLAIN;
		s->mods = SCREEN_MOD_ALT;
		return keys_plain(byte, s);
	}
}

bool screen_keys_feed(struct screen_keys *k, uint8_t byte, struct screen_stroke *stroke)
{
	*stroke = (struct screen_stroke){0, 0};
	switch (k->state) {
	case SCREEN_KEYS_ESC:
		return keys_escape(k, byte, stroke);
	case SCREEN_KEYS_CSI:
		if (byte != '[' || k->param || k->params[0])
			return keys_csi(k, byte, stroke);
		k->state = SCREEN_KEYS_LINUX;
		return false;
	case SCREEN_KEYS_LINUX:
		k->state = SCREEN_KEYS_PLAIN;
		stroke->key = (uint8_t)(KEY_F1 + (byte - 'A'));
		return byte >= 'A' && byte <= 'E';
	case SCREEN_KEYS_SS3:
		k->state = SCREEN_KEYS_PLAIN;
		stroke->key = keys_letter(byte);
		return stroke->key;
	case SCREEN_KEYS_PLAIN:
		break;
	}
	if (byte != KEYS_ESC)
		return keys_plain(byte, stroke);
	k->state = SCREEN_KEYS_ESC;
	return false;
}

unsigned screen_keys_events(const struct screen_stroke *stroke,
			    struct key_event events[KEYBOARD_EVENTS_MAX])
{
	static const struct {
		uint8_t mod, key;
	} mods[] = {{SCREEN_MOD_CTRL, KEY_CTRL},
		    {SCREEN_MOD_ALT, KEY_ALT},
		    {SCREEN_MOD_SHIFT, KEY_SHIFT}};
	unsigned n = 0, i;

	for (i = 0; i < ARRAY_SIZE(mods); i++)
		if (stroke->mods & mods[i].mod)
			events[n++] = (struct key_event){mods[i].key, true};
	events[n++] = (struct key_event){stroke->key, true};
	events[n++] = (struct key_event){stroke->key, false};
	while (i--)
		if (stroke->mods & mods[i].mod)
			events[n++] = (struct key_event){mods[i].key, false};
	return n;
}
