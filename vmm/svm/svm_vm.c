/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/slab.h"
#include "vmm/svm/svm.h"
#include "vmm/svm/svm_npt.h"
#include "vmm/svm/svm_permission.h"

#include <errno.h>

void svm_vm_destroy(struct vm *vm)
{
	struct svm_vm *svm = vm->hv;

	if (!svm)
		return;
	nested_table_destroy(&svm->npt);
	if (svm->msrpm)
		page_free(&vm->owner, svm->msrpm, SVM_MSRPM_ORDER);
	if (svm->iopm)
		page_free(&vm->owner, svm->iopm, SVM_IOPM_ORDER);
	kfree(svm);
	vm->hv = NULL;
}

int svm_vm_create(struct vm *vm)
{
	struct svm_vm *svm = kzalloc(sizeof(*svm));
	struct nested_format format;

	if (!svm)
		return -ENOMEM;
	vm->hv = svm;
	svm_npt_format(&format, svm_machine.page_1g);
	svm->iopm = page_alloc(&vm->owner, SVM_IOPM_ORDER);
	svm->msrpm = page_alloc(&vm->owner, SVM_MSRPM_ORDER);
	if (!svm->iopm || !svm->msrpm || nested_table_init(&svm->npt, &vm->owner, &format)) {
		svm_vm_destroy(vm);
		return -ENOMEM;
	}
	svm_permission_init(svm->iopm, svm->msrpm);
	return 0;
}

int svm_map(struct vm *vm, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned access)
{
	struct svm_vm *svm = vm->hv;

	nested_epoch_reap(vm, &svm->npt);
	return nested_table_map(&svm->npt, gpa, hpa, size, access);
}

int svm_unmap(struct vm *vm, gpa_t gpa, uint64_t size)
{
	struct svm_vm *svm = vm->hv;

	nested_epoch_reap(vm, &svm->npt);
	return nested_table_unmap(&svm->npt, gpa, size);
}

/* The maps may be cached in CPUs (15.15.3); the next loading of a world makes them look again. */
void svm_intercept_io(struct vm *vm, uint16_t port, uint32_t count, bool on)
{
	struct svm_vm *svm = vm->hv;

	svm_permission_io(svm->iopm, port, count, on);
}

int svm_intercept_msr(struct vm *vm, uint32_t index, bool read, bool write)
{
	struct svm_vm *svm = vm->hv;

	return svm_permission_msr(svm->msrpm, index, read, write);
}
