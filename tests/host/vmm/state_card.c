/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/vmm/state_card.h"

#include "kernel/slab.h"
#include "vmm/device.h"

#include <stdlib.h>
#include <string.h>

bool world_no_memory;
long world_objects;

void *kmalloc(size_t size)
{
	world_objects += !world_no_memory;
	return world_no_memory ? NULL : malloc(size);
}

void kfree(const void *p)
{
	world_objects -= p != NULL;
	free((void *)p);
}

uint64_t device_timer_deadline(struct device_timer *timer)
{
	return timer->ns;
}

void device_timer_arm(struct device_timer *timer, uint64_t ns)
{
	timer->ns = ns;
}

void device_timer_cancel(struct device_timer *timer)
{
	timer->ns = UINT64_MAX;
}

void irq_line_restore(struct irq_line *line, bool level)
{
	line->level = level;
}

static const struct device_field ring_fields[] = {
	DEVICE_FIELD(struct ring, next),
	DEVICE_FIELD(struct ring, live),
	{},
};

static const char *ring_check(const void *state)
{
	const struct ring *r = state;

	return r->next >= r->size ? "next" : NULL;
}

const struct device_state ring_saved = {
	.name = "ring",
	.version = 1,
	.size = sizeof(struct ring),
	.lock = DEVICE_STATE_LOCK(struct ring, lock),
	.fields = ring_fields,
	.check = ring_check,
};

static const struct device_field other_fields[] = {
	DEVICE_FIELD(struct other, value, .max = 1000),
	{},
};

static const char *other_post_load(void *state)
{
	struct other *o = state;

	o->loads++;
	return o->value == 999 ? "999" : NULL;
}

const struct device_state other_saved = {
	.name = "other",
	.version = 3,
	.size = sizeof(struct other),
	.fields = other_fields,
	.post_load = other_post_load,
};

static const struct device_state *handle_type_of(const void *state, const char **name)
{
	const struct handle *h = state;

	*name = h->scheme;
	return h->type;
}

static const struct device_ref handle_state_ref = {.type_of = handle_type_of};
static const struct device_field handle_fields[] = {
	DEVICE_FIELD_REF(struct handle, state, &handle_state_ref),
	{},
};
static const struct device_state handle_saved = {
	.name = "handle",
	.version = 1,
	.size = sizeof(struct handle),
	.fields = handle_fields,
};
static const struct device_ref handle_ref = {.type = &handle_saved};

static size_t many_count(const void *state)
{
	return ((const struct card *)state)->many_count;
}

static const struct device_ref many_ref = {.type = &ring_saved, .count = many_count};

static size_t queue_save(void *state, uint8_t *buf, size_t size)
{
	struct card *c = state;

	if (c->queued <= size)
		memcpy(buf, c->queue, c->queued);
	return c->queued;
}

static const char *queue_check(const void *state, const uint8_t *data, size_t len)
{
	const struct card *c = state;

	(void)data;
	return len > sizeof(c->queue) ? "longer than the queue" : NULL;
}

static const char *queue_load(void *state, const uint8_t *data, size_t len)
{
	struct card *c = state;

	memcpy(c->queue, data, len);
	c->queued = len;
	return NULL;
}

static const struct device_blob queue_blob = {
	.save = queue_save, .check = queue_check, .load = queue_load};

#define CARD_FIELDS                                                                                \
	DEVICE_FIELD(struct card, reg, .max = 0xf0), DEVICE_FIELD(struct card, bytes),             \
		DEVICE_FIELD(struct card, word), DEVICE_FIELD(struct card, words),                 \
		DEVICE_FIELD(struct card, dword), DEVICE_FIELD(struct card, qword),                \
		DEVICE_FIELD(struct card, on), DEVICE_FIELD(struct card, date),                    \
		DEVICE_FIELD_STRUCT(struct card, first, &ring_saved),                              \
		DEVICE_FIELD_STRUCTS(struct card, two, &ring_saved),                               \
		DEVICE_FIELD_REF(struct card, many, &many_ref),                                    \
		DEVICE_FIELD_REF(struct card, handle, &handle_ref),                                \
		DEVICE_FIELD_TIMER(struct card, timer), DEVICE_FIELD_TIMER(struct card, no_timer), \
		DEVICE_FIELD_LINE(struct card, line), DEVICE_FIELD_BLOB("queue", &queue_blob)

static const struct device_field card_fields[] = {
	CARD_FIELDS,
	DEVICE_FIELD(struct card, newer, .since = 2),
	{},
};
static const struct device_field card_fields_1[] = {CARD_FIELDS, {}};

static void card_pre_save(void *state)
{
	strcat(((struct card *)state)->story, "p");
}

/* It sees rings and what else its pointers lead to as they would be. */
static const char *card_check(const void *state)
{
	const struct card *c = state;

	if (c->many_count && c->many[c->many_count - 1].next == 7 && !c->on)
		return "on";
	return NULL;
}

static const char *card_post_load(void *state)
{
	struct card *c = state;
	struct other *o = c->handle ? c->handle->state : NULL;

	strcat(c->story, o && o->loads ? "ol" : "l");
	return NULL;
}

const struct device_state card_saved = {
	.name = "card",
	.version = 2,
	.size = sizeof(struct card),
	.lock = DEVICE_STATE_LOCK(struct card, lock),
	.fields = card_fields,
	.pre_save = card_pre_save,
	.check = card_check,
	.post_load = card_post_load,
};

const struct device_state card_saved_1 = {
	.name = "card", .version = 1, .size = sizeof(struct card), .fields = card_fields_1};

void world_make(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->card.many = w->many;
	w->card.many_count = ARRAY_SIZE(w->many);
	w->card.handle = &w->handle;
	w->handle = (struct handle){.type = &other_saved, .scheme = "none:", .state = &w->other};
	w->card.timer = &w->timer;
	w->card.line = &w->line;
	w->timer.ns = UINT64_MAX;
	w->card.first.size = w->card.two[0].size = w->card.two[1].size = 8;
	for (size_t i = 0; i < ARRAY_SIZE(w->many); i++)
		w->many[i].size = 8;
}

void world_use(struct world *w)
{
	struct card *c = &w->card;

	c->reg = 0x5a;
	memcpy(c->bytes, "hello", sizeof(c->bytes));
	c->word = 0x1234;
	c->words[1] = 0xffff;
	c->dword = 0xdeadbeef;
	c->qword = UINT64_C(0x0123456789abcdef);
	c->on = true;
	c->date = -5;
	c->first.next = 1;
	c->two[1] = (struct ring){.size = 8, .next = 5, .live = true};
	w->many[2].next = 7;
	w->other.value = 998;
	w->timer.ns = 123456;
	w->line.level = true;
	c->queued = 3;
	memcpy(c->queue, "abc", 3);
	c->newer = 42;
}
