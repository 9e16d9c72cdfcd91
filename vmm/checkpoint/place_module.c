/* SPDX-License-Identifier: BSD-2-Clause */
/* Checkpoints that came with the boot, as modules: a place to read from. */
#include "kernel/boot_info.h"
#include "vmm/checkpoint/place.h"

#include <errno.h>
#include <string.h>

static void module_read(void *opaque, uint64_t at, void *buf, size_t len)
{
	const struct boot_module *module = opaque;

	memcpy(buf, (const uint8_t *)module->data + at, len);
}

static int module_open(const char *name, struct checkpoint_source *source, char *why)
{
	const struct boot_module *module = boot_module_find(name);

	if (!module)
		return checkpoint_why(why, -ENOENT, "no such module; `info modules` lists them");
	if (!boot_module_use(module, false))
		return checkpoint_why(why, -EBUSY, "a VM's disk writes to it");
	*source = (struct checkpoint_source){
		.size = module->size,
		.read = module_read,
		.opaque = &boot_info.modules[module - boot_info.modules]};
	return 0;
}

static void module_close(struct checkpoint_source *source, char *why __unused)
{
	boot_module_unuse(source->opaque);
}

CHECKPOINT_PLACE(module_place, .scheme = "module:", .open = module_open, .close = module_close);
