/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request and its answer. A command runs as it does for the shell; what it prints is held, and
 * becomes the answer when its status is known.
 */
#include "admin/qmp/qmp.h"

#include "admin/command.h"
#include "admin/pager.h"
#include "kernel/console.h"
#include "kernel/power.h"
#include "kernel/version.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_MAX 512

/* The end of an answer, with the request's id as it was written. */
static void qmp_finish(struct qmp *q)
{
	const jsmntok_t *t = &q->json.tokens[q->id];
	int quote = t->type == JSMN_STRING;

	if (q->id) {
		qmp_text(", \"id\": ");
		qmp_write(q->json.text + t->start - quote, (size_t)(t->end - t->start + 2 * quote));
	}
	q->id = 0; /* the next line is another one's */
	qmp_text("}\n");
	qmp_flush();
}

static void qmp_error_text(struct qmp *q, const char *class, const char *text, size_t len)
{
	while (len && text[len - 1] == '\n')
		len--;
	qmp_text("{\"error\": {\"class\": \"");
	qmp_text(class);
	qmp_text("\", \"desc\": ");
	json_put_string(qmp_write, text, len);
	qmp_text("}");
	qmp_finish(q);
}

void qmp_error(struct qmp *q, const char *class, const char *fmt, ...)
{
	char text[ERROR_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	qmp_error_text(q, class, text, strlen(text));
}

void qmp_version(char *buf, size_t size)
{
	char *minor, *micro;
	unsigned long major = strtoul(ALCAZAR_VERSION, &minor, 10);
	unsigned long second = strtoul(minor + 1, &micro, 10);

	snprintf(buf, size,
		 "\"qemu\": {\"micro\": %lu, \"minor\": %lu, \"major\": %lu}, "
		 "\"package\": \"Alcazar " ALCAZAR_VERSION "\"",
		 strtoul(micro + 1, NULL, 10), second, major);
}

void qmp_open(struct qmp *q)
{
	char version[QMP_VERSION_MAX];

	q->open = true;
	qmp_version(version, sizeof(version));
	qmp_text("{\"QMP\": {\"version\": {");
	qmp_text(version);
	qmp_text("}, \"capabilities\": []}}\n");
	qmp_flush();
}

static void qmp_capabilities(char **argv)
{
	bool log = argv[1] && !strcmp(argv[1], "true");

	if (argv[1] && !log && strcmp(argv[1], "false")) {
		command_error("Parameter 'log': expected true or false");
		return;
	}
	if (qmp_event_open(log)) {
		command_error("out of memory");
		return;
	}
	qmp_now->greet = !qmp_now->open;
	console_printf("{}");
}

static void qmp_quit(char **argv)
{
	(void)argv;
	qmp_now->open = false;
	console_printf("{}");
}

static void qmp_reboot(char **argv)
{
	(void)argv;
	qmp_now->after = power_reset;
	console_printf("{}");
}

static void qmp_poweroff(char **argv)
{
	(void)argv;
	qmp_now->after = power_off;
	console_printf("{}");
}

static void qmp_human(char **argv)
{
	command_execute(argv[1]);
}

QMP_REQUEST(
	qmp_capabilities_request, .name = "qmp_capabilities", .args = "[LOG]",
	.help = "events come, and nothing but the protocol is on the line, until qmp_quit; LOG: "
		"true if the log's lines are to be events as well",
	.max = 1, .run = qmp_capabilities);
QMP_REQUEST(qmp_quit_request, .name = "qmp_quit", .args = "",
	    .help = "the line is the shell's again", .run = qmp_quit);
QMP_REQUEST(qmp_reboot_request, .name = "reboot", .args = "",
	    .help = "reset the machine, VMs and all, after the answer", .run = qmp_reboot);
QMP_REQUEST(qmp_poweroff_request, .name = "poweroff", .args = "",
	    .help = "switch the machine off, VMs and all, after the answer", .run = qmp_poweroff);
QMP_REQUEST(qmp_human_request, .name = "human-monitor-command", .args = "COMMAND-LINE",
	    .help = "what the shell prints for a line, as a string", .min = 1, .max = 1,
	    .run = qmp_human);

static const char *qmp_class(int status)
{
	return status == COMMAND_UNKNOWN  ? QMP_NO_COMMAND
	       : status == COMMAND_ABSENT ? QMP_NO_DEVICE
					  : QMP_GENERIC;
}

/* What the command printed, @len bytes (NULL: more than can be held). */
static void qmp_answer(struct qmp *q, const struct command *c, bool text, const char *said,
		       size_t len)
{
	bool string = c->run == qmp_human;

	if (q->greet)
		qmp_open(q);
	q->greet = false;
	if (!said) {
		qmp_error(q, QMP_GENERIC, "the answer is too long, or memory is short");
	} else if (command_status()) {
		qmp_error_text(q, qmp_class(command_status()), said, len);
	} else {
		qmp_text(text ? "{\"return\": {\"output\": " : "{\"return\": ");
		if (text || string)
			json_put_string(qmp_write, said, len);
		else
			qmp_write(said, len);
		qmp_text(text ? "}" : "");
		qmp_finish(q);
	}
}

static void qmp_execute(struct qmp *q, const char *name, int args)
{
	const struct command *c;
	const char *said;
	size_t len;
	bool text;

	c = qmp_find(name, &text);
	if (!c) {
		qmp_error(q, QMP_NO_COMMAND, "The command %s has not been found", name);
	} else if (c->live) {
		qmp_error(q, QMP_GENERIC, "%s talks with a terminal: it is the shell's alone",
			  name);
	} else if (qmp_args(q, c, args)) {
		command_hold(true);
		pager_keep();
		command_call(c, "", q->argv);
		said = pager_kept(&len);
		command_hold(false);
		qmp_event_write();
		qmp_answer(q, c, text, said, len);
		pager_forget();
	}
}

void qmp_request(struct qmp *q)
{
	struct json *j = &q->json;
	const char *wrong, *name = NULL;
	int execute, args;

	wrong = json_parse(j, q->line, q->len);
	if (wrong) {
		qmp_error(q, QMP_GENERIC, "no request: %s%s", wrong,
			  q->open ? "; {\"execute\": \"qmp_quit\"} leads back to the shell" : "");
		return;
	}
	q->id = json_member(j, 0, "id");
	execute = json_member(j, 0, "execute");
	args = json_member(j, 0, "arguments");
	if (execute && j->tokens[execute].type == JSMN_STRING)
		name = json_word(j, execute);
	if (!name)
		qmp_error(q, QMP_GENERIC, "expected \"execute\" with a command's name");
	else if (args && j->tokens[args].type != JSMN_OBJECT)
		qmp_error(q, QMP_GENERIC, "expected \"arguments\" to be an object");
	else if (j->tokens[0].size != 1 + !!args + !!q->id)
		qmp_error(q, QMP_GENERIC, "expected no more than execute, arguments and id");
	else
		qmp_execute(q, name, args);
}
