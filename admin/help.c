/* SPDX-License-Identifier: BSD-2-Clause */
/* `help`: printed from the tables of commands and of what is made of keys, and from nothing else.
 */
#include "admin/command.h"
#include "kernel/console.h"
#include "vmm/device.h"
#include "vmm/help_topic.h"

#include <string.h>

#define USAGE_WIDTH 24

static void help_line(const char *prefix, const struct command *c)
{
	const char *space = *c->args ? " " : "";
	size_t used = strlen(prefix) + strlen(c->name) + strlen(space) + strlen(c->args);

	console_printf("  %s%s%s%s%*s %s\n", prefix, c->name, space, c->args,
		       (int)(MAX(used, (size_t)USAGE_WIDTH) - used), "", c->help);
}

static void help_table(const char *prefix, const struct command *start, const struct command *end)
{
	const struct command *c = NULL;

	while ((c = command_next(start, end, c)))
		help_line(prefix, c);
}

static void help_all(void)
{
	const struct help_topic *topic;

	help_table("", TABLE_START(commands), TABLE_END(commands));
	for (topic = TABLE_START(help_topics); topic < TABLE_END(help_topics); topic++)
		console_printf("`help %s`: %s\n", topic->name, topic->help);
	console_printf("`help COMMAND` has an example. Try: list; start VM; console VM; Ctrl-] "
		       "comes back; info exits VM; destroy VM.\n");
	console_printf("`info` alone lists its topics. Tab completes, Ctrl-] leaves a VM's "
		       "console.\n");
}

static void help_key(const struct device_key *key)
{
	static const char *const kinds[] = {
		[KEY_STRING] = "text",	   [KEY_UINT] = "number",
		[KEY_SIZE] = "size",	   [KEY_BOOL] = "true|false",
		[KEY_CHOICE] = "",	   [KEY_DEVICE] = "device",
		[KEY_FRONTEND] = "device", [KEY_MODULE] = "module:NAME",
	};
	const char *kind = key->kind == KEY_CHOICE ? key->choices : kinds[key->kind];

	console_printf("  %-12s %-14s %s", key->name, kind, key->help);
	if (key->min || key->max)
		console_printf(", 0x%lx to 0x%lx", key->min, key->max ? key->max : UINT64_MAX);
	if (!key->def)
		console_printf(" (required)\n");
	else if (*key->def)
		console_printf(" (default %s)\n", key->def);
	else
		console_printf("\n");
}

static void help_entry_line(void *opaque, const struct help_entry *entry)
{
	(void)opaque;
	console_printf("  %-24s %s\n", entry->name, entry->help);
}

struct help_search {
	const char *name;
	bool found;
};

static void help_entry_keys(void *opaque, const struct help_entry *entry)
{
	struct help_search *search = opaque;
	const struct device_key *key;

	if (strcmp(entry->name, search->name))
		return;
	search->found = true;
	console_printf("%s: %s\n", entry->name, entry->help);
	if (entry->first)
		console_printf("  %-12s %-14s %s\n", entry->first, "", entry->first_help);
	for (key = entry->keys; key && key->name; key++)
		help_key(key);
}

static const struct help_topic *help_topic_find(const char *name)
{
	const struct help_topic *topic;

	for (topic = TABLE_START(help_topics); topic < TABLE_END(help_topics); topic++)
		if (!strcmp(topic->name, name))
			return topic;
	return NULL;
}

/* @name: one of the topic's, or NULL for their list. */
static void help_topic_print(const struct help_topic *topic, const char *name)
{
	struct help_search search = {.name = name};

	if (!name) {
		topic->each(help_entry_line, NULL);
		return;
	}
	topic->each(help_entry_keys, &search);
	if (!search.found)
		command_error("%s: no such %s; `help %s` lists what there is\n", name, topic->entry,
			      topic->name);
}

/* The types of devices. */

struct help_types {
	help_topic_fn fn;
	void *opaque;
};

static void help_type(void *opaque, const struct device_type *type)
{
	const struct help_types *types = opaque;

	types->fn(types->opaque,
		  &(struct help_entry){.name = type->name, .help = type->help, .keys = type->keys});
}

static void help_types_each(help_topic_fn fn, void *opaque)
{
	struct help_types types = {fn, opaque};

	device_type_for_each(help_type, &types);
}

HELP_TOPIC(help_types_topic, .name = "device", .entry = "type of device",
	   .help = "the types of devices; `help device TYPE` prints one's keys",
	   .each = help_types_each);

static void help_device_types(char **argv)
{
	(void)argv;
	help_topic_print(&help_types_topic, NULL);
}

INFO_TOPIC(info_device_types, .name = "device-types", .args = "",
	   .help = "the types of devices; `help device TYPE` prints one's keys",
	   .run = help_device_types);

static void command_help(char **argv)
{
	const struct help_topic *topic;
	const struct command *c;

	if (!argv[1]) {
		help_all();
		return;
	}
	topic = help_topic_find(argv[1]);
	if (topic) {
		help_topic_print(topic, argv[2]);
		return;
	}
	c = command_find(TABLE_START(commands), TABLE_END(commands), argv[1]);
	if (!c)
		command_error("%s: no such command; `help` lists what there is\n", argv[1]);
	else
		help_line("", c);
	if (c && c->example)
		console_printf("  for example: %s\n", c->example);
	if (c && !strcmp(c->name, "info"))
		help_table("info ", TABLE_START(info_topics), TABLE_END(info_topics));
}

static void help_words(command_add_fn add, void *opaque)
{
	const struct help_topic *topic;
	const struct command *c;

	for (c = TABLE_START(commands); c < TABLE_END(commands); c++)
		add(opaque, c->name);
	for (topic = TABLE_START(help_topics); topic < TABLE_END(help_topics); topic++)
		add(opaque, topic->name);
}

COMMAND(help_entry, .name = "help", .args = "[COMMAND|TOPIC [NAME]]",
	.help = "the commands, or one of them; what is made of keys",
	.example = "help device uart16550", .max = 2, .run = command_help, .words = help_words);
