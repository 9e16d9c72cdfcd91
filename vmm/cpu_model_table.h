/* SPDX-License-Identifier: BSD-2-Clause */
/* The features that are passed on to guests, register by register. */
#ifndef VMM_CPU_MODEL_TABLE_H
#define VMM_CPU_MODEL_TABLE_H

#include <stdint.h>

/* Bits that reach a guest when the machine has them; every other bit is 0. */
struct cpu_features {
	uint32_t leaf_1_ecx, leaf_1_edx;
	uint32_t leaf_7_ebx, leaf_7_ecx, leaf_7_edx;
	uint32_t leaf_d1_eax;
	uint32_t leaf_80000001_ecx, leaf_80000001_edx;
	uint32_t leaf_80000008_ebx;
};

/* All that we can give. */
extern const struct cpu_features cpu_features_allowed;
/* Those of them that are instructions on registers which need XSAVE, AVX or AVX-512 in XCR0. */
extern const struct cpu_features cpu_features_xsave;
extern const struct cpu_features cpu_features_avx;
extern const struct cpu_features cpu_features_avx512;

#endif
