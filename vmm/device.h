/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device manager. A device type is a const descriptor in a linker
 * section; a device is made of a type, an id that is unique in its VM, and a
 * config section checked against the type's keys. Everything that a device
 * takes goes through device_*() below, is owned by the device, and is given
 * back in reverse order when the device goes or when its create fails.
 *
 * Context: create, destroy and resource calls run in a task, one at a time
 * per VM (vm_life_begin() sees to it), no spinlock held. reset runs in a task;
 * no vCPU runs, but for that of a device that has just come.
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
#include <stddef.h>
#include <stdint.h>

#define DEVICE_ID_MAX 63

struct device;
struct boot_module;
struct backend_ops;
struct device_config;
struct device_state;
struct frontend;
struct frontend_kind;
struct vm;
struct vm_config;
struct vm_config_section;

enum device_key_kind {
	KEY_STRING,
	KEY_UINT,     /* decimal or 0x…, within [min, max] */
	KEY_SIZE,     /* KEY_UINT with K, M, G suffix: bytes */
	KEY_BOOL,     /* true, false, yes, no, on, off */
	KEY_CHOICE,   /* one of the words in `choices`, "a|b|c": its index */
	KEY_DEVICE,   /* the id of a device of this VM that is created before this one and
			 cannot go before it */
	KEY_FRONTEND, /* as KEY_DEVICE, but that one may go first (the backend's gone() tells) */
	KEY_MODULE,   /* module:NAME, an image that was loaded with us */
};

struct device_key {
	const char *name;
	enum device_key_kind kind;
	const char *def; /* default as text; NULL: the key is required; "" with
			    KEY_STRING/DEVICE/FRONTEND/MODULE: may be left out */
	uint64_t min, max;
	const char *choices;
	const char *help;
};

/* Whether @text is what @key asks for; @*number: of a number, a choice (its index), a boolean. */
bool device_key_parse(const struct device_key *key, const char *text,
		      uint64_t *number) __must_check;
/* What a value of @key looks like, for messages. */
void device_key_expected(const struct device_key *key, char *buf, size_t size);

struct device_type {
	const char *name;
	const char *help;	       /* one line */
	const struct device_key *keys; /* ended by a NULL name; NULL: none */
	const char *file;	       /* set by DEVICE_TYPE */
	bool fixed; /* of the vCPUs themselves: neither comes nor goes while they run */
	/*
	 * Makes dev->state, takes resources. On an error the manager gives back what was taken,
	 * then calls destroy() where dev->state is set: create() frees nothing that it has put
	 * there, because a hook may still be running. @config is valid until it returns. The
	 * device is as after reset() before anything of it can be reached: the VM may be running,
	 * and its vCPUs use a device as soon as they see it.
	 */
	int (*create)(struct device *dev, const struct device_config *config);
	/* Frees dev->state, also of a create() that failed. All resources are gone already: no
	 * callback can come any more. */
	void (*destroy)(struct device *dev);
	/*
	 * In a task: asks the guest to let go of the device, which then ends it (device_defer()).
	 * False: it does not listen, and the device may just as well go now. NULL: no guest needs
	 * to be asked.
	 */
	bool (*unplug)(struct device *dev);
	/* In a task that has the VM's life, some time after device_defer(): what the device's
	 * handlers may not do, such as to make or end devices, itself included. NULL: nothing. */
	void (*deferred)(struct device *dev);
	/* To power-on state, when the VM's vCPUs stand still; NULL: nothing to do. Takes the
	 * device's lock: timers, backends and the administrator come all the same. */
	void (*reset)(struct device *dev);
	/* What of dev->state a checkpoint has, vmm/device_state.h. NULL: a VM with such a device
	 * cannot be saved. */
	const struct device_state *saved;
};

/* The last line of a device's file. */
#define DEVICE_TYPE(ident_, ...) \
	TABLE_ENTRY(device_types, struct device_type, ident_) = {.file = __FILE__, __VA_ARGS__}

