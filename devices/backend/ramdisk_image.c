/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/backend/ramdisk_image.h"

#include "kernel/boot_info.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Who reads a module as something else than a disk's image: a kernel, a ROM. */
struct ramdisk_reader {
	const char *module;
	char vm[VM_NAME_MAX + 1]; /* "": none */
	char key[16];
};

static bool ramdisk_reads(const struct vm_config_key *key, const char *module)
{
	const size_t prefix = sizeof(VM_CONFIG_MODULE) - 1, len = strlen(module);
	const char *value = key->value;

	return strcmp(key->name, "image") && !strncmp(value, VM_CONFIG_MODULE, prefix) &&
	       strcspn(value + prefix, " ") == len && !strncmp(value + prefix, module, len);
}

static void ramdisk_find_reader(void *opaque, struct vm *vm)
{
	struct ramdisk_reader *reader = opaque;
	const struct vm_config_section *section;
	const struct vm_config_key *key;

	for (section = vm->config->sections; section; section = section->next)
		for (key = section->keys; key; key = key->next)
			if (ramdisk_reads(key, reader->module)) {
				snprintf(reader->vm, sizeof(reader->vm), "%s", vm->name);
				snprintf(reader->key, sizeof(reader->key), "%s", key->name);
			}
}

int ramdisk_image_check(struct device *dev, const struct boot_module *module)
{
	struct ramdisk_reader reader = {.module = module->name};

	vm_for_each(ramdisk_find_reader, &reader);
	if (!*reader.vm)
		return 0;
	device_log(dev, LOG_ERROR, "image: %s is VM %s's %s, too: expected cow = true",
		   module->name, reader.vm, reader.key);
	return -EBUSY;
}
