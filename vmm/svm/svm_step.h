/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One guest instruction with TF set, for the two ends that the hardware does
 * not report: of an interrupt shadow, and of the IRET that unmasks NMIs.
 *
 * TF must not be seen by the guest. It would be in what an exception, a
 * software interrupt or PUSHF pushes, so these are intercepted as long; what
 * came in their way, the guest gets as if there had been no step.
 */
#ifndef VMM_SVM_SVM_STEP_H
#define VMM_SVM_SVM_STEP_H

#include "vmm/svm/svm.h"

void svm_step_request(struct vcpu *vcpu, enum svm_step why);
/* Just before VMRUN. False: an event is delivered instead, and there is no step. */
bool svm_step_arm(struct vcpu *vcpu) __must_check;
/* Just after a VMRUN with a step. @exit is altered when it is the step's own. */
void svm_step_done(struct vcpu *vcpu, struct vm_exit *exit);

#endif
