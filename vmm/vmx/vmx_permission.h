/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bitmaps of ports and MSRs: a set bit exits. Ports: one bit each, bitmap
 * A with 0 to 7FFFh and B with the rest, here one behind the other; accesses
 * that run over the end always exit (SDM vol. 3C, 24.6.4, 25.1.3). MSRs: a
 * bitmap of reads and one of writes for each of two ranges of 8 Ki MSRs;
 * those outside of the ranges always exit (24.6.9).
 */
#ifndef VMM_VMX_VMX_PERMISSION_H
#define VMM_VMX_VMX_PERMISSION_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#define VMX_IO_BITMAPS_SIZE  (2 * 4096u)
#define VMX_IO_BITMAPS_ORDER 1
#define VMX_IO_BITMAP_B	     4096u /* where it begins */
#define VMX_MSR_BITMAP_SIZE  4096u

/* All ports; all MSRs but those of vmm/msr_direct.h. */
void vmx_permission_init(uint8_t *io, uint8_t *msr);
void vmx_permission_io(uint8_t *io, uint16_t port, uint32_t count, bool on);
/* @x2apic: as @msr, but for what the CPU does of the local APIC in x2APIC mode (29.5). */
void vmx_permission_x2apic(uint8_t *x2apic, const uint8_t *msr);
/* -EINVAL: the MSR is in no range and access to it cannot be given. */
int vmx_permission_msr(uint8_t *msr, uint32_t index, bool read, bool write) __must_check;

#endif
