/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checking and loading by a table. Both walk the same bytes in the same way:
 * the first into copies of the structures, for their check() to look at, the
 * second into the structures.
 */
#include "vmm/device_state.h"

#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state_internal.h"
#include "vmm/irq.h"
#include "vmm/state_bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define PATH_MAX_LEN 128

/* What a pointer leads to, copied. */
struct copy {
	struct copy *next;
	uint64_t bytes[]; /* aligned for all */
};

struct load {
	struct state_reader r;
	bool apply; /* else it is the check */
	struct copy *copies;
	char path[PATH_MAX_LEN]; /* of the field, cut where it is too long */
	size_t path_len;
	char *why;
	size_t why_size;
};

static int __printf(2, 3) wrong(struct load *l, const char *fmt, ...)
{
	int at = snprintf(l->why, l->why_size, "%s%s", l->path, l->path_len ? ": " : "");
	va_list args;

	if (at >= 0 && (size_t)at < l->why_size) {
		va_start(args, fmt);
		vsnprintf(l->why + at, l->why_size - (size_t)at, fmt, args);
		va_end(args);
	}
	return -EINVAL;
}

/* Returns the path's length before, for leave(). */
static size_t __printf(2, 3) enter(struct load *l, const char *fmt, ...)
{
	size_t was = l->path_len;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(l->path + was, PATH_MAX_LEN - was, fmt, args);
	va_end(args);
	l->path_len = len > 0 ? MIN(was + (size_t)len, (size_t)PATH_MAX_LEN - 1) : was;
	return was;
}

static void leave(struct load *l, size_t was)
{
	l->path_len = was;
	l->path[was] = 0;
}

/* Lives until the end. NULL: no memory. */
static void *copy_of(struct load *l, const void *from, size_t bytes)
{
	struct copy *copy = kmalloc(sizeof(*copy) + bytes);

	if (!copy)
		return NULL;
	copy->next = l->copies;
	l->copies = copy;
	if (bytes) /* or there may be no state */
		memcpy(copy->bytes, from, bytes);
	return copy->bytes;
}

/* Its tail included. */
static size_t size_of(const struct device_state *type, const void *state)
{
	const struct device_field *f;

	device_state_for_each_field(f,
				    type) if (f->kind == DEVICE_FIELD_TAIL_KIND) return f->offset +
		f->ref->count(state) * f->ref->type->size;
	return type->size;
}

static void free_copies(struct load *l)
{
	while (l->copies) {
		struct copy *copy = l->copies;

		l->copies = copy->next;
		kfree(copy);
	}
}

static int load_pointer(struct load *l, const struct device_field *f, uint8_t *member,
			uint64_t value)
{
	uint64_t none = f->kind == DEVICE_FIELD_TIMER_KIND ? UINT64_MAX : 0;
	void *pointer = *(void **)member;

	if (!pointer)
		return value == none ? 0 : wrong(l, "there is none in this device");
	if (f->kind == DEVICE_FIELD_LINE_KIND && value > 1)
		return wrong(l, "level %" PRIu64, value);
	if (!l->apply)
		return 0;
	if (f->kind == DEVICE_FIELD_LINE_KIND)
		irq_line_restore(pointer, value);
	else if (value == UINT64_MAX)
		device_timer_cancel(pointer);
	else
		device_timer_arm(pointer, value);
	return 0;
}

static int load_number(struct load *l, const struct device_field *f, uint8_t *member,
		       unsigned bytes)
{
	uint64_t value = state_get_number(&l->r, bytes);
	uint64_t max = f->kind == DEVICE_FIELD_BOOL_KIND ? 1 : f->max;

	if (f->kind >= DEVICE_FIELD_TIMER_KIND)
		return load_pointer(l, f, member, value);
	if (max && value > max)
		return wrong(l, "0x%" PRIx64 " is above 0x%" PRIx64, value, max);
	memcpy(member, &value, bytes);
	return 0;
}

static int load_numbers(struct load *l, const struct device_field *f, uint8_t *member,
			uint32_t count)
{
	unsigned bytes = device_field_bytes(f->kind);
	size_t step = f->kind >= DEVICE_FIELD_TIMER_KIND ? sizeof(void *) : bytes;
	int err = 0;

	if (count != f->count)
		return wrong(l, "%u elements, not %u", count, f->count);
	for (; count && !err && !l->r.cut; count--, member += step)
		err = load_number(l, f, member, bytes);
	return err;
}

static int load_blob(struct load *l, const struct device_blob *blob, void *state, uint32_t len)
{
	const uint8_t *data = state_get(&l->r, len);
	const char *fault;

	if (!data)
		return wrong(l, "it ends early");
	fault = l->apply ? blob->load(state, data, len) : blob->check(state, data, len);
	return fault ? wrong(l, "%s", fault) : 0;
}

static int load_fields(struct load *l, const struct device_state *type, void *state,
		       unsigned version);

