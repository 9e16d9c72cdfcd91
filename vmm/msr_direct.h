/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs that come without an exit, on both vendors: their registers have the
 * guest's values while its world is loaded (vmm/hv_ops.h). All others exit.
 */
#ifndef VMM_MSR_DIRECT_H
#define VMM_MSR_DIRECT_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct msr_direct {
	uint32_t index;
	bool write; /* without an exit, too; reads are always */
};

/*
 * What an operating system writes once per boot is written with an exit: the
 * vendor need not look what it is when the world is left, and we check it,
 * because QEMU takes non-canonical addresses there.
 */
static const struct msr_direct msr_direct[] = {
	{0x00000174, true},  /* SYSENTER_CS */
	{0x00000175, true},  /* SYSENTER_ESP */
	{0x00000176, true},  /* SYSENTER_EIP */
	{0xc0000081, false}, /* STAR */
	{0xc0000082, false}, /* LSTAR */
	{0xc0000083, false}, /* CSTAR */
	{0xc0000084, false}, /* SFMASK */
	{0xc0000100, true},  /* FSBase */
	{0xc0000101, true},  /* GSBase */
	{0xc0000102, true},  /* KernelGSBase: SWAPGS changes it anyhow */
};

#endif
