/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Completion of a line's last word, from the tables of commands and of device types. What may stand
 * where is told by a command's args: VM, VM.VCPU, ID, COMMAND, TYPE, MODULE, NAME (of what a topic
 * of `help` tells of) and choices, "on|off"; behind TYPE and a comma, by the type's keys.
 */
#include "admin/command.h"
#include "kernel/boot_info.h"
#include "kernel/console.h"
#include "lib/compiler.h"
#include "vmm/device.h"
#include "vmm/help_topic.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"
#include "vmm/vm_life.h"

#include <stdio.h>
#include <string.h>

#define COMPLETE_TEXT  256
#define COMPLETE_WORDS 8

struct completion {
	const char *words[COMPLETE_WORDS]; /* before the last, from the command on */
	int count;
	const char *prefix; /* the word so far, or what of it is completed */
	size_t prefix_len;
	unsigned found; /* candidates */
	bool print;	/* the second walk: show them */
	char *rest;	/* what all candidates have behind the prefix */
	size_t size;
};

static void complete_candidate(void *opaque, const char *word)
{
	struct completion *c = opaque;
	size_t i;

	if (strncmp(word, c->prefix, c->prefix_len))
		return;
	if (c->print) {
		console_printf("%s  ", word);
		return;
	}
	word += c->prefix_len;
	if (!c->found++) {
		snprintf(c->rest, c->size, "%s", word);
		return;
	}
	for (i = 0; c->rest[i] && c->rest[i] == word[i]; i++)
		;
	c->rest[i] = '\0';
}

static void complete_add_vm(void *opaque, struct vm *vm)
{
	complete_candidate(opaque, vm->name);
}

static void complete_add_vcpus(void *opaque, struct vm *vm)
{
	char text[VM_NAME_MAX + 16];

	for (unsigned i = 0; i < vm->config->cpus; i++) {
		snprintf(text, sizeof(text), "%s.%u", vm->name, i);
		complete_candidate(opaque, text);
	}
}

static void complete_add_device(void *opaque, struct device *dev)
{
	complete_candidate(opaque, dev->id);
}

/* Its keys follow. */
static void complete_add_type(void *opaque, const struct device_type *type)
{
	char text[DEVICE_ID_MAX + 2];

	snprintf(text, sizeof(text), "%s,", type->name);
	complete_candidate(opaque, text);
}

struct complete_only {
	struct vm *vm;
	unsigned count;
};

static void complete_count(void *opaque, struct vm *vm)
{
	struct complete_only *only = opaque;

	only->vm = vm;
	only->count++;
}

/* The devices of the VM that the line names, or of the only one. */
static void complete_devices(struct completion *c)
{
	struct complete_only only = {0};
	struct vm *vm = NULL;
	enum vm_state state;

	for (int i = 1; i < c->count && !vm; i++)
		vm = vm_find(c->words[i]);
	vm_for_each(complete_count, &only);
	if (!vm && only.count == 1)
		vm = only.vm;
	if (!vm)
		return;
	state = vm_life_begin(vm);
	if (vm->devices)
		device_for_each(vm, complete_add_device, c);
	vm_life_end(vm, state);
}

static void complete_table(struct completion *c, const struct command *start,
			   const struct command *end)
{
	const struct command *command = NULL;

	while ((command = command_next(start, end, command)))
		complete_candidate(c, command->name);
}

static void complete_modules(struct completion *c)
{
	for (size_t i = 0; i < boot_info.module_count; i++)
		complete_candidate(c, boot_info.modules[i].name);
}

/* The words of @list, with | between them. */
static void complete_choices(struct completion *c, const char *list)
{
	char text[COMPLETE_TEXT];
	char *word = text, *bar;

	snprintf(text, sizeof(text), "%s", list);
	for (; (bar = strchr(word, '|')); word = bar + 1) {
		*bar = '\0';
		complete_candidate(c, word);
	}
	complete_candidate(c, word);
}

/* What word @n of @args stands for: without its brackets, in @word. */
static bool complete_args_word(const char *args, int n, char *word, size_t size)
{
	while (*args && --n) {
		args += strcspn(args, " ");
		args += strspn(args, " ");
	}
	args += strspn(args, "[");
	snprintf(word, size, "%.*s", (int)strcspn(args, " ],"), args);
	return *word;
}

static void complete_entry(void *opaque, const struct help_entry *entry)
{
	complete_candidate(opaque, entry->name);
}

static void complete_scheme(void *opaque, const struct help_entry *entry)
{
	char text[COMPLETE_TEXT];

	snprintf(text, sizeof(text), "%s:", entry->name);
	complete_candidate(opaque, text);
}

/* What `help @name` tells of. */
static void complete_topic(struct completion *c, const char *name, help_topic_fn fn)
{
	const struct help_topic *topic;

	for (topic = TABLE_START(help_topics); topic < TABLE_END(help_topics); topic++)
		if (!strcmp(topic->name, name))
			topic->each(fn, c);
}

