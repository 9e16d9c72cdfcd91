/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What VMRUN ends with: vmcb_control.exit_code (APM vol. 2, appendix C) and
 * the meaning of EXITINFO1 and EXITINFO2 by code.
 */
#ifndef VMM_SVM_SVM_EXIT_CODE_H
#define VMM_SVM_SVM_EXIT_CODE_H

#include "lib/compiler.h"

#include <stdint.h>

#define SVM_EXIT_CR_WRITE    0x10u /* + number, to 0x1f */
#define SVM_EXIT_EXCEPTION   0x40u /* + vector, to 0x5f */
#define SVM_EXIT_INTR	     0x60u
#define SVM_EXIT_NMI	     0x61u
#define SVM_EXIT_INIT	     0x63u
#define SVM_EXIT_VINTR	     0x64u
#define SVM_EXIT_RDPMC	     0x6fu
#define SVM_EXIT_PUSHF	     0x70u
#define SVM_EXIT_CPUID	     0x72u
#define SVM_EXIT_RSM	     0x73u
#define SVM_EXIT_IRET	     0x74u
#define SVM_EXIT_SWINT	     0x75u
#define SVM_EXIT_INVD	     0x76u
#define SVM_EXIT_PAUSE	     0x77u
#define SVM_EXIT_HLT	     0x78u
#define SVM_EXIT_INVLPGA     0x7au
#define SVM_EXIT_IOIO	     0x7bu
#define SVM_EXIT_MSR	     0x7cu
#define SVM_EXIT_FERR_FREEZE 0x7eu
#define SVM_EXIT_SHUTDOWN    0x7fu
#define SVM_EXIT_VMRUN	     0x80u
#define SVM_EXIT_VMMCALL     0x81u
#define SVM_EXIT_VMLOAD	     0x82u
#define SVM_EXIT_VMSAVE	     0x83u
#define SVM_EXIT_STGI	     0x84u
#define SVM_EXIT_CLGI	     0x85u
#define SVM_EXIT_SKINIT	     0x86u
#define SVM_EXIT_ICEBP	     0x88u
#define SVM_EXIT_WBINVD	     0x89u
#define SVM_EXIT_MONITOR     0x8au
#define SVM_EXIT_MWAIT	     0x8bu
#define SVM_EXIT_MWAIT_ON    0x8cu
#define SVM_EXIT_XSETBV	     0x8du
#define SVM_EXIT_RDPRU	     0x8eu
#define SVM_EXIT_CODES	     0x90u /* end of the codes that we can get, but for these two */
#define SVM_EXIT_NPF	     0x400u
/* As 64 bits by the manual; its low half alone in QEMU, so compare 32 bits. */
#define SVM_EXIT_INVALID UINT32_MAX

/* SVM_EXIT_IOIO's EXITINFO1 (15.10.2); EXITINFO2 is the next RIP. */
#define SVM_IOIO_IN	      BIT(0)
#define SVM_IOIO_STRING	      BIT(2)
#define SVM_IOIO_REP	      BIT(3)
#define SVM_IOIO_WIDTH_SHIFT  4	 /* 3 bits: one of them says 1, 2 or 4 bytes */
#define SVM_IOIO_AWIDTH_SHIFT 7	 /* 3 bits: one of them says 16, 32 or 64 bits */
#define SVM_IOIO_SEG_SHIFT    10 /* 3 bits, with SVM_CPUID_DECODE_ASSIST */
#define SVM_IOIO_PORT_SHIFT   16

/* SVM_EXIT_CR_WRITE's EXITINFO1, with SVM_CPUID_DECODE_ASSIST (15.8.1). */
#define SVM_CR_IS_MOV BIT(63) /* the low bits are the register's number */
#define SVM_CR_GPR    UINT64_C(0xf)

/* SVM_EXIT_MSR's EXITINFO1 (15.11). */
#define SVM_MSR_WRITE UINT64_C(1)

/* SVM_EXIT_NPF's EXITINFO1 (15.25.6), a page fault's error code and more; EXITINFO2 is the GPA. */
#define SVM_NPF_WRITE	   BIT(1)
#define SVM_NPF_FETCH	   BIT(4)
#define SVM_NPF_TABLE_WALK BIT(33)

#endif
