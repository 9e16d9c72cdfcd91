/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/boot_info.h"

#include <string.h>

struct boot_info boot_info;

const struct boot_module *boot_module_find(const char *name)
{
	for (size_t i = 0; i < boot_info.module_count; i++)
		if (!strcmp(boot_info.modules[i].name, name))
			return &boot_info.modules[i];
	return NULL;
}
