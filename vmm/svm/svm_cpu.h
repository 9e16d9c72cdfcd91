/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SVM on the physical CPUs: what the machine has, how it is turned on, and
 * each CPU's part.
 */
#ifndef VMM_SVM_SVM_CPU_H
#define VMM_SVM_SVM_CPU_H

#include "arch/x86_64/percpu.h"
#include "kernel/page_alloc.h"
#include "vmm/hv_ops.h"
#include "vmm/svm/svm_vmcb.h"
#include "vmm/tlb_tag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CPUID 8000_000Ah EDX (APM vol. 3, E.4.9). */
#define SVM_CPUID_NESTED_PAGING	  BIT(0)
#define SVM_CPUID_LBR_VIRT	  BIT(1)
#define SVM_CPUID_LOCK		  BIT(2)
#define SVM_CPUID_NEXT_RIP	  BIT(3)
#define SVM_CPUID_TSC_RATE	  BIT(4)
#define SVM_CPUID_CLEAN_BITS	  BIT(5)
#define SVM_CPUID_FLUSH_BY_ASID	  BIT(6)
#define SVM_CPUID_DECODE_ASSIST	  BIT(7)
#define SVM_CPUID_PAUSE_FILTER	  BIT(10)
#define SVM_CPUID_PAUSE_THRESHOLD BIT(12)
#define SVM_CPUID_AVIC		  BIT(13)
#define SVM_CPUID_VIRT_VMSAVE	  BIT(15)
#define SVM_CPUID_VIRT_GIF	  BIT(16)
#define SVM_CPUID_GMET		  BIT(17)
#define SVM_CPUID_VIRT_NMI	  BIT(25)

/* APM vol. 2, 15.30. */
#define SVM_MSR_VM_CR	    0xc0010114
#define SVM_VM_CR_LOCK	    BIT(3)
#define SVM_VM_CR_SVMDIS    BIT(4)
#define SVM_MSR_VM_HSAVE_PA 0xc0010117

/* What CPUID and MSRs say; svm_probe() fills svm_machine. */
struct svm_machine {
	bool has_svm;
	bool has_vm_cr;
	uint64_t vm_cr;
	uint8_t revision;
	uint32_t features; /* SVM_CPUID_ */
	uint32_t asids;	   /* 0 to asids - 1; 0 is the host's */
	uint8_t phys_bits;
	bool page_1g;
	uint64_t cr4_valid;  /* bits that this CPU's CR4 and EFER have */
	uint64_t efer_valid; /* SVME and LMA included */
	bool is_qemu;	     /* TCG emulates it: svm_event_inject() */
};
extern struct svm_machine svm_machine;

static inline bool svm_has(uint32_t feature)
{
	return svm_machine.features & feature;
}

/* this_cpu()->hv. */
struct hv_cpu {
	struct vmcb *host; /* the host's world, by VMSAVE, once; VMLOAD puts it back */
	void *host_save;   /* the CPU's own page (15.30.4): not for us to look into */
	struct tlb_tag_pool asids;
};

/* hv_ops. */
int svm_probe(char *reason, size_t size);
void svm_report(hv_print_fn print);
int svm_cpu_enable(void);
void svm_cpu_disable(void);

/* The decision alone, for tests: 0, or -ENODEV with @reason. */
int svm_probe_check(const struct svm_machine *machine, char *reason, size_t size);

/* The pages of SVM that belong to no VM. */
extern struct page_owner svm_owner;

#endif
