/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/svm/svm_cpu.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/paging.h"
#include "kernel/log.h"
#include "kernel/slab.h"
#include "vmm/svm/svm_insn.h"

#include <errno.h>

struct page_owner svm_owner;

static void svm_cpu_free(struct hv_cpu *hv)
{
	if (hv->host)
		page_free(&svm_owner, hv->host, PAGE_ORDER_4K);
	if (hv->host_save)
		page_free(&svm_owner, hv->host_save, PAGE_ORDER_4K);
	kfree(hv);
}

static struct hv_cpu *svm_cpu_alloc(void)
{
	struct hv_cpu *hv = kzalloc(sizeof(*hv));

	if (!hv)
		return NULL;
	hv->host = page_alloc_zeroed(&svm_owner, PAGE_ORDER_4K);
	hv->host_save = page_alloc_zeroed(&svm_owner, PAGE_ORDER_4K);
	if (!hv->host || !hv->host_save) {
		svm_cpu_free(hv);
		return NULL;
	}
	tlb_tag_pool_init(&hv->asids, svm_machine.asids);
	return hv;
}

/* Firmware that switched SVM off without locking it left that to us (APM vol. 2, 15.4). */
static int svm_cpu_unlock(void)
{
	uint64_t vm_cr;

	if (msr_read_safe(SVM_MSR_VM_CR, &vm_cr) || !(vm_cr & SVM_VM_CR_SVMDIS))
		return 0;
	if (vm_cr & SVM_VM_CR_LOCK) {
		log_error("svm: CPU %u: the firmware has locked SVM off (VM_CR %#lx)",
			  this_cpu()->index, vm_cr);
		return -ENODEV;
	}
	return msr_write_safe(SVM_MSR_VM_CR, vm_cr & ~SVM_VM_CR_SVMDIS);
}

int svm_cpu_enable(void)
{
	struct cpu *cpu = this_cpu();
	int err = svm_cpu_unlock();

	if (err)
		return err;
	cpu->hv = svm_cpu_alloc();
	if (!cpu->hv)
		return -ENOMEM;
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(SVM_MSR_VM_HSAVE_PA, paging_phys(cpu->hv->host_save));
	/* TR, FS, GS and the syscall MSRs of ours never change from here on. */
	svm_vmsave(paging_phys(cpu->hv->host));
	return 0;
}

void svm_cpu_disable(void)
{
	struct cpu *cpu = this_cpu();

	if (!cpu->hv)
		return;
	msr_write(SVM_MSR_VM_HSAVE_PA, 0);
	msr_write(MSR_EFER, msr_read(MSR_EFER) & ~EFER_SVME);
	cpu->hv = NULL;
}
