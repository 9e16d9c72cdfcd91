/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device manager. A device type is a const descriptor in a linker
 * section; a device is made of a type, an id that is unique in its VM, and a
 * config section checked against the type's keys. Everything that a device
 * takes goes through device_*() below, is owned by the device, and is given
 * back in reverse order when the device goes or when its create fails.
 *
 * Context: create, destroy and resource calls run in a task, one at a time
 * per VM (the manager's lock is held by the caller, a sleeping one). reset
 * runs in a task while no vCPU runs.
 */
#ifndef VMM_DEVICE_H
#define VMM_DEVICE_H

#include "kernel/log.h"
#include "kernel/timer.h"
#include "lib/compiler.h"
#include "lib/list.h"
#include "vmm/hook/hook.h"
#include "vmm/hook/hook_call.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/irq.h"
#include "vmm/types.h"

#include <stdbool.h>
#include <stdint.h>

#define DEVICE_ID_MAX 63

struct device;
struct device_config;
struct vm;

enum device_key_kind {
	KEY_STRING,
	KEY_UINT,   /* decimal or 0x…, within [min, max] */
	KEY_SIZE,   /* KEY_UINT with K, M, G suffix: bytes */
	KEY_BOOL,   /* true, false, yes, no, on, off */
	KEY_CHOICE, /* one of the words in `choices`, "a|b|c": its index */
	KEY_DEVICE, /* the id of a device of this VM that is created before this one */
	KEY_MODULE, /* module:NAME, an image that was loaded with us */
};

struct device_key {
	const char *name;
	enum device_key_kind kind;
	const char *def; /* default as text; NULL: the key is required; "" with
			    KEY_STRING/DEVICE/MODULE: may be left out */
	uint64_t min, max;
	const char *choices;
	const char *help;
};

struct device_type {
	const char *name;
	const char *help;	       /* one line */
	const struct device_key *keys; /* ended by a NULL name; NULL: none */
	const char *file;	       /* set by DEVICE_TYPE */
	/* Makes dev->state, takes resources. On an error the manager gives back what was taken,
	 * then calls nothing. */
	int (*create)(struct device *dev, const struct device_config *config);
	/* Frees dev->state. All resources are gone already: no callback can come any more. */
	void (*destroy)(struct device *dev);
	/* To power-on state; NULL: nothing to do. */
	void (*reset)(struct device *dev);
};

/* The last line of a device's file. */
#define DEVICE_TYPE(ident_, ...) \
	TABLE_ENTRY(device_types, struct device_type, ident_) = {.file = __FILE__, __VA_ARGS__}

struct device {
	char id[DEVICE_ID_MAX + 1];
	const struct device_type *type;
	struct vm *vm;
	void *state;
	struct list_head resources; /* newest first */
	struct list_head link;	    /* in the VM's list, in order of creation */
};

/* Typed values, checked before create(): these cannot fail for a key of the type. */
const char *device_config_string(const struct device_config *config, const char *key);
uint64_t device_config_uint(const struct device_config *config, const char *key);
bool device_config_bool(const struct device_config *config, const char *key);
struct device *device_config_device(const struct device_config *config, const char *key);

/*
 * Resources. 0, or a negative errno that was logged with both owners' names
 * where two devices want the same. The device and what it hooks live until
 * the resource is given back.
 */
int device_hook_io(struct device *dev, uint16_t first, uint32_t count, const struct hook_ops *ops,
		   void *opaque) __must_check;
int device_hook_msr(struct device *dev, uint32_t first, uint32_t count, const struct hook_ops *ops,
		    void *opaque) __must_check;
int device_hook_memory(struct device *dev, gpa_t gpa, uint64_t size, enum hook_memory_mode mode,
		       const struct hook_ops *ops, void *opaque) __must_check;
int device_hook_cpuid(struct device *dev, uint32_t first, uint32_t last, hook_cpuid_fn fn,
		      void *opaque) __must_check;
int device_hook_call(struct device *dev, uint64_t first, uint64_t last, hook_call_fn fn,
		     void *opaque) __must_check;
/* @*line is the device's own user of GSI @gsi. */
int device_irq(struct device *dev, unsigned gsi, struct irq_line **line) __must_check;

/* A timer in the guest's time (vm_time_ns): it stands still while the VM is paused. */
struct device_timer;
typedef void (*device_timer_fn)(void *opaque);
int device_timer(struct device *dev, device_timer_fn fn, void *opaque,
		 struct device_timer **timer) __must_check;
/* Any CPU, device locks may be held; no allocation. @ns: vm_time_ns() at which it fires. */
void device_timer_arm(struct device_timer *timer, uint64_t ns);
void device_timer_cancel(struct device_timer *timer);

/* Publishes @iface (typed by @kind, a string constant) under the device's id, for device_iface().
 */
int device_provide(struct device *dev, const char *kind, void *iface) __must_check;
/* What device @id (NULL: the first that does) of @vm provides as @kind, or NULL. */
void *device_iface(struct vm *vm, const char *id, const char *kind);

/* Manager. */
int device_manager_create(struct vm *vm) __must_check;
void device_manager_destroy(struct vm *vm); /* all devices, in reverse order */
int device_create(struct vm *vm, const char *type, const char *id,
		  const struct device_config *config, struct device **out) __must_check;
int device_destroy(struct device *dev) __must_check;
struct device *device_find(struct vm *vm, const char *id);
/* In order of creation. */
void device_for_each(struct vm *vm, void (*fn)(void *opaque, struct device *dev), void *opaque);
void device_reset_all(struct vm *vm);
const struct device_type *device_type_find(const char *name);

/* log_msg with "vm NAME: ID: " in front. */
void device_log(const struct device *dev, enum log_level level, const char *fmt, ...)
	__printf(3, 4);

#endif
