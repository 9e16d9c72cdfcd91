/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMCS, a machine and some memory, for the tests of vmm/vmx/vmx_check.c. */
#ifndef TESTS_HOST_VMX_CHECK_WORLD_H
#define TESTS_HOST_VMX_CHECK_WORLD_H

#include "vmm/vmx/vmx_caps.h"
#include "vmm/vmx/vmx_check_rules.h"

#include <stdint.h>

#define WORLD_FIELDS 0x7000
#define WORLD_VMCS   0x6000 /* in memory; an address that is free: WORLD_FREE */
#define WORLD_FREE   0x7000
#define WORLD_LISTS  0x8000 /* room for lists of MSRs */

extern uint64_t world_field[WORLD_FIELDS]; /* by encoding */
extern uint8_t world_memory[0x10000];	   /* from physical address 0 */
extern struct vmx_machine world_machine;
extern struct vmx_check_input world_input;

/* A machine with all there is, and a guest in 64-bit mode with nothing wrong. */
void world_valid(void);
/* Changes to that guest: 32-bit with PAE paging; virtual-8086 mode. */
void world_legacy(void);
void world_v86(void);

static inline void world_on(uint32_t field, uint64_t bits)
{
	world_field[field] |= bits;
}

static inline void world_off(uint32_t field, uint64_t bits)
{
	world_field[field] &= ~bits;
}

static inline void world_set(uint32_t field, uint64_t value)
{
	world_field[field] = value;
}

/* Puts @value at physical address @at. */
void world_put(uint64_t at, uint64_t value);

#endif
