/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/slab.h"
#include "kernel/time.h"
#include "vmm/checkpoint/checkpoint.h"
#include "vmm/checkpoint/state.h"
#include "vmm/device_internal.h"
#include "vmm/guest_memory.h"
#include "vmm/guest_past.h"
#include "vmm/irq.h"
#include "vmm/state_bytes.h"
#include "vmm/vcpu_saved.h"
#include "vmm/vm.h"
#include "vmm/vm_config_text.h"
#include "vmm/vm_life.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* What may come to a device while it is saved. */
#define SLACK 1024

static int check_devices(struct vm *vm, char *why)
{
	struct device *dev;

	list_for_each_entry (dev, &vm->devices->devices, link) {
		const struct device_state *saved = dev->type->saved;
		const char *lacks = saved ? device_state_lacks(saved, dev->state) : "it";

		if (!lacks)
			continue;
		snprintf(why, CHECKPOINT_WHY_MAX,
			 "device %s of type %s: %s has no state that can be saved", dev->id,
			 dev->type->name, lacks);
		return -ENOTSUP;
	}
	return 0;
}

static int put_record(struct checkpoint_writer *w, enum checkpoint_kind kind, const char *id,
		      const uint8_t *state, size_t len)
{
	uint8_t name[1 + UINT8_MAX];
	struct state_writer bytes = {.buf = name, .size = sizeof(name)};
	int err;

	state_put_name(&bytes, id);
	err = checkpoint_record_begin(w, kind, bytes.at + len);
	if (!err)
		err = checkpoint_put(w, name, bytes.at);
	if (!err)
		err = checkpoint_put(w, state, len);
	return err ? err : checkpoint_record_end(w);
}

static int save_state(struct checkpoint_writer *w, enum checkpoint_kind kind, const char *id,
		      const struct device_state *type, void *state)
{
	size_t len = device_state_save(type, state, NULL, 0), size;
	uint8_t *buf;
	int err;

	/* It may grow between two looks, though not for long: its VM stands still. */
	do {
		size = len + SLACK;
		buf = kmalloc(size);
		if (!buf)
			return -ENOMEM;
		len = device_state_save(type, state, buf, size);
		if (len > size)
			kfree(buf);
	} while (len > size);
	err = put_record(w, kind, id, buf, len);
	kfree(buf);
	return err;
}

static int save_machine(struct checkpoint_writer *w, struct vm *vm)
{
	struct checkpoint_machine m;

	checkpoint_machine_get(&m, vm);
	return save_state(w, CHECKPOINT_MACHINE, vm->name, &checkpoint_machine_state, &m);
}

static int save_config(struct checkpoint_writer *w, struct vm *vm)
{
	size_t size = vm_config_vm_text(vm, NULL, 0);
	char *text = kmalloc(size + 1);
	int err;

	if (!text)
		return -ENOMEM;
	vm_config_vm_text(vm, text, size);
	err = put_record(w, CHECKPOINT_CONFIG, vm->name, (const uint8_t *)text, size);
	kfree(text);
	return err;
}

static int save_vcpus(struct checkpoint_writer *w, struct vm *vm)
{
	struct vcpu_saved *saved = kmalloc(sizeof(*saved));
	char id[16];
	int err = saved ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < vm->vcpu_count && !err; i++) {
		vcpu_saved_get(vm->vcpus[i], saved);
		snprintf(id, sizeof(id), "%u", i);
		err = save_state(w, CHECKPOINT_VCPU, id, &checkpoint_vcpu_state, saved);
	}
	kfree(saved);
	return err;
}

static int save_devices(struct checkpoint_writer *w, struct vm *vm)
{
	struct device *dev;
	int err = 0;

	list_for_each_entry (dev, &vm->devices->devices, link) {
		err = save_state(w, CHECKPOINT_DEVICE, dev->id, dev->type->saved, dev->state);
		if (err)
			break;
	}
	return err;
}

static const struct device_pages *pages_of(const struct device *dev)
{
	return dev->type->saved ? dev->type->saved->pages : NULL;
}

static int freeze_pages(struct vm *vm)
{
	struct device *dev;
	int err = 0;

	list_for_each_entry (dev, &vm->devices->devices, link)
		if (!err && pages_of(dev))
			err = pages_of(dev)->freeze(dev->state);
	return err;
}

/* -ENOMEM: what was written of them is not what there was. */
static int thaw_pages(struct vm *vm)
{
	struct device *dev;
	int err = 0;

	list_for_each_entry (dev, &vm->devices->devices, link)
		if (pages_of(dev) && !pages_of(dev)->thaw(dev->state))
			err = -ENOMEM;
	return err;
}

static int save_memory(struct checkpoint_writer *w, struct vm *vm)
{
	int err = checkpoint_write_memory(vm, w);

	return err ? err : checkpoint_write_end(w);
}

