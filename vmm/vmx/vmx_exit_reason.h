/* SPDX-License-Identifier: BSD-2-Clause */
/* Why the guest was left (SDM vol. 3C, appendix C) and what an exit says about it (27.2). */
#ifndef VMM_VMX_VMX_EXIT_REASON_H
#define VMM_VMX_VMX_EXIT_REASON_H

#include "lib/compiler.h"

#define VMX_REASON_EXCEPTION	    0u /* or an NMI */
#define VMX_REASON_INTERRUPT	    1u
#define VMX_REASON_TRIPLE_FAULT	    2u
#define VMX_REASON_INIT		    3u
#define VMX_REASON_IRQ_WINDOW	    7u
#define VMX_REASON_NMI_WINDOW	    8u
#define VMX_REASON_TASK_SWITCH	    9u
#define VMX_REASON_CPUID	    10u
#define VMX_REASON_GETSEC	    11u
#define VMX_REASON_HLT		    12u
#define VMX_REASON_INVD		    13u
#define VMX_REASON_RDPMC	    15u
#define VMX_REASON_RSM		    17u
#define VMX_REASON_VMCALL	    18u
#define VMX_REASON_VMCLEAR	    19u /* to VMXON: the instructions that we do not virtualize */
#define VMX_REASON_VMXON	    27u
#define VMX_REASON_CR		    28u
#define VMX_REASON_IO		    30u
#define VMX_REASON_RDMSR	    31u
#define VMX_REASON_WRMSR	    32u
#define VMX_REASON_GUEST_STATE	    33u /* an entry that failed, and so are the next one and 41 */
#define VMX_REASON_MSR_LOADING	    34u
#define VMX_REASON_MWAIT	    36u
#define VMX_REASON_MONITOR	    39u
#define VMX_REASON_PAUSE	    40u
#define VMX_REASON_MACHINE_CHECK    41u
#define VMX_REASON_TPR		    43u /* CR8 was lowered below the threshold */
#define VMX_REASON_EOI		    45u /* of a vector in the EOI-exit bitmaps */
#define VMX_REASON_EPT_VIOLATION    48u
#define VMX_REASON_EPT_MISCONFIG    49u
#define VMX_REASON_INVEPT	    50u
#define VMX_REASON_PREEMPTION_TIMER 52u
#define VMX_REASON_INVVPID	    53u
#define VMX_REASON_WBINVD	    54u
#define VMX_REASON_XSETBV	    55u
#define VMX_REASON_APIC_WRITE	    56u
#define VMX_REASON_INVPCID	    58u
#define VMX_REASON_VMFUNC	    59u
#define VMX_REASON_ENCLS	    60u
#define VMX_REASONS		    64u /* end of those that we know */
#define VMX_REASON_BASIC	    UINT64_C(0xffff)
#define VMX_REASON_FAILED	    BIT(31) /* the entry failed: no guest instruction was executed */

/* Our own number for an entry that ended with VMfail: not a reason, the guest was not left. */
#define VMX_REASON_REFUSED UINT64_C(0x10000)

/* Qualification of VMX_REASON_IO (27.2.1, table 27-5). */
#define VMX_IO_SIZE(q)	  (((q)&7) + 1)
#define VMX_IO_IN	  BIT(3)
#define VMX_IO_STRING	  BIT(4)
#define VMX_IO_REP	  BIT(5)
#define VMX_IO_PORT_SHIFT 16
/* Instruction information of INS and OUTS, with VMX_BASIC_INS_OUTS (table 27-8). */
#define VMX_INSOUT_WIDTH(info) (2 << ((info) >> 7 & 7)) /* bytes of an address */
#define VMX_INSOUT_SEG(info)   ((info) >> 15 & 7)	/* enum vcpu_seg; OUTS only */

/* Of VMX_REASON_TASK_SWITCH (table 27-2). */
#define VMX_TASK_SOURCE(q) ((q) >> 30 & 3)

/* Of VMX_REASON_CR (table 27-3). */
#define VMX_CR_NUMBER(q) ((q)&0xf)
#define VMX_CR_ACCESS(q) ((q) >> 4 & 3)
#define VMX_CR_WRITE	 0u
#define VMX_CR_READ	 1u
#define VMX_CR_GPR(q)	 ((q) >> 8 & 0xf)

/* Of VMX_REASON_EPT_VIOLATION (table 27-7). */
#define VMX_EPT_VIOLATION_WRITE	 BIT(1)
#define VMX_EPT_VIOLATION_FETCH	 BIT(2)
#define VMX_EPT_VIOLATION_LINEAR BIT(7) /* there is a linear address to it … */
#define VMX_EPT_VIOLATION_OPERAND                                        \
	BIT(8) /* … and this is where it leads, not a table on the way \
		*/

/* Of VMX_REASON_APIC_WRITE: an offset in the virtual-APIC page (table 27-1). */
#define VMX_APIC_OFFSET UINT64_C(0xfff)

/* Of a #DB (table 27-1): what DR6 would have. */
#define VMX_DEBUG_DR6 UINT64_C(0x600f)

/*
 * The interruption information of exits (24.9.2), of an event whose delivery
 * was interrupted (24.9.3), and of one to be injected (24.8.3): one format.
 */
#define VMX_INTR_VECTOR	     0xffu
#define VMX_INTR_TYPE_SHIFT  8
#define VMX_INTR_TYPE(info)  ((info) >> VMX_INTR_TYPE_SHIFT & 7)
#define VMX_INTR_EXTERNAL    0u
#define VMX_INTR_NMI	     2u
#define VMX_INTR_EXCEPTION   3u
#define VMX_INTR_SOFT	     4u /* INT n */
#define VMX_INTR_PRIVILEGED  5u /* INT1 (ICEBP) */
#define VMX_INTR_SOFT_TRAP   6u /* INT3, INTO */
#define VMX_INTR_HAS_ERROR   BIT(11)
#define VMX_INTR_NMI_UNBLOCK BIT(12) /* also in qualifications: an IRET had unblocked NMIs */
#define VMX_INTR_VALID	     BIT(31)

/* Interruptibility state (24.4.2). */
#define VMX_SHADOW_STI	  BIT(0)
#define VMX_SHADOW_MOV_SS BIT(1)
#define VMX_SHADOW	  (VMX_SHADOW_STI | VMX_SHADOW_MOV_SS)
#define VMX_BLOCKED_NMI	  BIT(3)

/* Pending debug exceptions (24.4.2). */
#define VMX_PENDING_DEBUG_BP BIT(12) /* a breakpoint of B0-B3 is enabled */
#define VMX_PENDING_DEBUG_BS BIT(14)

#endif
