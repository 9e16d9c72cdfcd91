/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_vm.h"
#include "kernel/slab.h"
#include "vmm/vmx/vmx_ept.h"
#include "vmm/vmx/vmx_permission.h"

#include <errno.h>

void vmx_vm_destroy(struct vm *vm)
{
	struct vmx_vm *vmx = vm->hv;

	if (!vmx)
		return;
	nested_table_destroy(&vmx->ept);
	if (vmx->msr_x2apic)
		page_free(&vm->owner, vmx->msr_x2apic, PAGE_ORDER_4K);
	if (vmx->msr)
		page_free(&vm->owner, vmx->msr, PAGE_ORDER_4K);
	if (vmx->io)
		page_free(&vm->owner, vmx->io, VMX_IO_BITMAPS_ORDER);
	kfree(vmx);
	vm->hv = NULL;
}

int vmx_vm_create(struct vm *vm)
{
	struct vmx_vm *vmx = kzalloc(sizeof(*vmx));
	struct nested_format format;

	if (!vmx)
		return -ENOMEM;
	vm->hv = vmx;
	vmx_ept_format(&format, &vmx_machine);
	vmx->io = page_alloc(&vm->owner, VMX_IO_BITMAPS_ORDER);
	vmx->msr = page_alloc(&vm->owner, PAGE_ORDER_4K);
	vmx->msr_x2apic = page_alloc(&vm->owner, PAGE_ORDER_4K);
	if (!vmx->io || !vmx->msr || !vmx->msr_x2apic ||
	    nested_table_init(&vmx->ept, &vm->owner, &format)) {
		vmx_vm_destroy(vm);
		return -ENOMEM;
	}
	vmx->eptp = vmx_ept_pointer(nested_table_root(&vmx->ept), &vmx_machine);
	vmx_permission_init(vmx->io, vmx->msr);
	vmx_permission_x2apic(vmx->msr_x2apic, vmx->msr);
	return 0;
}

int vmx_map(struct vm *vm, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned access)
{
	struct vmx_vm *vmx = vm->hv;

	nested_epoch_reap(vm, &vmx->ept);
	return nested_table_map(&vmx->ept, gpa, hpa, size, access);
}

int vmx_unmap(struct vm *vm, gpa_t gpa, uint64_t size)
{
	struct vmx_vm *vmx = vm->hv;

	nested_epoch_reap(vm, &vmx->ept);
	return nested_table_unmap(&vmx->ept, gpa, size);
}

/* CPUs read the bitmaps as the guest goes (25.1.3): whoever changes them kicks (vmm/hv_ops.h). */
void vmx_intercept_io(struct vm *vm, uint16_t port, uint32_t count, bool on)
{
	struct vmx_vm *vmx = vm->hv;

	vmx_permission_io(vmx->io, port, count, on);
}

int vmx_intercept_msr(struct vm *vm, uint32_t index, bool read, bool write)
{
	struct vmx_vm *vmx = vm->hv;

	int err = vmx_permission_msr(vmx->msr, index, read, write);

	vmx_permission_x2apic(vmx->msr_x2apic, vmx->msr);
	return err;
}
