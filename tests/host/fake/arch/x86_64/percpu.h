/* SPDX-License-Identifier: BSD-2-Clause */
/* The real per-CPU data, of a CPU that the test chooses instead of a fixed address. */
#ifndef FAKE_ARCH_X86_64_PERCPU_H
#define FAKE_ARCH_X86_64_PERCPU_H

#define this_cpu real_this_cpu
#include_next "arch/x86_64/percpu.h"
#undef this_cpu

extern __thread struct cpu *fake_cpu;

static inline struct cpu *this_cpu(void)
{
	return fake_cpu;
}

#endif
