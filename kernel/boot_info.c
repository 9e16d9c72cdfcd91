/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/boot_info.h"

#include <errno.h>
#include <string.h>

struct boot_info boot_info;

const struct boot_module *boot_module_find(const char *name)
{
	for (size_t i = 0; i < boot_info.module_count; i++)
		if (!strcmp(boot_info.modules[i].name, name))
			return &boot_info.modules[i];
	return NULL;
}

int boot_module_add(const char *name, const void *data, uint64_t size)
{
	struct boot_module *module = &boot_info.modules[boot_info.module_count];

	if (strlen(name) >= sizeof(module->name))
		return -ENAMETOOLONG;
	if (boot_module_find(name))
		return -EEXIST;
	if (boot_info.module_count == BOOT_MAX_MODULES)
		return -ENOSPC;
	*module = (struct boot_module){.size = size, .data = data};
	strcpy(module->name, name);
	/* Whoever counts it finds it whole. */
	__atomic_store_n(&boot_info.module_count, boot_info.module_count + 1, __ATOMIC_RELEASE);
	return 0;
}
