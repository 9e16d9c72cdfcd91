/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/cpu_model.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/msr.h"
#include "kernel/log.h"
#include "kernel/time.h"
#include "vmm/cpu_vendor.h"
#include "vmm/fpu.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/hv_ops.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <string.h>

#define LEAF_MAX_HYPERVISOR CPU_MODEL_LEAF_FREQUENCY
#define LEAF_MAX_EXTENDED   0x80000008u

#define PHYS_BITS_MAX	  48u /* what nested tables of four levels reach */
#define PHYS_BITS_DEFAULT 36u /* APM vol. 3, Fn8000_0008 is not there */
#define LINEAR_BITS	  48u

#define CPUID_1_EDX_HTT		   BIT(28)
#define CPUID_1_EBX_CLFLUSH	   0xff00u
#define CPUID_7_EBX_TSC_ADJUST	   BIT(1)
#define CPUID_7_ECX_RDPID	   BIT(22)
#define CPUID_80000001_ECX_TOPOEXT BIT(22)
#define CPUID_80000001_EDX_SYSCALL BIT(11)
#define CPUID_80000001_EDX_NX	   BIT(20)
#define CPUID_80000001_EDX_RDTSCP  BIT(27)
#define CPUID_80000001_EDX_LM	   BIT(29)

/* Caches, leaves 4 and 8000001D, EAX: type 0 ends the list. */
#define CACHE_TYPE	   0x1fu
#define CACHE_LEVEL	   0xe0u
#define CACHE_LEVEL_3	   0x60u
#define CACHE_KEPT	   0x3ffu /* type, level, self-initializing, fully associative */
#define CACHE_SHARED_SHIFT 14
#define CACHES_MAX	   8u

const struct cpu_vendor *cpu_model_vendor(const struct vm *vm)
{
	return vm->config->cpu_common ? &cpu_common : hv_ops->cpu;
}

enum cpu_line cpu_model_line(const struct vm *vm)
{
	return cpu_model_vendor(vm)->line;
}

uint32_t cpu_model_signature(const struct vm *vm)
{
	return cpu_model_vendor(vm)->signature();
}

static unsigned machine_phys_bits(void)
{
	unsigned bits = cpuid_checked(0x80000008).eax & 0xff;

	return bits ? MIN(bits, PHYS_BITS_MAX) : PHYS_BITS_DEFAULT;
}

unsigned cpu_model_phys_bits(const struct vm *vm)
{
	unsigned bits = cpu_model_vendor(vm)->phys_bits;

	return bits ? bits : machine_phys_bits();
}

uint32_t cpu_model_address_sizes(const struct vm *vm)
{
	return cpu_model_phys_bits(vm) | LINEAR_BITS << 8;
}

uint64_t cpu_model_efer(const struct vm *vm)
{
	const struct cpu_features *features = cpu_model_vendor(vm)->features;
	uint32_t edx = features ? features->leaf_80000001_edx : cpuid_checked(0x80000001).edx;

	return (edx & CPUID_80000001_EDX_SYSCALL ? EFER_SCE : 0) |
	       (edx & CPUID_80000001_EDX_LM ? EFER_LME : 0) |
	       (edx & CPUID_80000001_EDX_NX ? EFER_NXE : 0);
}

bool cpu_model_has_topoext(const struct vm *vm)
{
	return cpu_model_line(vm) != CPU_LINE_COMMON &&
	       (cpuid_checked(0x80000001).ecx & CPUID_80000001_ECX_TOPOEXT);
}

static void without(struct cpu_features *f, const struct cpu_features *less)
{
	f->leaf_1_ecx &= ~less->leaf_1_ecx;
	f->leaf_7_ebx &= ~less->leaf_7_ebx;
	f->leaf_7_ecx &= ~less->leaf_7_ecx;
	f->leaf_d1_eax &= ~less->leaf_d1_eax;
	f->leaf_80000001_ecx &= ~less->leaf_80000001_ecx;
}

