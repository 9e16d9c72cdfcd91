/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request's arguments as a command's words: their names, their order and which may be left out
 * are told by the synopsis that `help` prints. "VM [ID]" takes "vm" and, if it is there, "id".
 */
#include "admin/qmp/qmp.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The last part of the word's first name, "vcpu" of VM.VCPU; of words to choose from "option". */
static void qmp_param_name(struct qmp_param *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->len && n < QMP_PARAM_MAX; i++) {
		char c = p->text[i];

		if (c == '.')
			n = 0;
		else if (isalnum((unsigned char)c) || c == '-')
			p->name[n++] = (char)tolower((unsigned char)c);
		else
			break;
	}
	p->name[n] = '\0';
	if (islower((unsigned char)*p->text))
		strcpy(p->name, "option");
}

bool qmp_param_next(const char **at, unsigned *depth, struct qmp_param *p)
{
	const char *s = *at;

	for (; *s == ' ' || *s == '['; s++)
		*depth += *s == '[';
	if (!*s)
		return false;
	p->text = s;
	p->len = strcspn(s, " ");
	p->depth = *depth;
	p->options = memchr(s, '=', p->len);
	qmp_param_name(p);
	for (*at = s + p->len; s < *at; s++)
		*depth += (unsigned)((*s == '[') - (*s == ']'));
	return true;
}

static bool qmp_add(struct qmp *q, int *argc, int value, const char *name)
{
	char *word = json_word(&q->json, value);

	if (word && *argc <= WORDS_MAX) {
		q->argv[(*argc)++] = word;
		return true;
	}
	qmp_error(q, QMP_GENERIC,
		  word ? "Parameter '%s' has too many values"
		       : "Parameter '%s': expected a string, a number or a boolean",
		  name);
	return false;
}

/* The words of a value: an array has several. */
static bool qmp_words(struct qmp *q, int *argc, int value, const char *name)
{
	const jsmntok_t *t = &q->json.tokens[value];
	int i = value + 1;

	if (t->type != JSMN_ARRAY)
		return qmp_add(q, argc, value, name);
	for (int n = t->size; n; n--, i = json_next(&q->json, i))
		if (!qmp_add(q, argc, i, name))
			return false;
	return true;
}

/* Whether the synopsis has an argument called by the token @t. */
static bool qmp_known(const struct qmp *q, const struct command *command, const jsmntok_t *t)
{
	const char *at = command->args, *name = q->json.text + t->start;
	size_t len = (size_t)(t->end - t->start);
	struct qmp_param p;
	unsigned depth = 0;

	while (qmp_param_next(&at, &depth, &p))
		if ((strlen(p.name) == len && !memcmp(p.name, name, len)) ||
		    (p.options && len == 6 && !memcmp(name, "driver", len)))
			return true;
	return command->format && len == 6 && !memcmp(name, "format", len);
}

/* Adds ,NAME="VALUE" to q->options. False: there is no room, or the value is none. */
static bool qmp_option(struct qmp *q, size_t *at, const jsmntok_t *t, int value)
{
	const char *word = json_word(&q->json, value);
	size_t room = sizeof(q->options) - *at;
	int len = snprintf(q->options + *at, room, ",%.*s=\"", t->end - t->start,
			   q->json.text + t->start);

	if (!word || (size_t)len + 2 * strlen(word) + 2 > room)
		return false;
	for (*at += (size_t)len; *word; q->options[(*at)++] = *word++)
		if (*word == '"' || *word == '\\')
			q->options[(*at)++] = '\\';
	strcpy(q->options + *at, "\"");
	++*at;
	return true;
}

/* The last word, to which all arguments belong that the synopsis does not name. */
static bool qmp_options(struct qmp *q, const struct command *command, int args, char **word)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-.";
	size_t at = (size_t)snprintf(q->options, sizeof(q->options), "%s", *word);
	int i = args + 1;

	for (int n = q->json.tokens[args].size; n; n--, i = json_next(&q->json, i + 1)) {
		const jsmntok_t *t = &q->json.tokens[i];
		size_t len = (size_t)(t->end - t->start);

		if (qmp_known(q, command, t))
			continue;
		if (!len || strspn(q->json.text + t->start, letters) < len ||
		    !qmp_option(q, &at, t, i + 1)) {
			qmp_error(q, QMP_GENERIC, "Parameter '%.*s' does not fit", (int)len,
				  q->json.text + t->start);
			return false;
		}
	}
	*word = q->options;
	return true;
}

/* Nothing among the arguments that the command does not know. */
static bool qmp_all_known(struct qmp *q, const struct command *command, int args)
{
	int i = args + 1;

	for (int n = args ? q->json.tokens[args].size : 0; n; n--, i = json_next(&q->json, i + 1)) {
		const jsmntok_t *t = &q->json.tokens[i];

		if (!strchr(command->args, '=') && !qmp_known(q, command, t)) {
			qmp_error(q, QMP_GENERIC, "Parameter '%.*s' is unexpected",
				  t->end - t->start, q->json.text + t->start);
			return false;
		}
	}
	return true;
}

/* The name as the shell has it, with /FORMAT. */
static bool qmp_name(struct qmp *q, const struct command *command, int args)
{
	int format = args && command->format ? json_member(&q->json, args, "format") : 0;
	const char *word = format ? json_word(&q->json, format) : NULL;

	snprintf(q->name, sizeof(q->name), "%s%s%s", command->name, word ? "/" : "",
		 word ? word : "");
	q->argv[0] = q->name;
	if (format && !word)
		qmp_error(q, QMP_GENERIC, "Parameter 'format': expected a string");
	return !format || word;
}

/* One of the synopsis's; *@missing: the outermost brackets so far that have nothing in them. */
static bool qmp_param(struct qmp *q, const struct command *command, int args,
		      const struct qmp_param *p, int *argc, unsigned *missing)
{
	int value = args ? json_member(&q->json, args, p->name) : 0;

	if (!value && args && p->options)
		value = json_member(&q->json, args, "driver");
	if (!value && p->depth) {
		*missing = MIN(*missing, p->depth);
		return true;
	}
	if (!value || p->depth > *missing) {
		qmp_error(q, QMP_GENERIC,
			  value ? "Parameter '%s' needs the one before it"
				: "Parameter '%s' is missing",
			  p->name);
		return false;
	}
	return qmp_words(q, argc, value, p->name) &&
	       (!p->options || qmp_options(q, command, args, &q->argv[*argc - 1]));
}

bool qmp_args(struct qmp *q, const struct command *command, int args)
{
	unsigned depth = 0, missing = UINT_MAX;
	const char *at = command->args;
	char last[QMP_PARAM_MAX + 1] = "";
	struct qmp_param p;
	int argc = 1;

	if (!qmp_all_known(q, command, args) || !qmp_name(q, command, args))
		return false;
	while (qmp_param_next(&at, &depth, &p)) {
		/* KEY [KEY] is one that has several values. */
		if (strcmp(p.name, last) && !qmp_param(q, command, args, &p, &argc, &missing))
			return false;
		strcpy(last, p.name);
	}
	q->argv[argc] = NULL;
	return true;
}
