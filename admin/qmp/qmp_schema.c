/* SPDX-License-Identifier: BSD-2-Clause */
/* `query-commands` and `query-schema`: what can be asked for, from the tables that have it. */
#include "admin/qmp/qmp.h"

#include "kernel/console.h"

#include <string.h>

/* What is "before" each but the first of a list. */
struct schema {
	const char *comma;
};

static void schema_comma(struct schema *s)
{
	console_printf("%s", s->comma);
	s->comma = ", ";
}

static void schema_name(void *opaque, const char *name, const struct command *c, bool text)
{
	(void)text;
	if (c->live)
		return;
	schema_comma(opaque);
	console_printf("{");
	qmp_member("name", name);
	console_printf("}");
}

static void query_commands(char **argv)
{
	struct schema s = {""};

	(void)argv;
	console_printf("[");
	qmp_each(schema_name, &s);
	console_printf("]");
}

/* Words with | between them, as in the synopsis. */
static void schema_choices(const struct qmp_param *p)
{
	const char *comma = "", *s = p->text;
	size_t left = MIN(strcspn(s, "] "), p->len);

	console_printf(", \"choices\": [");
	for (size_t n; left; s += n, left -= n) {
		n = MIN(strcspn(s, "|"), left);
		console_printf("%s\"%.*s\"", comma, (int)n, s);
		n += n < left; /* the bar */
		comma = ", ";
	}
	console_printf("]");
}

static bool schema_is_number(const char *name)
{
	static const char *const numbers[] = {"n", "count", "seconds", "size"};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(numbers[i], name))
			return true;
	return false;
}

static void schema_param(struct schema *s, const struct qmp_param *p)
{
	schema_comma(s);
	console_printf("{\"name\": \"%s\", \"type\": \"%s\", \"optional\": %s", p->name,
		       schema_is_number(p->name) ? "number" : "string",
		       p->depth ? "true" : "false");
	if (!strcmp(p->name, "option"))
		schema_choices(p);
	if (p->options)
		console_printf(", \"takes\": \"%.*s\"", (int)p->len, p->text);
	console_printf("}");
}

static void schema_command(void *opaque, const char *name, const struct command *c, bool text)
{
	const char *at = c->args;
	struct schema s = {""};
	struct qmp_param p;
	unsigned depth = 0;

	if (c->live)
		return;
	schema_comma(opaque);
	console_printf("{");
	qmp_member("name", name);
	console_printf(", ");
	qmp_member("help", c->help);
	console_printf(", ");
	qmp_member("synopsis", c->args);
	console_printf(", \"returns\": \"%s\", \"arguments\": [", text ? "output" : "value");
	while (qmp_param_next(&at, &depth, &p))
		schema_param(&s, &p);
	if (c->format)
		console_printf("%s{\"name\": \"format\", \"type\": \"string\", \"optional\": true}",
			       s.comma);
	console_printf("]}");
}

static void query_schema(char **argv)
{
	struct schema s = {""};

	(void)argv;
	console_printf("[");
	qmp_each(schema_command, &s);
	console_printf("]");
}

QMP_REQUEST(query_commands_request, .name = "query-commands", .args = "",
	    .help = "the names of all requests", .run = query_commands);
QMP_REQUEST(query_schema_request, .name = "query-schema", .args = "",
	    .help = "all requests with their help and arguments; returns: whether the answer is "
		    "{\"output\": TEXT} or a value of its own",
	    .run = query_schema);
