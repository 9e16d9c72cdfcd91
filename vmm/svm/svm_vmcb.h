/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual machine control block: APM vol. 2, appendix B (layout, tables
 * B-1 and B-2) and 15.5 to 15.25 (meaning). Exit codes: svm_exit_code.h.
 */
#ifndef VMM_SVM_SVM_VMCB_H
#define VMM_SVM_SVM_VMCB_H

#include "lib/compiler.h"

#include <stddef.h>
#include <stdint.h>

/* vmcb_control.intercepts, offset 00Ch. */
#define VMCB_INTERCEPT_INTR	   BIT(0)
#define VMCB_INTERCEPT_NMI	   BIT(1)
#define VMCB_INTERCEPT_INIT	   BIT(3)
#define VMCB_INTERCEPT_VINTR	   BIT(4)
#define VMCB_INTERCEPT_RDPMC	   BIT(15)
#define VMCB_INTERCEPT_PUSHF	   BIT(16)
#define VMCB_INTERCEPT_CPUID	   BIT(18)
#define VMCB_INTERCEPT_RSM	   BIT(19)
#define VMCB_INTERCEPT_IRET	   BIT(20)
#define VMCB_INTERCEPT_INTN	   BIT(21)
#define VMCB_INTERCEPT_INVD	   BIT(22)
#define VMCB_INTERCEPT_PAUSE	   BIT(23)
#define VMCB_INTERCEPT_HLT	   BIT(24)
#define VMCB_INTERCEPT_INVLPGA	   BIT(26)
#define VMCB_INTERCEPT_IOIO	   BIT(27)
#define VMCB_INTERCEPT_MSR	   BIT(28)
#define VMCB_INTERCEPT_FERR_FREEZE BIT(30)
#define VMCB_INTERCEPT_SHUTDOWN	   BIT(31)
/* The second word, offset 010h. */
#define VMCB_INTERCEPT2_VMRUN	 BIT(0)
#define VMCB_INTERCEPT2_VMMCALL	 BIT(1)
#define VMCB_INTERCEPT2_VMLOAD	 BIT(2)
#define VMCB_INTERCEPT2_VMSAVE	 BIT(3)
#define VMCB_INTERCEPT2_STGI	 BIT(4)
#define VMCB_INTERCEPT2_CLGI	 BIT(5)
#define VMCB_INTERCEPT2_SKINIT	 BIT(6)
#define VMCB_INTERCEPT2_ICEBP	 BIT(8)
#define VMCB_INTERCEPT2_WBINVD	 BIT(9)
#define VMCB_INTERCEPT2_MONITOR	 BIT(10)
#define VMCB_INTERCEPT2_MWAIT	 BIT(11)
#define VMCB_INTERCEPT2_MWAIT_ON BIT(12) /* while the monitor is armed */
#define VMCB_INTERCEPT2_XSETBV	 BIT(13)
#define VMCB_INTERCEPT2_RDPRU	 BIT(14)

/* tlb_control, offset 05Ch (15.16.1). */
#define VMCB_TLB_KEEP	      0
#define VMCB_TLB_FLUSH_ALL    1
#define VMCB_TLB_FLUSH_GUEST  3 /* needs SVM_CPUID_FLUSH_BY_ASID */
#define VMCB_TLB_FLUSH_LOCALS 7 /* so does this */

/* vintr, offset 060h (15.21). */
#define VMCB_VINTR_TPR		UINT64_C(0xf)
#define VMCB_VINTR_IRQ		BIT(8)
#define VMCB_VINTR_PRIO_SHIFT	16
#define VMCB_VINTR_PRIO		(UINT64_C(0xf) << VMCB_VINTR_PRIO_SHIFT)
#define VMCB_VINTR_IGN_TPR	BIT(20)
#define VMCB_VINTR_MASKING	BIT(24)
#define VMCB_VINTR_NMI_ENABLE	BIT(26)
#define VMCB_VINTR_VECTOR_SHIFT 32
#define VMCB_VINTR_VECTOR	(UINT64_C(0xff) << VMCB_VINTR_VECTOR_SHIFT)

/* int_state, offset 068h. */
#define VMCB_INT_SHADOW BIT(0)

