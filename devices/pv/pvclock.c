/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paravirtual clock that Linux and the BSDs know from KVM. A guest that
 * has it takes the frequency of its TSC from it, uses x2APIC, and calibrates
 * nothing against the 8254.
 *
 * Spec: Linux, Documentation/virt/kvm/x86/cpuid.rst and msr.rst.
 * Keys: none.
 * Lock: lock over the reference pair and the writes to guest memory.
 *
 * The guest's TSC and vm_time_ns() stand still together while the VM is
 * paused, so that one line through one point is right until the guest itself
 * moves a TSC: then the pages are written again, and system time does not
 * jump. The stable bit says that all vCPUs' TSCs are the same: a guest may
 * read one vCPU's page on all of them, as Linux's vDSO does.
 */
#include "kernel/grace.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "kernel/wall_time.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/guest_memory.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <string.h>

#define PVCLOCK_LEAF_SIGNATURE 0x40000100u
#define PVCLOCK_LEAF_FEATURES  0x40000101u

#define PVCLOCK_NOP_IO_DELAY BIT(1)  /* port 0x80 needs no writes for delays */
#define PVCLOCK_CLOCKSOURCE2 BIT(3)  /* the MSRs below */
#define PVCLOCK_STABLE	     BIT(24) /* no warps between vCPUs */

#define MSR_PVCLOCK_WALL   0x4b564d00
#define MSR_PVCLOCK_SYSTEM 0x4b564d01
#define PVCLOCK_ENABLE	   BIT(0)

#define PVCLOCK_FLAG_TSC_STABLE 0x01

/* ns = (((tsc - tsc_timestamp) << tsc_shift) * tsc_to_system_mul >> 32) + system_time. */
struct pvclock_system {
	uint32_t version; /* odd while it is being written */
	uint32_t pad0;
	uint64_t tsc_timestamp;
	uint64_t system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags;
	uint8_t pad[2];
};
_Static_assert(sizeof(struct pvclock_system) == 32, "pvclock_vcpu_time_info");
_Static_assert(offsetof(struct pvclock_system, tsc_to_system_mul) == 24, "pvclock_vcpu_time_info");

struct pvclock_wall {
	uint32_t version;
	uint32_t seconds; /* since 1970, when system time was 0 */
	uint32_t nanoseconds;
};
_Static_assert(sizeof(struct pvclock_wall) == 12, "pvclock_wall_clock");

struct pvclock {
	struct spinlock lock;
	struct vm *vm;
	struct tsc_watch watch;
	bool referenced;
	uint64_t ref_tsc; /* TSC of a vCPU whose offset is the VM's … */
	uint64_t ref_ns;  /* … and vm_time_ns() at that moment */
	uint64_t wall_msr;
	uint64_t system_msrs[VM_MAX_VCPUS];
	uint32_t versions[VM_MAX_VCPUS]; /* of the pages: even, and another with each change */
};

/* time_scale's factor as 32 bits and a shift to the left. */
static void pvclock_scale(uint32_t *mul, int8_t *shift)
{
	uint64_t factor = time_scale.ns_mult;

	for (*shift = 0; factor > UINT32_MAX; factor >>= 1)
		(*shift)++;
	*mul = (uint32_t)factor;
}

/*
 * Under the lock. One reading of the TSC for both: between two, anything may have the CPU, and the
 * guest's clock would jump by that when it is restored.
 */
static void pvclock_reference(struct pvclock *p)
{
	if (p->referenced)
		return;
	p->ref_tsc = time_tsc() + p->vm->tsc_offset;
	p->ref_ns = time_tsc_to_ns(p->ref_tsc);
	p->referenced = true;
}

/* What the guest moved the vCPU's TSC by: a pause moves it together with the VM's. */
static uint64_t pvclock_moved(const struct vcpu *vcpu)
{
	return READ_ONCE(vcpu->tsc_offset) - vcpu->vm->tsc_offset;
}

static bool pvclock_stable(const struct vm *vm)
{
	for (uint32_t i = 1; i < vm->vcpu_count; i++)
		if (pvclock_moved(vm->vcpus[i]) != pvclock_moved(vm->vcpus[0]))
			return false;
	return true;
}

/* Under the lock. Other vCPUs may be reading it. */
static int pvclock_write_page(struct pvclock *p, const struct vcpu *vcpu, gpa_t gpa)
{
	uint32_t odd = p->versions[vcpu->index] + 1;
	struct pvclock_system s = {.version = p->versions[vcpu->index] += 2};
	int err;

	pvclock_reference(p);
	s.flags = pvclock_stable(p->vm) ? PVCLOCK_FLAG_TSC_STABLE : 0;
	s.tsc_timestamp = p->ref_tsc + pvclock_moved(vcpu);
	s.system_time = p->ref_ns;
	pvclock_scale(&s.tsc_to_system_mul, &s.tsc_shift);
	err = guest_write(p->vm, gpa, &odd, sizeof(odd));
	if (!err)
		err = guest_write(p->vm, gpa + sizeof(odd), &s.pad0, sizeof(s) - sizeof(odd));
	if (!err)
		err = guest_write(p->vm, gpa, &s.version, sizeof(s.version));
	return err;
}

