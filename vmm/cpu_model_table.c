/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID bits, SDM vol. 2A, CPUID, and APM vol. 3, appendix E. Left out on
 * purpose: SVM, VMX, SMX (no nested virtualization), MONITOR (its MWAIT would
 * stop our CPU), performance counters, IBS, PDCM, DS and PT (theirs are the
 * machine's), PCID with INVPCID and PKU and LA57 (the emulator walks four
 * levels without them), MPX, SGX, TSX, CET, SME, SEV, XSAVES (state that is
 * not switched), SPEC_CTRL and its kin, power and thermal management.
 */
#include "vmm/cpu_model_table.h"

#include "lib/compiler.h"

#define B(n) (1u << (n))

#define FEATURES_1_EDX                                                                          \
	(B(0) /* FPU */ | B(1) /* VME */ | B(2) /* DE */ | B(3) /* PSE */ | B(4) /* TSC */ |    \
	 B(5) /* MSR */ | B(6) /* PAE */ | B(7) /* MCE */ | B(8) /* CX8 */ | B(12) /* MTRR */ | \
	 B(13) /* PGE */ | B(14) /* MCA */ | B(15) /* CMOV */ | B(16) /* PAT */ |               \
	 B(17) /* PSE-36 */ | B(23) /* MMX */ | B(24) /* FXSR */)

const struct cpu_features cpu_features_allowed = {
	.leaf_1_ecx = B(0) /* SSE3 */ | B(1) /* PCLMULQDQ */ | B(9) /* SSSE3 */ | B(12) /* FMA */ |
		      B(13) /* CX16 */ | B(19) /* SSE4.1 */ | B(20) /* SSE4.2 */ |
		      B(22) /* MOVBE */ | B(23) /* POPCNT */ | B(25) /* AES */ | B(26) /* XSAVE */ |
		      B(28) /* AVX */ | B(29) /* F16C */ | B(30) /* RDRAND */,
	.leaf_1_edx = FEATURES_1_EDX | B(11) /* SEP */ | B(19) /* CLFSH */ | B(25) /* SSE */ |
		      B(26) /* SSE2 */,
	.leaf_7_ebx = B(0) /* FSGSBASE */ | B(3) /* BMI1 */ | B(5) /* AVX2 */ |
		      B(6) /* FDP_EXCPTN_ONLY */ | B(7) /* SMEP */ | B(8) /* BMI2 */ |
		      B(9) /* ERMS */ | B(13) /* FCS and FDS are gone */ | B(16) /* AVX512F */ |
		      B(17) /* AVX512DQ */ | B(18) /* RDSEED */ | B(19) /* ADX */ |
		      B(20) /* SMAP */ | B(21) /* AVX512_IFMA */ | B(23) /* CLFLUSHOPT */ |
		      B(24) /* CLWB */ | B(28) /* AVX512CD */ | B(29) /* SHA */ |
		      B(30) /* AVX512BW */ | B(31) /* AVX512VL */,
	.leaf_7_ecx = B(1) /* AVX512_VBMI */ | B(2) /* UMIP */ | B(6) /* AVX512_VBMI2 */ |
		      B(8) /* GFNI */ | B(9) /* VAES */ | B(10) /* VPCLMULQDQ */ |
		      B(11) /* AVX512_VNNI */ | B(12) /* AVX512_BITALG */ |
		      B(14) /* AVX512_VPOPCNTDQ */ | B(22) /* RDPID */,
	.leaf_7_edx = B(4) /* FSRM */,
	.leaf_d1_eax = B(0) /* XSAVEOPT */ | B(1) /* XSAVEC */ | B(2) /* XGETBV of 1 */,
	.leaf_80000001_ecx = B(0) /* LAHF */ | B(4) /* CR8 by LOCK MOV CR0 */ | B(5) /* ABM */ |
			     B(6) /* SSE4A */ | B(7) /* MISALIGNSSE */ | B(8) /* PREFETCHW */ |
			     B(11) /* XOP */ | B(16) /* FMA4 */ | B(21) /* TBM */ |
			     B(22) /* TOPOEXT */,
	.leaf_80000001_edx = FEATURES_1_EDX | B(11) /* SYSCALL */ | B(20) /* NX */ |
			     B(22) /* MMXEXT */ | B(26) /* 1G pages */ | B(27) /* RDTSCP */ |
			     B(29) /* LM */ | B(30) /* 3DNOWEXT */ | B(31) /* 3DNOW */,
	.leaf_80000008_ebx = B(0) /* CLZERO */ | B(2) /* XRSTOR restores error pointers */,
};

const struct cpu_features cpu_features_xsave = {
	.leaf_1_ecx = B(26),
	.leaf_d1_eax = B(0) | B(1) | B(2),
};

const struct cpu_features cpu_features_avx = {
	.leaf_1_ecx = B(12) | B(28) | B(29),
	.leaf_7_ebx = B(5),
	.leaf_7_ecx = B(9) | B(10),
	.leaf_80000001_ecx = B(11) | B(16),
};

const struct cpu_features cpu_features_avx512 = {
	.leaf_7_ebx = B(16) | B(17) | B(21) | B(28) | B(30) | B(31),
	.leaf_7_ecx = B(1) | B(6) | B(11) | B(12) | B(14),
};
