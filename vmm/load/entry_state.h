/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPU 0's registers as boot protocols want them at a kernel's entry.
 */
#ifndef VMM_LOAD_ENTRY_STATE_H
#define VMM_LOAD_ENTRY_STATE_H

#include "lib/compiler.h"
#include "vmm/types.h"

struct vm;

/*
 * Where loaders put what a kernel needs before it has tables of its own. A Linux of protocol 2.04
 * or older unpacks itself over what is from 0x1000 to its boot parameters, and needs the GDT.
 */
#define ENTRY_PAGES_GPA UINT64_C(0x2000) /* 6 pages: identity map of the first 4 GiB */
#define ENTRY_GDT_GPA	UINT64_C(0x11000)

/* Selectors of the flat segments (as Linux's __BOOT_CS, __BOOT_DS). */
#define ENTRY_CS 0x10
#define ENTRY_DS 0x18

/*
 * Flat 32-bit protected mode, paging and interrupts off, RIP = @entry. The
 * GDT is written to guest memory. 0 or -EFAULT when the VM has no RAM there.
 * Context: a task, no vCPU runs.
 */
int entry_state_protected(struct vm *vm, gpa_t entry) __must_check;

/* As above in 64-bit mode with the first 4 GiB identity-mapped. */
int entry_state_long(struct vm *vm, gpa_t entry) __must_check;

#endif