/* For `info devices`. */
enum device_resource_kind {
	DEVICE_IO,
	DEVICE_MSR,
	DEVICE_MEMORY,
	DEVICE_CPUID,
	DEVICE_CALL,
	DEVICE_IRQ,
	DEVICE_TIMER,
	DEVICE_IFACE,
	DEVICE_CONNECTION, /* of a backend to its frontend */
	DEVICE_REF,	   /* to another device: KEY_DEVICE */
	DEVICE_HOSTDEV,	   /* a host device that it has open */
	DEVICE_DMA,	   /* guest memory for its DMA alone */
	DEVICE_OTHER,
	DEVICE_RESOURCE_KINDS
};
extern const char *const device_resource_names[DEVICE_RESOURCE_KINDS];

struct device {
	char id[DEVICE_ID_MAX + 1];
	const struct device_type *type;
	struct vm *vm;
	void *state;
	struct list_head resources; /* newest first */
	unsigned counts[DEVICE_RESOURCE_KINDS];
	struct list_head link; /* in the VM's list, in order of creation */
	bool wants_deferred;   /* atomic */
	bool deferred_now;     /* and gets it in this pass; with the VM's life */
	bool asked;	       /* the guest, to let go of it; with the VM's life */
	char *plugged;	       /* its section as text, where it is not of the VM's config */
};

/* Typed values, checked before create(): these cannot fail for a key of the type. */
const char *device_config_string(const struct device_config *config, const char *key);
uint64_t device_config_uint(const struct device_config *config, const char *key);
bool device_config_bool(const struct device_config *config, const char *key);
/* NULL where KEY_DEVICE, KEY_FRONTEND, KEY_MODULE was left out. */
struct device *device_config_device(const struct device_config *config, const char *key);
const struct boot_module *device_config_module(const struct device_config *config, const char *key);

/*
 * Resources. 0, or a negative errno that was logged with both owners' names
 * where two devices want the same. The device and what it hooks live until
 * every CPU has passed a quiescent point after the resource was given back:
 * a handler that runs meanwhile on another CPU still finds the state.
 */
int device_hook_io(struct device *dev, uint16_t first, uint32_t count, const struct hook_ops *ops,
		   void *opaque) __must_check;
/* A register at @port that accesses of @width bytes alone reach. The ports behind @port are not
 * taken, and other accesses pass it by as if nobody were there. */
int device_hook_io_register(struct device *dev, uint16_t port, unsigned width,
			    const struct hook_ops *ops, void *opaque) __must_check;
int device_hook_msr(struct device *dev, uint32_t first, uint32_t count, const struct hook_ops *ops,
		    void *opaque) __must_check;
int device_hook_memory(struct device *dev, gpa_t gpa, uint64_t size, enum hook_memory_mode mode,
		       const struct hook_ops *ops, void *opaque) __must_check;
/* The ports, or the memory, that no hook and no RAM has: one device's. Offsets are addresses. */
int device_hook_io_rest(struct device *dev, const struct hook_ops *ops, void *opaque) __must_check;
int device_hook_memory_rest(struct device *dev, const struct hook_ops *ops, hook_changed_fn changed,
			    void *opaque) __must_check;
int device_hook_cpuid(struct device *dev, uint32_t first, uint32_t last, hook_cpuid_fn fn,
		      void *opaque) __must_check;
int device_hook_call(struct device *dev, uint64_t first, uint64_t last, hook_call_fn fn,
		     void *opaque) __must_check;
/* @*line is the device's own user of GSI @gsi. @sharers: a word that all name who share the line;
 * NULL: nobody else may have it. */
int device_irq(struct device *dev, unsigned gsi, const char *sharers,
	       struct irq_line **line) __must_check;

/* Chips: the VM's interrupt controller, its 8259 pair (-EBUSY: there is one), a sink of its lines.
 */
int device_irq_controller(struct device *dev, const struct irq_controller_ops *ops,
			  void *opaque) __must_check;
int device_irq_ext(struct device *dev, const struct irq_ext_ops *ops, void *opaque) __must_check;
int device_irq_sink(struct device *dev, struct irq_sink *sink) __must_check;

/* A timer in the guest's time (vm_time_ns): it stands still while the VM is paused. */
struct device_timer;
typedef void (*device_timer_fn)(void *opaque);
int device_timer(struct device *dev, device_timer_fn fn, void *opaque,
		 struct device_timer **timer) __must_check;
