/* SPDX-License-Identifier: BSD-2-Clause */
/* A debugger of a VM: what its guest raises and the debugger may take. */
#ifndef VMM_VM_DEBUG_H
#define VMM_VM_DEBUG_H

#include "vmm/vcpu.h"
#include "vmm/vm.h"

/* vm->debug: set and cleared while no vCPU of the VM runs. */
struct vm_debug {
	/*
	 * @vcpu raised #DB or #UD. True: it was the debugger's, and the guest does
	 * not see it; the vCPU stands still until the VM is resumed. Its own exit.
	 */
	bool (*exception)(struct vm_debug *debug, struct vcpu *vcpu, uint8_t vector);
};

static inline bool vm_debug_takes(struct vcpu *vcpu, uint8_t vector)
{
	struct vm_debug *debug = vcpu->vm->debug;

	if (likely(!debug) || !debug->exception(debug, vcpu, vector))
		return false;
	vcpu_request(vcpu, VCPU_REQ_PAUSE);
	return true;
}

#endif
