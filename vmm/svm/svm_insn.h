/* SPDX-License-Identifier: BSD-2-Clause */
/* SVM's instructions (APM vol. 3, chapter 4). EFER.SVME must be set: else #UD. */
#ifndef VMM_SVM_SVM_INSN_H
#define VMM_SVM_SVM_INSN_H

#include "kernel/page_alloc.h"

/* FS, GS, TR, LDTR with their hidden parts, KernelGSBase and the syscall MSRs. */
static inline void svm_vmload(hpa_t vmcb)
{
	__asm__ volatile("vmload %%rax" : : "a"(vmcb) : "memory");
}

static inline void svm_vmsave(hpa_t vmcb)
{
	__asm__ volatile("vmsave %%rax" : : "a"(vmcb) : "memory");
}

/* With GIF 0 not even NMI, SMI, INIT and #MC come (15.17). */
static inline void svm_clgi(void)
{
	__asm__ volatile("clgi" : : : "memory");
}

static inline void svm_stgi(void)
{
	__asm__ volatile("stgi" : : : "memory");
}

#endif
