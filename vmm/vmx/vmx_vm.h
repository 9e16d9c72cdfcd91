/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM's part of VT-x. */
#ifndef VMM_VMX_VMX_VM_H
#define VMM_VMX_VMX_VM_H

#include "vmm/nested_table.h"
#include "vmm/vm.h"

#include <stdbool.h>
#include <stdint.h>

/* vm->hv. */
struct vmx_vm {
	struct nested_table ept; /* under vm->memory's lock */
	uint64_t eptp;		 /* what each VMCS has: vmx_ept_pointer() */
	uint8_t *io;		 /* VMX_IO_BITMAPS_SIZE bytes, contiguous: A, then B */
	uint8_t *msr;		 /* VMX_MSR_BITMAP_SIZE bytes */
	uint8_t *msr_x2apic;	 /* for vCPUs whose x2APIC mode the CPU virtualizes: vmx_apic.h */
};

/* hv_ops. */
int vmx_vm_create(struct vm *vm);
void vmx_vm_destroy(struct vm *vm);
int vmx_map(struct vm *vm, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned access);
int vmx_unmap(struct vm *vm, gpa_t gpa, uint64_t size);
void vmx_intercept_io(struct vm *vm, uint16_t port, uint32_t count, bool on);
int vmx_intercept_msr(struct vm *vm, uint32_t index, bool read, bool write);

#endif
