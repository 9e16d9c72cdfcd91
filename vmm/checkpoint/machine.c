/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/time.h"
#include "vmm/checkpoint/state.h"
#include "vmm/cpu_model.h"
#include "vmm/cpu_vendor.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vm_life.h"

#include <stdio.h>
#include <string.h>

/* A guest does not see that its TSC is so much faster or slower: one measurement of it differs
 * from the next by more. */
#define TSC_TOLERANCE 1000 /* one part in so many */

/* An answer of CPUID's table. */
struct answer {
	uint32_t leaf, subleaf;
	struct cpuid_regs regs;
};
_Static_assert(sizeof(struct answer) == 24, "docs/checkpoint.md");

static bool answer_nth(struct vm *vm, uint32_t n, struct answer *a)
{
	return hook_cpuid_nth(vm, n, &a->leaf, &a->subleaf, &a->regs);
}

static size_t cpuid_save(void *state, uint8_t *buf, size_t size)
{
	struct checkpoint_machine *m = state;
	struct answer a;
	size_t len = 0;

	for (uint32_t n = 0; answer_nth(m->vm, n, &a); n++, len += sizeof(a))
		if (len + sizeof(a) <= size)
			memcpy(buf + len, &a, sizeof(a));
	return len;
}

/* The TSC's frequency has a tolerance, and is checked for itself. */
static bool same(const struct answer *a, const struct answer *b)
{
	return a->leaf == CPU_MODEL_LEAF_FREQUENCY ? b->leaf == a->leaf : !memcmp(a, b, sizeof(*a));
}

static const char *cpuid_check(const void *state, const uint8_t *data, size_t len)
{
	const struct checkpoint_machine *m = state;
	struct answer ours, theirs;
	uint32_t n;

	for (n = 0; answer_nth(m->vm, n, &ours); n++) {
		if (len < sizeof(theirs))
			break;
		memcpy(&theirs, data, sizeof(theirs));
		if (!same(&ours, &theirs)) {
			snprintf(m->wrong, sizeof(m->text), "leaf 0x%x differs: the CPU is another",
				 theirs.leaf);
			return m->wrong;
		}
		data += sizeof(theirs);
		len -= sizeof(theirs);
	}
	return len || answer_nth(m->vm, n, &ours) ? "other leaves than this CPU has" : NULL;
}

static const char *cpuid_load(void *state __unused, const uint8_t *data __unused,
			      size_t len __unused)
{
	return NULL;
}

static const struct device_blob cpuid_blob = {
	.save = cpuid_save, .check = cpuid_check, .load = cpuid_load};

static const struct device_field machine_fields[] = {
	DEVICE_FIELD(struct checkpoint_machine, memory),
	DEVICE_FIELD(struct checkpoint_machine, vcpus),
	DEVICE_FIELD(struct checkpoint_machine, tsc_khz),
	DEVICE_FIELD(struct checkpoint_machine, clock_ns),
	DEVICE_FIELD(struct checkpoint_machine, clock_tsc),
	DEVICE_FIELD_BLOB("cpuid", &cpuid_blob),
	{},
};

/* What the VM, made from its config, has already. */
static const char *machine_check(const void *state)
{
	const struct checkpoint_machine *m = state;
	uint64_t ours = time_scale.tsc_khz, tolerance = ours / TSC_TOLERANCE;

	if (m->memory != m->vm->memory->size)
		return "memory";
	if (m->vcpus != m->vm->vcpu_count)
		return "vcpus";
	if (!cpu_model_vendor(m->vm)->tsc_varies &&
	    (m->tsc_khz > ours + tolerance || m->tsc_khz + tolerance < ours))
		return "tsc_khz";
	return NULL;
}

const struct device_state checkpoint_machine_state = {
	.name = "machine",
	.version = 1,
	.size = sizeof(struct checkpoint_machine),
	.fields = machine_fields,
	.check = machine_check,
};

void checkpoint_machine_get(struct checkpoint_machine *m, struct vm *vm)
{
	*m = (struct checkpoint_machine){
		.vm = vm,
		.memory = vm->memory->size,
		.vcpus = vm->vcpu_count,
		.tsc_khz = (uint32_t)time_scale.tsc_khz,
		.clock_ns = vm_time_ns(vm),
		.clock_tsc = vm->tsc_paused,
	};
	m->wrong = m->text;
}

void checkpoint_machine_set(const struct checkpoint_machine *m, struct vm *vm)
{
	/* Devices' deadlines are by the clock's ns, so these go on; what that moves the TSC by is
	 * made good for the vCPUs, which see it. */
	vm->tsc_paused =
		m->tsc_khz == time_scale.tsc_khz ? m->clock_tsc : time_ns_to_tsc(m->clock_ns);
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		vm->vcpus[i]->tsc_offset = m->clock_tsc - vm->tsc_paused;
}
