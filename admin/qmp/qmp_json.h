/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON (RFC 8259) of a line, read and written. jsmn finds the tokens; it lets much pass, so all
 * that stands between them, and in them, is checked here.
 */
#ifndef ADMIN_QMP_QMP_JSON_H
#define ADMIN_QMP_QMP_JSON_H

#include <stdbool.h>
#include <stddef.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#define JSON_TOKENS 256
#define JSON_DEPTH  16

struct json {
	char *text; /* changed by json_word() */
	int count;
	jsmntok_t tokens[JSON_TOKENS];
};

/* Reads @len bytes, which must be one object. NULL, or what is wrong with them. */
const char *json_parse(struct json *j, char *text, size_t len);
/* The value that the object at @object has by the name @name; 0: none. */
int json_member(const struct json *j, int object, const char *name);
/* What comes behind the value at @at and all that is in it. */
int json_next(const struct json *j, int at);
/* The value at @at as a word: a string, a number, true or false; in place, once. NULL: it is none,
 * or has a 0 in it. */
char *json_word(const struct json *j, int at);

/* Writes @text as a string, in quotes; what is no UTF-8 becomes U+FFFD. */
void json_put_string(void (*put)(const char *s, size_t len), const char *text, size_t len);

#endif
