/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VT-x's instructions (SDM vol. 3C, chapter 30), but for the entry itself. They
 * tell failure by CF or ZF (30.2). Of all but VMXON a
 * failure is a bug of ours: the field is in every VMCS that we use, the page is
 * ours. It ends in a panic that says which one it was.
 */
#ifndef VMM_VMX_VMX_INSN_H
#define VMM_VMX_VMX_INSN_H

#include "kernel/page_alloc.h"
#include "lib/compiler.h"
#include "vmm/vmx/vmx_count.h"

#include <stdbool.h>
#include <stdint.h>

/* Panics. @operand: a field's encoding, a page's address, an INVEPT's or INVVPID's type. */
void vmx_insn_failed(const char *name, uint64_t operand) __noreturn __cold;

/* A field of the current VMCS; @field is an encoding of vmx_field.h. */
static __always_inline uint64_t vmx_read(uint32_t field)
{
	uint64_t value;

	vmx_count_read();
	__asm__ goto("vmread %1, %0\n\t"
		     "jbe %l[failed]"
		     : "=r"(value) /* cppcheck-suppress legacyUninitvar */
		     : "r"((uint64_t)field)
		     : "cc"
		     : failed);
	return value;
failed:
	vmx_insn_failed("VMREAD", field);
}

static __always_inline void vmx_write(uint32_t field, uint64_t value)
{
	vmx_count_write();
	__asm__ goto("vmwrite %1, %0\n\t"
		     "jbe %l[failed]"
		     :
		     : "r"((uint64_t)field), "rm"(value)
		     : "cc"
		     : failed);
	return;
failed:
	vmx_insn_failed("VMWRITE", field);
}

/* As vmx_read(), for a field that this CPU may not have. */
static inline bool __must_check vmx_read_safe(uint32_t field, uint64_t *value)
{
	bool failed;

	__asm__ volatile("vmread %2, %1"
			 : "=@ccbe"(failed), "=r"(*value)
			 : "r"((uint64_t)field)
			 : "cc");
	return !failed;
}

/* VMPTRLD: @vmcs is this CPU's current VMCS from here on. */
static inline void vmx_vmptrld(hpa_t vmcs)
{
	__asm__ goto("vmptrld %0\n\tjbe %l[failed]" : : "m"(vmcs) : "cc", "memory" : failed);
	return;
failed:
	vmx_insn_failed("VMPTRLD", vmcs);
}

/* VMCLEAR: all of it is in memory, any CPU may load it, and its next entry is by VMLAUNCH. */
static inline void vmx_vmclear(hpa_t vmcs)
{
	__asm__ goto("vmclear %0\n\tjbe %l[failed]" : : "m"(vmcs) : "cc", "memory" : failed);
	return;
failed:
	vmx_insn_failed("VMCLEAR", vmcs);
}

/* VMXON: false when the CPU refuses @region. CR4.VMXE is set. */
static inline bool __must_check vmx_vmxon(hpa_t region)
{
	bool failed;

	__asm__ volatile("vmxon %1" : "=@ccbe"(failed) : "m"(region) : "cc", "memory");
	return !failed;
}

static inline void vmx_vmxoff(void)
{
	__asm__ volatile("vmxoff" : : : "cc", "memory");
}

/* The second operand of INVEPT and INVVPID (30.3). */
struct vmx_inv_descriptor {
	uint64_t first;	 /* INVEPT: an EPTP. INVVPID: a VPID in bits 15:0 */
	uint64_t second; /* INVEPT: 0. INVVPID: a linear address */
};

static inline void vmx_invept(uint64_t type, uint64_t eptp)
{
	const struct vmx_inv_descriptor d = {eptp, 0};

	__asm__ goto("invept %0, %1\n\tjbe %l[failed]"
		     :
		     : "m"(d), "r"(type)
		     : "cc", "memory"
		     : failed);
	return;
failed:
	vmx_insn_failed("INVEPT", type);
}

static inline void vmx_invvpid(uint64_t type, uint16_t vpid, uint64_t address)
{
	const struct vmx_inv_descriptor d = {vpid, address};

	__asm__ goto("invvpid %0, %1\n\tjbe %l[failed]"
		     :
		     : "m"(d), "r"(type)
		     : "cc", "memory"
		     : failed);
	return;
failed:
	vmx_insn_failed("INVVPID", type);
}

#endif
