/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices that come and go while their VM runs. */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "vmm/device.h"
#include "vmm/vm_config.h"
#include "vmm/vm_life.h"

#include <stdio.h>
#include <string.h>

#define PLUG_KEYS_MAX 32

struct plug_only {
	struct vm *vm;
	unsigned count;
};

static void plug_count(void *opaque, struct vm *vm)
{
	struct plug_only *only = opaque;

	only->vm = vm;
	only->count++;
}

/* The VM that @argv names, or the only one where it has one word alone; NULL with a message. */
static struct vm *plug_vm(char **argv)
{
	struct plug_only only = {0};

	if (argv[2])
		return vm_arg(argv[1]);
	vm_for_each(plug_count, &only);
	if (only.count == 1)
		return only.vm;
	command_error("%s: expected a VM as the first word: there are %u\n", argv[0], only.count);
	return NULL;
}

/*
 * Takes the option that begins at *@at off it, in place; it ends at a comma that is neither
 * doubled, as QEMU has it, nor within quotes. NULL: a quote is not closed.
 */
static char *plug_option(char **at)
{
	char *option = *at, *from = option, *to = option;
	bool quoted = false;

	for (; *from && (quoted || *from != ',' || from[1] == ','); from++) {
		if (*from == '"') {
			quoted = !quoted;
			continue;
		}
		if (from[1] && *from == (quoted ? '\\' : ','))
			from++;
		*to++ = *from;
	}
	*at = *from ? from + 1 : from;
	*to = '\0';
	return quoted ? NULL : option;
}

/* What is typed as a config's section; the id stands among the keys. */
struct plug {
	char *type;
	struct vm_config_section section;
	struct vm_config_key keys[PLUG_KEYS_MAX];
	size_t count;
};

static bool plug_refuse(const char *option, const char *expected)
{
	command_error("device_add: %s: expected %s\n", option ? option : "quotes", expected);
	return false;
}

/* One option behind the type, the @n-th of the line. */
static bool plug_take(struct plug *p, char *option, unsigned n)
{
	char *value = option ? strchr(option, '=') : NULL;
	struct vm_config_key *key = &p->keys[p->count];
	bool id;

	if (!option || !value || value == option)
		return plug_refuse(option, option ? "key=value" : "\" to close it");
	*value++ = '\0';
	id = !strcmp(option, "id");
	if (!strcmp(option, "type"))
		return plug_refuse(option, "it as the first word, alone");
	if ((id && p->section.id) || p->count == PLUG_KEYS_MAX)
		return plug_refuse(option, id ? "one id" : "fewer keys");
	if (id) {
		p->section.id = value;
		return true;
	}
	*key = (struct vm_config_key){option, value, n, NULL};
	*(p->count++ ? &key[-1].next : &p->section.keys) = key;
	return true;
}

static bool plug_parse(struct plug *p, char *text)
{
	unsigned n = 1;

	*p = (struct plug){.section = {.file = "device_add", .kind = "device", .line = n}};
	p->type = plug_option(&text);
	if (!p->type || strchr(p->type, '='))
		return plug_refuse(p->type, "TYPE,id=ID,key=value");
	while (*text)
		if (!plug_take(p, plug_option(&text), ++n))
			return false;
	return p->section.id || plug_refuse("id", "id=ID, which no other device of the VM has");
}

static void plug_add(struct vm *vm, const struct plug *p)
{
	enum vm_state state = vm_life_begin(vm);
	struct device *dev;
	int err = 0;

	if (vm->devices)
		err = device_create(vm, p->type, p->section.id, &p->section, &dev);
	else
		command_error("vm %s is %s: `start` it first\n", vm->name, vm_state_name(state));
	if (vm->devices && !err)
		console_printf("vm %s has device %s\n", vm->name, dev->id);
	vm_life_end(vm, state);
	if (err)
		command_error("device_add %s: failed (error %d), see the log\n", p->type, -err);
}

static void command_device_add(char **argv)
{
	static struct plug plug; /* the shell's task alone */
	struct vm *vm = plug_vm(argv);

	if (vm && plug_parse(&plug, argv[argv[2] ? 2 : 1]))
		plug_add(vm, &plug);
}

enum plug_gone { PLUG_NONE, PLUG_ASKED, PLUG_FAILED, PLUG_GONE };

/* A guest is asked once to let go of a device; who says it again means it. */
static enum plug_gone plug_del(struct vm *vm, enum vm_state state, const char *id)
{
	struct device *dev = vm->devices ? device_find(vm, id) : NULL;

	if (!dev)
		return PLUG_NONE;
	if (state == VM_RUNNING && !dev->asked && dev->type->unplug)
		dev->asked = dev->type->unplug(dev);
	else
		dev->asked = false;
	if (dev->asked)
		return PLUG_ASKED;
	return device_destroy(dev) ? PLUG_FAILED : PLUG_GONE;
}

static void command_device_del(char **argv)
{
	static const char *const said[] = {
		[PLUG_ASKED] = "vm %s was asked to let go of device %s; say it again to take it\n",
		[PLUG_FAILED] = "vm %s keeps device %s, see the log\n",
		[PLUG_GONE] = "vm %s has no device %s any more\n",
	};
	const char *id = argv[argv[2] ? 2 : 1];
	struct vm *vm = plug_vm(argv);
	enum plug_gone gone;
	enum vm_state state;

	if (!vm)
		return;
	state = vm_life_begin(vm);
	gone = plug_del(vm, state, id);
	vm_life_end(vm, state);
	if (gone == PLUG_NONE)
		console_printf("vm %s has no device %s; `info devices %s` shows them\n", vm->name,
			       id, vm->name);
	else
		console_printf(said[gone], vm->name, id);
	if (gone == PLUG_NONE || gone == PLUG_FAILED)
		command_fail(gone == PLUG_NONE ? COMMAND_ABSENT : COMMAND_FAILED);
}

struct plug_words {
	command_add_fn add;
	void *opaque;
};

static void plug_add_type(void *opaque, const struct device_type *type)
{
	const struct plug_words *words = opaque;
	char text[64];

	snprintf(text, sizeof(text), "%s,", type->name);
	words->add(words->opaque, text);
}

static void plug_types(command_add_fn add, void *opaque)
{
	struct plug_words words = {add, opaque};

	command_add_vms(add, opaque);
	device_type_for_each(plug_add_type, &words);
}

static void plug_add_device(void *opaque, struct device *dev)
{
	const struct plug_words *words = opaque;

	words->add(words->opaque, dev->id);
}

static void plug_devices(command_add_fn add, void *opaque)
{
	struct plug_words words = {add, opaque};
	struct plug_only only = {0};
	enum vm_state state;

	command_add_vms(add, opaque);
	vm_for_each(plug_count, &only);
	if (only.count != 1)
		return;
	state = vm_life_begin(only.vm);
	device_for_each(only.vm, plug_add_device, &words);
	vm_life_end(only.vm, state);
}

COMMAND(device_add_entry, .name = "device_add", .args = "[VM] TYPE,id=ID[,KEY=VALUE]",
	.help = "give a VM one device more",
	.example = "device_add linux uart16550,id=com2,io=0x2f8,irq=3", .min = 1, .max = 2,
	.run = command_device_add, .words = plug_types);
COMMAND(device_del_entry, .name = "device_del", .args = "[VM] ID",
	.help = "take a device from a VM", .example = "device_del linux com2", .min = 1, .max = 2,
	.run = command_device_del, .words = plug_devices);
