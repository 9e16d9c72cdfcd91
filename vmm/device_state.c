/* SPDX-License-Identifier: BSD-2-Clause */
/* Saving by a table, and what is called before and after. */
#include "vmm/device_state.h"

#include "vmm/device.h"
#include "vmm/device_state_internal.h"
#include "vmm/irq.h"
#include "vmm/state_bytes.h"

const char *device_state_lacks(const struct device_state *type, const void *state)
{
	const struct device_field *f;
	struct device_structs s;
	const char *lacks = NULL;

	device_state_for_each_field(f, type)
	{
		if (!device_field_structs(f, state, &s))
			continue;
		if (!s.type && s.count)
			return s.lacks;
		for (size_t i = 0; i < s.count && !lacks; i++)
			lacks = device_state_lacks(s.type, s.first + i * s.type->size);
		if (lacks)
			return lacks;
	}
	return NULL;
}

/* Each structure's pre_save() or post_save(). */
static void for_each_state(const struct device_state *type, void *state, bool before)
{
	void (*fn)(void *state) = before ? type->pre_save : type->post_save;
	const struct device_field *f;
	struct device_structs s;

	if (fn)
		fn(state);
	for (f = type->fields; f && f->name; f++) {
		bool structs = device_field_structs(f, state, &s) && s.type;

		for (size_t i = 0; structs && i < s.count; i++)
			for_each_state(s.type, s.first + i * s.type->size, before);
	}
}

void device_state_pre_save(const struct device_state *type, void *state)
{
	for_each_state(type, state, true);
}

void device_state_post_save(const struct device_state *type, void *state)
{
	for_each_state(type, state, false);
}

const char *device_state_post_load(const struct device_state *type, void *state)
{
	const struct device_field *f;
	struct device_structs s;
	const char *wrong = NULL;

	device_state_for_each_field(
		f, type) if (device_field_structs(f, state, &s)) for (size_t i = 0;
								      i < s.count && !wrong; i++)
		wrong = device_state_post_load(s.type, s.first + i * s.type->size);
	return wrong || !type->post_load ? wrong : type->post_load(state);
}

static void save_fields(struct state_writer *w, const struct device_state *type, void *state);

static void save_structs(struct state_writer *w, const struct device_structs *s)
{
	state_put_number(w, s->count, 4);
	state_put_name(w, s->count ? s->type->name : "");
	state_put_number(w, s->count ? s->type->version : 0, 1);
	for (size_t i = 0; i < s->count; i++)
		save_fields(w, s->type, s->first + i * s->type->size);
}

static void save_blob(struct state_writer *w, const struct device_blob *blob, void *state)
{
	size_t at = w->at + sizeof(uint32_t), room = at < w->size ? w->size - at : 0;
	uint8_t none;
	size_t len = blob->save(state, room ? w->buf + at : &none, room);

	state_put_number(w, len, sizeof(uint32_t));
	w->at += len;
}

static uint64_t number_of(unsigned kind, const uint8_t *member)
{
	void *pointer = *(void *const *)member;

	if (kind == DEVICE_FIELD_TIMER_KIND)
		return pointer ? device_timer_deadline(pointer) : UINT64_MAX;
	return pointer ? ((const struct irq_line *)pointer)->level : false;
}

static void save_numbers(struct state_writer *w, const struct device_field *f,
			 const uint8_t *member)
{
	unsigned bytes = device_field_bytes(f->kind);

	state_put_number(w, f->count, 4);
	if (f->kind < DEVICE_FIELD_TIMER_KIND) {
		state_put(w, member, (size_t)f->count * bytes);
		return;
	}
	for (unsigned i = 0; i < f->count; i++, member += sizeof(void *))
		state_put_number(w, number_of(f->kind, member), bytes);
}

static void save_fields(struct state_writer *w, const struct device_state *type, void *state)
{
	const struct device_field *f;
	struct device_structs s;

	device_state_lock(type, state);
	device_state_for_each_field(f, type)
	{
		bool structs = device_field_structs(f, state, &s);

		state_put_number(w, structs ? DEVICE_FIELD_STRUCT_KIND : f->kind, 1);
		state_put_name(w, f->name);
		if (structs)
			save_structs(w, &s);
		else if (f->kind == DEVICE_FIELD_BLOB_KIND)
			save_blob(w, f->blob, state);
		else
			save_numbers(w, f, (uint8_t *)state + f->offset);
	}
	device_state_unlock(type, state);
	state_put_number(w, DEVICE_FIELD_END_KIND, 1);
}

size_t device_state_save(const struct device_state *type, void *state, uint8_t *buf, size_t size)
{
	struct state_writer w = {.buf = buf, .size = size};

	state_put_name(&w, type->name);
	state_put_number(&w, type->version, 1);
	save_fields(&w, type, state);
	return w.at;
}
