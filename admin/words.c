/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WORDS_BLANKS " \t"

/* What stands where within a word. */
enum words_quote { WORDS_PLAIN, WORDS_SINGLE, WORDS_DOUBLE };

void words_init(struct words *words, const char *line)
{
	words->at = line;
	words_begin(words);
}

void words_begin(struct words *words)
{
	words->argc = 0;
	words->argv[0] = NULL;
	words->used = 0;
}

bool words_more(const struct words *words)
{
	return *words->at;
}

static bool words_put(struct words *words, const char *s, size_t len)
{
	if (len >= WORDS_TEXT_MAX - words->used)
		return false;
	memcpy(words->text + words->used, s, len);
	words->used += len;
	return true;
}

static bool words_put_status(struct words *words, int status)
{
	char number[12] = "";

	snprintf(number, sizeof(number), "%d", status);
	return words_put(words, number, strlen(number));
}

/* How many characters at @s say something about quotes; *@quote: what follows them stands in. */
static size_t words_quoting(const char *s, enum words_quote *quote)
{
	enum words_quote was = *quote;

	if (*s == '\'' && was != WORDS_DOUBLE)
		*quote = was == WORDS_SINGLE ? WORDS_PLAIN : WORDS_SINGLE;
	else if (*s == '"' && was != WORDS_SINGLE)
		*quote = was == WORDS_DOUBLE ? WORDS_PLAIN : WORDS_DOUBLE;
	else if (*s == '\\' && s[1] &&
		 (was == WORDS_PLAIN || (was == WORDS_DOUBLE && strchr("\"\\$", s[1]))))
		return 1;
	return *quote != was;
}

/* One character, or one quote, at words->at. */
static bool words_step(struct words *words, int status, bool raw, enum words_quote *quote)
{
	const char *s = words->at;
	size_t marks = words_quoting(s, quote);
	size_t len = marks && *s != '\\' ? 0 : 1;

	if (!marks && *s == '$' && s[1] == '?' && *quote != WORDS_SINGLE && !raw) {
		words->at += 2;
		return words_put_status(words, status);
	}
	words->at += marks + len;
	return raw ? words_put(words, s, marks + len) : words_put(words, s + marks, len);
}

int words_take(struct words *words, int status, bool raw)
{
	enum words_quote quote = WORDS_PLAIN;
	size_t start = words->used;

	words->at += strspn(words->at, WORDS_BLANKS);
	if (*words->at == '#')
		words->at += strlen(words->at);
	if (*words->at == ';') {
		words->at++;
		return 0;
	}
	if (!*words->at)
		return 0;
	if (words->argc == WORDS_MAX)
		return -E2BIG;
	while (*words->at && (quote != WORDS_PLAIN || !strchr(WORDS_BLANKS ";", *words->at)))
		if (!words_step(words, status, raw, &quote))
			return -E2BIG;
	if (quote != WORDS_PLAIN && !raw)
		return -EINVAL;
	words->text[words->used++] = '\0';
	words->argv[words->argc++] = words->text + start;
	words->argv[words->argc] = NULL;
	return 1;
}