/* Any CPU, device locks may be held; no allocation. @ns: vm_time_ns() at which it fires. */
void device_timer_arm(struct device_timer *timer, uint64_t ns);
void device_timer_cancel(struct device_timer *timer);
/* The @ns it was armed with; UINT64_MAX: it is not armed. */
uint64_t device_timer_deadline(struct device_timer *timer);

/*
 * The VM's clock stands still, or goes on; no vCPU runs. Timers of a VM that
 * is not VM_RUNNING when they are made stand still: vm_start() resumes them
 * when it has set the clock.
 */
void device_timers_pause(struct vm *vm);
void device_timers_resume(struct vm *vm);
/* For a person, in a task that has the VM's life: each timer's device, and when it fires, in
 * vm_time_ns() (UINT64_C(-1): it is not armed). */
void device_timer_for_each(struct vm *vm,
			   void (*fn)(void *opaque, const struct device *dev, uint64_t ns),
			   void *opaque);

/* Publishes @iface (typed by @kind, a string constant) under the device's id, for device_iface().
 */
int device_provide(struct device *dev, const char *kind, void *iface) __must_check;
/* What device @id (NULL: the first that does) of @vm provides as @kind, or NULL. */
void *device_iface(struct vm *vm, const char *id, const char *kind);
/* vmm/frontend.h: device_provide of @frontend, whose backend is told when it goes; and the
 * backend's connection to frontend @id. */
int device_provide_frontend(struct device *dev, struct frontend *frontend) __must_check;
int device_connect(struct device *dev, const char *id, const struct frontend_kind *kind,
		   const struct backend_ops *ops, void *opaque, struct frontend **out) __must_check;
/*
 * Has the type's deferred() called soon, once for any number of calls before it begins. Any
 * context but NMI, any lock. Not done where the VM or the device ends before that.
 */
void device_defer(struct device *dev);
/*
 * RAM [@base, @base + @size) is for @dev's DMA and no other window may meet it. Who does the DMA
 * keeps to it (host_device_confine()). -EINVAL: it is not RAM; -EBUSY: another device's.
 */
int device_dma_window(struct device *dev, gpa_t base, uint64_t size) __must_check;
/* Anything else that is to be given back in its turn: by @release(@opaque), which cannot fail. */
int device_own_as(struct device *dev, enum device_resource_kind kind, void (*release)(void *opaque),
		  void *opaque) __must_check;
static inline int __must_check device_own(struct device *dev, void (*release)(void *opaque),
					  void *opaque)
{
	return device_own_as(dev, DEVICE_OTHER, release, opaque);
}

/*
 * Manager. Errors are logged; those of a config with file, line, key and what
 * was expected. On an error everything is as before.
 */
/* Boot, once: indexes the types that are linked in. -EEXIST: two of one name. */
int device_types_init(void) __must_check;
const struct device_type *device_type_find(const char *name);
void device_type_for_each(void (*fn)(void *opaque, const struct device_type *type), void *opaque);

int device_manager_create(struct vm *vm) __must_check;
void device_manager_destroy(struct vm *vm); /* all devices, in reverse order; NULL is fine */
/* All [device] sections of @config, without making anything: types, keys, values, references. */
int device_check_all(const struct vm_config *config) __must_check;
/* All [device] sections of vm->config, each after those that it refers to. */
int device_create_all(struct vm *vm) __must_check;
/* One more. @section NULL: defaults only. */
int device_create(struct vm *vm, const char *type, const char *id,
		  const struct vm_config_section *section, struct device **out) __must_check;
/* -EBUSY: another device's KEY_DEVICE refers to it, or it is fixed. */
int device_destroy(struct device *dev) __must_check;
/* Of all that asked by device_defer(), once each: who asks meanwhile has a call of its own. */
void device_run_deferred(struct vm *vm);
struct device *device_find(struct vm *vm, const char *id);
void device_reset_all(struct vm *vm); /* in order of creation */
/* In order of creation, under the manager's lock: @fn makes and takes nothing. Also while another
 * task creates and destroys. */
void device_for_each(struct vm *vm, void (*fn)(void *opaque, struct device *dev), void *opaque);

/* log_msg with "vm NAME: ID: " in front. */
void device_log(const struct device *dev, enum log_level level, const char *fmt, ...)
	__printf(3, 4);

#endif
