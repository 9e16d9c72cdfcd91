/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The neutral exit: what made a vCPU leave guest mode, in terms that both
 * vendors share. The vendor's run() fills it; vmm/exit.c has one table by
 * kind; RIP advances in one place (vmm/run.c) and nowhere else.
 */
#ifndef VMM_EXIT_H
#define VMM_EXIT_H

#include "vmm/types.h"

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

enum vm_exit_kind {
	VM_EXIT_INTERRUPT,  /* a physical interrupt waits for irq_window() */
	VM_EXIT_NMI,	    /* a physical NMI was taken */
	VM_EXIT_IRQ_WINDOW, /* the guest can take an external interrupt now */
	VM_EXIT_NMI_WINDOW, /* the guest can take an NMI now */
	VM_EXIT_IO,	    /* u.io */
	VM_EXIT_MSR,	    /* u.msr: RDMSR, WRMSR; index in ECX */
	VM_EXIT_CPUID,
	VM_EXIT_HYPERCALL, /* VMMCALL or VMCALL */
	VM_EXIT_MEMORY,	   /* u.memory: nested page fault */
	VM_EXIT_HLT,
	VM_EXIT_PAUSE, /* pause filter or pause-loop exit */
	VM_EXIT_XSETBV,
	VM_EXIT_CR,   /* u.cr: of CR8, or a write of CR0 or CR4 that the vendor cannot leave to the
			 CPU */
	VM_EXIT_APIC, /* u.apic: a write that hv_ops->virtualize_apic() leaves to us */
	VM_EXIT_EXCEPTION,    /* u.exception: an intercepted exception of the guest */
	VM_EXIT_CACHE,	      /* INVD, WBINVD: nothing to do for us */
	VM_EXIT_TASK_SWITCH,  /* u.task: VT-x cannot do it itself; for a gate of the IDT, the
				 event that went through it is in vcpu->event */
	VM_EXIT_UNDEFINED,    /* an instruction that this guest does not have: #UD */
	VM_EXIT_TRIPLE_FAULT, /* or SHUTDOWN, or INIT */
	VM_EXIT_ENTRY_FAILED, /* u.failed: the entry was refused; explain() says why */
	VM_EXIT_UNKNOWN,      /* u.failed: a code that we did not ask for */
	VM_EXIT_KINDS
};

struct vm_exit_io {
	uint16_t port;
	uint8_t width; /* 1, 2, 4 bytes */
	bool in;
	bool string; /* INS/OUTS */
	bool rep;
	uint8_t addr_width; /* 2, 4, 8 bytes: string forms; 0: the hardware does not say */
	int8_t seg;	    /* enum vcpu_seg of OUTS' source where the hardware tells, else -1 */
};

enum vm_exit_task_source { TASK_BY_CALL, TASK_BY_IRET, TASK_BY_JMP, TASK_BY_GATE };

struct vm_exit {
	enum vm_exit_kind kind;
	uint8_t insn_len; /* bytes; 0: the hardware does not say (vmm/run.c finds it) */
	union {
		struct vm_exit_io io;
		struct {
			bool write;
		} msr;
		struct {
			gpa_t gpa;
			uint8_t access;	     /* ACCESS_ bits of the faulting access */
			bool table_walk;     /* it was the guest's page walk that faulted */
			uint8_t insn_bytes;  /* valid in insn, 0: none (decode assists) */
			const uint8_t *insn; /* the instruction, as the hardware fetched it */
		} memory;
		struct {
			uint8_t cr;
			bool write;
			uint8_t gpr; /* number */
		} cr;
		struct {
			uint8_t reg;	/* offset in the page / 16 */
			uint32_t value; /* EOI: the vector that it ended */
		} apic;
		struct {
			enum vm_exit_task_source source;
			uint16_t selector; /* of the TSS */
		} task;
		struct {
			uint8_t vector;
			bool has_error;
			uint32_t error;
			uint64_t cr2;
		} exception;
		struct {
			uint64_t code, info1, info2; /* vendor's numbers, for the log */
		} failed;
	} u;
};

/* What a handler wants next. */
enum exit_action {
	EXIT_ADVANCE, /* the instruction is done: RIP moves past it, and back in */
	EXIT_RESUME,  /* RIP stays (or was set): faults, injected exceptions, REP in progress */
	EXIT_STOP,    /* out of the run loop: vcpu->requests says why */
};

typedef enum exit_action (*exit_handler)(struct vcpu *vcpu, const struct vm_exit *exit);

/* By kind; all present. vmm/exit.c. Context: the vCPU's CPU, no lock held. */
extern const exit_handler exit_table[VM_EXIT_KINDS];
/* Names for logs and `info exits`. */
extern const char *const exit_names[VM_EXIT_KINDS];

#endif
