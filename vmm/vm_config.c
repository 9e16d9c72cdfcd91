/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's configuration as a whole: the user's sections, behind those of the
 * machine's built-in devices that the user has not replaced.
 */
#include "vmm/vm_config.h"

#include "kernel/boot_info.h"
#include "kernel/log.h"
#include "kernel/slab.h"
#include "vmm/vm_config_parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

TABLE_DECLARE(machine_parts, struct machine_part);

#define MACHINE_FILE "built-in machine" /* stands for the file in messages */

struct vm_config_section *vm_config_section(const struct vm_config *config, const char *kind,
					    const char *id)
{
	struct vm_config_section *s;

	for (s = config->sections; s; s = s->next)
		if (!strcmp(s->kind, kind) && (!*id || !strcmp(s->id, id)))
			break;
	return s;
}

const struct vm_config_key *vm_config_find_key(const struct vm_config_section *section,
					       const char *key)
{
	const struct vm_config_key *k;

	for (k = section->keys; k && strcmp(k->name, key); k = k->next)
		;
	return k;
}

/* The names of all modules, for a message; cut at @size bytes. */
static void vm_config_list_modules(char *buf, size_t size)
{
	size_t i, at = 0;

	snprintf(buf, size, "none");
	for (i = 0; i < boot_info.module_count && at < size; i++)
		at += snprintf(buf + at, size - at, "%s%s", i ? ", " : "",
			       boot_info.modules[i].name);
}

const struct boot_module *vm_config_find_module(const char *file, const struct vm_config_key *key)
{
	const char *name = key->value + sizeof(VM_CONFIG_MODULE) - 1;
	const struct boot_module *module = NULL;
	char buf[BOOT_MAX_STRING];

	if (!strncmp(key->value, VM_CONFIG_MODULE, sizeof(VM_CONFIG_MODULE) - 1) &&
	    snprintf(buf, sizeof(buf), "%.*s", (int)strcspn(name, " "), name) < (int)sizeof(buf))
		module = boot_module_find(buf);
	if (!module) {
		vm_config_list_modules(buf, sizeof(buf));
		log_error("%s:%u: %s: expected module:NAME of a loaded module, got '%s'; there are "
			  "%s",
			  file, key->line, key->name, key->value, buf);
	}
	return module;
}

const struct boot_module *vm_config_module(const struct vm_config *config,
					   const struct vm_config_key *key)
{
	const struct boot_module *module = vm_config_find_module(config->file, key);

	if (!module || !boot_module_is_written(module))
		return module;
	log_error("%s:%u: %s: a VM's disk writes to %s now (cow = false): expected another module",
		  config->file, key->line, key->name, module->name);
	return NULL;
}

/* Takes out of *@parts the devices that the user's sections describe. */
static void vm_config_drop_replaced(const struct vm_config *config,
				    struct vm_config_section **parts)
{
	struct vm_config_section *part;

	while ((part = *parts)) {
		if (!vm_config_section(config, part->kind, part->id)) {
			parts = &part->next;
			continue;
		}
		*parts = part->next;
		part->next = NULL;
		vm_config_free_sections(part);
	}
}

/* Puts the built-in devices in front of the user's sections. */
static int vm_config_add_machine(struct vm_config *config)
{
	struct vm_config_section *parts = NULL, **end = &parts;
	const struct machine_part *part;
	int err = 0;

	for (part = TABLE_START(machine_parts); part < TABLE_END(machine_parts) && !err; part++)
		if (!strcmp(part->machine, config->machine))
			err = vm_config_parse_sections(MACHINE_FILE, part->text, strlen(part->text),
						       &parts);
	if (err) {
		vm_config_free_sections(parts);
		return err;
	}
	vm_config_drop_replaced(config, &parts);
	while (*end)
		end = &(*end)->next;
	*end = config->sections;
	config->sections = parts;
	return 0;
}

int vm_config_parse(const char *file, const char *text, size_t len, struct vm_config **out)
{
	struct vm_config *config = kzalloc(sizeof(*config));
	int err = -ENOMEM;

	if (!config)
		return -ENOMEM;
	config->file = kstrdup(file);
	if (config->file)
		err = vm_config_parse_sections(config->file, text, len, &config->sections);
	if (!err)
		err = vm_config_apply(config);
	if (!err)
		err = vm_config_add_machine(config);
	if (err) {
		if (err == -ENOMEM)
			log_error("%s: no memory for the config", file);
		vm_config_free(config);
		return err;
	}
	*out = config;
	return 0;
}

void vm_config_free(struct vm_config *config)
{
	if (!config)
		return;
	vm_config_free_sections(config->sections);
	kfree(config->file);
	kfree(config);
}
