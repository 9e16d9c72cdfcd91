/* SPDX-License-Identifier: BSD-2-Clause */
/* Saved states as bytes: numbers are little-endian, names have their length in front. */
#ifndef VMM_STATE_BYTES_H
#define VMM_STATE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What does not fit is only counted. */
struct state_writer {
	uint8_t *buf;
	size_t size, at;
};

static inline void state_put(struct state_writer *w, const void *data, size_t len)
{
	if (len && w->at <= w->size && len <= w->size - w->at)
		memcpy(w->buf + w->at, data, len);
	w->at += len;
}

static inline void state_put_number(struct state_writer *w, uint64_t value, unsigned bytes)
{
	state_put(w, &value, bytes);
}

static inline void state_put_name(struct state_writer *w, const char *name)
{
	size_t len = strnlen(name, UINT8_MAX);

	state_put_number(w, len, 1);
	state_put(w, name, len);
}

/* Behind the end all numbers are 0, and `cut` is set. */
struct state_reader {
	const uint8_t *data;
	size_t len, at;
	bool cut;
};

/* NULL: fewer are left. */
static inline const uint8_t *state_get(struct state_reader *r, size_t len)
{
	const uint8_t *data = r->data + r->at;

	if (r->cut || len > r->len - r->at) {
		r->cut = true;
		return NULL;
	}
	r->at += len;
	return data;
}

static inline uint64_t state_get_number(struct state_reader *r, unsigned bytes)
{
	const uint8_t *data = state_get(r, bytes);
	uint64_t value = 0;

	if (data)
		memcpy(&value, data, bytes);
	return value;
}

struct state_name {
	const char *text; /* not ended by a 0 */
	size_t len;
};

static inline struct state_name state_get_name(struct state_reader *r)
{
	size_t len = state_get_number(r, 1);
	const uint8_t *text = state_get(r, len);

	return text ? (struct state_name){(const char *)text, len} : (struct state_name){"", 0};
}

static inline bool state_name_is(struct state_name name, const char *text)
{
	return name.len == strlen(text) && !memcmp(name.text, text, name.len);
}

#endif