/* The chips are told nothing by now. Memory is written now, or is from now on as it is now. */
static int save_records(struct checkpoint_writer *w, struct vm *vm)
{
	int err = checkpoint_write_header(w);

	if (!err)
		err = save_machine(w, vm);
	if (!err)
		err = save_config(w, vm);
	if (!err)
		err = save_vcpus(w, vm);
	if (!err)
		err = save_devices(w, vm);
	if (err || !vm->memory->past)
		return err ? err : save_memory(w, vm);
	err = freeze_pages(vm);
	if (!err)
		guest_past_begin(vm);
	return err;
}

/*
 * What devices bring to an end may change vCPUs' requests and other devices: first all of it. What
 * does not end is refused. From then on, what comes from outside may still change a device, but no
 * chip: a line that became high between the two records is told when it is restored.
 */
static int save_all(struct checkpoint_writer *w, struct vm *vm, char *why)
{
	struct device *dev;
	int err;

	list_for_each_entry (dev, &vm->devices->devices, link)
		device_state_pre_save(dev->type->saved, dev->state);
	err = check_devices(vm, why);
	if (!err) {
		irq_lines_freeze(vm);
		err = save_records(w, vm);
		irq_lines_tell(vm);
	}
	list_for_each_entry (dev, &vm->devices->devices, link)
		device_state_post_save(dev->type->saved, dev->state);
	return err;
}

static int save_still(struct vm *vm, struct checkpoint_writer *w, char *why)
{
	int err;

	device_run_deferred(vm);
	if (__atomic_load_n(&vm->requests, __ATOMIC_SEQ_CST) & ~(1u << VM_REQUEST_DEVICES)) {
		snprintf(why, CHECKPOINT_WHY_MAX,
			 "it is just about to end, or to reset: try again");
		return -EAGAIN;
	}
	err = check_devices(vm, why);
	return err ? err : save_all(w, vm, why);
}

static void explain(struct vm *vm, const struct checkpoint_writer *w, int err, char *why)
{
	if (err == -ENOSPC)
		snprintf(why, CHECKPOINT_WHY_MAX,
			 "there is room for %" PRIu64 " KiB of it, and it may need %" PRIu64,
			 w->bytes >> 10, vm->memory->size >> 10);
	else if (err == -ENOMEM)
		snprintf(why, CHECKPOINT_WHY_MAX,
			 "no memory is left behind %" PRIu64
			 " KiB of it: see `info memory`, and destroy VMs or delete snapshots",
			 w->bytes >> 10);
	else if (err == -ECANCELED)
		snprintf(why, CHECKPOINT_WHY_MAX, "given up");
	else if (err == -EAGAIN && !*why)
		snprintf(why, CHECKPOINT_WHY_MAX,
			 "it has ended meanwhile, or a device came or went");
	else if (err && !*why)
		snprintf(why, CHECKPOINT_WHY_MAX, "it cannot be written (error %d)", err);
}

/* The VM's life is its own again: destroy() and the like wait for us, see vm_saving_give_up(). */
static int save_running(struct vm *vm, struct checkpoint_writer *w, int err)
{
	int torn;

	if (!err)
		err = save_memory(w, vm);
	torn = thaw_pages(vm);
	guest_past_end(vm);
	return err ? err : torn;
}

/* Whether it may go on while it is written. */
static bool keep_running(struct vm *vm, enum vm_state state)
{
	if (state != VM_RUNNING)
		return false;
	if (!guest_past_prepare(vm))
		return true;
	vm_log(vm, LOG_WARN,
	       "no memory for what it changes while it is saved (as much as it has): it stands "
	       "still meanwhile");
	return false;
}

int checkpoint_save(struct vm *vm, struct checkpoint_writer *w, char *why)
{
	enum vm_state state = vm_life_begin(vm);
	uint64_t start;
	bool runs;
	int err;

	if (state != VM_RUNNING && state != VM_PAUSED) {
		vm_life_end(vm, state);
		snprintf(why, CHECKPOINT_WHY_MAX, "it is %s: %s it first", vm_state_name(state),
			 state == VM_CRASHED ? "reset" : "start");
		return -ENOTSUP;
	}
	if (vm->debug) {
		vm_life_end(vm, state);
		snprintf(why, CHECKPOINT_WHY_MAX,
			 "a debugger is there, and its breakpoints in memory: let it detach first");
		return -EBUSY;
	}
	*why = 0;
	runs = keep_running(vm, state);
	start = time_ns();
	if (state == VM_RUNNING)
		vm_still_begin(vm);
	err = save_still(vm, w, why);
	if (state == VM_RUNNING)
		vm_still_end(vm);
	w->still_ns = time_ns() - start;
	__atomic_store_n(&vm->saving, VM_SAVING, __ATOMIC_SEQ_CST);
	vm_life_end(vm, state);
	if (runs)
		err = save_running(vm, w, err);
	explain(vm, w, err, why);
	__atomic_store_n(&vm->saving, VM_SAVING_NONE, __ATOMIC_SEQ_CST);
	return err;
}
