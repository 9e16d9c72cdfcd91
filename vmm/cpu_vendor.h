/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the two lines of CPUs, AMD's (and Hygon's) and Intel's (and those made
 * after it), have each for itself and guests see. One const instance stands
 * beside the vendor's virtualization, as hv_ops->cpu: whoever can run guests
 * by SVM is of the one line, by VT-x of the other. Nobody else asks who made
 * the CPU.
 *
 * A third, cpu_common, is no machine's: what both lines' CPUs can be, for VMs
 * that go from the one to the other (cpu-model = common).
 */
#ifndef VMM_CPU_VENDOR_H
#define VMM_CPU_VENDOR_H

#include "lib/compiler.h"
#include "vmm/cpu_model_table.h"

#include <stdbool.h>
#include <stdint.h>

struct vm;

/* For tables of what a line has. */
enum cpu_line { CPU_LINE_AMD, CPU_LINE_INTEL, CPU_LINE_COMMON, CPU_LINES };

/* What the table of one VM is made of. */
struct cpu_model {
	struct vm *vm;
	uint32_t cpus;	    /* all cores of one package */
	uint32_t core_bits; /* of an APIC id, to tell them apart */
	struct cpu_features has;
};

#define CPU_MODEL_ANY	    UINT32_MAX /* subleaf */
#define CPU_MODEL_LAST_LEAF 0xdu       /* basic */

/* Answers of the VM's table; a second one takes the first one's place. */
int cpu_model_set(struct cpu_model *m, uint32_t leaf, uint32_t subleaf, uint32_t eax, uint32_t ebx,
		  uint32_t ecx, uint32_t edx) __must_check;
/* As the machine says. */
int cpu_model_set_same(struct cpu_model *m, uint32_t leaf) __must_check;
/*
 * A leaf with a cache in each subleaf, as 4 and 8000001D are: @sharers (less
 * one) have the last level, the others are a core's own. @cores: for EAX.
 */
int cpu_model_set_caches(struct cpu_model *m, uint32_t leaf, uint32_t sharers,
			 uint32_t cores) __must_check;

/*
 * NULL, or the name of the first CPUID register of which @must has what @has has not; *@bits: all
 * that is missing in it.
 */
const char *cpu_model_missing(const struct cpu_features *has, const struct cpu_features *must,
			      uint32_t *bits);

struct cpu_vendor {
	enum cpu_line line;
	/* No more and no less than these; NULL: all that the machine has and guests may have. */
	const struct cpu_features *features;
	/* Bits of a guest-physical address; 0: as many as the machine has. */
	unsigned phys_bits;
	/* The TSC's rate is not for ever: a guest is not told to count by it. */
	bool tsc_varies;
	/* Bits of MSR DEBUGCTL. */
	uint64_t debugctl;
	/* CPUID 1, EAX: family, model, stepping, as guests are told. */
	uint32_t (*signature)(void);
	/* Its own leaves, and its own of those that are set already. */
	int (*tell)(struct cpu_model *m);
	/* Of the machine's own: XRSTOR leaves FOP, FIP and FDP as they are where no x87 exception
	 * is pending. */
	bool (*keeps_x87_pointers)(void);
};

extern const struct cpu_vendor cpu_common;

#endif
