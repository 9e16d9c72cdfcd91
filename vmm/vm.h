/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual machine and its life: created from a config, started, paused,
 * reset, stopped, destroyed. All of these are called from tasks; a guest's
 * own reset or power-off asks for them through vm_request().
 */
#ifndef VMM_VM_H
#define VMM_VM_H

#include "kernel/log.h"
#include "kernel/page_alloc.h"
#include "kernel/spinlock.h"
#include "kernel/work.h"
#include "lib/compiler.h"
#include "lib/list.h"
#include "vmm/types.h"

#include <stdbool.h>

#define VM_NAME_MAX  31
#define VM_MAX_VCPUS 16

struct vcpu;
struct vm_config;
struct vm_console;
struct guest_memory;
struct hook_maps;
struct device_manager;
struct vm_irq;
struct vm_debug;

enum vm_state { VM_DEFINED, VM_RUNNING, VM_PAUSED, VM_STOPPED, VM_CRASHED };
enum vm_request {
	VM_REQUEST_POWEROFF,
	VM_REQUEST_RESET,
	VM_REQUEST_CRASH,
	VM_REQUEST_DEVICES, /* device_defer()'s; the vCPUs run on */
};

/* A checkpoint is being written, by who has not the VM's life; and is to be given up. */
enum vm_saving { VM_SAVING_NONE, VM_SAVING, VM_SAVING_GIVEN_UP };

/* Hears that a guest moved a vCPU's TSC: from that vCPU's exit, no lock held. */
struct tsc_watch {
	void (*moved)(void *opaque, struct vcpu *vcpu);
	void *opaque;
};

struct vm {
	char name[VM_NAME_MAX + 1];
	enum vm_state state;  /* under lock */
	struct spinlock lock; /* state and life-cycle requests */
	struct vcpu *vcpus[VM_MAX_VCPUS];
	uint32_t vcpu_count;
	void *hv;		 /* the vendor's part */
	struct hook_maps *hooks; /* vmm/hook/hook.h */
	struct guest_memory *memory;
	struct device_manager *devices;
	struct vm_irq *irq;
	struct vm_debug *debug;	     /* vmm/vm_debug.h; NULL: nobody debugs it */
	struct vm_config *config;    /* as parsed; owned */
	struct vm_console *consoles; /* list: one per char-console backend */
	struct vm_console *ended;    /* the last that went: what the VM said before it stopped */
	uint64_t cr4_allowed;	     /* what its CPUID gives it: all other bits are #GP */
	uint64_t tsc_offset;	     /* guest TSC = host TSC + this, while the clock runs */
	uint64_t tsc_paused;	     /* the guest TSC while it stands still */
	struct tsc_watch *tsc_watch; /* a clock of the VM's, by grace_publish(); NULL: none */
	bool clock_runs;
	bool busy;			/* a task changes the state; under lock */
	struct page_owner owner;	/* the pages that this VM costs us … */
	struct page_owner memory_owner; /* … beyond its own memory */
	char owner_name[VM_NAME_MAX + 16];
	char memory_owner_name[VM_NAME_MAX + 16];
	struct work request_work;
	char why[128];	   /* it crashed; of two vCPUs at a time, what they both say */
	uint32_t requests; /* atomic: BIT(enum vm_request) */
	uint32_t serving;  /* atomic: waiters that look at requests */
	uint32_t saving;   /* atomic: enum vm_saving */
	/* vm_log_guest(): the second that the lines shown and skipped are of. */
	uint64_t log_second;
	unsigned log_shown, log_skipped;
	struct list_head link; /* the list of VMs */
};

/* Defines a VM from a config (taken over on success). Nothing but the name and config is allocated.
 */
int vm_define(struct vm_config *config, struct vm **out) __must_check;
const char *vm_state_name(enum vm_state state);
/* Builds memory, vCPUs and devices, loads the image, lets it run. Errors are logged with the VM's
 * name; nothing is left. */
int vm_start(struct vm *vm) __must_check;
int vm_pause(struct vm *vm) __must_check;
int vm_resume(struct vm *vm) __must_check;
/* As the reset button: devices and vCPUs reset, memory kept, image loaded again. */
int vm_reset(struct vm *vm) __must_check;
/* Stops and gives back everything but the definition: the VM can be started again. */
int vm_destroy(struct vm *vm) __must_check;
/* Forgets a VM that is not running. */
int vm_undefine(struct vm *vm) __must_check;

/*
 * From a device or an exit handler: done by a waiter soon, and no vCPU runs
 * until then. Never waits. @why is logged, unless NULL.
 */
void vm_request(struct vm *vm, enum vm_request request, const char *why);

struct vm *vm_find(const char *name);
/* The list of VMs, in order of definition, under its lock: @fn does not yield. */
void vm_for_each(void (*fn)(void *opaque, struct vm *vm), void *opaque);

/* The guest's clock: ns since the VM's start, without the time it was paused. Exit path: cheap. */
uint64_t vm_time_ns(const struct vm *vm);
/* Host TSC at which vm_time_ns() will be @ns (past: a past TSC). */
uint64_t vm_time_to_tsc(const struct vm *vm, uint64_t ns);

/* Asks all vCPUs to flush and waits until none can use an old mapping. Task, no lock held. */
void vm_flush(struct vm *vm);
/*
 * The same for who must not wait: a vCPU that does an exit's work when it calls
 * this goes on when all others have flushed, and they each before the guest's next
 * instruction. Any CPU, any context but NMI.
 */
void vm_flush_soon(struct vm *vm);

/* log_msg with "vm NAME: " in front. */
void vm_log(const struct vm *vm, enum log_level level, const char *fmt, ...) __printf(3, 4);
/* As vm_log(), for what a guest can cause as often as it likes: so many lines a second, the rest
 * is counted. */
#define VM_LOG_GUEST_MAX 20
void vm_log_guest(struct vm *vm, enum log_level level, const char *fmt, ...) __printf(3, 4);

#endif
