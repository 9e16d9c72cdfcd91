/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the images that a VM's [boot] section names and the loader that
 * knows the kernel's format.
 */
#include "vmm/loader.h"

#include "kernel/boot_info.h"
#include "vmm/device.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <string.h>

TABLE_DECLARE(loaders, struct loader);

static const struct loader *loader_probe(const struct boot_module *kernel)
{
	const struct loader *l;

	for (l = TABLE_START(loaders); l < TABLE_END(loaders); l++)
		if (l->probe(kernel->data, kernel->size))
			return l;
	return NULL;
}

/* `module = module:NAME ARGS`: the part behind the first blank goes to the guest. */
static int loader_add_module(struct vm *vm, const struct vm_config_key *key,
			     struct load_request *req)
{
	const char *args = strchr(key->value, ' ');

	if (req->module_count == LOAD_MAX_MODULES) {
		vm_log(vm, LOG_ERROR, "%s:%u: module: more than %d modules", vm->config->file,
		       key->line, LOAD_MAX_MODULES);
		return -EINVAL;
	}
	req->modules[req->module_count] = vm_config_module(vm->config, key);
	if (!req->modules[req->module_count])
		return -ENOENT;
	req->module_args[req->module_count++] = args ? args + 1 : "";
	return 0;
}

static int loader_gather(struct vm *vm, struct load_request *req)
{
	const struct vm_config_section *boot = vm_config_section(vm->config, "boot", "");
	struct vm_config_key *key;
	int err;

	memset(req, 0, sizeof(*req));
	req->cmdline = "";
	for (key = boot ? boot->keys : NULL; key; key = key->next) {
		err = 0;
		if (!strcmp(key->name, "kernel"))
			err = (req->kernel = vm_config_module(vm->config, key)) ? 0 : -ENOENT;
		else if (!strcmp(key->name, "initrd"))
			err = (req->initrd = vm_config_module(vm->config, key)) ? 0 : -ENOENT;
		else if (!strcmp(key->name, "cmdline"))
			req->cmdline = key->value;
		else if (!strcmp(key->name, "module"))
			err = loader_add_module(vm, key, req);
		if (err)
			return err;
	}
	if (!req->kernel) {
		vm_log(vm, LOG_ERROR,
		       "%s: [boot]: kernel is missing: expected kernel = module:NAME",
		       vm->config->file);
		return -EINVAL;
	}
	return 0;
}

/* A VM without the device that makes them boots without tables. */
static int loader_build_firmware(struct vm *vm, struct load_request *req)
{
	struct firmware_tables *tables = device_iface(vm, FIRMWARE_ID, FIRMWARE_KIND);
	int err = tables ? tables->build(tables) : 0;

	if (tables && !err)
		req->rsdp = tables->rsdp;
	return err;
}

int loader_run(struct vm *vm)
{
	struct load_request req;
	const struct loader *l;
	int err = loader_gather(vm, &req);

	if (err)
		return err;
	l = loader_probe(req.kernel);
	if (!l) {
		vm_log(vm, LOG_ERROR,
		       "module %s (%llu bytes) is no kernel that can be booted: expected a Linux "
		       "bzImage or a Multiboot 1 or 2 ELF",
		       req.kernel->name, (unsigned long long)req.kernel->size);
		return -ENOEXEC;
	}
	err = loader_build_firmware(vm, &req);
	if (!err)
		err = l->load(vm, &req);
	if (!err)
		vm_log_guest(vm, LOG_INFO, "loaded %s as %s", req.kernel->name, l->name);
	return err;
}
