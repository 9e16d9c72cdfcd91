/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/ini.h"

#include "lib/compiler.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* One line, without blanks at either end, being taken apart in place. */
struct ini_line {
	const struct ini_handler *handler;
	unsigned number;
	char text[INI_LINE_MAX + 1];
};

static int ini_error(const struct ini_line *line, const char *message)
{
	line->handler->error(line->handler->opaque, line->number, message);
	return -EINVAL;
}

static bool ini_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *ini_skip_blanks(char *s)
{
	while (ini_is_blank(*s))
		s++;
	return s;
}

static void ini_trim_end(char *s)
{
	size_t len = strlen(s);

	while (len && ini_is_blank(s[len - 1]))
		s[--len] = '\0';
}

/* Letters, digits and ._- : what names are made of. Returns what follows. */
static char *ini_skip_name(char *s)
{
	while ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
	       (*s && strchr("._-", *s)))
		s++;
	return s;
}

/*
 * @s is behind an opening quote: undoes the escapes in place and ends the
 * string at the closing quote. Returns what follows that, or NULL.
 */
static char *ini_unquote(char *s)
{
	char *to = s;

	for (; *s && *s != '"'; s++) {
		if (*s == '\\') {
			s++;
			if (*s != '"' && *s != '\\')
				return NULL;
		}
		*to++ = *s;
	}
	if (!*s)
		return NULL;
	*to = '\0';
	return s + 1;
}

/* Whether nothing but a comment follows. */
static bool ini_at_end(char *s)
{
	s = ini_skip_blanks(s);
	return !*s || *s == '#';
}

static int ini_section(struct ini_line *line, char *s)
{
	static char none[] = "";
	char *kind = ini_skip_blanks(s), *id = none, *end;

	s = ini_skip_name(kind);
	end = s;
	s = ini_skip_blanks(s);
	if (end == kind || (*s != '"' && *s != ']'))
		return ini_error(line, "expected [section] or [section \"id\"]");
	if (*s == '"') {
		id = s + 1;
		s = ini_unquote(id);
		if (!s)
			return ini_error(line, "the quotes around the section's id do not close");
		s = ini_skip_blanks(s);
	}
	if (*s != ']' || !ini_at_end(s + 1))
		return ini_error(line, "expected ] and nothing more behind the section's name");
	*end = '\0';
	if (strlen(kind) > INI_NAME_MAX || strlen(id) > INI_NAME_MAX)
		return ini_error(line, "the section's name is longer than 63 characters");
	return line->handler->section(line->handler->opaque, line->number, kind, id);
}

/* Without quotes: up to a # at the start or behind a blank. */
static void ini_cut_comment(char *value)
{
	char *s;

	for (s = value; *s; s++) {
		if (*s == '#' && (s == value || ini_is_blank(s[-1]))) {
			*s = '\0';
			break;
		}
	}
	ini_trim_end(value);
}

static int ini_key(struct ini_line *line, char *name)
{
	char *end = ini_skip_name(name);
	char *value = ini_skip_blanks(end);

	if (end == name || *value != '=')
		return ini_error(line, "expected [section \"id\"], key = value, or a # comment");
	value = ini_skip_blanks(value + 1);
	*end = '\0';
	if (end - name > INI_NAME_MAX)
		return ini_error(line, "the key is longer than 63 characters");
	if (*value == '"') {
		end = ini_unquote(++value);
		if (!end || !ini_at_end(end))
			return ini_error(line, "expected \"value\" in quotes that close, with \\\" "
					       "and \\\\ for \" and \\ in it");
	} else {
		ini_cut_comment(value);
	}
	return line->handler->key(line->handler->opaque, line->number, name, value);
}

static int ini_parse_line(struct ini_line *line, const char *text, size_t len)
{
	char *s;
	size_t i;

	if (len > INI_LINE_MAX)
		return ini_error(line, "the line is longer than 4096 bytes");
	for (i = 0; i < len; i++)
		if (((unsigned char)text[i] < 0x20 && !ini_is_blank(text[i])) || text[i] == 0x7f)
			return ini_error(line, "control characters: this is no text file");
	memcpy(line->text, text, len);
	line->text[len] = '\0';
	ini_trim_end(line->text);
	s = ini_skip_blanks(line->text);
	if (!*s || *s == '#')
		return 0;
	return *s == '[' ? ini_section(line, s + 1) : ini_key(line, s);
}

int ini_parse(const char *text, size_t len, const struct ini_handler *handler)
{
	struct ini_line line = {.handler = handler};
	int err = 0;

	while (len && !err) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline ? (size_t)(newline - text) : len;

		line.number++;
		err = ini_parse_line(&line, text, n);
		n += newline ? 1 : 0;
		text += n;
		len -= n;
	}
	return err;
}
