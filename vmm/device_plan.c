/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which order a config's devices are made: as they stand, but each behind
 * those that it refers to. Everything that can be said against a config is
 * said here, before anything is made.
 */
#include "vmm/device_internal.h"

#include "kernel/slab.h"
#include "lib/parse.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <string.h>

static size_t device_plan_sections(const struct vm_config *config)
{
	const struct vm_config_section *s;
	size_t n = 0;

	for (s = config->sections; s; s = s->next)
		n += !strcmp(s->kind, "device");
	return n;
}

/* The config of device @id among the first @count, or NULL. */
static struct device_config *device_plan_find(const struct device_plan *plan, size_t count,
					      const char *id)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(plan->configs[i]->id, id))
			return plan->configs[i];
	return NULL;
}

static const struct device_type *device_plan_type(const struct vm_config_section *section)
{
	const struct vm_config_key *key = vm_config_find_key(section, "type");
	const struct device_type *type = key ? device_type_find(key->value) : NULL;

	if (!key)
		log_error("%s:%u: type: missing in device %s: expected type = NAME "
			  "(`help device` lists them)",
			  section->file, section->line, section->id);
	else if (!type)
		log_error("%s:%u: type: no device type '%s' is built in: expected one of those "
			  "that `help device` lists",
			  section->file, key->line, key->value);
	return type;
}

/* Appends @section. */
static int device_plan_add(struct device_plan *plan, const struct vm_config_section *section)
{
	const struct device_type *type = device_plan_type(section);
	const struct device_config *twin = device_plan_find(plan, plan->count, section->id);
	int err;

	if (!type)
		return -EINVAL;
	if (twin || !parse_name(section->id, DEVICE_ID_MAX)) {
		log_error("%s:%u: [device \"%s\"]: expected an id that no other device has, of 1 "
			  "to " STRINGIFY(DEVICE_ID_MAX) " letters, digits and . _ -",
			  section->file, section->line, section->id);
		return -EINVAL;
	}
	err = device_config_parse(type, section->id, section, &plan->configs[plan->count]);
	if (!err)
		plan->count++;
	return err;
}

static int device_plan_check_references(const struct device_plan *plan,
					const struct device_config *config)
{
	const struct device_value *value;

	for (value = config->values; value < config->values + config->count; value++) {
		if (device_value_is_reference(value) &&
		    !device_plan_find(plan, plan->count, value->text)) {
			log_error("%s:%u: %s: device %s needs device %s: expected a [device "
				  "\"%s\"] section",
				  config->file, value->line, value->key->name, config->id,
				  value->text, value->text);
			return -EINVAL;
		}
	}
	return 0;
}

/* The first reference of configs[@i] that is not among the first @placed, or NULL. */
static const struct device_value *device_plan_waits_for(const struct device_plan *plan, size_t i,
							size_t placed)
{
	const struct device_config *config = plan->configs[i];
	const struct device_value *value;

	for (value = config->values; value < config->values + config->count; value++)
		if (device_value_is_reference(value) &&
		    !device_plan_find(plan, placed, value->text))
			return value;
	return NULL;
}

static size_t device_plan_index(const struct device_plan *plan, const char *id)
{
	size_t i = 0;

	while (strcmp(plan->configs[i]->id, id))
		i++;
	return i;
}

/* None of those behind @placed can be next: names two that wait for each other. */
static void device_plan_log_circle(const struct device_plan *plan, size_t placed)
{
	const struct device_value *value;
	size_t i = placed, steps;

	/* Following the first reference often enough ends on the circle. */
	for (steps = placed; steps < plan->count; steps++)
		i = device_plan_index(plan, device_plan_waits_for(plan, i, placed)->text);
	value = device_plan_waits_for(plan, i, placed);
	log_error("%s:%u: %s: device %s needs device %s, which itself needs %s first: expected "
		  "devices that refer to each other in one direction only",
		  plan->configs[i]->file, value->line, value->key->name, plan->configs[i]->id,
		  value->text, plan->configs[i]->id);
}

static int device_plan_order(struct device_plan *plan)
{
	size_t placed, i;

	for (placed = 0; placed < plan->count; placed++) {
		struct device_config *next;

		for (i = placed; i < plan->count && device_plan_waits_for(plan, i, placed); i++)
			;
		if (i == plan->count) {
			device_plan_log_circle(plan, placed);
			return -EINVAL;
		}
		next = plan->configs[i];
		memmove(&plan->configs[placed + 1], &plan->configs[placed],
			(i - placed) * sizeof(plan->configs[0]));
		plan->configs[placed] = next;
	}
	return 0;
}

int device_plan_make(const struct vm_config *config, struct device_plan *plan)
{
	const struct vm_config_section *s;
	size_t i;
	int err = 0;

	plan->count = 0;
	plan->configs = kcalloc(device_plan_sections(config) + 1, sizeof(plan->configs[0]));
	if (!plan->configs) {
		log_error("%s: no memory for the list of devices", config->file);
		return -ENOMEM;
	}
	for (s = config->sections; s && !err; s = s->next)
		if (!strcmp(s->kind, "device"))
			err = device_plan_add(plan, s);
	for (i = 0; i < plan->count && !err; i++)
		err = device_plan_check_references(plan, plan->configs[i]);
	if (!err)
		err = device_plan_order(plan);
	if (err)
		device_plan_free(plan);
	return err;
}

void device_plan_free(struct device_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->count; i++)
		kfree(plan->configs[i]);
	kfree(plan->configs);
	*plan = (struct device_plan){0};
}
