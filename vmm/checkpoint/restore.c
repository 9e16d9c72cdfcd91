/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM from a stream: the stream is looked through, the VM is made from its
 * config, all records are checked against it, and only then loaded. Whatever
 * fails, the VM is taken apart again.
 */
#include "kernel/slab.h"
#include "lib/parse.h"
#include "vmm/checkpoint/checkpoint.h"
#include "vmm/checkpoint/state.h"
#include "vmm/device_internal.h"
#include "vmm/irq.h"
#include "vmm/state_bytes.h"
#include "vmm/vcpu_saved.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"
#include "vmm/vm_life.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct restore {
	const struct checkpoint_source *source;
	struct checkpoint_record memory; /* the first of memory's, or the end */
	struct vcpu_saved *vcpu;
	char *why;
	char about[128]; /* of a state, what is wrong with it */
};

/* One of a record's that begin with a name. */
struct item {
	struct checkpoint_record r;
	char name[UINT8_MAX + 1];
	uint8_t *data; /* all of it, to be freed … */
	const uint8_t *state;
	size_t len; /* … and what follows the name */
};

static int wrong(struct restore *x, const struct item *item, const char *what)
{
	snprintf(x->why, CHECKPOINT_WHY_MAX, "record %u (%s %.64s): %s", item->r.number,
		 checkpoint_kind_names[item->r.kind], item->name, what);
	return -EINVAL;
}

/* As a config has them: nothing that a terminal would take for an order. */
static bool name_is_one(const struct item *item, struct state_name name)
{
	return strlen(item->name) == name.len && parse_name(item->name, DEVICE_ID_MAX);
}

/* 0 or -ENOMEM or -EINVAL. */
static int item_read(struct restore *x, const struct checkpoint_record *r, struct item *item)
{
	struct state_reader bytes = {.len = r->length};
	struct state_name name;

	*item = (struct item){.r = *r, .data = kmalloc(r->length + 1)};
	if (!item->data)
		return -ENOMEM;
	x->source->read(x->source->opaque, r->at, item->data, r->length);
	bytes.data = item->data;
	name = state_get_name(&bytes);
	memcpy(item->name, name.text, name.len);
	item->state = item->data + bytes.at;
	item->len = bytes.len - bytes.at;
	if (!bytes.cut && name_is_one(item, name))
		return 0;
	kfree(item->data);
	item->name[0] = 0;
	return wrong(x, item, "it has no name, or one that is none");
}

/* Calls @fn for each record from @r on of @kind, up to the first of another. */
static int for_each_item(struct restore *x, struct checkpoint_record *r, enum checkpoint_kind kind,
			 int (*fn)(struct restore *x, struct vm *vm, struct item *item),
			 struct vm *vm)
{
	struct item item;
	int err = 0;

	while (!err && r->kind == kind) {
		err = item_read(x, r, &item);
		if (err)
			break;
		err = fn(x, vm, &item);
		kfree(item.data);
		checkpoint_next(x->source, r);
	}
	return err;
}

static int check_state(struct restore *x, const struct item *item, const struct device_state *type,
		       void *state)
{
	int err =
		device_state_check(type, state, item->state, item->len, x->about, sizeof(x->about));

	return err == -EINVAL ? wrong(x, item, x->about) : err;
}

static int load_state(struct restore *x, const struct item *item, const struct device_state *type,
		      void *state)
{
	int err =
		device_state_load(type, state, item->state, item->len, x->about, sizeof(x->about));

	return err == -EINVAL ? wrong(x, item, x->about) : err;
}

static int take_machine(struct restore *x, struct vm *vm, struct item *item)
{
	struct checkpoint_machine m;
	int err;

	checkpoint_machine_get(&m, vm);
	err = check_state(x, item, &checkpoint_machine_state, &m);
	if (!err)
		err = load_state(x, item, &checkpoint_machine_state, &m);
	if (!err)
		checkpoint_machine_set(&m, vm);
	return err;
}

static struct vcpu *find_vcpu(struct vm *vm, const char *name)
{
	char number[16];

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		snprintf(number, sizeof(number), "%u", i);
		if (!strcmp(name, number))
			return vm->vcpus[i];
	}
	return NULL;
}

/* All that is in a record becomes x->vcpu. */
static int read_vcpu(struct restore *x, struct vm *vm, struct item *item, struct vcpu **vcpu)
{
	int err;

	*vcpu = find_vcpu(vm, item->name);
	if (!*vcpu)
		return wrong(x, item, "this VM has no such vCPU");
	memset(x->vcpu, 0, sizeof(*x->vcpu));
	err = check_state(x, item, &checkpoint_vcpu_state, x->vcpu);
	return err ? err : load_state(x, item, &checkpoint_vcpu_state, x->vcpu);
}

