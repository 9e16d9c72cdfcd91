/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CPU caches of translations for guests, and how it is taken back (SDM
 * vol. 3C, 28.3). Guests always run with EPT, so that there are two kinds:
 *
 * - guest-physical mappings come from nested tables alone. They are tagged by
 *   the address of the root (EP4TA), outlive exits, world changes and VMs, and
 *   only INVEPT removes them;
 * - combined mappings come from the guest's tables and the nested ones. They
 *   are tagged by VPID, PCID and root; INVEPT removes those of a root, INVVPID
 *   those of a VPID, and the guest its own by INVLPG and the like. Without
 *   VPID, every entry and exit removes them all.
 *
 * (Linear mappings are made without EPT only: they are ours, of VPID 0.)
 *
 * | when                               | what                                     |
 * |------------------------------------|------------------------------------------|
 * | nested mappings were taken away    | INVEPT, single context: both kinds       |
 * | CR0, CR3, CR4, EFER are set by us  | INVVPID, single context: guest-physical  |
 * |                                    | mappings do not depend on registers      |
 * | a vCPU is new on a CPU             | a new VPID, which tags nothing yet;      |
 * |                                    | INVEPT for what its VM, or one whose     |
 * |                                    | root lay at this address, left there     |
 * | a CPU's VPIDs have run out         | INVVPID, all contexts                    |
 * | VT-x is turned on                  | INVEPT, all contexts; the first vCPU     |
 * |                                    | begins a generation of VPIDs             |
 * | a mapping is added, or allows more | nothing: what is not present is not      |
 * |                                    | cached, and a violation removes what     |
 * |                                    | caused it (28.3.3.1)                     |
 *
 * A nested table that was taken out is freed when no live vCPU is left that
 * has not flushed since (vmm/nested_epoch.h): CPUs use what they cached for a
 * root only in a world that has it. One INVEPT serves all vCPUs of the VM on
 * that CPU; each does its own all the same, they seldom share one.
 */
#ifndef VMM_VMX_VMX_VPID_H
#define VMM_VMX_VMX_VPID_H

#include "vmm/tlb_tag.h"

#include <stdbool.h>

struct hv_cpu;
struct vcpu;

/* In struct vmx_vcpu; zeroed in a new one. */
struct vmx_tlb {
	struct tlb_tag vpid;
	bool invept, invvpid; /* before the next entry */
};

/* VMX operation was just turned on, on the calling CPU. */
void vmx_vpid_cpu_init(struct hv_cpu *hv);

/* The world was loaded, the vCPU's VMCS is current. */
void vmx_vpid_enter(struct vcpu *vcpu);
/* Before an entry with vmx_vcpu.prepare set. */
void vmx_vpid_prepare(struct vcpu *vcpu);

/* hv_ops: nested mappings were taken away. */
void vmx_flush(struct vcpu *vcpu);
/* The guest's registers for paging were changed from outside. */
void vmx_vpid_flush(struct vcpu *vcpu);

#endif
