/* SPDX-License-Identifier: BSD-2-Clause */
/* What a key's value may be: pure, for configs and for URLs of host devices. */
#include "vmm/device.h"

#include "lib/parse.h"

#include <stdio.h>

void device_key_expected(const struct device_key *key, char *buf, size_t size)
{
	switch (key->kind) {
	case KEY_UINT:
	case KEY_SIZE:
		snprintf(buf, size, "a number%s from %lu to %lu",
			 key->kind == KEY_SIZE ? " of bytes (K, M, G)" : "", key->min,
			 key->max ? key->max : UINT64_MAX);
		break;
	case KEY_BOOL:
		snprintf(buf, size, "true or false");
		break;
	case KEY_CHOICE:
		snprintf(buf, size, "one of %s", key->choices);
		break;
	case KEY_DEVICE:
	case KEY_FRONTEND:
		snprintf(buf, size, "the id of a device");
		break;
	case KEY_MODULE:
		snprintf(buf, size, "module:NAME");
		break;
	case KEY_STRING:
		snprintf(buf, size, "a text");
		break;
	}
}

static bool device_key_parse_number(const struct device_key *key, const char *text,
				    uint64_t *number)
{
	bool ok = key->kind == KEY_SIZE ? parse_size(text, number) : parse_uint(text, number);

	return ok && *number >= key->min && (!key->max || *number <= key->max);
}

bool device_key_parse(const struct device_key *key, const char *text, uint64_t *number)
{
	bool optional = key->def && !*key->def;
	bool on = false;

	switch (key->kind) {
	case KEY_UINT:
	case KEY_SIZE:
		return device_key_parse_number(key, text, number);
	case KEY_BOOL:
		if (!parse_bool(text, &on))
			return false;
		*number = on;
		return true;
	case KEY_CHOICE:
		return parse_choice(text, key->choices, number);
	case KEY_DEVICE:
	case KEY_FRONTEND:
		return (optional && !*text) || parse_name(text, DEVICE_ID_MAX);
	case KEY_STRING:
	case KEY_MODULE:
		return optional || *text;
	}
	return false;
}
