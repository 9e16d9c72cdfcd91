/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sections of a VM's config mean: which there may be, and the keys of
 * [vm] and [boot]. Those of a device are its type's (vmm/device_keys.c).
 */
#include "vmm/vm_config_parse.h"

#include "kernel/log.h"
#include "lib/parse.h"
#include "vmm/device.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define MIB UINT64_C(0x100000)

static bool vm_key_cpus(struct vm_config *config, const char *value)
{
	uint64_t n;

	if (!parse_uint(value, &n) || n < 1 || n > VM_MAX_VCPUS)
		return false;
	config->cpus = (uint32_t)n;
	return true;
}

static bool vm_key_memory(struct vm_config *config, const char *value)
{
	return parse_size(value, &config->memory) && config->memory >= MIB &&
	       config->memory % MIB == 0 && config->memory < BIT(GPA_BITS_MAX - 1);
}

static bool vm_key_autostart(struct vm_config *config, const char *value)
{
	return parse_bool(value, &config->autostart);
}

static bool vm_key_console(struct vm_config *config, const char *value)
{
	return parse_bool(value, &config->console);
}

static bool vm_key_machine(struct vm_config *config, const char *value)
{
	static const char *const machines[] = {"pc", "none"};
	uint64_t index;

	if (!parse_choice(value, "pc|none", &index))
		return false;
	config->machine = machines[index];
	return true;
}

static bool vm_key_cpu_model(struct vm_config *config, const char *value)
{
	uint64_t index;

	if (!parse_choice(value, "host|common", &index))
		return false;
	config->cpu_common = index == 1;
	return true;
}

static bool vm_key_msr_unknown(struct vm_config *config, const char *value)
{
	uint64_t index;

	if (!parse_choice(value, "gp|ignore", &index))
		return false;
	config->msr_ignore = index == 1;
	return true;
}

static const struct vm_key {
	const char *name;
	bool (*set)(struct vm_config *config, const char *value);
	const char *expected;
} vm_keys[] = {
	{"cpus", vm_key_cpus, "1 to " STRINGIFY(VM_MAX_VCPUS)},
	{"memory", vm_key_memory, "whole MiB, at least 1M, such as 256M or 2G"},
	{"autostart", vm_key_autostart, "true or false"},
	{"console", vm_key_console, "true or false"},
	{"machine", vm_key_machine, "pc or none"},
	{"cpu-model", vm_key_cpu_model, "host or common"},
	{"msr-unknown", vm_key_msr_unknown, "gp or ignore"},
};
#define VM_KEY_NAMES "cpus, memory, autostart, console, machine, cpu-model, msr-unknown"

static int vm_config_apply_key(struct vm_config *config, const struct vm_config_key *key)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(vm_keys); i++)
		if (!strcmp(vm_keys[i].name, key->name))
			break;
	if (i == ARRAY_SIZE(vm_keys)) {
		log_error("%s:%u: %s: no such key: expected one of " VM_KEY_NAMES, config->file,
			  key->line, key->name);
		return -EINVAL;
	}
	if (!vm_keys[i].set(config, key->value)) {
		log_error("%s:%u: %s: expected %s, got '%s'", config->file, key->line, key->name,
			  vm_keys[i].expected, key->value);
		return -EINVAL;
	}
	return 0;
}

static int vm_config_apply_vm(struct vm_config *config, const struct vm_config_section *section)
{
	const struct vm_config_key *key;
	int err = 0;

	if (!parse_name(section->id, VM_NAME_MAX)) {
		log_error("%s:%u: [vm \"%s\"]: expected a name of 1 to " STRINGIFY(
				  VM_NAME_MAX) " letters, digits and . _ -",
			  config->file, section->line, section->id);
		return -EINVAL;
	}
	config->name = section->id;
	config->cpus = 1;
	config->machine = "pc";
	for (key = section->keys; key && !err; key = key->next)
		err = vm_config_apply_key(config, key);
	if (!err && !config->memory) {
		log_error("%s:%u: [vm]: memory is missing: expected memory = SIZE, such as 256M",
			  config->file, section->line);
		err = -EINVAL;
	}
	return err;
}

/* The values are vmm/load's; that the keys are known ones is seen here, before anything is built.
 */
static int vm_config_check_boot(const struct vm_config *config,
				const struct vm_config_section *section)
{
	const struct vm_config_key *key;
	uint64_t index;

	for (key = section->keys; key; key = key->next) {
		if (!parse_choice(key->name, "kernel|initrd|cmdline|module", &index)) {
			log_error("%s:%u: %s: no such key: expected one of kernel, initrd, "
				  "cmdline, module",
				  config->file, key->line, key->name);
			return -EINVAL;
		}
	}
	return 0;
}

static int vm_config_check_device(const struct vm_config *config,
				  const struct vm_config_section *section)
{
	if (parse_name(section->id, DEVICE_ID_MAX))
		return 0;
	log_error("%s:%u: [device \"%s\"]: expected an id of 1 to " STRINGIFY(
			  DEVICE_ID_MAX) " letters, digits and . _ -",
		  config->file, section->line, section->id);
	return -EINVAL;
}

/* No key but [boot]'s module may be there twice. */
static int vm_config_check_keys(const struct vm_config *config,
				const struct vm_config_section *section)
{
	const struct vm_config_key *key, *first;

	for (key = section->keys; key; key = key->next) {
		first = vm_config_find_key(section, key->name);
		if (first != key &&
		    (strcmp(section->kind, "boot") || strcmp(key->name, "module"))) {
			log_error("%s:%u: %s: given already in line %u", config->file, key->line,
				  key->name, first->line);
			return -EINVAL;
		}
	}
	return 0;
}

static int vm_config_check_twin(const struct vm_config *config,
				const struct vm_config_section *section)
{
	const struct vm_config_section *first;
	bool device = !strcmp(section->kind, "device");

	first = vm_config_section(config, section->kind, device ? section->id : "");
	if (first == section)
		return 0;
	log_error("%s:%u: [%s \"%s\"]: there is one already in line %u: expected one %s",
		  config->file, section->line, section->kind, section->id, first->line,
		  device ? "device of that id" : "such section in a config");
	return -EINVAL;
}

static int vm_config_apply_section(struct vm_config *config,
				   const struct vm_config_section *section)
{
	int err = vm_config_check_keys(config, section);

	if (!err)
		err = vm_config_check_twin(config, section);
	if (err)
		return err;
	if (!strcmp(section->kind, "vm"))
		return vm_config_apply_vm(config, section);
	if (!strcmp(section->kind, "boot"))
		return vm_config_check_boot(config, section);
	if (!strcmp(section->kind, "device"))
		return vm_config_check_device(config, section);
	log_error("%s:%u: [%s]: no such section: expected vm, boot or device", config->file,
		  section->line, section->kind);
	return -EINVAL;
}

int vm_config_apply(struct vm_config *config)
{
	const struct vm_config_section *section;
	int err = 0;

	for (section = config->sections; section && !err; section = section->next)
		err = vm_config_apply_section(config, section);
	if (!err && !config->name) {
		log_error("%s: [vm \"NAME\"] is missing: expected a section that names the VM",
			  config->file);
		err = -EINVAL;
	}
	return err;
}
