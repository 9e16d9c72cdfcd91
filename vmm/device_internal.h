/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the device manager. */
#ifndef VMM_DEVICE_INTERNAL_H
#define VMM_DEVICE_INTERNAL_H

#include "kernel/spinlock.h"
#include "vmm/device.h"

#include <stddef.h>

struct device_manager {
	/* Order of devices and their resources, against device_for_each(); changes come from the
	 * VM's life cycle alone. */
	struct spinlock lock;
	struct list_head devices; /* in order of creation */
};

/* Head of what a device has taken: embedded in one structure a kind. */
struct device_resource {
	struct list_head link; /* in the device's list, newest first */
	struct device *dev;
	enum device_resource_kind kind;
	/* Gives it back; the structure stays until a grace period has passed. */
	void (*release)(struct device_resource *res);
};

/*
 * Zeroed, to be filled; @size of the whole structure. NULL was logged. Taken:
 * device_resource_add(). Not taken: kfree().
 */
void *device_resource_alloc(struct device *dev, size_t size) __must_check;
void device_resource_add(struct device *dev, struct device_resource *res,
			 enum device_resource_kind kind,
			 void (*release)(struct device_resource *res));
/* All, newest first; waits for a grace period. */
void device_resources_release(struct device *dev);

/* The device of @vm that has a resource which @is with @what, or NULL. */
const struct device *device_holder(struct vm *vm,
				   bool (*is)(const struct device_resource *res, const void *what),
				   const void *what);
/* The one that device_own() has given @release, or NULL. */
const struct device *device_owner(struct vm *vm, void (*release)(void *opaque));

/* Records that @dev refers to @target, which then cannot go first. */
int device_refer(struct device *dev, struct device *target) __must_check;
/* A device that refers to @target, or NULL. */
const struct device *device_referrer(const struct device *target);

/* One key's value, as text and checked. */
struct device_value {
	const struct device_key *key;
	const char *text;
	unsigned line; /* of the config; the section's for a default */
	union {
		uint64_t number; /* also of a choice and a boolean */
		struct device *device;
		const struct boot_module *module;
	};
};

/* A section, checked against its type's keys. */
struct device_config {
	const struct device_type *type;
	const char *id;
	const char *file;
	unsigned line;
	size_t count;
	struct device_value values[];
};

/*
 * Checks @section (NULL: defaults only) against @type's keys, all but the
 * devices that it refers to. -EINVAL or -ENOMEM, logged; freed with kfree().
 */
int device_config_parse(const struct device_type *type, const char *id,
			const struct vm_config_section *section,
			struct device_config **out) __must_check;
/* Whether the value names a device. */
bool device_value_is_reference(const struct device_value *value);

/* The devices of a config, each behind those that it refers to. */
struct device_plan {
	size_t count;
	struct device_config **configs;
};
int device_plan_make(const struct vm_config *config, struct device_plan *plan) __must_check;
void device_plan_free(struct device_plan *plan);

#endif
