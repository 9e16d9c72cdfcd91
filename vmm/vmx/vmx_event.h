/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events: neutral form to the entry's interruption information and from the
 * IDT-vectoring information (24.8.3, 24.9.3), the windows in which the guest
 * can take one, and what an instruction that is done for the guest ends.
 */
#ifndef VMM_VMX_VMX_EVENT_H
#define VMM_VMX_VMX_EVENT_H

#include "vmm/vcpu.h"

#include <stdbool.h>
#include <stdint.h>

/* The interruption information of @event, which is not EVENT_NONE. */
uint32_t vmx_event_encode(const struct vcpu_event *event) __must_check;
/* @info is valid; its error code, and the length where it is a software event. */
void vmx_event_decode(uint32_t info, uint32_t error, uint8_t len, struct vcpu_event *event);
/* The handler returns behind the instruction: @info needs its length. */
bool vmx_event_is_soft(uint32_t info);

/* All with the VMCS current. vcpu->event into the VMCS. */
void vmx_event_inject(struct vcpu *vcpu);
/* An exit of a kind that can come while an event is delivered: if so, that is delivered again. */
void vmx_event_interrupted(struct vcpu *vcpu);
/* As above; else @info (or a qualification) may say that a fault undid what an IRET had unblocked.
 */
void vmx_event_interrupted_or_iret(struct vcpu *vcpu, uint64_t info);
void vmx_event_window_opened(struct vcpu *vcpu);
void vmx_event_nmi_window_opened(struct vcpu *vcpu);
/* The interrupt shadow or RFLAGS was set: the entry wants pending debug exceptions to agree. */
void vmx_event_check_pending(void);
/* A #DB that the CPU does not deliver itself was generated. */
void vmx_event_debug_generated(void);

/* hv_ops. */
bool vmx_irq_allowed(struct vcpu *vcpu);
bool vmx_nmi_allowed(struct vcpu *vcpu);
void vmx_request_irq_window(struct vcpu *vcpu);
void vmx_request_nmi_window(struct vcpu *vcpu);
void vmx_insn_done(struct vcpu *vcpu);

#endif
