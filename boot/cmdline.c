/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/cmdline.h"

#include "lib/compiler.h"

#include <stddef.h>
#include <string.h>

#define WORD_MAX	  128
#define CMDLINE_LOG_UNSET UINT32_MAX

struct choice {
	const char *name;
	unsigned value;
};

static const struct choice consoles[] = {
	{"com1", CMDLINE_CONSOLE_COM1},
	{"com2", CMDLINE_CONSOLE_COM2},
	{"vga", CMDLINE_CONSOLE_VGA},
	{"fb", CMDLINE_CONSOLE_FB},
	{"none", 0},
	{NULL, 0},
};

static const struct choice levels[] = {
	{"error", LOG_ERROR}, {"warn", LOG_WARN}, {"info", LOG_INFO},
	{"debug", LOG_DEBUG}, {NULL, 0},
};

static const struct choice answers[] = {{"yes", true}, {"no", false}, {NULL, 0}};

/* The choice that [@s, @s + @len) spells, or NULL. */
static const struct choice *choose(const struct choice *choices, const char *s, size_t len)
{
	for (; choices->name; choices++)
		if (strlen(choices->name) == len && !memcmp(choices->name, s, len))
			return choices;
	return NULL;
}

static bool parse_names(const char *value, unsigned *out)
{
	unsigned bits = 0;

	for (;;) {
		size_t len = strcspn(value, ",");
		const struct choice *c = choose(consoles, value, len);

		if (!c)
			return false;
		bits |= c->value;
		if (!value[len])
			break;
		value += len + 1;
	}
	*out = bits;
	return true;
}

static bool parse_consoles(const char *value, struct cmdline *out)
{
	return parse_names(value, &out->consoles);
}

static bool parse_log(const char *value, struct cmdline *out)
{
	return parse_names(value, &out->logs);
}

static bool parse_loglevel(const char *value, struct cmdline *out)
{
	const struct choice *c = choose(levels, value, strlen(value));

	if (c)
		out->loglevel = c->value;
	return c;
}

static bool parse_cpus(const char *value, struct cmdline *out)
{
	uint32_t n = 0;

	for (const char *p = value; *p; p++) {
		if (*p < '0' || *p > '9' || n > 9999)
			return false;
		n = 10 * n + (*p - '0');
	}
	if (n)
		out->cpus = n;
	return n;
}

static bool parse_answer(const char *value, bool *answer)
{
	const struct choice *c = choose(answers, value, strlen(value));

	if (c)
		*answer = c->value;
	return c;
}

static bool parse_autostart(const char *value, struct cmdline *out)
{
	return parse_answer(value, &out->autostart);
}

static bool parse_apicv(const char *value, struct cmdline *out)
{
	return parse_answer(value, &out->apicv);
}

static bool parse_msr_areas(const char *value, struct cmdline *out)
{
	return parse_answer(value, &out->msr_areas);
}

static const struct option {
	const char *name; /* with its = */
	bool (*parse)(const char *value, struct cmdline *out);
	const char *expected;
} options[] = {
	{"console=", parse_consoles, "com1, com2, vga, fb or none, or several with commas"},
	{"log=", parse_log, "com1, com2, vga, fb or none, or several with commas"},
	{"loglevel=", parse_loglevel, "error, warn, info or debug"},
	{"cpus=", parse_cpus, "a number from 1 on"},
	{"autostart=", parse_autostart, "yes or no"},
	{"apicv=", parse_apicv, "yes or no"},
	{"msr-areas=", parse_msr_areas, "yes or no"},
};

/* NULL when @word was understood, otherwise what was expected. */
static const char *parse_word(const char *word, struct cmdline *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option *o = &options[i];
		size_t len = strlen(o->name);

		if (!strncmp(word, o->name, len))
			return o->parse(word + len, out) ? NULL : o->expected;
	}
	return "console=, log=, loglevel=, cpus=, autostart=, apicv= or msr-areas=";
}

void cmdline_parse(const char *text, struct cmdline *out,
		   void (*complain)(const char *word, const char *expected))
{
	char word[WORD_MAX];

	*out = (struct cmdline){
		.consoles = CMDLINE_CONSOLE_COM1 | CMDLINE_CONSOLE_VGA | CMDLINE_CONSOLE_FB,
		.logs = CMDLINE_LOG_UNSET,
		.loglevel = LOG_INFO,
		.cpus = UINT32_MAX,
		.autostart = true,
		.apicv = true,
	};
	for (;;) {
		size_t len, kept;
		const char *expected;

		text += strspn(text, " \t");
		len = strcspn(text, " \t");
		if (!len)
			break;
		kept = MIN(len, sizeof(word) - 1);
		memcpy(word, text, kept);
		word[kept] = '\0';
		expected = kept == len ? parse_word(word, out) : "a shorter word";
		if (expected && complain)
			complain(word, expected);
		text += len;
	}
	if (out->logs == CMDLINE_LOG_UNSET)
		out->logs = out->consoles;
}
