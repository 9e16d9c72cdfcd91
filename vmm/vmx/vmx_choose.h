/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of VT-x is used on a machine, from what the machine has. Pure: the tests
 * give it the values of many CPUs.
 */
#ifndef VMM_VMX_VMX_CHOOSE_H
#define VMM_VMX_VMX_CHOOSE_H

#include "lib/compiler.h"
#include "vmm/vmx/vmx_cpu.h"

/* The words of controls, and IA32_VMX_EPT_VPID_CAP, which is read alone. */
enum vmx_word {
	VMX_WORD_PIN,
	VMX_WORD_PROC,
	VMX_WORD_PROC2,
	VMX_WORD_EXIT,
	VMX_WORD_ENTRY,
	VMX_CONTROL_WORDS,
	VMX_WORD_EPT_VPID = VMX_CONTROL_WORDS,
	VMX_WORDS,
};
extern const char *const vmx_word_names[VMX_WORDS];

enum vmx_use {
	VMX_NOT_USED,  /* 0, and it must be possible to leave it 0 */
	VMX_REQUIRED,  /* 1, or the machine is refused */
	VMX_WANTED,    /* 1 where the CPU has it */
	VMX_ON_DEMAND, /* 0 at first, set and cleared while a vCPU runs; without, refused */
	VMX_OPTIONAL,  /* as on demand, but done without */
};

struct vmx_control {
	uint64_t bit;
	enum vmx_word word;
	enum vmx_use use;
	const char *name;
	const char *note; /* required: what for; wanted: what is done without; not used: or NULL */
};
extern const struct vmx_control vmx_controls[];
extern const size_t vmx_control_count;

/* What a machine may have of a word, and what is in use of it. */
uint64_t vmx_word_has(const struct vmx_machine *m, enum vmx_word word);
uint64_t vmx_word_used(const struct vmx_machine *m, enum vmx_word word);
/*
 * What @control is for on this machine: an instruction that it does not have needs nothing, nor
 * does what another control does better.
 */
enum vmx_use vmx_use_of(const struct vmx_machine *m, const struct vmx_control *control);

/*
 * Fills the used words of @m, whose other fields are set. 0, or -ENODEV with in @reason what
 * is missing and what to do.
 */
int vmx_choose(struct vmx_machine *m, char *reason, size_t size) __must_check;

/* MSRs that entries and exits switch: by fields of the VMCS, or by lists (vmx_msr_area.h). */
enum vmx_switched_msr { VMX_SWITCHED_EFER, VMX_SWITCHED_PAT, VMX_SWITCHED_MSRS };
struct vmx_switched {
	const char *name;
	uint32_t index;
	uint32_t exit, entry; /* the controls; all of them are used, or none */
};
extern const struct vmx_switched vmx_switched_msrs[VMX_SWITCHED_MSRS];
/* After vmx_choose(): @msr is switched by lists; so is any. */
bool vmx_in_msr_area(const struct vmx_machine *m, enum vmx_switched_msr msr);
bool vmx_needs_msr_area(const struct vmx_machine *m);

/* The CPU can do the busiest part of a guest's local APIC in x2APIC mode. */
bool vmx_has_x2apic(const struct vmx_machine *m);

/* The first capability in which @a and @b differ, by name; NULL: none. */
const char *vmx_difference(const struct vmx_machine *a, const struct vmx_machine *b);

#endif
