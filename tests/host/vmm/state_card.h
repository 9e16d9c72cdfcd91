/* SPDX-License-Identifier: BSD-2-Clause */
/* A made-up device with one of everything that a table of vmm/device_state.h can name. */
#ifndef TESTS_HOST_VMM_STATE_CARD_H
#define TESTS_HOST_VMM_STATE_CARD_H

#include "kernel/spinlock.h"
#include "vmm/device_state.h"
#include "vmm/irq.h"

struct device_timer {
	uint64_t ns;
};

struct ring {
	struct spinlock lock;
	uint16_t size; /* its config's */
	uint16_t next;
	bool live;
};

struct handle {
	const struct device_state *type;
	const char *scheme;
	void *state;
};

struct other {
	uint32_t value;
	unsigned loads;
};

struct card {
	struct spinlock lock;
	uint8_t reg, bytes[5];
	uint16_t word, words[2];
	uint32_t dword;
	uint64_t qword;
	bool on;
	int64_t date;
	struct ring first;
	struct ring two[2];
	struct ring *many;
	unsigned many_count;
	struct handle *handle;
	struct device_timer *timer, *no_timer;
	struct irq_line *line;
	uint8_t queue[16];
	size_t queued;
	uint32_t newer;
	/* What was called, in order. */
	char story[32];
};

extern const struct device_state ring_saved, other_saved, card_saved;
extern const struct device_state card_saved_1; /* card_saved, a version earlier */

/* A card and what its pointers lead to. */
struct world {
	struct card card;
	struct ring many[3];
	struct handle handle;
	struct other other;
	struct device_timer timer;
	struct irq_line line;
};

void world_make(struct world *w);
/* As after some work. */
void world_use(struct world *w);

extern bool world_no_memory; /* kmalloc() fails */
extern long world_objects;   /* of kmalloc(), that live */

#endif
