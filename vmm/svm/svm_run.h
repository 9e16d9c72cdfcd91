/* SPDX-License-Identifier: BSD-2-Clause */
/* What svm_run.S knows of C's structures; svm_run.c asserts it. */
#ifndef VMM_SVM_SVM_RUN_H
#define VMM_SVM_SVM_RUN_H

#define VCPU_GPR(n)	8 * (n) /* by the number that instructions have for it */
#define VCPU_RIP	0x80
#define VCPU_EVENT_TYPE 0x88
#define VCPU_HV		0xa0

#define SVM_VCPU_VMCB_PHYS 0x00
#define SVM_VCPU_VMCB	   0x08
#define SVM_VCPU_PREPARE   0x10

#define VMCB_RIP 0x578
#define VMCB_RAX 0x5f8

#endif
