/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why an entry was refused: the rules of SDM vol. 3C, chapter 26, checked in
 * software. Sections as in the edition that vmx_field.h names. Pure.
 *
 * Not checked: what only a CPU in SMM may do (its rules are those of the others
 * here), controls that need a tertiary word (not offered by any CPU that lets us
 * in), reserved bits of performance and trace MSRs that are some models' alone,
 * and whether WRMSR would take a value from a list, but for EFER's and PAT's.
 */
#ifndef VMM_VMX_VMX_CHECK_H
#define VMM_VMX_VMX_CHECK_H

#include "vmm/vmx/vmx_cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vmx_check_input {
	const struct vmx_machine *machine;
	uint64_t vmcs; /* physical address of the current VMCS */
	bool x2apic;   /* the local APIC's mode */
	/* A field of it; asked only for fields that the CPU has when the controls are right. */
	uint64_t (*read)(void *opaque, uint32_t field);
	/* Physical memory; false: it cannot be looked at, and what needs it is not checked. */
	bool (*memory)(void *opaque, uint64_t phys, void *data, size_t size);
	void *opaque;
};

struct vmx_rule {
	uint32_t field;
	bool broken;
	uint64_t value; /* of @field, when broken */
	uint64_t bits;	/* of it that must not be as they are; 0 where that cannot be said */
	const char *text;
	const char *section; /* of SDM vol. 3C */
};
typedef void (*vmx_rule_fn)(void *opaque, const struct vmx_rule *rule);

/* Calls @fn for each rule there is, broken or not; returns how many are broken. */
unsigned vmx_check(const struct vmx_check_input *in, vmx_rule_fn fn, void *opaque);

/* Of the list of MSRs that entries load, the one at which the last entry ended. */
struct vmx_refused_msr {
	unsigned number; /* in the list, from 1 on */
	uint32_t index;
	uint64_t value;
};
/* False: it did not end there, or the list cannot be looked at. */
bool vmx_check_refused_msr(const struct vmx_check_input *in, struct vmx_refused_msr *msr);
/* The manual's name of one that may be, or must not be, in a list; "MSR" for others. */
const char *vmx_check_msr_name(uint32_t index);

#endif
