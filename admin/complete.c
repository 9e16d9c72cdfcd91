/* SPDX-License-Identifier: BSD-2-Clause */
/* Completion of a line's last word, from the tables of commands. */
#include "admin/command.h"
#include "kernel/console.h"
#include "vmm/vm.h"

#include <stdio.h>
#include <string.h>

struct completion {
	const char *prefix; /* the word so far */
	size_t prefix_len;
	unsigned count; /* candidates */
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
	if (!c->count++) {
		snprintf(c->rest, c->size, "%s", word);
		return;
	}
	for (i = 0; c->rest[i] && c->rest[i] == word[i]; i++)
		;
	c->rest[i] = '\0';
}

static void complete_walk(const char *line, size_t first_len, bool first, struct completion *c)
{
	const struct command *command = NULL;

	while ((command = command_next(TABLE_START(commands), TABLE_END(commands), command))) {
		if (first)
			complete_candidate(c, command->name);
		else if (strlen(command->name) == first_len &&
			 !memcmp(command->name, line, first_len) && command->words)
			command->words(complete_candidate, c);
	}
}

void command_complete(const char *line, char *rest, size_t size)
{
	struct completion c = {.rest = rest, .size = size};
	size_t first_len;
	bool first;

	*rest = '\0';
	line += strspn(line, " ");
	first_len = strcspn(line, " ");
	first = !line[first_len];
	c.prefix = first ? line : line + first_len + strspn(line + first_len, " ");
	c.prefix_len = strlen(c.prefix);
	if (strchr(c.prefix, ' '))
		return;
	complete_walk(line, first_len, first, &c);
	if (c.count == 1) {
		size_t len = strlen(rest);

		/* What ends with a comma goes on. */
		if (!len || rest[len - 1] != ',')
			snprintf(rest + len, size - len, " ");
	} else if (c.count > 1 && !*rest) {
		c.print = true;
		console_edit(NULL, 0);
		complete_walk(line, first_len, first, &c);
		console_write("\n", 1);
	}
}

struct vm_names {
	command_add_fn add;
	void *opaque;
};

static void complete_add_vm(void *opaque, struct vm *vm)
{
	const struct vm_names *names = opaque;

	names->add(names->opaque, vm->name);
}

void command_add_vms(command_add_fn add, void *opaque)
{
	struct vm_names names = {add, opaque};

	vm_for_each(complete_add_vm, &names);
}
