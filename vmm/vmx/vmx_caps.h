/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSRs that say what a CPU's VT-x can do (SDM vol. 3D, appendix A; feature control: 23.7). */
#ifndef VMM_VMX_VMX_CAPS_H
#define VMM_VMX_VMX_CAPS_H

#include "lib/compiler.h"

#define VMX_MSR_FEATURE_CONTROL	  0x3a
#define VMX_FEATURE_CONTROL_LOCK  BIT(0)
#define VMX_FEATURE_CONTROL_SMX	  BIT(1) /* VMXON inside SMX operation (TXT) */
#define VMX_FEATURE_CONTROL_VMXON BIT(2) /* VMXON outside SMX operation */

#define VMX_MSR_BASIC	     0x480
#define VMX_MSR_PIN	     0x481
#define VMX_MSR_PROC	     0x482
#define VMX_MSR_EXIT	     0x483
#define VMX_MSR_ENTRY	     0x484
#define VMX_MSR_MISC	     0x485
#define VMX_MSR_CR0_FIXED0   0x486
#define VMX_MSR_CR0_FIXED1   0x487
#define VMX_MSR_CR4_FIXED0   0x488
#define VMX_MSR_CR4_FIXED1   0x489
#define VMX_MSR_VMCS_ENUM    0x48a
#define VMX_MSR_PROC2	     0x48b
#define VMX_MSR_EPT_VPID_CAP 0x48c
#define VMX_MSR_TRUE_PIN     0x48d
#define VMX_MSR_TRUE_PROC    0x48e
#define VMX_MSR_TRUE_EXIT    0x48f
#define VMX_MSR_TRUE_ENTRY   0x490

/* IA32_VMX_BASIC (A.1). */
#define VMX_BASIC_REVISION(basic)    ((uint32_t)(basic)&0x7fffffff)
#define VMX_BASIC_REGION_SIZE(basic) ((uint32_t)((basic) >> 32) & 0x1fff) /* bytes */
#define VMX_BASIC_32BIT_ADDRESSES    BIT(48) /* of VMCSs and all they point to */
#define VMX_BASIC_DUAL_MONITOR	     BIT(49)
#define VMX_BASIC_MEMORY_TYPE(basic) ((uint32_t)((basic) >> 50) & 0xf)
#define VMX_BASIC_TYPE_WB	     6
#define VMX_BASIC_INS_OUTS	     BIT(54) /* exits for INS and OUTS describe the instruction */
#define VMX_BASIC_TRUE_CONTROLS	     BIT(55) /* the VMX_MSR_TRUE_ are there */
#define VMX_BASIC_ANY_ERROR_CODE     BIT(56) /* exceptions are injected with or without one */

/* IA32_VMX_MISC (A.6). */
#define VMX_MISC_TIMER_SHIFT(misc)  ((uint32_t)(misc)&0x1f) /* timer ticks as TSC >> this */
#define VMX_MISC_SAVES_LMA	    BIT(5) /* exits store EFER.LMA in "IA-32e mode guest" */
#define VMX_MISC_ACTIVITY_HLT	    BIT(6)
#define VMX_MISC_ACTIVITY_SHUTDOWN  BIT(7)
#define VMX_MISC_ACTIVITY_WAIT_SIPI BIT(8)
#define VMX_MISC_CR3_TARGETS(misc)  ((uint32_t)((misc) >> 16) & 0x1ff)
#define VMX_MISC_MSR_LIST_MAX(misc) (512 * (((uint32_t)((misc) >> 25) & 7) + 1))
#define VMX_MISC_VMWRITE_ANY	    BIT(29) /* VMWRITE to the read-only fields, too */
#define VMX_MISC_LENGTH_0	    BIT(30) /* software events of length 0 can be injected */

/* IA32_VMX_EPT_VPID_CAP (A.10). */
#define VMX_EPT_EXECUTE_ONLY	       BIT(0)
#define VMX_EPT_WALK_4		       BIT(6)
#define VMX_EPT_WALK_5		       BIT(7)
#define VMX_EPT_TYPE_UC		       BIT(8)
#define VMX_EPT_TYPE_WB		       BIT(14)
#define VMX_EPT_PAGE_2M		       BIT(16)
#define VMX_EPT_PAGE_1G		       BIT(17)
#define VMX_EPT_INVEPT		       BIT(20)
#define VMX_EPT_ACCESSED_DIRTY	       BIT(21)
#define VMX_EPT_ADVANCED_EXIT	       BIT(22) /* violations tell user/supervisor, R/W, XD */
#define VMX_EPT_SHADOW_STACK	       BIT(23) /* supervisor shadow-stack control */
#define VMX_EPT_INVEPT_SINGLE	       BIT(25)
#define VMX_EPT_INVEPT_ALL	       BIT(26)
#define VMX_VPID_INVVPID	       BIT(32)
#define VMX_VPID_INVVPID_ADDRESS       BIT(40)
#define VMX_VPID_INVVPID_SINGLE	       BIT(41)
#define VMX_VPID_INVVPID_ALL	       BIT(42)
#define VMX_VPID_INVVPID_SINGLE_LOCALS BIT(43) /* keeps global translations */

#endif
