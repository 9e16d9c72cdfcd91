/* SPDX-License-Identifier: BSD-2-Clause */
/* What guests see of a CPU because it is of Intel's line. */
#ifndef VMM_VMX_VMX_CPU_MODEL_H
#define VMM_VMX_VMX_CPU_MODEL_H

#include "vmm/cpu_vendor.h"

extern const struct cpu_vendor vmx_cpu_vendor;

#endif
