/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulator for a vCPU: exits that need an instruction decoded come here.
 * All but create and destroy run on the vCPU's CPU, with no lock held.
 */
#ifndef VMM_EMULATE_VCPU_EMULATE_H
#define VMM_EMULATE_VCPU_EMULATE_H

#include "lib/compiler.h"
#include "vmm/exit.h"

struct vcpu;

/* vcpu->icache, empty; also at vcpu_reset(). -ENOMEM. */
int vcpu_emulate_create(struct vcpu *vcpu) __must_check;
void vcpu_emulate_destroy(struct vcpu *vcpu);

/*
 * VM_EXIT_MEMORY at an address that is not plain memory: the access is done by
 * the hooks of memory, registers and RIP are written. What cannot be done is
 * injected: the fault that a CPU would raise, or #UD, logged with the bytes,
 * for an instruction that is not emulated. EXIT_STOP: an event that was on its
 * way to the guest needs memory that is none; the VM has failed.
 */
enum exit_action vcpu_emulate_memory(struct vcpu *vcpu, const struct vm_exit *exit);

/*
 * VM_EXIT_IO of INS and OUTS, repeated or not: a bounded number of elements.
 * EXIT_ADVANCE after the last one.
 */
enum exit_action vcpu_emulate_string_io(struct vcpu *vcpu, const struct vm_exit *exit);

/*
 * Bytes (1-15) of the instruction at RIP, for exits whose hardware does not
 * say; 0 when it cannot be read any more: a fault was injected.
 */
uint64_t vcpu_emulate_length(struct vcpu *vcpu) __must_check;

/*
 * Up to 15 bytes from RIP on into @bytes, for logs and for telling what raised
 * #UD: as many as can be read, 0 if none. Injects nothing, changes nothing.
 */
unsigned vcpu_emulate_fetch(struct vcpu *vcpu, uint8_t bytes[15]);

/*
 * Where @linear is for the vCPU, whoever may access it there; false: nowhere. For a debugger; sets
 * accessed bits on the way, as a CPU does. Own CPU or vCPU not runnable.
 */
bool vcpu_emulate_address(struct vcpu *vcpu, uint64_t linear, uint64_t *gpa);

#endif