static int check_vcpu(struct restore *x, struct vm *vm, struct item *item)
{
	struct vcpu *vcpu;
	int err = read_vcpu(x, vm, item, &vcpu);

	if (err)
		return err;
	err = vcpu_saved_check(vcpu, x->vcpu, x->about, sizeof(x->about));
	return err ? wrong(x, item, x->about) : 0;
}

/* Its TSC is by the clock that was set, which may have moved to make up for another frequency. */
static int load_vcpu(struct restore *x, struct vm *vm, struct item *item)
{
	struct vcpu *vcpu;
	int err = read_vcpu(x, vm, item, &vcpu);

	if (err)
		return err;
	x->vcpu->tsc_ahead += vcpu->tsc_offset;
	err = vcpu_saved_set(vcpu, x->vcpu, x->about, sizeof(x->about));
	return err ? wrong(x, item, x->about) : 0;
}

static int check_device(struct restore *x, struct vm *vm, struct item *item)
{
	struct device *dev = device_find(vm, item->name);
	const char *lacks;

	if (!dev)
		return wrong(x, item, "this VM has no such device");
	lacks = dev->type->saved ? device_state_lacks(dev->type->saved, dev->state) : "it";
	if (lacks)
		return wrong(x, item, "it has no state that can be loaded");
	return check_state(x, item, dev->type->saved, dev->state);
}

static int load_device(struct restore *x, struct vm *vm, struct item *item)
{
	struct device *dev = device_find(vm, item->name);

	return load_state(x, item, dev->type->saved, dev->state);
}

/* Whether @r is called @name. */
static bool is_called(struct restore *x, const struct checkpoint_record *r, const char *name)
{
	size_t len = strlen(name);
	char text[UINT8_MAX + 1];

	if (r->length <= len)
		return false;
	x->source->read(x->source->opaque, r->at, text, len + 1);
	return (uint8_t)text[0] == len && !memcmp(text + 1, name, len);
}

/* One of the records of @kind from @r on is called @name, and one alone. */
static int check_there(struct restore *x, struct checkpoint_record r, enum checkpoint_kind kind,
		       const char *name)
{
	unsigned count = 0;

	for (; r.kind == kind; checkpoint_next(x->source, &r))
		count += is_called(x, &r, name);
	if (count == 1)
		return 0;
	snprintf(x->why, CHECKPOINT_WHY_MAX, "%s record (%s %s)",
		 count ? "there is more than one" : "there is no", checkpoint_kind_names[kind],
		 name);
	return -EINVAL;
}

static int check_vcpus_there(struct restore *x, struct vm *vm, const struct checkpoint_record *r)
{
	char name[16];
	int err = 0;

	for (uint32_t i = 0; i < vm->vcpu_count && !err; i++) {
		snprintf(name, sizeof(name), "%u", i);
		err = check_there(x, *r, CHECKPOINT_VCPU, name);
	}
	return err;
}

static int check_devices_there(struct restore *x, struct vm *vm, const struct checkpoint_record *r)
{
	struct device *dev;
	int err = 0;

	list_for_each_entry (dev, &vm->devices->devices, link) {
		err = check_there(x, *r, CHECKPOINT_DEVICE, dev->id);
		if (err)
			break;
	}
	return err;
}

static int check_all(struct restore *x, struct vm *vm)
{
	struct checkpoint_record r = {.at = 0}, first;
	int err;

	checkpoint_next(x->source, &r);
	err = for_each_item(x, &r, CHECKPOINT_MACHINE, take_machine, vm);
	if (err)
		return err;
	checkpoint_next(x->source, &r); /* the config */
	first = r;
	err = for_each_item(x, &r, CHECKPOINT_VCPU, check_vcpu, vm);
	if (!err)
		err = check_vcpus_there(x, vm, &first);
	first = r;
	if (!err)
		err = for_each_item(x, &r, CHECKPOINT_DEVICE, check_device, vm);
	if (!err)
		err = check_devices_there(x, vm, &first);
	x->memory = r;
	return err ? err : checkpoint_read_memory(vm, x->source, r, true, x->why);
}

static int post_load(struct restore *x, struct vm *vm)
{
	struct device *dev;

	list_for_each_entry (dev, &vm->devices->devices, link) {
		const char *fault = device_state_post_load(dev->type->saved, dev->state);

		if (!fault)
			continue;
		snprintf(x->why, CHECKPOINT_WHY_MAX, "device %s: %s", dev->id, fault);
		return -EINVAL;
	}
	return 0;
}

