/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU of `cpu-model = common`: x86-64-v2 of the System V ABI, which AMD's
 * and Intel's have both since 2011, and nothing that one of them does its own
 * way. It is neither's by name, so that a guest keeps its hands off what each
 * has for itself: MSRs, errata. It has no SYSENTER, of which AMD's CPUs keep half. How
 * fast its TSC counts may change when it is restored elsewhere; what a guest
 * has to count by is the clock of KVM's kind (pvclock), and timers in time.
 */
#include "vmm/cpu_model.h"

#include <string.h>

#define B(n) (1u << (n))

#define SIGNATURE 0x00000f10u /* family 0Fh, as all 64-bit CPUs are at least; model 1 */
#define PHYS_BITS 36u
#define DEBUGCTL  UINT64_C(0x3)

static const struct cpu_features features = {
	.leaf_1_ecx = B(0) /* SSE3 */ | B(9) /* SSSE3 */ | B(13) /* CX16 */ | B(19) /* SSE4.1 */ |
		      B(20) /* SSE4.2 */ | B(23) /* POPCNT */,
	.leaf_1_edx = B(0) /* FPU */ | B(2) /* DE */ | B(3) /* PSE */ | B(4) /* TSC */ |
		      B(5) /* MSR */ | B(6) /* PAE */ | B(7) /* MCE */ | B(8) /* CX8 */ |
		      B(12) /* MTRR */ | B(13) /* PGE */ | B(14) /* MCA */ | B(15) /* CMOV */ |
		      B(16) /* PAT */ | B(17) /* PSE-36 */ | B(19) /* CLFSH */ | B(23) /* MMX */ |
		      B(24) /* FXSR */ | B(25) /* SSE */ | B(26) /* SSE2 */,
	.leaf_80000001_ecx = B(0) /* LAHF */,
	.leaf_80000001_edx = B(11) /* SYSCALL */ | B(20) /* NX */ | B(29) /* LM */,
};

static uint32_t common_signature(void)
{
	return SIGNATURE;
}

/* EBX, EDX, ECX: its vendor. */
static int common_tell_name(struct cpu_model *m)
{
	static const char vendor[12] = "AlcazarGuest", brand[48] = "Alcazar common x86-64-v2 CPU";
	uint32_t v[3], b[12];
	int err;

	memcpy(v, vendor, sizeof(v));
	memcpy(b, brand, sizeof(b));
	err = cpu_model_set(m, 0, CPU_MODEL_ANY, CPU_MODEL_LAST_LEAF, v[0], v[2], v[1]);
	for (uint32_t i = 0; !err && i < 3; i++)
		err = cpu_model_set(m, 0x80000002 + i, CPU_MODEL_ANY, b[4 * i], b[4 * i + 1],
				    b[4 * i + 2], b[4 * i + 3]);
	return err;
}

static int common_tell(struct cpu_model *m)
{
	const struct cpu_features *f = &m->has;
	int err = common_tell_name(m);

	if (!err)
		err = cpu_model_set(m, 0x80000001, CPU_MODEL_ANY, SIGNATURE, 0,
				    f->leaf_80000001_ecx, f->leaf_80000001_edx);
	/* Nothing is said of its caches, and nothing is promised of its TSC. */
	for (uint32_t leaf = 0x80000005; !err && leaf <= 0x80000007; leaf++)
		err = cpu_model_set(m, leaf, CPU_MODEL_ANY, 0, 0, 0, 0);
	return err;
}

const struct cpu_vendor cpu_common = {
	.line = CPU_LINE_COMMON,
	.features = &features,
	.phys_bits = PHYS_BITS,
	.tsc_varies = true,
	.debugctl = DEBUGCTL,
	.signature = common_signature,
	.tell = common_tell,
};
