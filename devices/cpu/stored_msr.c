/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/cpu/stored_msr.h"

#include "kernel/slab.h"
#include "vmm/device_state.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>

/* A vCPU touches its own values only, and none runs during a reset: no lock. */
struct stored_msr_slot {
	const struct stored_msr *msr;
	uint64_t constant; /* of the bits that no guest changes */
	uint64_t values[VM_MAX_VCPUS];
};

struct stored_msrs {
	size_t count;
	struct stored_msr_slot slots[];
};

static const struct device_field stored_msr_slot_fields[] = {
	DEVICE_FIELD(struct stored_msr_slot, values),
	{},
};

/* A bit that cannot be written has the value that it has after a reset. */
static const char *stored_msr_check(const void *state)
{
	const struct stored_msr_slot *slot = state;
	uint64_t kept = ~slot->msr->known | slot->msr->fixed;

	for (size_t i = 0; i < VM_MAX_VCPUS; i++)
		if ((slot->values[i] ^ slot->constant) & kept)
			return "values";
	return NULL;
}

static const struct device_state stored_msr_slot_saved = {
	.name = "stored-msr",
	.version = 1,
	.size = sizeof(struct stored_msr_slot),
	.fields = stored_msr_slot_fields,
	.check = stored_msr_check,
};

static size_t stored_msr_count(const void *state)
{
	return ((const struct stored_msrs *)state)->count;
}

static const struct device_ref stored_msr_slots = {
	.type = &stored_msr_slot_saved,
	.count = stored_msr_count,
};

const struct device_field stored_msr_fields[] = {
	DEVICE_FIELD_TAIL(struct stored_msrs, slots, &stored_msr_slots),
	{},
};
static int stored_msr_read(void *opaque, struct vcpu *vcpu, uint64_t offset __unused,
			   unsigned width __unused, uint64_t *value)
{
	const struct stored_msr_slot *slot = opaque;

	*value = slot->values[vcpu->index];
	return 0;
}

static int stored_msr_write(void *opaque, struct vcpu *vcpu, uint64_t offset __unused,
			    unsigned width __unused, uint64_t value)
{
	struct stored_msr_slot *slot = opaque;
	uint64_t fixed = slot->msr->fixed;

	if (!slot->msr->known)
		return -EACCES;
	if (value & ~slot->msr->known)
		return -EINVAL;
	slot->values[vcpu->index] = (value & ~fixed) | (slot->values[vcpu->index] & fixed);
	return 0;
}

static const struct hook_ops stored_msr_ops = {.read = stored_msr_read, .write = stored_msr_write};

static void stored_msr_set_slot(struct stored_msr_slot *slot, uint64_t value)
{
	slot->constant = value;
	for (size_t i = 0; i < VM_MAX_VCPUS; i++)
		slot->values[i] = value;
}

void stored_msr_set(struct device *dev, uint32_t index, uint64_t value)
{
	struct stored_msrs *msrs = dev->state;

	for (size_t i = 0; i < msrs->count; i++)
		if (msrs->slots[i].msr->index == index)
			stored_msr_set_slot(&msrs->slots[i], value);
}

void stored_msr_reset(struct device *dev)
{
	struct stored_msrs *msrs = dev->state;

	for (size_t i = 0; i < msrs->count; i++)
		stored_msr_set_slot(&msrs->slots[i], msrs->slots[i].msr->reset);
}

void stored_msr_destroy(struct device *dev)
{
	kfree(dev->state);
}

int stored_msr_create(struct device *dev, const struct stored_msr *table, size_t count)
{
	struct stored_msrs *msrs = kzalloc(sizeof(*msrs) + count * sizeof(msrs->slots[0]));
	int err = 0;

	if (!msrs)
		return -ENOMEM;
	dev->state = msrs;
	msrs->count = count;
	for (size_t i = 0; i < count; i++)
		msrs->slots[i].msr = &table[i];
	stored_msr_reset(dev);
	for (size_t i = 0; i < count && !err; i++)
		err = device_hook_msr(dev, table[i].index, 1, &stored_msr_ops, &msrs->slots[i]);
	return err;
}
