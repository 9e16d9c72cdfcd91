/* SPDX-License-Identifier: BSD-2-Clause */
/* What guests see of a CPU because it is of AMD's line. */
#ifndef VMM_SVM_SVM_CPU_MODEL_H
#define VMM_SVM_SVM_CPU_MODEL_H

#include "vmm/cpu_vendor.h"

#include <stdint.h>

extern const struct cpu_vendor svm_cpu_vendor;

/* CPUID 1, EAX, as guests are told, of a CPU that says @eax. */
uint32_t svm_signature(uint32_t eax);

#endif
