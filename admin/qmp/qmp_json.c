/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/qmp/qmp_json.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define JSON_BLANKS " \t\r\n"

/* Bytes of the UTF-8 character at @s (RFC 3629, 4); 0: it is none. */
static size_t json_utf8(const unsigned char *s, size_t left)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = *s < 0x80		     ? 1
		   : *s >= 0xf8 || *s < 0xc0 ? 0
		   : *s >= 0xf0		     ? 4
		   : *s >= 0xe0		     ? 3
					     : 2;
	uint32_t code = n < 2 ? *s : *s & (0x7fu >> n);

	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	return code < least[n] || code > 0x10ffff || code >> 11 == 0x1b ? 0 : n;
}

static size_t json_encode(char *to, uint32_t code)
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i; i--, code >>= 6)
		to[i] = (char)(0x80 | (code & 0x3f));
	to[0] = (char)(n == 1 ? code : (0xf00u >> n & 0xf0) | code);
	return n;
}

/* The number of the \uXXXX at @s; jsmn has seen that digits are there. */
static uint32_t json_hex4(const char *s)
{
	uint32_t code = 0;

	for (unsigned i = 2; i < 6; i++)
		code = code << 4 | (uint32_t)(s[i] <= '9' ? s[i] - '0' : (s[i] | 0x20) - 'a' + 10);
	return code;
}

/* One \ and what belongs to it, at @s: how many bytes; *@code: what it stands for. 0: nothing. */
static size_t json_escape(const char *s, size_t left, uint32_t *code)
{
	static const char letters[] = "bfnrt", codes[] = "\b\f\n\r\t";
	const char *letter = strchr(letters, s[1]);
	uint32_t low;

	if (s[1] != 'u') {
		*code = (uint32_t)(letter ? codes[letter - letters] : s[1]);
		return 2;
	}
	*code = json_hex4(s);
	if (*code >> 11 != 0x1b)
		return 6;
	if (*code >> 10 != 0x36 || left < 12 || s[6] != '\\' || s[7] != 'u')
		return 0;
	low = json_hex4(s + 6);
	*code = 0x10000 + ((*code & 0x3ff) << 10 | (low & 0x3ff));
	return low >> 10 == 0x37 ? 12 : 0;
}

/* The string of @t, to @to, unless that is NULL; it may be where the string is. -1: it is none. */
static int json_decode(const struct json *j, const jsmntok_t *t, char *to)
{
	const char *s = j->text + t->start, *end = j->text + t->end;
	size_t n, len = 0;
	char bytes[4];

	for (; s < end; s += n) {
		uint32_t code = (unsigned char)*s;
		size_t out;

		n = *s == '\\' ? json_escape(s, (size_t)(end - s), &code)
			       : json_utf8((const unsigned char *)s, (size_t)(end - s));
		if (!n || (*s != '\\' && code < 0x20))
			return -1;
		out = *s == '\\' ? json_encode(bytes, code) : n;
		if (to)
			memmove(to + len, *s == '\\' ? bytes : s, out);
		len += out;
	}
	return (int)len;
}

static size_t json_digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* true, false, null, or a number. What is behind a token is never a digit. */
static bool json_primitive(const char *s, size_t len)
{
	const char *at = s + (*s == '-');
	size_t whole = json_digits(at), n;

	if (*s == 't' || *s == 'f' || *s == 'n')
		return (len == 4 && (!memcmp(s, "true", 4) || !memcmp(s, "null", 4))) ||
		       (len == 5 && !memcmp(s, "false", 5));
	if (!whole || (whole > 1 && *at == '0'))
		return false;
	at += whole;
	if (*at == '.') {
		n = json_digits(at + 1);
		if (!n)
			return false;
		at += 1 + n;
	}
	if (*at == 'e' || *at == 'E') {
		at += 1 + (at[1] == '+' || at[1] == '-');
		n = json_digits(at);
		if (!n)
			return false;
		at += n;
	}
	return at == s + len;
}

/* A token with its quotes. */
static int json_begin(const jsmntok_t *t)
{
	return t->start - (t->type == JSMN_STRING);
}

static int json_end(const jsmntok_t *t)
{
	return t->end + (t->type == JSMN_STRING);
}

/* Whether blanks and one @mark (0: none) are all that stands there. */
static bool json_gap(const struct json *j, int from, int to, char mark)
{
	if (from > to)
		return false;
	for (; from < to; from++) {
		if (mark && j->text[from] == mark)
			mark = 0;
		else if (!strchr(JSON_BLANKS, j->text[from]))
			return false;
	}
	return !mark;
}