/* What this machine has and guests may have. */
static void find_features(struct cpu_features *f)
{
	const struct cpu_features *allowed = &cpu_features_allowed;
	struct cpuid basic = cpuid_checked(1), seven = cpuid_checked(7);
	struct cpuid ext = cpuid_checked(0x80000001);

	*f = (struct cpu_features){
		.leaf_1_ecx = basic.ecx & allowed->leaf_1_ecx,
		.leaf_1_edx = basic.edx & allowed->leaf_1_edx,
		.leaf_7_ebx = seven.ebx & allowed->leaf_7_ebx,
		.leaf_7_ecx = seven.ecx & allowed->leaf_7_ecx,
		.leaf_7_edx = seven.edx & allowed->leaf_7_edx,
		.leaf_80000001_ecx = ext.ecx & allowed->leaf_80000001_ecx,
		.leaf_80000001_edx = ext.edx & allowed->leaf_80000001_edx,
		.leaf_80000008_ebx = cpuid_checked(0x80000008).ebx & allowed->leaf_80000008_ebx,
	};
	if (fpu_xcr0_mask())
		f->leaf_d1_eax = cpuid_sub(0xd, 1).eax & allowed->leaf_d1_eax;
	else
		without(f, &cpu_features_xsave);
	if (!(fpu_xcr0_mask() & XCR0_AVX))
		without(f, &cpu_features_avx);
	if (!(fpu_xcr0_mask() & XCR0_AVX512))
		without(f, &cpu_features_avx512);
	if (!fpu_has_tsc_aux()) {
		f->leaf_7_ecx &= ~(uint32_t)CPUID_7_ECX_RDPID;
		f->leaf_80000001_edx &= ~(uint32_t)CPUID_80000001_EDX_RDTSCP;
	}
}

const char *cpu_model_missing(const struct cpu_features *has, const struct cpu_features *must,
			      uint32_t *bits)
{
	static const struct {
		const char *name;
		size_t offset;
	} registers[] = {
		{"1, ECX", offsetof(struct cpu_features, leaf_1_ecx)},
		{"1, EDX", offsetof(struct cpu_features, leaf_1_edx)},
		{"80000001, ECX", offsetof(struct cpu_features, leaf_80000001_ecx)},
		{"80000001, EDX", offsetof(struct cpu_features, leaf_80000001_edx)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
		uint32_t a, b;

		memcpy(&a, (const char *)has + registers[i].offset, sizeof(a));
		memcpy(&b, (const char *)must + registers[i].offset, sizeof(b));
		*bits = b & ~a;
		if (*bits)
			return registers[i].name;
	}
	return NULL;
}

/* @m->has: the machine's at first. */
static int narrow(struct cpu_model *m)
{
	const struct cpu_vendor *vendor = cpu_model_vendor(m->vm);
	const char *missing;
	uint32_t bits;

	if (!vendor->features)
		return 0;
	missing = cpu_model_missing(&m->has, vendor->features, &bits);
	if (!missing && machine_phys_bits() < vendor->phys_bits) {
		missing = "80000008, EAX";
		bits = vendor->phys_bits;
	}
	if (m->vm->config->memory > GUEST_LOW_LIMIT &&
	    (GUEST_HIGH_BASE - GUEST_LOW_LIMIT + m->vm->config->memory) >> vendor->phys_bits) {
		log_error("vm %s: cpu-model = common: its addresses have %u bits, which is too few "
			  "for the memory of this VM",
			  m->vm->name, vendor->phys_bits);
		return -ENOTSUP;
	}
	if (missing) {
		log_error("vm %s: cpu-model = common: this CPU lacks 0x%x of CPUID %s: leave the "
			  "key out",
			  m->vm->name, bits, missing);
		return -ENOTSUP;
	}
	m->has = *vendor->features;
	return 0;
}

int cpu_model_set(struct cpu_model *m, uint32_t leaf, uint32_t subleaf, uint32_t eax, uint32_t ebx,
		  uint32_t ecx, uint32_t edx)
{
	const struct cpuid_regs regs = {eax, ebx, ecx, edx};

	return hook_cpuid_set(m->vm, leaf, subleaf, &regs);
}

int cpu_model_set_same(struct cpu_model *m, uint32_t leaf)
{
	struct cpuid r = cpuid_checked(leaf);

	return cpu_model_set(m, leaf, CPU_MODEL_ANY, r.eax, r.ebx, r.ecx, r.edx);
}

static int set_basic(struct cpu_model *m)
{
	const struct cpu_features *f = &m->has;
	struct cpuid r = cpuid(0), one = cpuid(1);
	uint32_t ids = m->cpus > 1 ? 1u << m->core_bits : 1;
	int err = cpu_model_set(m, 0, CPU_MODEL_ANY, CPU_MODEL_LAST_LEAF, r.ebx, r.ecx, r.edx);

	if (!err)
		err = cpu_model_set(m, 1, CPU_MODEL_ANY, cpu_model_signature(m->vm),
				    (one.ebx & CPUID_1_EBX_CLFLUSH) | ids << 16,
				    f->leaf_1_ecx | (uint32_t)CPUID_1_ECX_HYPERVISOR,
				    f->leaf_1_edx | (m->cpus > 1 ? (uint32_t)CPUID_1_EDX_HTT : 0));
	/* The local APIC's timer is made of ours and never stops. */
	if (!err)
		err = cpu_model_set(m, 6, CPU_MODEL_ANY, CPUID_6_EAX_ARAT, 0, 0, 0);
	if (!err)
		err = cpu_model_set(m, 7, 0, 0, f->leaf_7_ebx | (uint32_t)CPUID_7_EBX_TSC_ADJUST,
				    f->leaf_7_ecx, f->leaf_7_edx);
	return err;
}

int cpu_model_set_caches(struct cpu_model *m, uint32_t leaf, uint32_t sharers, uint32_t cores)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < CACHES_MAX; i++) {
		struct cpuid r = cpuid_sub(leaf, i);
		uint32_t shared = (r.eax & CACHE_LEVEL) == CACHE_LEVEL_3 ? sharers : 0;

		if (!(r.eax & CACHE_TYPE))
			break;
		err = cpu_model_set(m, leaf, i,
				    (r.eax & CACHE_KEPT) | shared << CACHE_SHARED_SHIFT | cores,
				    r.ebx, r.ecx, r.edx);
	}
	return err;
}