static int load_all(struct restore *x, struct vm *vm)
{
	struct checkpoint_record r = {.at = 0};
	int err = checkpoint_read_memory(vm, x->source, x->memory, false, x->why);

	for (unsigned i = 0; i < 3; i++) /* past the machine and the config */
		checkpoint_next(x->source, &r);
	if (!err)
		err = for_each_item(x, &r, CHECKPOINT_VCPU, load_vcpu, vm);
	if (!err)
		err = for_each_item(x, &r, CHECKPOINT_DEVICE, load_device, vm);
	if (!err)
		err = post_load(x, vm);
	if (!err)
		irq_lines_tell(vm); /* of what came while it was saved */
	return err;
}

static int __printf(3, 4) refuse(struct restore *x, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(x->why, CHECKPOINT_WHY_MAX, fmt, args);
	va_end(args);
	return err;
}

/* In place of an image; the VM's devices and vCPUs are as after a reset. */
static int fill(struct vm *vm, void *opaque)
{
	struct restore *x = opaque;
	int err = check_all(x, vm);

	if (!err)
		err = load_all(x, vm);
	/* What cannot be read is zeroes, which may well be pages. */
	if (!err && x->source->failed && *x->source->failed)
		err = refuse(x, -EIO, "it cannot be read");
	return err;
}

/* The config of VM @name (NULL: as it was called). */
static int read_config(struct restore *x, const char *name, struct vm_config **config)
{
	struct checkpoint_record r = {.at = 0};
	struct item item;
	size_t size;
	char *text;
	int err;

	checkpoint_next(x->source, &r);
	checkpoint_next(x->source, &r);
	err = item_read(x, &r, &item);
	if (err)
		return err;
	size = item.len + sizeof(item.name) + sizeof("[vm \"\"]\n");
	text = kmalloc(size);
	err = text ? 0 : -ENOMEM;
	if (!err) {
		int at = snprintf(text, size, "[vm \"%s\"]\n", name ? name : item.name);

		memcpy(text + at, item.state, item.len);
		err = vm_config_parse("checkpoint", text, (size_t)at + item.len, config);
	}
	if (err == -EINVAL)
		wrong(x, &item, "it is not a config for this machine, see the log");
	kfree(text);
	kfree(item.data);
	return err;
}

/* The VM of the name that it had, or a new one: of a name that was asked for it is always new. */
static int find_vm(struct restore *x, struct vm_config *config, bool as_new, struct vm **vm,
		   bool *is_new)
{
	int err;

	*vm = as_new ? NULL : vm_find(config->name);
	*is_new = !*vm;
	err = *vm ? 0 : vm_define(config, vm);
	if (err == -EEXIST)
		return refuse(x, err, "vm %s is defined: undefine it first, or take another name",
			      config->name);
	return err ? refuse(x, err, "vm %s cannot be defined (error %d), see the log", config->name,
			    err)
		   : 0;
}

static int restore(struct restore *x, const char *name)
{
	struct vm_config *config;
	bool is_new;
	struct vm *vm;
	int err = read_config(x, name, &config);

	if (err)
		return err;
	err = device_check_all(config);
	if (err)
		refuse(x, err, "its config does not fit this machine, see the log");
	else
		err = find_vm(x, config, name, &vm, &is_new);
	if (err) {
		vm_config_free(config);
		return err;
	}
	err = vm_start_filled(vm, is_new ? NULL : config, fill, x);
	if (err == -EBUSY)
		refuse(x, err, "vm %s is there and not stopped: destroy it, or restore as another",
		       vm->name);
	if (err && is_new && vm_undefine(vm))
		return err;
	if (err && !is_new)
		vm_config_free(config);
	return err;
}

int checkpoint_restore(const struct checkpoint_source *source, const char *name, char *why)
{
	struct restore x = {.source = source, .why = why};
	int err = checkpoint_verify(source, why);

	if (err)
		return err;
	snprintf(why, CHECKPOINT_WHY_MAX, "the VM cannot be made, see the log");
	x.vcpu = kmalloc(sizeof(*x.vcpu));
	err = x.vcpu ? restore(&x, name) : -ENOMEM;
	if (err == -ENOMEM)
		refuse(&x, err, "no memory is left for it: see `info memory`, and destroy VMs");
	/* It may have words of the stream. */
	for (char *c = why; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	kfree(x.vcpu);
	return err;
}
