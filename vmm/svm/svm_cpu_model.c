/* SPDX-License-Identifier: BSD-2-Clause */
/* What guests see of a CPU because it is of AMD's line (APM vol. 3, appendix E). */
#include "vmm/svm/svm_cpu_model.h"

#include "arch/x86_64/cpuid.h"
#include "vmm/cpu_model.h"

#define LEAF_MAX	0x8000001eu
#define LEAF_MAX_SIMPLE 0x80000008u    /* without extended topology */
#define DEBUGCTL	UINT64_C(0x3f) /* LBR, BTF, pins: APM vol. 2, 13.1.1.6 */

/* Leaves 1 and 80000001, EAX (APM vol. 3, Fn0000_0001). */
#define SIGNATURE_FAMILY_EXT 0xff00000u
#define SIGNATURE_MODEL_EXT  0xf0000u
#define SIGNATURE_FAMILY_11H 0x200000u /* the extended family of 11h; the base is 0Fh */

#define CPUID_80000001_ECX_CMP	  BIT(1) /* more than one core */
#define CPUID_80000008_EBX_RSTR_P BIT(2) /* XRSTOR restores error pointers */
#define CORE_BITS_SHIFT		  12	 /* 80000008, ECX */

static uint32_t svm_family(uint32_t eax)
{
	uint32_t base = eax >> 8 & 0xf;

	return base == 0xf ? base + (eax >> 20 & 0xff) : base;
}

/*
 * Families 0Fh, 10h and 15h to model 0Fh have their northbridge, with memory
 * controller and GART, as PCI device 18h: a guest that is told such a family
 * looks for it on every bus, and may program what it finds. A VM has none, so
 * it is told family 11h, the like of them that has no GART.
 */
uint32_t svm_signature(uint32_t eax)
{
	uint32_t family = svm_family(eax);

	if (family != 0xf && family != 0x10 && !(family == 0x15 && !(eax & SIGNATURE_MODEL_EXT)))
		return eax;
	return (eax & ~SIGNATURE_FAMILY_EXT) | SIGNATURE_FAMILY_11H;
}

static uint32_t svm_signature_told(void)
{
	return svm_signature(cpuid(1).eax);
}

static int svm_tell_topology(struct cpu_model *m)
{
	int err = cpu_model_set_same(m, 0x80000019);

	if (!err)
		err = cpu_model_set_same(m, 0x8000001a);
	if (!err)
		err = cpu_model_set_caches(m, 0x8000001d, m->cpus - 1, 0);
	return err;
}

static int svm_tell(struct cpu_model *m)
{
	uint32_t cmp = m->cpus > 1 ? (uint32_t)CPUID_80000001_ECX_CMP : 0;
	bool topology = cpu_model_has_topoext(m->vm);
	struct cpuid zero = cpuid(0);
	int err;

	err = cpu_model_set(m, 0x80000000, CPU_MODEL_ANY, topology ? LEAF_MAX : LEAF_MAX_SIMPLE,
			    zero.ebx, zero.ecx, zero.edx);
	if (!err)
		err = cpu_model_set(m, 0x80000001, CPU_MODEL_ANY, svm_signature_told(),
				    cpuid_checked(0x80000001).ebx, m->has.leaf_80000001_ecx | cmp,
				    m->has.leaf_80000001_edx);
	if (!err)
		err = cpu_model_set(m, 0x80000008, CPU_MODEL_ANY, cpu_model_address_sizes(m->vm),
				    m->has.leaf_80000008_ebx,
				    (m->cpus - 1) | m->core_bits << CORE_BITS_SHIFT, 0);
	if (!err && topology)
		err = svm_tell_topology(m);
	return err;
}

static bool svm_keeps_x87_pointers(void)
{
	return !(cpuid_checked(0x80000008).ebx & CPUID_80000008_EBX_RSTR_P);
}

const struct cpu_vendor svm_cpu_vendor = {
	.line = CPU_LINE_AMD,
	.debugctl = DEBUGCTL,
	.signature = svm_signature_told,
	.tell = svm_tell,
	.keeps_x87_pointers = svm_keeps_x87_pointers,
};
