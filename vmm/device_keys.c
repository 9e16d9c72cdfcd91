/* SPDX-License-Identifier: BSD-2-Clause */
/* A device's config section, checked against the keys of its type. */
#include "vmm/device_internal.h"

#include "kernel/panic.h"
#include "kernel/slab.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEY_TYPE "type" /* of every device section; not among the type's own */

bool device_value_is_reference(const struct device_value *value)
{
	return (value->key->kind == KEY_DEVICE || value->key->kind == KEY_FRONTEND) && *value->text;
}

static size_t device_key_count(const struct device_type *type)
{
	size_t n = 0;

	while (type->keys && type->keys[n].name)
		n++;
	return n;
}

static const struct device_key *device_key_find(const struct device_type *type, const char *name)
{
	const struct device_key *key;

	for (key = type->keys; key && key->name; key++)
		if (!strcmp(key->name, name))
			return key;
	return NULL;
}

/* Fills values[@i] from @section or the default. */
static int device_config_set(struct device_config *config, size_t i,
			     const struct vm_config_section *section)
{
	struct device_value *value = &config->values[i];
	const struct device_key *key = &config->type->keys[i];
	const struct vm_config_key *given = section ? vm_config_find_key(section, key->name) : NULL;
	struct vm_config_key def = {.name = (char *)key->name, .line = config->line};
	char expected[128];

	device_key_expected(key, expected, sizeof(expected));
	if (!given && !key->def) {
		log_error("%s:%u: %s: missing in device %s of type %s: expected %s (%s)",
			  config->file, config->line, key->name, config->id, config->type->name,
			  expected, key->help);
		return -EINVAL;
	}
	if (!given) {
		def.value = (char *)key->def;
		given = &def;
	}
	value->key = key;
	value->text = given->value;
	value->line = given->line;
	if (!device_key_parse(key, value->text, &value->number)) {
		log_error("%s:%u: %s: expected %s, got '%s'", config->file, value->line, key->name,
			  expected, value->text);
		return -EINVAL;
	}
	if (key->kind == KEY_MODULE && *value->text) {
		value->module = vm_config_find_module(config->file, given);
		if (!value->module)
			return -EINVAL;
	}
	return 0;
}

/* The names of @type's keys, for a message; cut at @size bytes. */
static void device_list_keys(const struct device_type *type, char *buf, size_t size)
{
	const struct device_key *key;
	size_t at = snprintf(buf, size, KEY_TYPE);

	for (key = type->keys; key && key->name && at < size; key++)
		at += snprintf(buf + at, size - at, ", %s", key->name);
}

static int device_config_check_names(const struct device_type *type,
				     const struct vm_config_section *section)
{
	const struct vm_config_key *key, *first;
	char names[128];

	for (key = section->keys; key; key = key->next) {
		first = vm_config_find_key(section, key->name);
		if (first != key) {
			log_error("%s:%u: %s: given already in line %u", section->file, key->line,
				  key->name, first->line);
			return -EINVAL;
		}
		if (strcmp(key->name, KEY_TYPE) && !device_key_find(type, key->name)) {
			device_list_keys(type, names, sizeof(names));
			log_error("%s:%u: %s: type %s has no such key: expected one of %s",
				  section->file, key->line, key->name, type->name, names);
			return -EINVAL;
		}
	}
	return 0;
}

int device_config_parse(const struct device_type *type, const char *id,
			const struct vm_config_section *section, struct device_config **out)
{
	struct device_config *config;
	size_t i, n = device_key_count(type);
	int err = 0;

	config = kzalloc(sizeof(*config) + n * sizeof(config->values[0]));
	if (!config) {
		log_error("device %s: no memory for its config", id);
		return -ENOMEM;
	}
	config->type = type;
	config->id = id;
	config->file = section ? section->file : "defaults";
	config->line = section ? section->line : 0;
	config->count = n;
	if (section)
		err = device_config_check_names(type, section);
	for (i = 0; i < n && !err; i++)
		err = device_config_set(config, i, section);
	if (err) {
		kfree(config);
		return err;
	}
	*out = config;
	return 0;
}

/* A type that asks for a key that it does not have is broken. */
static const struct device_value *device_config_value(const struct device_config *config,
						      const char *name)
{
	size_t i;

	for (i = 0; i < config->count; i++)
		if (!strcmp(config->values[i].key->name, name))
			return &config->values[i];
	panic("device type %s (%s) reads key %s, which it does not declare", config->type->name,
	      config->type->file, name);
}

const char *device_config_string(const struct device_config *config, const char *key)
{
	return device_config_value(config, key)->text;
}

uint64_t device_config_uint(const struct device_config *config, const char *key)
{
	return device_config_value(config, key)->number;
}

bool device_config_bool(const struct device_config *config, const char *key)
{
	return device_config_value(config, key)->number != 0;
}

struct device *device_config_device(const struct device_config *config, const char *key)
{
	return device_config_value(config, key)->device;
}

const struct boot_module *device_config_module(const struct device_config *config, const char *key)
{
	return device_config_value(config, key)->module;
}
