/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_insn.h"
#include "kernel/panic.h"

void vmx_insn_failed(const char *name, uint64_t operand)
{
	panic("vmx: %s refuses %#lx", name, operand);
}
