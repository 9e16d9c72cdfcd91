/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of device_state. A state as bytes: the table's name and
 * version, then fields, then a byte DEVICE_FIELD_END_KIND. A field: its kind, its
 * name, its count (32 bits), then so many elements. A structure's elements have
 * its name and version in front, once, and are fields that end as above. A
 * blob's count is its bytes. docs/checkpoint.md tells it byte for byte.
 */
#ifndef VMM_DEVICE_STATE_INTERNAL_H
#define VMM_DEVICE_STATE_INTERNAL_H

#include "kernel/spinlock.h"
#include "vmm/device_state.h"

/* Bytes of an element that is a number. */
static inline unsigned device_field_bytes(unsigned kind)
{
	static const uint8_t bytes[] = {
		[DEVICE_FIELD_U8_KIND] = 1,   [DEVICE_FIELD_U16_KIND] = 2,
		[DEVICE_FIELD_U32_KIND] = 4,  [DEVICE_FIELD_U64_KIND] = 8,
		[DEVICE_FIELD_BOOL_KIND] = 1, [DEVICE_FIELD_TIMER_KIND] = 8,
		[DEVICE_FIELD_LINE_KIND] = 1,
	};

	return kind < ARRAY_SIZE(bytes) ? bytes[kind] : 0;
}

/* The structures that a field of @state has, inside or behind its pointer. */
struct device_structs {
	const struct device_state *type; /* NULL: it has no table … */
	const char *lacks;		 /* … and is this */
	uint8_t *first;
	size_t count;
};

/* False: it is no field of structures. */
static inline bool device_field_structs(const struct device_field *f, const void *state,
					struct device_structs *s)
{
	uint8_t *member = (uint8_t *)(uintptr_t)state + f->offset;

	*s = (struct device_structs){.type = f->type, .first = member, .count = f->count};
	if (f->kind < DEVICE_FIELD_REF_KIND)
		return f->kind == DEVICE_FIELD_STRUCT_KIND;
	if (f->kind == DEVICE_FIELD_REF_KIND)
		s->first = *(uint8_t **)member;
	s->count = f->ref->count ? f->ref->count(state) : s->first != NULL;
	s->type = f->ref->type;
	s->lacks = f->name;
	if (!s->type && s->count)
		s->type = f->ref->type_of(state, &s->lacks);
	return true;
}

static inline void device_state_lock(const struct device_state *type, void *state)
{
	if (type->lock)
		spin_lock((struct spinlock *)((uint8_t *)state + type->lock - 1));
}

static inline void device_state_unlock(const struct device_state *type, void *state)
{
	if (type->lock)
		spin_unlock((struct spinlock *)((uint8_t *)state + type->lock - 1));
}

/* The table's fields, one after the other; none where it has none. */
#define device_state_for_each_field(f_, type_) \
	for ((f_) = (type_)->fields; (f_) && (f_)->name; (f_)++)

#endif
