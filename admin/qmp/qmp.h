/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol for programs (docs/qmp.md): requests and answers in QMP's form on the shell's line.
 * All of it is the shell's task's, but for what queues an event.
 */
#ifndef ADMIN_QMP_QMP_H
#define ADMIN_QMP_QMP_H

#include "admin/qmp/qmp_json.h"
#include "admin/words.h"
#include "kernel/command.h"
#include "lib/compiler.h"
#include "vmm/vm.h"
#include "vmm/vm_console.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QMP_LINE_MAX	4096 /* bytes of a request */
#define QMP_PARAM_MAX	23   /* of an argument's name */
#define QMP_CONSOLE_MAX 512  /* bytes of a guest's output in an event */
#define QMP_VERSION_MAX 128

/* Of an error, as QMP has it. */
#define QMP_GENERIC    "GenericError"
#define QMP_NO_COMMAND "CommandNotFound"
#define QMP_NO_DEVICE  "DeviceNotFound"

struct qmp {
	bool open;	     /* the line is the protocol's, until qmp_quit */
	bool greet;	     /* it will be, with the answer */
	void (*after)(void); /* what is done when the answer is out, or NULL */

	/* The line as far as it has come. */
	size_t len;
	bool too_long;
	bool after_cr;
	char line[QMP_LINE_MAX + 1];

	/* A VM's console, or NULL, and what of its output is no whole character yet. */
	struct vm_console *console;
	struct vm_console_viewer viewer;
	char console_vm[VM_NAME_MAX + 1];
	size_t rest;
	char piece[QMP_CONSOLE_MAX];

	/* A request. */
	struct json json;
	int id; /* its token; 0: it has none */
	char name[64];
	char *argv[WORDS_MAX + 2];
	char options[QMP_LINE_MAX]; /* a word that is made of several arguments */
};

/*
 * Requests that the shell has no command for, or whose answer has a form: tables of what the shell
 * has (kernel/command.h), but what they print is a JSON value.
 */
#define QMP_REQUEST(ident_, ...) TABLE_ENTRY(qmp_requests, struct command, ident_) = {__VA_ARGS__}
TABLE_DECLARE(qmp_requests, struct command);

/* qmp.c: the conversation that is held; in a request, never NULL. */
extern struct qmp *qmp_now;
/* Writes of what goes out as it is; others run in between. qmp_flush() ends a line. */
void qmp_write(const char *s, size_t len);
void qmp_text(const char *text);
void qmp_flush(void);

/* qmp_request.c: answers the line, with one line. */
void qmp_request(struct qmp *q);
/* The line, which is muted, is the protocol's from here on: greets. */
void qmp_open(struct qmp *q);
/* The members of a version, as QMP has them; QMP_VERSION_MAX bytes. */
void qmp_version(char *buf, size_t size);
/* Answers with an error. */
void qmp_error(struct qmp *q, const char *class, const char *fmt, ...) __printf(3, 4);
/* qmp_find.c: all requests there are; @text: what it prints is text, not JSON. */
typedef void (*qmp_each_fn)(void *opaque, const char *name, const struct command *c, bool text);
void qmp_each(qmp_each_fn fn, void *opaque);
/* What @name asks for, or NULL. */
const struct command *qmp_find(const char *name, bool *text);

/* qmp_args.c: an argument, as a command's synopsis (struct command's args) tells of it. */
struct qmp_param {
	char name[QMP_PARAM_MAX + 1];
	const char *text; /* its word of the synopsis */
	size_t len;
	unsigned depth; /* how many brackets it is in: with one, it may be left out */
	bool options;	/* takes all arguments of other names as options, KEY=VALUE */
};
/* The next one; *@at and *@depth begin as the synopsis and 0. */
bool qmp_param_next(const char **at, unsigned *depth, struct qmp_param *param);
/*
 * Makes the words of @command of the request's arguments at @args (0: none), in q->argv. False:
 * they do not fit, and that was answered.
 */
bool qmp_args(struct qmp *q, const struct command *command, int args);

/* qmp_query.c: writes "NAME": "VALUE", in a request's answer. */
void qmp_member(const char *name, const char *value);

/* qmp_event.c: from here on events are kept for qmp_event_write(), with @log the log's lines, too.
 * 0 or -ENOMEM. And no more. */
int qmp_event_open(bool log) __must_check;
void qmp_event_close(void);
/* Whether they are kept; whether somebody has to look for them now and then. */
bool qmp_event_wanted(void);
bool qmp_event_polls(void);
/* Writes those that came. */
void qmp_event_write(void);
/* One that is made now: its name, members, with what stands before the value, and the end. */
void qmp_event_begin(const char *name, uint64_t ns);
void qmp_event_string(const char *before, const char *value);
void qmp_event_end(void);

/* qmp_console.c: writes a piece of what the attached console said; whether there was any. */
bool qmp_console_show(struct qmp *q);
void qmp_console_detach(struct qmp *q);

#endif