/* Name and version of a table, as they stand in front of its fields. */
static int load_type(struct load *l, const struct device_state *type, unsigned *version)
{
	struct state_name name = state_get_name(&l->r);

	*version = (unsigned)state_get_number(&l->r, 1);
	if (l->r.cut)
		return wrong(l, "it ends early");
	if (!state_name_is(name, type->name))
		return wrong(l, "is of type %.*s, not %s", (int)name.len, name.text, type->name);
	if (!*version || *version > type->version)
		return wrong(l, "version %u of %s, and %u is the last that is known", *version,
			     type->name, type->version);
	return 0;
}

/* The check looks at a copy of what a pointer leads to, and so does that of who has the pointer. */
static int load_at_copy(struct load *l, const struct device_field *f, void *state,
			struct device_structs *s)
{
	if (l->apply || f->kind != DEVICE_FIELD_REF_KIND || !s->count)
		return 0;
	s->first = copy_of(l, s->first,
			   s->count == 1 ? size_of(s->type, s->first) : s->count * s->type->size);
	if (!s->first)
		return -ENOMEM;
	memcpy((uint8_t *)state + f->offset, &s->first, sizeof(s->first));
	return 0;
}

static int load_structs(struct load *l, const struct device_field *f, void *state,
			struct device_structs *s, uint32_t count)
{
	static const struct device_state none = {.name = ""};
	unsigned version;
	int err;

	if (count != s->count)
		return wrong(l, "%u elements, not %zu", count, s->count);
	if (!count && (state_get_name(&l->r).len || state_get_number(&l->r, 1)))
		return wrong(l, "a type of no elements");
	if (!count)
		return 0;
	err = load_type(l, s->type ? s->type : &none, &version);
	if (!err)
		err = load_at_copy(l, f, state, s);
	for (size_t i = 0; i < count && !err; i++) {
		size_t was = count > 1 ? enter(l, "[%zu]", i) : l->path_len;

		err = load_fields(l, s->type, s->first + i * s->type->size, version);
		if (!err)
			leave(l, was);
	}
	return err;
}

static int load_field(struct load *l, const struct device_field *f, void *state)
{
	unsigned kind = (unsigned)state_get_number(&l->r, 1);
	struct state_name name = state_get_name(&l->r);
	uint32_t count = (uint32_t)state_get_number(&l->r, 4);
	struct device_structs s;
	bool structs = device_field_structs(f, state, &s);
	int err;

	if (l->r.cut)
		return wrong(l, "it ends early");
	if (kind != (structs ? DEVICE_FIELD_STRUCT_KIND : f->kind) || !state_name_is(name, f->name))
		return wrong(l, "there is %.*s of kind %u", (int)name.len, name.text, kind);
	if (structs)
		err = load_structs(l, f, state, &s, count);
	else if (kind == DEVICE_FIELD_BLOB_KIND)
		err = load_blob(l, f->blob, state, count);
	else
		err = load_numbers(l, f, (uint8_t *)state + f->offset, count);
	return !err && l->r.cut ? wrong(l, "it ends early") : err;
}

static int load_each_field(struct load *l, const struct device_state *type, void *state,
			   unsigned version)
{
	const struct device_field *f;
	int err = 0;

	device_state_for_each_field(f, type)
	{
		size_t was;

		if (f->since > version)
			continue;
		was = enter(l, "%s%s", l->path_len ? "." : "", f->name);
		err = load_field(l, f, state);
		if (err)
			return err;
		leave(l, was);
	}
	if (state_get_number(&l->r, 1) != DEVICE_FIELD_END_KIND)
		return wrong(l, "more fields than %s has", type->name);
	return l->r.cut ? wrong(l, "it ends early") : 0;
}

static int load_fields(struct load *l, const struct device_state *type, void *state,
		       unsigned version)
{
	const char *fault;
	int err;

	if (l->apply)
		device_state_lock(type, state);
	err = load_each_field(l, type, state, version);
	if (l->apply)
		device_state_unlock(type, state);
	if (err || l->apply || !type->check)
		return err;
	fault = type->check(state);
	return fault ? wrong(l, "%s has a value that does not go with the others", fault) : 0;
}

static int load_state(struct load *l, const struct device_state *type, void *state)
{
	unsigned version;
	int err = load_type(l, type, &version);

	if (!err)
		err = load_fields(l, type, state, version);
	if (!err && l->r.at != l->r.len)
		err = wrong(l, "%zu bytes behind the last field", l->r.len - l->r.at);
	return err;
}

int device_state_check(const struct device_state *type, void *state, const uint8_t *data,
		       size_t len, char *why, size_t size)
{
	struct load l = {.r = {.data = data, .len = len}, .why = why, .why_size = size};
	void *copy = copy_of(&l, state, size_of(type, state));
	int err = copy ? load_state(&l, type, copy) : -ENOMEM;

	if (err == -ENOMEM)
		wrong(&l, "no memory to check it");
	free_copies(&l);
	return err;
}

int device_state_load(const struct device_state *type, void *state, const uint8_t *data, size_t len,
		      char *why, size_t size)
{
	struct load l = {
		.r = {.data = data, .len = len}, .apply = true, .why = why, .why_size = size};

	return load_state(&l, type, state);
}
