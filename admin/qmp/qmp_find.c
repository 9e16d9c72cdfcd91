/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be asked for: requests of our own, and all that the shell's tables have. */
#include "admin/qmp/qmp.h"

#include <stdio.h>
#include <string.h>

#define FIND_NAME_MAX 64

/* QMP's names have - and _ as it came: here they are the same. */
static bool qmp_same(const char *a, const char *b)
{
	for (; *a && (*a == *b || (strchr("-_", *a) && *b && strchr("-_", *b))); a++)
		b++;
	return *a == *b;
}

static const struct command *qmp_own(const char *name)
{
	const struct command *c;

	for (c = TABLE_START(qmp_requests); c < TABLE_END(qmp_requests); c++)
		if (qmp_same(c->name, name))
			return c;
	return NULL;
}

void qmp_each(qmp_each_fn fn, void *opaque)
{
	const struct command *c;
	char name[FIND_NAME_MAX];

	for (c = TABLE_START(qmp_requests); c < TABLE_END(qmp_requests); c++)
		fn(opaque, c->name, c, false);
	for (c = TABLE_START(commands); c < TABLE_END(commands); c++)
		if (!qmp_own(c->name))
			fn(opaque, c->name, c, true);
	for (c = TABLE_START(info_topics); c < TABLE_END(info_topics); c++) {
		snprintf(name, sizeof(name), "query-%s", c->name);
		if (!qmp_own(name))
			fn(opaque, name, c, true);
	}
}

struct qmp_search {
	const char *name;
	const struct command *found;
	bool text;
};

static void qmp_compare(void *opaque, const char *name, const struct command *c, bool text)
{
	struct qmp_search *search = opaque;

	if (search->found || !qmp_same(name, search->name))
		return;
	search->found = c;
	search->text = text;
}

const struct command *qmp_find(const char *name, bool *text)
{
	struct qmp_search search = {.name = name};

	qmp_each(qmp_compare, &search);
	*text = search.text;
	return search.found;
}
