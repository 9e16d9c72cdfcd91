/* SPDX-License-Identifier: BSD-2-Clause */
/* VMs as names in a list, their requests and their logs; what they live through is in vm_life.c. */
#include "vmm/vm.h"

#include "kernel/grace.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "vmm/vcpu.h"
#include "vmm/vm_config.h"
#include "vmm/vm_console.h"
#include "vmm/vm_life.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VM_LOG_MAX 240

static struct spinlock list_lock = SPINLOCK_INIT;
static struct list_head vms = LIST_HEAD_INIT(vms);

void vm_log(const struct vm *vm, enum log_level level, const char *fmt, ...)
{
	char text[VM_LOG_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_msg(level, "vm %s: %s", vm->name, text);
}

/* Two vCPUs may both count: a line more or less does no harm. */
static bool may_log(struct vm *vm)
{
	uint64_t second = time_ns() / NSEC_PER_SEC;
	unsigned skipped = vm->log_skipped;

	if (second != vm->log_second) {
		vm->log_second = second;
		vm->log_shown = vm->log_skipped = 0;
		if (skipped)
			vm_log(vm, LOG_WARN, "%u lines more were not shown", skipped);
	}
	if (vm->log_shown < VM_LOG_GUEST_MAX) {
		vm->log_shown++;
		return true;
	}
	vm->log_skipped++;
	return false;
}

void vm_log_guest(struct vm *vm, enum log_level level, const char *fmt, ...)
{
	char text[VM_LOG_MAX];
	va_list args;

	if (!may_log(vm))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	vm_log(vm, level, "%s", text);
}

const char *vm_state_name(enum vm_state state)
{
	static const char *const names[] = {[VM_DEFINED] = "defined",
					    [VM_RUNNING] = "running",
					    [VM_PAUSED] = "paused",
					    [VM_STOPPED] = "stopped",
					    [VM_CRASHED] = "crashed"};

	return names[state];
}

static struct vm *find_locked(const char *name)
{
	struct vm *vm;

	list_for_each_entry (vm, &vms, link) {
		if (strcmp(vm->name, name) == 0)
			return vm;
	}
	return NULL;
}

struct vm *vm_find(const char *name)
{
	struct vm *vm;

	spin_lock(&list_lock);
	vm = find_locked(name);
	spin_unlock(&list_lock);
	return vm;
}

void vm_for_each(void (*fn)(void *opaque, struct vm *vm), void *opaque)
{
	struct vm *vm;

	spin_lock(&list_lock);
	list_for_each_entry (vm, &vms, link)
		fn(opaque, vm);
	spin_unlock(&list_lock);
}

int vm_define(struct vm_config *config, struct vm **out)
{
	const struct vm *twin;
	struct vm *vm;

	if (strlen(config->name) > VM_NAME_MAX)
		return -ENAMETOOLONG;
	vm = kzalloc(sizeof(*vm));
	if (!vm)
		return -ENOMEM;
	strcpy(vm->name, config->name);
	vm->config = config;
	vm->state = VM_DEFINED;
	spinlock_init(&vm->lock);
	work_init_waiting(&vm->request_work, vm_life_serve);
	snprintf(vm->owner_name, sizeof(vm->owner_name), "vm %s", vm->name);
	snprintf(vm->memory_owner_name, sizeof(vm->memory_owner_name), "vm %s memory", vm->name);

	spin_lock(&list_lock);
	twin = find_locked(vm->name);
	if (twin) {
		log_error("%s:%u: [vm \"%s\"]: %s defines a VM of that name: expected another one",
			  config->file, vm_config_section(config, "vm", "")->line, config->name,
			  twin->config->file);
		spin_unlock(&list_lock);
		kfree(vm);
		return -EEXIST;
	}
	list_add_tail(&vm->link, &vms);
	spin_unlock(&list_lock);
	page_owner_register(&vm->owner, vm->owner_name);
	page_owner_register(&vm->memory_owner, vm->memory_owner_name);
	*out = vm;
	return 0;
}

/* Whether a waiter may still come to the VM, or a debugger has not seen its end yet. */
static bool has_requests(struct vm *vm)
{
	return READ_ONCE(vm->debug) || __atomic_load_n(&vm->requests, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&vm->request_work.queued, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&vm->serving, __ATOMIC_SEQ_CST);
}

int vm_undefine(struct vm *vm)
{
	enum vm_state state = vm_life_begin(vm);

	vm_life_end(vm, state);
	if (state == VM_RUNNING || state == VM_PAUSED || state == VM_CRASHED) {
		vm_log(vm, LOG_ERROR, "is %s: destroy it first", vm_state_name(state));
		return -EBUSY;
	}
	/* A waiter that has just taken the work off its list has not counted itself yet, but it
	 * does so before its CPU's next quiescent point. */
	do {
		while (has_requests(vm))
			task_yield();
		grace_synchronize();
	} while (has_requests(vm));

	spin_lock(&list_lock);
	list_del(&vm->link);
	spin_unlock(&list_lock);
	page_owner_unregister(&vm->memory_owner);
	page_owner_unregister(&vm->owner);
	vm_console_forget(vm);
	vm_config_free(vm->config);
	kfree(vm);
	return 0;
}

void vm_request(struct vm *vm, enum vm_request request, const char *why)
{
	static const char *const names[] = {[VM_REQUEST_POWEROFF] = "power-off",
					    [VM_REQUEST_RESET] = "reset",
					    [VM_REQUEST_CRASH] = "stop"};
	uint32_t bit = 1u << request;

	if (!(__atomic_fetch_or(&vm->requests, bit, __ATOMIC_SEQ_CST) & bit) && why)
		vm_log_guest(vm, LOG_INFO, "%s: %s", names[request], why);
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		vcpu_request(vm->vcpus[i], VCPU_REQ_PAUSE);
	work_queue(&vm->request_work);
}
