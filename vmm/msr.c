/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/msr.h"

#include "kernel/slab.h"
#include "vmm/cpu_model.h"
#include "vmm/fpu.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

static int hook_read(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width __unused,
		     uint64_t *value)
{
	const struct msr_access *access = opaque;

	*value = access->get(vcpu, access->arg + offset);
	return 0;
}

static int hook_write(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width __unused,
		      uint64_t value)
{
	const struct msr_access *access = opaque;

	return access->set ? access->set(vcpu, access->arg + offset, value) : -EACCES;
}

const struct hook_ops msr_hook_ops = {.read = hook_read, .write = hook_write};

uint64_t msr_get_constant(struct vcpu *vcpu __unused, uint64_t arg)
{
	return arg;
}

uint64_t msr_get_stored(struct vcpu *vcpu, uint64_t arg)
{
	return vcpu->msrs->stored[arg];
}

int msr_set_stored(struct vcpu *vcpu, uint64_t arg, uint64_t value)
{
	vcpu->msrs->stored[arg] = value;
	return 0;
}

int msr_set_ignored(struct vcpu *vcpu __unused, uint64_t arg __unused, uint64_t value __unused)
{
	return 0;
}

/* The tables of this machine's guests by number, NULL behind the last. */
static const struct hook *table(unsigned n)
{
	const struct hook *const tables[] = {
		msr_core_table,
		msr_mtrr_table,
		cpu_model_is_amd() ? msr_amd_table : msr_intel_table,
		fpu_has_tsc_aux() ? msr_tsc_aux_table : NULL,
		NULL,
	};

	return tables[n];
}

int msr_create(struct vm *vm)
{
	const struct hook *hook;

	for (unsigned n = 0; (hook = table(n)); n++) {
		for (; hook->owner; hook++) {
			int err = hook_msr_add(vm, hook);

			if (err)
				return err;
		}
	}
	return 0;
}

void msr_destroy(struct vm *vm)
{
	const struct hook *hook;

	for (unsigned n = 0; vm->hooks && (hook = table(n)); n++) {
		for (; hook->owner; hook++)
			hook_msr_remove(vm, hook);
	}
}

int msr_vcpu_create(struct vcpu *vcpu)
{
	vcpu->msrs = kzalloc(sizeof(*vcpu->msrs));
	return vcpu->msrs ? 0 : -ENOMEM;
}

void msr_vcpu_destroy(struct vcpu *vcpu)
{
	kfree(vcpu->msrs);
	vcpu->msrs = NULL;
}

void msr_reset(struct vcpu *vcpu)
{
	memset(vcpu->msrs, 0, sizeof(*vcpu->msrs));
	msr_mtrr_reset(vcpu->msrs);
	msr_vendor_reset(vcpu->msrs);
	vcpu->tsc_offset = vcpu->vm->tsc_offset;
}