/* The name at @i in the object at @at, which no other there has. */
static bool json_name(const struct json *j, int at, int i)
{
	const jsmntok_t *t = &j->tokens[i];
	size_t len = (size_t)(t->end - t->start);

	if (t->type != JSMN_STRING || t->size != 1 || json_decode(j, t, NULL) < 0)
		return false;
	for (int k = at + 1; k < i; k = json_next(j, k + 1)) {
		const jsmntok_t *other = &j->tokens[k];

		if (len == (size_t)(other->end - other->start) &&
		    !memcmp(j->text + t->start, j->text + other->start, len))
			return false;
	}
	return true;
}

/* What is behind the value at @at; 0: it is none. Goes @depth deep at most. */
static int json_check(const struct json *j, int at, unsigned depth)
{
	const jsmntok_t *t = &j->tokens[at];
	int i = at + 1, pos = t->start + 1;

	if (t->type == JSMN_STRING)
		return t->size || json_decode(j, t, NULL) < 0 ? 0 : i;
	if (t->type == JSMN_PRIMITIVE)
		return t->size || !json_primitive(j->text + t->start, (size_t)(t->end - t->start))
			       ? 0
			       : i;
	for (int n = 0; n < t->size; n++) {
		if (!depth || i >= j->count ||
		    !json_gap(j, pos, json_begin(&j->tokens[i]), n ? ',' : 0))
			return 0;
		if (t->type == JSMN_OBJECT) {
			if (!json_name(j, at, i) || i + 1 >= j->count ||
			    !json_gap(j, json_end(&j->tokens[i]), json_begin(&j->tokens[i + 1]),
				      ':'))
				return 0;
			i++;
		}
		pos = json_end(&j->tokens[i]);
		i = json_check(j, i, depth - 1);
		if (!i)
			return 0;
	}
	return json_gap(j, pos, t->end - 1, 0) ? i : 0;
}

const char *json_parse(struct json *j, char *text, size_t len)
{
	jsmn_parser parser;

	j->text = text;
	if (memchr(text, '\0', len))
		return "a byte of 0";
	jsmn_init(&parser);
	j->count = jsmn_parse(&parser, text, len, j->tokens, JSON_TOKENS);
	if (j->count == JSMN_ERROR_NOMEM)
		return "too many values";
	if (j->count == JSMN_ERROR_PART)
		return "it ends too early";
	if (j->count < 1 || j->tokens[0].type != JSMN_OBJECT ||
	    !json_gap(j, 0, j->tokens[0].start, 0) || !json_gap(j, j->tokens[0].end, (int)len, 0) ||
	    json_check(j, 0, JSON_DEPTH) != j->count)
		return "expected one JSON object, in UTF-8, each name once, 16 levels deep at most";
	return NULL;
}

int json_next(const struct json *j, int at)
{
	int end = j->tokens[at].end;

	for (at++; at < j->count && j->tokens[at].start < end; at++)
		;
	return at;
}

int json_member(const struct json *j, int object, const char *name)
{
	size_t len = strlen(name);
	int i = object + 1;

	for (int n = j->tokens[object].size; n; n--, i = json_next(j, i + 1)) {
		const jsmntok_t *t = &j->tokens[i];

		if ((size_t)(t->end - t->start) == len && !memcmp(j->text + t->start, name, len))
			return i + 1;
	}
	return 0;
}

char *json_word(const struct json *j, int at)
{
	const jsmntok_t *t = &j->tokens[at];
	char *word = j->text + t->start;
	int len = t->end - t->start;

	if (t->type != JSMN_STRING && (t->type != JSMN_PRIMITIVE || *word == 'n'))
		return NULL;
	if (t->type == JSMN_STRING)
		len = json_decode(j, t, word);
	word[len] = '\0';
	return strlen(word) == (size_t)len ? word : NULL;
}

void json_put_string(void (*put)(const char *s, size_t len), const char *text, size_t len)
{
	size_t start = 0, n;
	char code[8];

	put("\"", 1);
	for (size_t i = 0; i < len; i += n) {
		unsigned char c = (unsigned char)text[i];
		size_t whole = json_utf8((const unsigned char *)text + i, len - i);

		n = whole ? whole : 1;
		if (whole && c >= 0x20 && c != 0x7f && c != '"' && c != '\\')
			continue;
		put(text + start, i - start);
		start = i + n;
		if (c == '"' || c == '\\')
			snprintf(code, sizeof(code), "\\%c", c);
		else if (c == '\n' || c == '\t')
			snprintf(code, sizeof(code), "\\%c", c == '\n' ? 'n' : 't');
		else
			snprintf(code, sizeof(code), "\\u%04x", whole ? c : 0xfffdu);
		put(code, strlen(code));
	}
	put(text + start, len - start);
	put("\"", 1);
}