/* exit_int_info and event_inj, offsets 088h and 0A8h (15.7.2, 15.20). */
#define VMCB_EVENT_VECTOR      UINT64_C(0xff)
#define VMCB_EVENT_TYPE_SHIFT  8
#define VMCB_EVENT_TYPE	       (UINT64_C(7) << VMCB_EVENT_TYPE_SHIFT)
#define VMCB_EVENT_INTR	       0u
#define VMCB_EVENT_NMI	       2u
#define VMCB_EVENT_EXCEPTION   3u
#define VMCB_EVENT_SOFT	       4u
#define VMCB_EVENT_HAS_ERROR   BIT(11)
#define VMCB_EVENT_VALID       BIT(31)
#define VMCB_EVENT_ERROR_SHIFT 32

#define VMCB_NESTED_PAGING BIT(0) /* nested_control, offset 090h */
#define VMCB_LBR_VIRT	   BIT(0) /* lbr_control, offset 0B8h */

/* clean, offset 0C0h (15.15.3): a set bit says that these did not change since the last VMRUN. */
#define VMCB_CLEAN_I	BIT(0) /* intercepts, TSC offset, pause filter */
#define VMCB_CLEAN_IOPM BIT(1) /* permission maps */
#define VMCB_CLEAN_ASID BIT(2)
#define VMCB_CLEAN_TPR	BIT(3) /* vintr */
#define VMCB_CLEAN_NP	BIT(4) /* nested paging, N_CR3, G_PAT */
#define VMCB_CLEAN_CRX	BIT(5) /* CR0, CR3, CR4, EFER */
#define VMCB_CLEAN_DRX	BIT(6) /* DR6, DR7 */
#define VMCB_CLEAN_DT	BIT(7) /* GDTR, IDTR */
#define VMCB_CLEAN_SEG	BIT(8) /* CS, DS, SS, ES, CPL */
#define VMCB_CLEAN_CR2	BIT(9)
#define VMCB_CLEAN_LBR	BIT(10) /* DEBUGCTL and the last-branch registers */
#define VMCB_CLEAN_ALL	0x7ffu

#define VMCB_CR4 BIT(4) /* of cr_read and cr_write, offsets 000h and 002h */
#define VMCB_CR8 BIT(8)

struct vmcb_control {
	uint16_t cr_read, cr_write;
	uint16_t dr_read, dr_write;
	uint32_t exceptions;
	uint32_t intercepts;
	uint32_t intercepts2;
	uint32_t intercepts3;
	uint8_t reserved0[0x3c - 0x18];
	uint16_t pause_threshold;
	uint16_t pause_count;
	uint64_t iopm; /* physical */
	uint64_t msrpm;
	uint64_t tsc_offset;
	uint32_t asid;
	uint8_t tlb_control;
	uint8_t reserved1[3];
	uint64_t vintr;
	uint64_t int_state;
	uint64_t exit_code;
	uint64_t exit_info1;
	uint64_t exit_info2;
	uint64_t exit_int_info;
	uint64_t nested_control;
	uint64_t avic_bar;
	uint64_t ghcb;
	uint64_t event_inj;
	uint64_t nested_cr3;
	uint64_t lbr_control;
	uint32_t clean;
	uint32_t reserved2;
	uint64_t next_rip; /* written where the CPU has SVM_CPUID_NEXT_RIP, else 0 */
	uint8_t insn_count;
	uint8_t insn[15];
	uint8_t reserved3[0x400 - 0xe0];
};

struct vmcb_segment {
	uint16_t selector;
	uint16_t attrib; /* as struct vcpu_segment's */
	uint32_t limit;
	uint64_t base;
};

struct vmcb_save {
	struct vmcb_segment es, cs, ss, ds;
	/* FS, GS, LDTR and TR: by VMLOAD and VMSAVE only. */
	struct vmcb_segment fs, gs;
	struct vmcb_segment gdtr;
	struct vmcb_segment ldtr;
	struct vmcb_segment idtr;
	struct vmcb_segment tr;
	uint8_t reserved0[0xcb - 0xa0];
	uint8_t cpl;
	uint32_t reserved1;
	uint64_t efer;
	uint8_t reserved2[0x148 - 0xd8];
	uint64_t cr4, cr3, cr0;
	uint64_t dr7, dr6;
	uint64_t rflags, rip;
	uint8_t reserved3[0x1d8 - 0x180];
	uint64_t rsp;
	uint8_t reserved4[0x1f8 - 0x1e0];
	uint64_t rax;
	/* STAR to SYSENTER_EIP: by VMLOAD and VMSAVE only. */
	uint64_t star, lstar, cstar, sfmask;
	uint64_t kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t cr2;
	uint8_t reserved5[0x268 - 0x248];
	uint64_t pat;
	uint64_t debugctl;
	uint64_t br_from, br_to, last_exception_from, last_exception_to;
	uint8_t reserved6[0xc00 - 0x298];
};

