/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events: neutral form to EVENTINJ and from EXITINTINFO (APM vol. 2, 15.7.2,
 * 15.20), the windows in which the guest can take one, and the NMI mask that
 * the hardware does not keep for us.
 */
#ifndef VMM_SVM_SVM_EVENT_H
#define VMM_SVM_SVM_EVENT_H

#include "vmm/vcpu.h"

#include <stdbool.h>
#include <stdint.h>

/* EVENTINJ's form of @event, which is not EVENT_NONE. */
uint64_t svm_event_encode(const struct vcpu_event *event) __must_check;
/* @info has VMCB_EVENT_VALID. A type that the manual does not have becomes EVENT_NONE. */
void svm_event_decode(uint64_t info, struct vcpu_event *event);
/* Raised by an instruction (INT n, INT3, INTO): the handler returns behind it. */
bool svm_event_is_soft(const struct vcpu_event *event);

/* vcpu->event into the VMCB. */
void svm_event_inject(struct vcpu *vcpu);
/* A virtual interrupt was injected, and the exit came first: it is delivered again. */
void svm_event_not_taken(struct vcpu *vcpu);
/* An exit came while an event was delivered (EXITINTINFO is valid): it is delivered again. */
void svm_event_interrupted(struct vcpu *vcpu);
void svm_event_mask_nmi(struct vcpu *vcpu, bool masked);
/* SVM_EXIT_VINTR: V_IRQ has done its work. */
void svm_event_window_opened(struct vcpu *vcpu);

/* hv_ops. */
bool svm_irq_allowed(struct vcpu *vcpu);
bool svm_nmi_allowed(struct vcpu *vcpu);
void svm_request_irq_window(struct vcpu *vcpu);
void svm_request_nmi_window(struct vcpu *vcpu);
void svm_set_tpr_threshold(struct vcpu *vcpu, unsigned priority);
void svm_insn_done(struct vcpu *vcpu);

#endif
