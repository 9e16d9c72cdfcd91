/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a VM's devices. */
#include "vmm/device.h"

#include "kernel/grace.h"
#include "kernel/slab.h"
#include "lib/parse.h"
#include "vmm/device_internal.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"
#include "vmm/vm_config_text.h"
#include "vmm/vm_event.h"
#include "vmm/vm_life.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEVICE_LOG_MAX 256 /* what a line of the log holds, about */

void device_log(const struct device *dev, enum log_level level, const char *fmt, ...)
{
	char text[DEVICE_LOG_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	vm_log(dev->vm, level, "%s: %s", dev->id, text);
}

int device_manager_create(struct vm *vm)
{
	struct device_manager *manager = kzalloc(sizeof(*manager));

	if (!manager)
		return -ENOMEM;
	list_init(&manager->devices);
	vm->devices = manager;
	return 0;
}

/* Takes @dev out of the VM, so that nobody finds it any more, and gives back all that it has. */
static void device_remove(struct device *dev)
{
	struct spinlock *lock = &dev->vm->devices->lock;

	spin_lock(lock);
	list_del(&dev->link);
	spin_unlock(lock);
	device_resources_release(dev);
	if (dev->state && dev->type->destroy)
		dev->type->destroy(dev);
	kfree(dev->plugged);
	kfree(dev);
}

/* The devices that were made after @first and @first itself (NULL: all), the newest first. */
static void device_remove_back_to(struct vm *vm, const struct device *first)
{
	struct list_head *devices = &vm->devices->devices;
	struct device *dev = NULL;
	bool done = false;

	while (!done && !list_empty(devices)) {
		dev = list_last_entry(devices, struct device, link);
		done = dev == first;
		device_remove(dev);
	}
}

void device_manager_destroy(struct vm *vm)
{
	struct device_manager *manager = vm->devices;

	if (!manager)
		return;
	device_remove_back_to(vm, NULL);
	/* The shell may be walking it. */
	grace_publish(vm->devices, NULL);
	grace_synchronize();
	kfree(manager);
}

struct device *device_find(struct vm *vm, const char *id)
{
	struct device *dev;

	list_for_each_entry (dev, &vm->devices->devices, link)
		if (!strcmp(dev->id, id))
			return dev;
	return NULL;
}

/* Finds the devices that @config names, which exist already. */
static int device_resolve(struct device *dev, struct device_config *config)
{
	struct device_value *value;
	int err = 0;

	for (value = config->values; value < config->values + config->count && !err; value++) {
		if (!device_value_is_reference(value))
			continue;
		value->device = device_find(dev->vm, value->text);
		if (!value->device) {
			log_error("%s:%u: %s: device %s needs device %s, which this VM does not "
				  "have",
				  config->file, value->line, value->key->name, dev->id,
				  value->text);
			err = -ENOENT;
		} else if (value->key->kind == KEY_DEVICE) {
			err = device_refer(dev, value->device);
		}
	}
	return err;
}

/* @config->id is known to be good and not taken. On an error nothing is left. */
static int device_make(struct vm *vm, struct device_config *config, struct device **out)
{
	struct device_manager *manager = vm->devices;
	struct device *dev = kzalloc(sizeof(*dev));
	int err;

	if (!dev) {
		vm_log(vm, LOG_ERROR, "%s: no memory for the device", config->id);
		return -ENOMEM;
	}
	strcpy(dev->id, config->id);
	dev->type = config->type;
	dev->vm = vm;
	list_init(&dev->resources);
	list_init(&dev->link);
	err = device_resolve(dev, config);
	if (!err)
		err = dev->type->create(dev, config);
	if (err) {
		device_log(dev, LOG_ERROR, "%s:%u: the device of type %s cannot be made (error %d)",
			   config->file, config->line, config->type->name, -err);
		device_remove(dev);
		return err;
	}
	spin_lock(&manager->lock);
	list_add_tail(&dev->link, &manager->devices);
	spin_unlock(&manager->lock);
	*out = dev;
	return 0;
}

int device_check_all(const struct vm_config *config)
{
	struct device_plan plan;
	int err = device_plan_make(config, &plan);

	if (!err)
		device_plan_free(&plan);
	return err;
}

int device_create_all(struct vm *vm)
{
	struct device *dev, *first = NULL;
	struct device_plan plan;
	size_t i;
	int err = device_plan_make(vm->config, &plan);

	if (err)
		return err;
	for (i = 0; i < plan.count && !err; i++) {
		err = device_make(vm, plan.configs[i], &dev);
		if (!err && !first)
			first = dev;
	}
	if (err && first)
		device_remove_back_to(vm, first);
	device_plan_free(&plan);
	return err;
}

/* Whether the VM's vCPUs are in the way of one of @type that comes or goes. */
static bool device_stays(struct vm *vm, const struct device_type *type, const char *id)
{
	bool stays = type->fixed && (vm->state == VM_RUNNING || vm->state == VM_PAUSED);

	if (stays)
		vm_log(vm, LOG_ERROR, "%s: type %s neither comes nor goes while the VM runs", id,
		       type->name);
	return stays;
}

int device_create(struct vm *vm, const char *type_name, const char *id,
		  const struct vm_config_section *section, struct device **out)
{
	const struct device_type *type = device_type_find(type_name);
	struct device_config *config;
	char *text;
	int err;

	if (!type) {
		vm_log(vm, LOG_ERROR, "%s: no device type '%s' is built in", id, type_name);
		return -ENOENT;
	}
	if (!parse_name(id, DEVICE_ID_MAX)) {
		vm_log(vm, LOG_ERROR,
		       "device id '%.64s': expected 1 to %u letters, digits and . _ -", id,
		       DEVICE_ID_MAX);
		return -EINVAL;
	}
	if (device_find(vm, id)) {
		vm_log(vm, LOG_ERROR, "%s: there is a device of that id already", id);
		return -EEXIST;
	}
	if (device_stays(vm, type, id))
		return -EBUSY;
	vm_saving_give_up(vm);
	err = device_config_parse(type, id, section, &config);
	if (err)
		return err;
	text = vm_config_device_text(type_name, id, section);
	err = text ? device_make(vm, config, out) : -ENOMEM;
	kfree(config);
	if (err) {
		kfree(text);
		return err;
	}
	(*out)->plugged = text;
	return 0;
}

int device_destroy(struct device *dev)
{
	const struct device *user = device_referrer(dev);
	struct vm *vm = dev->vm;
	char id[DEVICE_ID_MAX + 1];

	if (user) {
		/* Also when a guest ejects it. */
		vm_log_guest(dev->vm, LOG_ERROR,
			     "%s: device %s refers to it: destroy that one first", dev->id,
			     user->id);
		return -EBUSY;
	}
	if (device_stays(dev->vm, dev->type, dev->id))
		return -EBUSY;
	vm_saving_give_up(vm);
	memcpy(id, dev->id, sizeof(id));
	device_remove(dev);
	vm_event(vm, VM_EVENT_DEVICE_DELETED, false, id);
	return 0;
}

void device_reset_all(struct vm *vm)
{
	struct device *dev;

	list_for_each_entry (dev, &vm->devices->devices, link)
		if (dev->type->reset)
			dev->type->reset(dev);
}

void device_for_each(struct vm *vm, void (*fn)(void *opaque, struct device *dev), void *opaque)
{
	struct device_manager *manager = grace_read(vm->devices);
	struct device *dev;

	if (!manager)
		return;
	spin_lock(&manager->lock);
	list_for_each_entry (dev, &manager->devices, link)
		fn(opaque, dev);
	spin_unlock(&manager->lock);
}
