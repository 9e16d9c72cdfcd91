/* SPDX-License-Identifier: BSD-2-Clause */
/* What guests see of a CPU because it is of Intel's line (SDM vol. 2A, CPUID). */
#include "vmm/vmx/vmx_cpu_model.h"

#include "arch/x86_64/cpuid.h"
#include "vmm/hook/hook_cpuid.h"

#define DEBUGCTL	  UINT64_C(0x3) /* LBR, BTF: SDM vol. 3B, 17.4.1 */
#define CACHE_CORES_SHIFT 26		/* leaf 4, EAX */

static uint32_t vmx_signature(void)
{
	return cpuid(1).eax;
}

/* APIC ids, for leaf 4, are told in powers of two. */
static int vmx_tell(struct cpu_model *m)
{
	uint32_t ids = (1u << m->core_bits) - 1;
	int err = cpu_model_set_same(m, 2);

	if (!err)
		err = cpu_model_set_caches(m, 4, ids, ids << CACHE_CORES_SHIFT);
	/* Leaves that there are not give the data of the highest basic one. */
	if (!err)
		err = hook_cpuid_set_beyond(m->vm, CPU_MODEL_LAST_LEAF);
	return err;
}

static bool vmx_keeps_x87_pointers(void)
{
	return false;
}

const struct cpu_vendor vmx_cpu_vendor = {
	.line = CPU_LINE_INTEL,
	.debugctl = DEBUGCTL,
	.signature = vmx_signature,
	.tell = vmx_tell,
	.keeps_x87_pointers = vmx_keeps_x87_pointers,
};