/* One vCPU's TSC was moved: its page has another line now, all have another stable bit, perhaps. */
static void pvclock_tsc_moved(void *opaque, struct vcpu *moved)
{
	struct pvclock *p = opaque;
	uint32_t i;

	spin_lock(&p->lock);
	for (i = 0; i < moved->vm->vcpu_count; i++) {
		uint64_t *msr = &p->system_msrs[i];

		if ((*msr & PVCLOCK_ENABLE) &&
		    pvclock_write_page(p, moved->vm->vcpus[i], *msr & ~PVCLOCK_ENABLE))
			*msr = 0;
	}
	spin_unlock(&p->lock);
}

static int pvclock_write_wall(struct pvclock *p, gpa_t gpa)
{
	struct pvclock_wall w = {.version = 2};

	w.seconds = (uint32_t)(wall_time() - (int64_t)(vm_time_ns(p->vm) / NSEC_PER_SEC));
	return guest_write(p->vm, gpa, &w, sizeof(w));
}

static int pvclock_read(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width __unused,
			uint64_t *value)
{
	struct pvclock *p = opaque;

	*value = offset ? p->system_msrs[vcpu->index] : p->wall_msr;
	return 0;
}

/* An address that is no memory is #GP. */
static int pvclock_write(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width __unused,
			 uint64_t value)
{
	struct pvclock *p = opaque;
	int err = 0;

	spin_lock(&p->lock);
	if (!offset)
		err = pvclock_write_wall(p, value);
	else if (value & PVCLOCK_ENABLE)
		err = pvclock_write_page(p, vcpu, value & ~PVCLOCK_ENABLE);
	if (!err && offset)
		p->system_msrs[vcpu->index] = value;
	else if (!err)
		p->wall_msr = value;
	spin_unlock(&p->lock);
	return err;
}

static const struct hook_ops pvclock_ops = {.read = pvclock_read, .write = pvclock_write};

static void pvclock_cpuid(void *opaque __unused, struct vcpu *vcpu __unused, uint32_t leaf,
			  uint32_t subleaf __unused, struct cpuid_regs *regs)
{
	static const char signature[12] = "KVMKVMKVM";

	if (leaf == PVCLOCK_LEAF_SIGNATURE) {
		regs->eax = PVCLOCK_LEAF_FEATURES;
		memcpy(&regs->ebx, signature, 4);
		memcpy(&regs->ecx, signature + 4, 4);
		memcpy(&regs->edx, signature + 8, 4);
	} else {
		regs->eax = PVCLOCK_NOP_IO_DELAY | PVCLOCK_CLOCKSOURCE2 | PVCLOCK_STABLE;
		regs->ebx = regs->ecx = regs->edx = 0;
	}
}

static void pvclock_reset(struct device *dev)
{
	struct pvclock *p = dev->state;

	spin_lock(&p->lock);
	p->wall_msr = 0;
	memset(p->system_msrs, 0, sizeof(p->system_msrs));
	spin_unlock(&p->lock);
}

static const struct device_field pvclock_fields[] = {
	DEVICE_FIELD(struct pvclock, wall_msr),
	DEVICE_FIELD(struct pvclock, system_msrs),
	DEVICE_FIELD(struct pvclock, versions),
	{},
};

/* The pages get the line through the moment at which the clock stands: this machine's TSC may be
 * told to be a little faster or slower than the last one's. */
static const char *pvclock_post_load(void *state)
{
	struct pvclock *p = state;
	const char *wrong = NULL;
	uint32_t i;

	spin_lock(&p->lock);
	p->ref_tsc = p->vm->tsc_paused;
	p->ref_ns = vm_time_ns(p->vm);
	p->referenced = true;
	for (i = 0; i < p->vm->vcpu_count; i++)
		if ((p->system_msrs[i] & PVCLOCK_ENABLE) &&
		    pvclock_write_page(p, p->vm->vcpus[i], p->system_msrs[i] & ~PVCLOCK_ENABLE))
			wrong = "system_msrs: an address that is no memory";
	spin_unlock(&p->lock);
	return wrong;
}

static const struct device_state pvclock_saved = {
	.name = "pvclock",
	.version = 1,
	.size = sizeof(struct pvclock),
	.lock = DEVICE_STATE_LOCK(struct pvclock, lock),
	.fields = pvclock_fields,
	.post_load = pvclock_post_load,
};

static void pvclock_unwatch(void *opaque)
{
	grace_publish(((struct pvclock *)opaque)->vm->tsc_watch, NULL);
}

static void pvclock_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int pvclock_create(struct device *dev, const struct device_config *config __unused)
{
	struct pvclock *p = kzalloc(sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	dev->state = p;
	p->vm = dev->vm;
	p->watch = (struct tsc_watch){.moved = pvclock_tsc_moved, .opaque = p};
	(void)wall_time(); /* so that the clock has been read when an exit asks */
	err = device_hook_cpuid(dev, PVCLOCK_LEAF_SIGNATURE, PVCLOCK_LEAF_FEATURES, pvclock_cpuid,
				p);
	if (!err)
		err = device_hook_msr(dev, MSR_PVCLOCK_WALL, 2, &pvclock_ops, p);
	if (err) /* another one has them, and the watch */
		return err;
	err = device_own(dev, pvclock_unwatch, p);
	if (!err)
		grace_publish(p->vm->tsc_watch, &p->watch);
	return err;
}

MACHINE_PART(pvclock_part, .machine = "pc", .text = "[device \"pvclock\"]\ntype = pvclock\n");

DEVICE_TYPE(pvclock_type, .name = "pvclock", .help = "KVM-compatible paravirtual clock",
	    .create = pvclock_create, .destroy = pvclock_destroy, .reset = pvclock_reset,
	    .saved = &pvclock_saved);
