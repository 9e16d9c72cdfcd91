/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `help TOPIC NAME` prints: things that are made of keys, from their own
 * descriptors. A table that any file adds to which has such things.
 */
#ifndef VMM_HELP_TOPIC_H
#define VMM_HELP_TOPIC_H

#include "lib/compiler.h"

struct device_key;

struct help_entry {
	const char *name;
	const char *help;  /* one line */
	const char *first; /* what stands before the keys, and what it is; or NULL */
	const char *first_help;
	const struct device_key *keys; /* ended by a NULL name; NULL: none */
};
/* The entry is valid until it returns. */
typedef void (*help_topic_fn)(void *opaque, const struct help_entry *entry);

struct help_topic {
	const char *name;  /* the word behind `help` */
	const char *entry; /* what one of its entries is */
	const char *help;  /* one line */
	void (*each)(help_topic_fn fn, void *opaque);
};

#define HELP_TOPIC(ident_, ...) TABLE_ENTRY(help_topics, struct help_topic, ident_) = {__VA_ARGS__}
TABLE_DECLARE(help_topics, struct help_topic);

#endif
