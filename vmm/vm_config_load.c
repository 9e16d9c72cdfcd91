/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot loader's modules whose name ends in .cfg, as VMs. */
#include "vmm/vm_config.h"

#include "kernel/boot_info.h"
#include "kernel/log.h"
#include "vmm/device.h"
#include "vmm/vm.h"

#include <string.h>

#define CONFIG_SUFFIX ".cfg"

static bool vm_config_is_config(const struct boot_module *module)
{
	size_t len = strlen(module->name), suffix = sizeof(CONFIG_SUFFIX) - 1;

	return len > suffix && !strcmp(module->name + len - suffix, CONFIG_SUFFIX);
}

int vm_config_define(const char *file, const char *text, size_t len)
{
	struct vm_config *config;
	struct vm *vm;
	int err = vm_config_parse(file, text, len, &config);

	if (err)
		return err;
	/* Everything that can be said about the devices is said now, not when the VM starts. */
	err = device_check_all(config);
	if (!err)
		err = vm_define(config, &vm);
	if (err)
		vm_config_free(config);
	else
		vm_log(vm, LOG_INFO, "defined by %s: %u CPU%s, %lu MiB", file, config->cpus,
		       config->cpus > 1 ? "s" : "", config->memory >> 20);
	return err;
}

void vm_config_load_modules(void)
{
	unsigned count = 0;
	size_t i;

	for (i = 0; i < boot_info.module_count; i++) {
		const struct boot_module *module = &boot_info.modules[i];

		if (!vm_config_is_config(module))
			continue;
		/* What is wrong was logged, and the others go on. */
		(void)!vm_config_define(module->name, module->data, module->size);
		count++;
	}
	if (!count)
		log_warn("no VM: give the boot loader a module whose name ends in " CONFIG_SUFFIX
			 " (GRUB: module2 /demo.cfg demo.cfg)");
}
