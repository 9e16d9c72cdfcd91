/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vm_config_text.h"

#include "kernel/slab.h"
#include "vmm/device_internal.h"
#include "vmm/vm.h"

#include <string.h>

/* What does not fit is only counted. */
struct text {
	char *buf;
	size_t size, at;
};

static void put(struct text *t, const char *s)
{
	for (; *s; s++, t->at++)
		if (t->at < t->size)
			t->buf[t->at] = *s;
}

/* In quotes, with what they need. */
static void put_quoted(struct text *t, const char *s)
{
	char one[2] = "";

	put(t, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			put(t, "\\");
		one[0] = *s;
		put(t, one);
	}
	put(t, "\"");
}

static void put_key(struct text *t, const char *name, const char *value)
{
	put(t, name);
	put(t, " = ");
	put_quoted(t, value);
	put(t, "\n");
}

static void put_keys(struct text *t, const struct vm_config_section *section, const char *but)
{
	const struct vm_config_key *key;

	for (key = section ? section->keys : NULL; key; key = key->next)
		if (strcmp(key->name, but))
			put_key(t, key->name, key->value);
}

static void put_device(struct text *t, const char *type, const char *id,
		       const struct vm_config_section *section)
{
	put(t, "[device ");
	put_quoted(t, id);
	put(t, "]\n");
	put_key(t, "type", type);
	put_keys(t, section, "type");
}

char *vm_config_device_text(const char *type, const char *id,
			    const struct vm_config_section *section)
{
	struct text t = {0};
	size_t size;

	put_device(&t, type, id, section);
	size = t.at + 1;
	t = (struct text){.buf = kzalloc(size), .size = size};
	if (t.buf)
		put_device(&t, type, id, section);
	return t.buf;
}

/* The machine's own devices are among the others, so that none comes that is gone. */
size_t vm_config_vm_text(struct vm *vm, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size = size};
	const struct vm_config_section *boot = vm_config_section(vm->config, "boot", "");
	struct device *dev;

	put_keys(&t, vm_config_section(vm->config, "vm", ""), "machine");
	put_key(&t, "machine", "none");
	if (boot) {
		put(&t, "[boot]\n");
		put_keys(&t, boot, "");
	}
	list_for_each_entry (dev, &vm->devices->devices, link) {
		if (dev->plugged)
			put(&t, dev->plugged);
		else
			put_device(&t, dev->type->name, dev->id,
				   vm_config_section(vm->config, "device", dev->id));
	}
	return t.at;
}
