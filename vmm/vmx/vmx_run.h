/* SPDX-License-Identifier: BSD-2-Clause */
/* What vmx_run.S knows of C's structures and of the VMCS; vmx_run.c asserts it. */
#ifndef VMM_VMX_VMX_RUN_H
#define VMM_VMX_VMX_RUN_H

#define VCPU_GPR(n)	8 * (n) /* by the number that instructions have for it */
#define VCPU_RIP	0x80
#define VCPU_EVENT_TYPE 0x88
#define VCPU_HV		0xa0

#define VMX_VCPU_HOST_RSP 0x00
#define VMX_VCPU_RIP	  0x08
#define VMX_VCPU_PREPARE  0x10
#define VMX_VCPU_LAUNCHED 0x11

#define FIELD_HOST_RSP	0x6c14
#define FIELD_GUEST_RIP 0x681e

#endif