struct vmcb {
	struct vmcb_control control;
	struct vmcb_save save;
};

#define VMCB_AT(field, offset) \
	_Static_assert(offsetof(struct vmcb, field) == (offset), "APM vol. 2, B.1: " #field)
#define VMCB_SAVE_AT(field, offset)                                           \
	_Static_assert(offsetof(struct vmcb, save.field) == 0x400 + (offset), \
		       "APM vol. 2, B.2: " #field)

VMCB_AT(control.cr_write, 0x002);
VMCB_AT(control.exceptions, 0x008);
VMCB_AT(control.intercepts, 0x00c);
VMCB_AT(control.intercepts2, 0x010);
VMCB_AT(control.pause_threshold, 0x03c);
VMCB_AT(control.pause_count, 0x03e);
VMCB_AT(control.iopm, 0x040);
VMCB_AT(control.msrpm, 0x048);
VMCB_AT(control.tsc_offset, 0x050);
VMCB_AT(control.asid, 0x058);
VMCB_AT(control.tlb_control, 0x05c);
VMCB_AT(control.vintr, 0x060);
VMCB_AT(control.int_state, 0x068);
VMCB_AT(control.exit_code, 0x070);
VMCB_AT(control.exit_info1, 0x078);
VMCB_AT(control.exit_info2, 0x080);
VMCB_AT(control.exit_int_info, 0x088);
VMCB_AT(control.nested_control, 0x090);
VMCB_AT(control.event_inj, 0x0a8);
VMCB_AT(control.nested_cr3, 0x0b0);
VMCB_AT(control.lbr_control, 0x0b8);
VMCB_AT(control.clean, 0x0c0);
VMCB_AT(control.next_rip, 0x0c8);
VMCB_AT(control.insn_count, 0x0d0);
VMCB_AT(control.insn, 0x0d1);
VMCB_SAVE_AT(es, 0x000);
VMCB_SAVE_AT(cs, 0x010);
VMCB_SAVE_AT(ss, 0x020);
VMCB_SAVE_AT(ds, 0x030);
VMCB_SAVE_AT(fs, 0x040);
VMCB_SAVE_AT(gs, 0x050);
VMCB_SAVE_AT(gdtr, 0x060);
VMCB_SAVE_AT(ldtr, 0x070);
VMCB_SAVE_AT(idtr, 0x080);
VMCB_SAVE_AT(tr, 0x090);
VMCB_SAVE_AT(cpl, 0x0cb);
VMCB_SAVE_AT(efer, 0x0d0);
VMCB_SAVE_AT(cr4, 0x148);
VMCB_SAVE_AT(cr3, 0x150);
VMCB_SAVE_AT(cr0, 0x158);
VMCB_SAVE_AT(dr7, 0x160);
VMCB_SAVE_AT(dr6, 0x168);
VMCB_SAVE_AT(rflags, 0x170);
VMCB_SAVE_AT(rip, 0x178);
VMCB_SAVE_AT(rsp, 0x1d8);
VMCB_SAVE_AT(rax, 0x1f8);
VMCB_SAVE_AT(star, 0x200);
VMCB_SAVE_AT(lstar, 0x208);
VMCB_SAVE_AT(cstar, 0x210);
VMCB_SAVE_AT(sfmask, 0x218);
VMCB_SAVE_AT(kernel_gs_base, 0x220);
VMCB_SAVE_AT(sysenter_cs, 0x228);
VMCB_SAVE_AT(sysenter_esp, 0x230);
VMCB_SAVE_AT(sysenter_eip, 0x238);
VMCB_SAVE_AT(cr2, 0x240);
VMCB_SAVE_AT(pat, 0x268);
VMCB_SAVE_AT(debugctl, 0x270);
_Static_assert(sizeof(struct vmcb) == 0x1000, "APM vol. 2, 15.5.1: one page");

#endif