/* Leaf 0xb: one thread a core, all cores in the package; EDX is put in by the handler. */
static int set_topology(struct cpu_model *m)
{
	int err = cpu_model_set(m, 0xb, 0, 0, 1, 0x100, 0);

	if (!err)
		err = cpu_model_set(m, 0xb, 1, m->core_bits, m->cpus, 0x201, 0);
	if (!err)
		err = cpu_model_set(m, 0xb, CPU_MODEL_ANY, 0, 0, 0, 0);
	return err;
}

static int set_xsave(struct cpu_model *m)
{
	uint64_t mask = fpu_xcr0_mask();
	int err;

	if (!(m->has.leaf_1_ecx & CPUID_1_ECX_XSAVE))
		return 0;
	err = cpu_model_set(m, 0xd, 0, (uint32_t)mask, 0, fpu_xsave_size(mask),
			    (uint32_t)(mask >> 32));
	if (!err)
		err = cpu_model_set(m, 0xd, 1, m->has.leaf_d1_eax, 0, 0, 0);
	for (uint32_t bit = 2; !err && bit < 63; bit++) {
		struct cpuid r = cpuid_sub(0xd, bit);

		if (mask & BIT(bit))
			err = cpu_model_set(m, 0xd, bit, r.eax, r.ebx, r.ecx, 0);
	}
	return err;
}

static int set_hypervisor(struct cpu_model *m)
{
	static const char signature[12] = "AlcazarAlcaz";
	uint32_t s[3];
	int err;

	memcpy(s, signature, sizeof(s));
	err = cpu_model_set(m, 0x40000000, CPU_MODEL_ANY, LEAF_MAX_HYPERVISOR, s[0], s[1], s[2]);
	if (!err)
		err = cpu_model_set(m, CPU_MODEL_LEAF_FREQUENCY, CPU_MODEL_ANY,
				    (uint32_t)time_scale.tsc_khz, CPU_MODEL_APIC_KHZ, 0, 0);
	return err;
}

static int set_extended(struct cpu_model *m)
{
	const struct cpu_features *f = &m->has;
	struct cpuid one = cpuid_checked(0x80000001), sizes = cpuid_checked(0x80000007);
	int err;

	err = cpu_model_set(m, 0x80000000, CPU_MODEL_ANY, LEAF_MAX_EXTENDED, 0, 0, 0);
	if (!err)
		err = cpu_model_set(m, 0x80000001, CPU_MODEL_ANY, one.eax, one.ebx,
				    f->leaf_80000001_ecx, f->leaf_80000001_edx);
	for (uint32_t leaf = 0x80000002; !err && leaf <= 0x80000006; leaf++)
		err = cpu_model_set_same(m, leaf);
	if (!err)
		err = cpu_model_set(m, 0x80000007, CPU_MODEL_ANY, 0, 0, 0,
				    sizes.edx & (uint32_t)CPUID_80000007_EDX_CONST_TSC);
	if (!err)
		err = cpu_model_set(m, 0x80000008, CPU_MODEL_ANY, cpu_model_address_sizes(m->vm),
				    f->leaf_80000008_ebx, 0, 0);
	return err;
}

int cpu_model_create(struct vm *vm)
{
	struct cpu_model m = {.vm = vm, .cpus = vm->config->cpus};
	int err;

	while (1u << m.core_bits < m.cpus)
		m.core_bits++;
	find_features(&m.has);
	err = narrow(&m);
	if (err)
		return err;
	vm->cr4_allowed = cpu_cr4_given(m.has.leaf_1_ecx, m.has.leaf_7_ebx, m.has.leaf_7_ecx);
	err = set_basic(&m);
	if (!err)
		err = set_topology(&m);
	if (!err)
		err = set_xsave(&m);
	if (!err)
		err = set_hypervisor(&m);
	if (!err)
		err = set_extended(&m);
	if (!err)
		err = cpu_model_vendor(vm)->tell(&m);
	if (!err)
		err = cpu_model_hook(vm);
	return err;
}
