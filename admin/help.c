/* SPDX-License-Identifier: BSD-2-Clause */
/* `help`: printed from the tables of commands and of device types, and from nothing else. */
#include "admin/command.h"
#include "kernel/console.h"
#include "vmm/device.h"

#include <stdio.h>
#include <string.h>

static void help_line(const char *prefix, const struct command *c)
{
	char usage[48];

	snprintf(usage, sizeof(usage), "%s%s%s%s", prefix, c->name, *c->args ? " " : "", c->args);
	console_printf("  %-24s %s\n", usage, c->help);
}

static void help_table(const char *prefix, const struct command *start, const struct command *end)
{
	const struct command *c = NULL;

	while ((c = command_next(start, end, c)))
		help_line(prefix, c);
}

static void help_all(void)
{
	help_table("", TABLE_START(commands), TABLE_END(commands));
	console_printf(
		"`help COMMAND` has an example. Try: list; start VM; console VM; Ctrl-] comes "
		"back; info exits VM; destroy VM.\n");
	console_printf("`info` alone lists its topics, `help device` the types of devices. Tab "
		       "completes, Ctrl-] leaves a VM's console.\n");
}

static void help_device_type(void *opaque, const struct device_type *type)
{
	(void)opaque;
	console_printf("  %-24s %s\n", type->name, type->help);
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

static void help_device(const char *name)
{
	const struct device_type *type = device_type_find(name);
	const struct device_key *key;

	if (!type) {
		command_error("%s: no such type of device; `help device` lists them\n", name);
		return;
	}
	console_printf("%s: %s\n", type->name, type->help);
	for (key = type->keys; key && key->name; key++)
		help_key(key);
}

static void help_device_types(char **argv)
{
	(void)argv;
	device_type_for_each(help_device_type, NULL);
}

INFO_TOPIC(info_device_types, .name = "device-types", .args = "",
	   .help = "the types of devices; `help device TYPE` prints one's keys",
	   .run = help_device_types);

static void command_help(char **argv)
{
	const struct command *c;

	if (!argv[1]) {
		help_all();
		return;
	}
	if (!strcmp(argv[1], "device")) {
		if (!argv[2])
			help_device_types(argv);
		else
			help_device(argv[2]);
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
	const struct command *c;

	for (c = TABLE_START(commands); c < TABLE_END(commands); c++)
		add(opaque, c->name);
	add(opaque, "device");
}

COMMAND(help_entry, .name = "help", .args = "[COMMAND|device [TYPE]]",
	.help = "the commands, or one of them; types of devices and their keys",
	.example = "help device uart16550", .max = 2, .run = command_help, .words = help_words);
