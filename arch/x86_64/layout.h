/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our virtual address space. Each line owns whole PML4 slots (512 GiB), which
 * are filled before the second CPU copies them (see percpu.h).
 */
#ifndef ARCH_X86_64_LAYOUT_H
#define ARCH_X86_64_LAYOUT_H

#ifdef __ASSEMBLER__
#define LAYOUT_ADDR(x) x
#else
#include <stdint.h>
#define LAYOUT_ADDR(x) UINT64_C(x)
#endif

/* All RAM, no-execute: slots 273-400. */
#define DIRECT_BASE  LAYOUT_ADDR(0xffff888000000000)
#define DIRECT_SLOT  273
#define DIRECT_SLOTS 128
/* Device registers and stacks with their guard pages: slot 402. */
#define VMAP_BASE LAYOUT_ADDR(0xffffc90000000000)
#define VMAP_SIZE LAYOUT_ADDR(0x8000000000)
/* CPU_LOCAL_BASE of percpu.h: one page, each CPU's own. */
#define CPU_LOCAL_SLOT 510
/* The image: slot 511, the last 2 GiB (-mcmodel=kernel). */
#define IMAGE_BASE LAYOUT_ADDR(0xffffffff80000000)
#define IMAGE_SLOT 511
/* What the first page tables map for it; linker.ld asserts that it fits. */
#define IMAGE_MAX 0x1000000

/* Each CPU's one stack, on which it runs its vCPUs' exits. */
#define CPU_STACK_ORDER 3 /* pages, as a power of two */
#define CPU_STACK_SIZE	(4096 << CPU_STACK_ORDER)

#endif
