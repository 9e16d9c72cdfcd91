/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/backend/switch_table.h"

#include <string.h>

static void switch_table_free(struct switch_table *t, struct switch_entry *e)
{
	t->counts[e->port]--;
	e->port = SWITCH_NO_PORT;
}

void switch_table_init(struct switch_table *t, uint64_t seed)
{
	struct switch_entry *e;

	memset(t, 0, sizeof(*t));
	t->seed = seed | 1;
	for (e = t->entries; e < t->entries + ARRAY_SIZE(t->entries); e++)
		e->port = SWITCH_NO_PORT;
}

/* The bucket of @mac, and in *@found its entry there, or NULL; what is old is thrown out. */
static struct switch_entry *switch_table_bucket(struct switch_table *t, const uint8_t *mac,
						uint32_t now, struct switch_entry **found)
{
	struct switch_entry *bucket, *e;
	uint64_t key = 0;

	memcpy(&key, mac, NET_MAC_LEN);
	bucket = t->entries +
		 ((key + (t->seed >> 32)) * t->seed >> 40) % SWITCH_BUCKETS * SWITCH_WAYS;
	*found = NULL;
	for (e = bucket; e < bucket + SWITCH_WAYS; e++) {
		if (e->port == SWITCH_NO_PORT)
			continue;
		if (now - e->seen > SWITCH_AGE)
			switch_table_free(t, e);
		else if (!memcmp(e->mac, mac, NET_MAC_LEN))
			*found = e;
	}
	return bucket;
}

unsigned switch_table_find(struct switch_table *t, const uint8_t *mac, uint32_t now)
{
	struct switch_entry *e;

	switch_table_bucket(t, mac, now, &e);
	return e ? e->port : SWITCH_NO_PORT;
}

bool switch_table_learn(struct switch_table *t, const uint8_t *mac, unsigned port, unsigned limit,
			uint32_t now)
{
	struct switch_entry *e, *bucket = switch_table_bucket(t, mac, now, &e);

	if (e && e->port == port) {
		e->seen = now;
		return true;
	}
	if (t->counts[port] >= limit)
		return false;
	/* It has moved here, or is new. */
	if (e)
		switch_table_free(t, e);
	for (e = bucket; e < bucket + SWITCH_WAYS; e++) {
		if (e->port != SWITCH_NO_PORT)
			continue;
		memcpy(e->mac, mac, NET_MAC_LEN);
		e->port = (uint8_t)port;
		e->seen = now;
		t->counts[port]++;
		return true;
	}
	return false;
}

void switch_table_forget(struct switch_table *t, unsigned port)
{
	struct switch_entry *e;

	for (e = t->entries; e < t->entries + ARRAY_SIZE(t->entries); e++)
		if (e->port == port)
			switch_table_free(t, e);
}