static void complete_word(struct completion *c, const char *word)
{
	if (!strcmp(word, "VM"))
		vm_for_each(complete_add_vm, c);
	else if (!strcmp(word, "VM.VCPU"))
		vm_for_each(complete_add_vcpus, c);
	else if (!strcmp(word, "ID"))
		complete_devices(c);
	else if (!strcmp(word, "COMMAND"))
		complete_table(c, TABLE_START(commands), TABLE_END(commands));
	else if (!strcmp(word, "TYPE"))
		device_type_for_each(complete_add_type, c);
	else if (!strcmp(word, "MODULE"))
		complete_modules(c);
	else if (!strcmp(word, "NAME"))
		complete_topic(c, c->words[c->count - 1], complete_entry);
	else if (strchr(word, '|'))
		complete_choices(c, word);
}

/* Word @n of a command with @args; where the first may be left out, also the one behind. */
static void complete_args(struct completion *c, const char *args, int n)
{
	char word[COMPLETE_TEXT];

	if (complete_args_word(args, n, word, sizeof(word)))
		complete_word(c, word);
	if (*args == '[' && complete_args_word(args, n + 1, word, sizeof(word)))
		complete_word(c, word);
}

static void complete_value(struct completion *c, const struct device_key *key)
{
	switch (key->kind) {
	case KEY_CHOICE:
		complete_choices(c, key->choices);
		break;
	case KEY_BOOL:
		complete_choices(c, "true|false");
		break;
	case KEY_DEVICE:
	case KEY_FRONTEND:
		complete_devices(c);
		break;
	case KEY_MODULE:
		complete_candidate(c, "module:");
		break;
	case KEY_STRING: /* it may be the URL of what the topic of that name tells of */
		complete_topic(c, key->name, complete_scheme);
		break;
	default:
		break;
	}
}

/* An option of a device: a key, or its value. */
static void complete_option(struct completion *c, const struct device_type *type)
{
	const char *option = strrchr(c->prefix, ',') + 1, *value = strchr(option, '=');
	const struct device_key *key;
	char text[COMPLETE_TEXT];

	c->prefix = value ? value + 1 : option;
	c->prefix_len = strlen(c->prefix);
	if (!value)
		complete_candidate(c, "id=");
	for (key = type->keys; key && key->name; key++) {
		size_t len = strlen(key->name);

		snprintf(text, sizeof(text), "%s=", key->name);
		if (!value)
			complete_candidate(c, text);
		else if (len == (size_t)(value - option) && !memcmp(key->name, option, len))
			complete_value(c, key);
	}
}

static const struct device_type *complete_type(const char *word)
{
	char name[DEVICE_ID_MAX + 1];
	size_t len = strcspn(word, ",");

	if (!word[len] || len >= sizeof(name))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	return device_type_find(name);
}

static void complete_walk(struct completion *c)
{
	const struct command *command, *topic = NULL;
	const struct device_type *type = complete_type(c->prefix);

	if (!c->count) {
		complete_table(c, TABLE_START(commands), TABLE_END(commands));
		return;
	}
	command = command_find(TABLE_START(commands), TABLE_END(commands), c->words[0]);
	if (!command)
		return;
	if (type)
		complete_option(c, type);
	else if (c->count == 1 && command->words)
		command->words(complete_candidate, c);
	else if (!strcmp(command->name, "info") && c->count > 1)
		topic = command_find(TABLE_START(info_topics), TABLE_END(info_topics), c->words[1]);
	else
		complete_args(c, command->args, c->count);
	if (topic)
		complete_args(c, topic->args, c->count - 1);
}

/* Takes @text apart; quotes mean nothing here. False: more words than anything has. */
static bool complete_split(struct completion *c, char *text)
{
	static const char blanks[] = " \t";
	char *last = strrchr(text, ';');

	text = last ? last + 1 : text;
	for (c->count = 0;; c->count++) {
		text += strspn(text, blanks);
		c->prefix = text;
		text += strcspn(text, blanks);
		if (!*text)
			break;
		if (c->count == COMPLETE_WORDS)
			return false;
		*text++ = '\0';
		c->words[c->count] = c->prefix;
	}
	c->prefix_len = strlen(c->prefix);
	return true;
}

/* What ends with one of these goes on, and so does an option. */
static bool complete_goes_on(const struct completion *c, size_t len)
{
	char last = len ? c->rest[len - 1] : '\0';

	return last == ',' || last == '=' || last == ':' || c->prefix[-1] == ',' ||
	       c->prefix[-1] == '=';
}

void command_complete(const char *line, char *rest, size_t size)
{
	char text[COMPLETE_TEXT] = " "; /* something stands before each word */
	struct completion c = {.rest = rest, .size = size};
	const char *prefix;
	size_t len;

	*rest = '\0';
	snprintf(text + 1, sizeof(text) - 1, "%s", line);
	if (!complete_split(&c, text))
		return;
	prefix = c.prefix;
	complete_walk(&c);
	len = strlen(rest);
	if (c.found == 1 && !complete_goes_on(&c, len)) {
		snprintf(rest + len, size - len, " ");
	} else if (c.found > 1 && !*rest) {
		c.print = true;
		c.prefix = prefix;
		c.prefix_len = strlen(prefix);
		console_edit(NULL, 0);
		complete_walk(&c);
		console_write("\n", 1);
	}
}

struct vm_names {
	command_add_fn add;
	void *opaque;
};

static void complete_name_vm(void *opaque, struct vm *vm)
{
	const struct vm_names *names = opaque;

	names->add(names->opaque, vm->name);
}

void command_add_vms(command_add_fn add, void *opaque)
{
	struct vm_names names = {add, opaque};

	vm_for_each(complete_name_vm, &names);
}
