/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMCS's words of controls (SDM vol. 3C, 24.6-24.8). DEFAULT1: bits that were always 1
 * before CPUs told which of them may be 0 (vol. 3D, A.2-A.5); one that we do not know stays 1.
 */
#ifndef VMM_VMX_VMX_CONTROLS_H
#define VMM_VMX_VMX_CONTROLS_H

#include "lib/compiler.h"

/* Pin-based execution controls (24.6.1). */
#define VMX_PIN_EXTERNAL_INTERRUPT BIT(0)
#define VMX_PIN_NMI		   BIT(3)
#define VMX_PIN_VIRTUAL_NMIS	   BIT(5)
#define VMX_PIN_PREEMPTION_TIMER   BIT(6)
#define VMX_PIN_POSTED_INTERRUPTS  BIT(7)

#define VMX_PIN_DEFAULT1 UINT32_C(0x16)

/* Primary processor-based execution controls (24.6.2). */
#define VMX_PROC_INTERRUPT_WINDOW  BIT(2)
#define VMX_PROC_TSC_OFFSETTING	   BIT(3)
#define VMX_PROC_HLT		   BIT(7)
#define VMX_PROC_INVLPG		   BIT(9)
#define VMX_PROC_MWAIT		   BIT(10)
#define VMX_PROC_RDPMC		   BIT(11)
#define VMX_PROC_RDTSC		   BIT(12)
#define VMX_PROC_CR3_LOAD	   BIT(15)
#define VMX_PROC_CR3_STORE	   BIT(16)
#define VMX_PROC_TERTIARY	   BIT(17)
#define VMX_PROC_CR8_LOAD	   BIT(19)
#define VMX_PROC_CR8_STORE	   BIT(20)
#define VMX_PROC_TPR_SHADOW	   BIT(21)
#define VMX_PROC_NMI_WINDOW	   BIT(22)
#define VMX_PROC_MOV_DR		   BIT(23)
#define VMX_PROC_UNCONDITIONAL_IO  BIT(24)
#define VMX_PROC_IO_BITMAPS	   BIT(25)
#define VMX_PROC_MONITOR_TRAP_FLAG BIT(27)
#define VMX_PROC_MSR_BITMAPS	   BIT(28)
#define VMX_PROC_MONITOR	   BIT(29)
#define VMX_PROC_PAUSE		   BIT(30)
#define VMX_PROC_SECONDARY	   BIT(31)

#define VMX_PROC_DEFAULT1 UINT32_C(0x0401e172)

/* Secondary processor-based execution controls (24.6.2). */
#define VMX_PROC2_APIC_ACCESSES	      BIT(0)
#define VMX_PROC2_EPT		      BIT(1)
#define VMX_PROC2_DESCRIPTOR_TABLE    BIT(2)
#define VMX_PROC2_RDTSCP	      BIT(3)
#define VMX_PROC2_X2APIC_MODE	      BIT(4)
#define VMX_PROC2_VPID		      BIT(5)
#define VMX_PROC2_WBINVD	      BIT(6)
#define VMX_PROC2_UNRESTRICTED_GUEST  BIT(7)
#define VMX_PROC2_APIC_REGISTERS      BIT(8)
#define VMX_PROC2_VIRTUAL_INTERRUPTS  BIT(9)
#define VMX_PROC2_PAUSE_LOOP	      BIT(10)
#define VMX_PROC2_RDRAND	      BIT(11)
#define VMX_PROC2_INVPCID	      BIT(12)
#define VMX_PROC2_VM_FUNCTIONS	      BIT(13)
#define VMX_PROC2_VMCS_SHADOWING      BIT(14)
#define VMX_PROC2_ENCLS		      BIT(15)
#define VMX_PROC2_RDSEED	      BIT(16)
#define VMX_PROC2_PML		      BIT(17)
#define VMX_PROC2_EPT_VIOLATION_VE    BIT(18)
#define VMX_PROC2_CONCEAL_FROM_PT     BIT(19)
#define VMX_PROC2_XSAVES	      BIT(20)
#define VMX_PROC2_PASID		      BIT(21)
#define VMX_PROC2_MODE_BASED_EXECUTE  BIT(22)
#define VMX_PROC2_SUB_PAGE_WRITE      BIT(23)
#define VMX_PROC2_PT_GUEST_PHYSICAL   BIT(24)
#define VMX_PROC2_TSC_SCALING	      BIT(25)
#define VMX_PROC2_USER_WAIT	      BIT(26)
#define VMX_PROC2_PCONFIG	      BIT(27)
#define VMX_PROC2_ENCLV		      BIT(28)
#define VMX_PROC2_BUS_LOCK	      BIT(30)
#define VMX_PROC2_INSTRUCTION_TIMEOUT BIT(31)

/* All of a guest's x2APIC mode that the CPU does itself: either is of little use alone. */
#define VMX_PROC2_X2APIC (VMX_PROC2_X2APIC_MODE | VMX_PROC2_VIRTUAL_INTERRUPTS)

/* Exit controls (24.7.1). */
#define VMX_EXIT_SAVE_DEBUG	       BIT(2)
#define VMX_EXIT_HOST_64	       BIT(9)
#define VMX_EXIT_LOAD_PERF_GLOBAL      BIT(12)
#define VMX_EXIT_ACK_INTERRUPT	       BIT(15)
#define VMX_EXIT_SAVE_PAT	       BIT(18)
#define VMX_EXIT_LOAD_PAT	       BIT(19)
#define VMX_EXIT_SAVE_EFER	       BIT(20)
#define VMX_EXIT_LOAD_EFER	       BIT(21)
#define VMX_EXIT_SAVE_PREEMPTION_TIMER BIT(22)
#define VMX_EXIT_CLEAR_BNDCFGS	       BIT(23)
#define VMX_EXIT_CONCEAL_FROM_PT       BIT(24)
#define VMX_EXIT_CLEAR_RTIT_CTL	       BIT(25)
#define VMX_EXIT_CLEAR_LBR_CTL	       BIT(26)
#define VMX_EXIT_CLEAR_UINV	       BIT(27)
#define VMX_EXIT_LOAD_CET	       BIT(28)
#define VMX_EXIT_LOAD_PKRS	       BIT(29)
#define VMX_EXIT_SAVE_PERF_GLOBAL      BIT(30)
#define VMX_EXIT_SECONDARY	       BIT(31)

#define VMX_EXIT_DEFAULT1 UINT32_C(0x00036dff)

/* Entry controls (24.8.1). */
#define VMX_ENTRY_LOAD_DEBUG	   BIT(2)
#define VMX_ENTRY_IA32E_GUEST	   BIT(9)
#define VMX_ENTRY_TO_SMM	   BIT(10)
#define VMX_ENTRY_DEACTIVATE_DUAL  BIT(11)
#define VMX_ENTRY_LOAD_PERF_GLOBAL BIT(13)
#define VMX_ENTRY_LOAD_PAT	   BIT(14)
#define VMX_ENTRY_LOAD_EFER	   BIT(15)
#define VMX_ENTRY_LOAD_BNDCFGS	   BIT(16)
#define VMX_ENTRY_CONCEAL_FROM_PT  BIT(17)
#define VMX_ENTRY_LOAD_RTIT_CTL	   BIT(18)
#define VMX_ENTRY_LOAD_UINV	   BIT(19)
#define VMX_ENTRY_LOAD_CET	   BIT(20)
#define VMX_ENTRY_LOAD_LBR_CTL	   BIT(21)
#define VMX_ENTRY_LOAD_PKRS	   BIT(22)
#define VMX_ENTRY_DEFAULT1	   UINT32_C(0x000011ff)

#endif
