/* SPDX-License-Identifier: BSD-2-Clause */
/* VT-x's instructions, as the test does them. */
#ifndef FAKE_VMM_VMX_VMX_INSN_H
#define FAKE_VMM_VMX_VMX_INSN_H

#include "kernel/page_alloc.h"
#include "lib/compiler.h"

#include <stdint.h>

uint64_t vmx_read(uint32_t field);
void vmx_write(uint32_t field, uint64_t value);
void vmx_vmclear(hpa_t vmcs);
void vmx_invept(uint64_t type, uint64_t eptp);
void vmx_invvpid(uint64_t type, uint16_t vpid, uint64_t address);

#endif
