/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of the VMCS: SDM vol. 3D, appendix B, what each encoding means:
 * vol. 3C, 24.11.2. Sections are numbered here, and in vmx_check.h, as in the
 * edition of June 2021 (order number 325462-075); since then chapters 24 and
 * 26 have become 25 and 27.
 */
#ifndef VMM_VMX_VMX_FIELD_H
#define VMM_VMX_VMX_FIELD_H

#include <stddef.h>
#include <stdint.h>

/* F(constant, encoding, the manual's name), in ascending order. */
/* clang-format off */

/* 16-bit: control, guest, host (B.1). */
#define VMX_FIELDS_16(F) \
	F(VMCS_VPID, 0x0000, "Virtual-processor identifier") \
	F(VMCS_POSTED_INTERRUPT_VECTOR, 0x0002, "Posted-interrupt notification vector") \
	F(VMCS_EPTP_INDEX, 0x0004, "EPTP index") \
	F(VMCS_HLAT_PREFIX_SIZE, 0x0006, "HLAT prefix size") \
	F(VMCS_LAST_PID_POINTER_INDEX, 0x0008, "Last PID-pointer index") \
	F(VMCS_GUEST_ES_SELECTOR, 0x0800, "Guest ES selector") \
	F(VMCS_GUEST_CS_SELECTOR, 0x0802, "Guest CS selector") \
	F(VMCS_GUEST_SS_SELECTOR, 0x0804, "Guest SS selector") \
	F(VMCS_GUEST_DS_SELECTOR, 0x0806, "Guest DS selector") \
	F(VMCS_GUEST_FS_SELECTOR, 0x0808, "Guest FS selector") \
	F(VMCS_GUEST_GS_SELECTOR, 0x080a, "Guest GS selector") \
	F(VMCS_GUEST_LDTR_SELECTOR, 0x080c, "Guest LDTR selector") \
	F(VMCS_GUEST_TR_SELECTOR, 0x080e, "Guest TR selector") \
	F(VMCS_GUEST_INTERRUPT_STATUS, 0x0810, "Guest interrupt status") \
	F(VMCS_PML_INDEX, 0x0812, "PML index") \
	F(VMCS_GUEST_UINV, 0x0814, "Guest UINV") \
	F(VMCS_HOST_ES_SELECTOR, 0x0c00, "Host ES selector") \
	F(VMCS_HOST_CS_SELECTOR, 0x0c02, "Host CS selector") \
	F(VMCS_HOST_SS_SELECTOR, 0x0c04, "Host SS selector") \
	F(VMCS_HOST_DS_SELECTOR, 0x0c06, "Host DS selector") \
	F(VMCS_HOST_FS_SELECTOR, 0x0c08, "Host FS selector") \
	F(VMCS_HOST_GS_SELECTOR, 0x0c0a, "Host GS selector") \
	F(VMCS_HOST_TR_SELECTOR, 0x0c0c, "Host TR selector")

/* 64-bit: control (B.2.1). */
#define VMX_FIELDS_64_CONTROL(F) \
	F(VMCS_IO_BITMAP_A, 0x2000, "Address of I/O bitmap A") \
	F(VMCS_IO_BITMAP_B, 0x2002, "Address of I/O bitmap B") \
	F(VMCS_MSR_BITMAPS, 0x2004, "Address of MSR bitmaps") \
	F(VMCS_EXIT_MSR_STORE_ADDRESS, 0x2006, "VM-exit MSR-store address") \
	F(VMCS_EXIT_MSR_LOAD_ADDRESS, 0x2008, "VM-exit MSR-load address") \
	F(VMCS_ENTRY_MSR_LOAD_ADDRESS, 0x200a, "VM-entry MSR-load address") \
	F(VMCS_EXECUTIVE_VMCS_POINTER, 0x200c, "Executive-VMCS pointer") \
	F(VMCS_PML_ADDRESS, 0x200e, "PML address") \
	F(VMCS_TSC_OFFSET, 0x2010, "TSC offset") \
	F(VMCS_VIRTUAL_APIC_ADDRESS, 0x2012, "Virtual-APIC address") \
	F(VMCS_APIC_ACCESS_ADDRESS, 0x2014, "APIC-access address") \
	F(VMCS_POSTED_INTERRUPT_DESCRIPTOR, 0x2016, "Posted-interrupt descriptor address") \
	F(VMCS_VM_FUNCTION_CONTROLS, 0x2018, "VM-function controls") \
	F(VMCS_EPT_POINTER, 0x201a, "EPT pointer") \
	F(VMCS_EOI_EXIT_BITMAP_0, 0x201c, "EOI-exit bitmap 0") \
	F(VMCS_EOI_EXIT_BITMAP_1, 0x201e, "EOI-exit bitmap 1") \
	F(VMCS_EOI_EXIT_BITMAP_2, 0x2020, "EOI-exit bitmap 2") \
	F(VMCS_EOI_EXIT_BITMAP_3, 0x2022, "EOI-exit bitmap 3") \
	F(VMCS_EPTP_LIST_ADDRESS, 0x2024, "EPTP-list address") \
	F(VMCS_VMREAD_BITMAP, 0x2026, "VMREAD-bitmap address") \
	F(VMCS_VMWRITE_BITMAP, 0x2028, "VMWRITE-bitmap address") \
	F(VMCS_VE_INFORMATION_ADDRESS, 0x202a, "Virtualization-exception information address") \
	F(VMCS_XSS_EXITING_BITMAP, 0x202c, "XSS-exiting bitmap") \
	F(VMCS_ENCLS_EXITING_BITMAP, 0x202e, "ENCLS-exiting bitmap") \
	F(VMCS_SPPT_POINTER, 0x2030, "Sub-page-permission-table pointer") \
	F(VMCS_TSC_MULTIPLIER, 0x2032, "TSC multiplier") \
	F(VMCS_TERTIARY_PROC_CONTROLS, 0x2034, "Tertiary processor-based VM-execution controls") \
	F(VMCS_ENCLV_EXITING_BITMAP, 0x2036, "ENCLV-exiting bitmap") \
	F(VMCS_LOW_PASID_DIRECTORY, 0x2038, "Low PASID directory address") \
	F(VMCS_HIGH_PASID_DIRECTORY, 0x203a, "High PASID directory address") \
	F(VMCS_SHARED_EPT_POINTER, 0x203c, "Shared EPT pointer") \
	F(VMCS_PCONFIG_EXITING_BITMAP, 0x203e, "PCONFIG-exiting bitmap") \
	F(VMCS_HLAT_POINTER, 0x2040, "Hypervisor-managed linear-address translation pointer") \
	F(VMCS_PID_POINTER_TABLE, 0x2042, "PID-pointer table address") \
	F(VMCS_SECONDARY_EXIT_CONTROLS, 0x2044, "Secondary VM-exit controls") \
	F(VMCS_SPEC_CTRL_MASK, 0x204a, "IA32_SPEC_CTRL mask") \
	F(VMCS_SPEC_CTRL_SHADOW, 0x204c, "IA32_SPEC_CTRL shadow")

/* 64-bit: read-only, guest, host (B.2.2-B.2.4). */
#define VMX_FIELDS_64_STATE(F) \
	F(VMCS_GUEST_PHYSICAL_ADDRESS, 0x2400, "Guest-physical address") \
	F(VMCS_LINK_POINTER, 0x2800, "VMCS link pointer") \
	F(VMCS_GUEST_DEBUGCTL, 0x2802, "Guest IA32_DEBUGCTL") \
	F(VMCS_GUEST_PAT, 0x2804, "Guest IA32_PAT") \
	F(VMCS_GUEST_EFER, 0x2806, "Guest IA32_EFER") \
	F(VMCS_GUEST_PERF_GLOBAL_CTRL, 0x2808, "Guest IA32_PERF_GLOBAL_CTRL") \
	F(VMCS_GUEST_PDPTE0, 0x280a, "Guest PDPTE0") \
	F(VMCS_GUEST_PDPTE1, 0x280c, "Guest PDPTE1") \
	F(VMCS_GUEST_PDPTE2, 0x280e, "Guest PDPTE2") \
	F(VMCS_GUEST_PDPTE3, 0x2810, "Guest PDPTE3") \
	F(VMCS_GUEST_BNDCFGS, 0x2812, "Guest IA32_BNDCFGS") \
	F(VMCS_GUEST_RTIT_CTL, 0x2814, "Guest IA32_RTIT_CTL") \
	F(VMCS_GUEST_LBR_CTL, 0x2816, "Guest IA32_LBR_CTL") \
	F(VMCS_GUEST_PKRS, 0x2818, "Guest IA32_PKRS") \
	F(VMCS_HOST_PAT, 0x2c00, "Host IA32_PAT") \
	F(VMCS_HOST_EFER, 0x2c02, "Host IA32_EFER") \
	F(VMCS_HOST_PERF_GLOBAL_CTRL, 0x2c04, "Host IA32_PERF_GLOBAL_CTRL") \
	F(VMCS_HOST_PKRS, 0x2c06, "Host IA32_PKRS")

/* 32-bit: control (B.3.1). */
#define VMX_FIELDS_32_CONTROL(F) \
	F(VMCS_PIN_CONTROLS, 0x4000, "Pin-based VM-execution controls") \
	F(VMCS_PROC_CONTROLS, 0x4002, "Primary processor-based VM-execution controls") \
	F(VMCS_EXCEPTION_BITMAP, 0x4004, "Exception bitmap") \
	F(VMCS_PAGE_FAULT_MASK, 0x4006, "Page-fault error-code mask") \
	F(VMCS_PAGE_FAULT_MATCH, 0x4008, "Page-fault error-code match") \
	F(VMCS_CR3_TARGET_COUNT, 0x400a, "CR3-target count") \
	F(VMCS_EXIT_CONTROLS, 0x400c, "VM-exit controls") \
	F(VMCS_EXIT_MSR_STORE_COUNT, 0x400e, "VM-exit MSR-store count") \
	F(VMCS_EXIT_MSR_LOAD_COUNT, 0x4010, "VM-exit MSR-load count") \
	F(VMCS_ENTRY_CONTROLS, 0x4012, "VM-entry controls") \
	F(VMCS_ENTRY_MSR_LOAD_COUNT, 0x4014, "VM-entry MSR-load count") \
	F(VMCS_ENTRY_INTERRUPTION_INFO, 0x4016, "VM-entry interruption-information field") \
	F(VMCS_ENTRY_EXCEPTION_ERROR_CODE, 0x4018, "VM-entry exception error code") \
	F(VMCS_ENTRY_INSTRUCTION_LENGTH, 0x401a, "VM-entry instruction length") \
	F(VMCS_TPR_THRESHOLD, 0x401c, "TPR threshold") \
	F(VMCS_PROC2_CONTROLS, 0x401e, "Secondary processor-based VM-execution controls") \
	F(VMCS_PLE_GAP, 0x4020, "PLE_Gap") \
	F(VMCS_PLE_WINDOW, 0x4022, "PLE_Window") \
	F(VMCS_INSTRUCTION_TIMEOUT, 0x4024, "Instruction-timeout control")

/* 32-bit: read-only, guest, host (B.3.2-B.3.4). */
#define VMX_FIELDS_32_STATE(F) \
	F(VMCS_INSTRUCTION_ERROR, 0x4400, "VM-instruction error") \
	F(VMCS_EXIT_REASON, 0x4402, "Exit reason") \
	F(VMCS_EXIT_INTERRUPTION_INFO, 0x4404, "VM-exit interruption information") \
	F(VMCS_EXIT_INTERRUPTION_ERROR_CODE, 0x4406, "VM-exit interruption error code") \
	F(VMCS_IDT_VECTORING_INFO, 0x4408, "IDT-vectoring information field") \
	F(VMCS_IDT_VECTORING_ERROR_CODE, 0x440a, "IDT-vectoring error code") \
	F(VMCS_EXIT_INSTRUCTION_LENGTH, 0x440c, "VM-exit instruction length") \
	F(VMCS_EXIT_INSTRUCTION_INFO, 0x440e, "VM-exit instruction information") \
	F(VMCS_GUEST_ES_LIMIT, 0x4800, "Guest ES limit") \
	F(VMCS_GUEST_CS_LIMIT, 0x4802, "Guest CS limit") \
	F(VMCS_GUEST_SS_LIMIT, 0x4804, "Guest SS limit") \
	F(VMCS_GUEST_DS_LIMIT, 0x4806, "Guest DS limit") \
	F(VMCS_GUEST_FS_LIMIT, 0x4808, "Guest FS limit") \
	F(VMCS_GUEST_GS_LIMIT, 0x480a, "Guest GS limit") \
	F(VMCS_GUEST_LDTR_LIMIT, 0x480c, "Guest LDTR limit") \
	F(VMCS_GUEST_TR_LIMIT, 0x480e, "Guest TR limit") \
	F(VMCS_GUEST_GDTR_LIMIT, 0x4810, "Guest GDTR limit") \
	F(VMCS_GUEST_IDTR_LIMIT, 0x4812, "Guest IDTR limit") \
	F(VMCS_GUEST_ES_ACCESS_RIGHTS, 0x4814, "Guest ES access rights") \
	F(VMCS_GUEST_CS_ACCESS_RIGHTS, 0x4816, "Guest CS access rights") \
	F(VMCS_GUEST_SS_ACCESS_RIGHTS, 0x4818, "Guest SS access rights") \
	F(VMCS_GUEST_DS_ACCESS_RIGHTS, 0x481a, "Guest DS access rights") \
	F(VMCS_GUEST_FS_ACCESS_RIGHTS, 0x481c, "Guest FS access rights") \
	F(VMCS_GUEST_GS_ACCESS_RIGHTS, 0x481e, "Guest GS access rights") \
	F(VMCS_GUEST_LDTR_ACCESS_RIGHTS, 0x4820, "Guest LDTR access rights") \
	F(VMCS_GUEST_TR_ACCESS_RIGHTS, 0x4822, "Guest TR access rights") \
	F(VMCS_GUEST_INTERRUPTIBILITY, 0x4824, "Guest interruptibility state") \
	F(VMCS_GUEST_ACTIVITY, 0x4826, "Guest activity state") \
	F(VMCS_GUEST_SMBASE, 0x4828, "Guest SMBASE") \
	F(VMCS_GUEST_SYSENTER_CS, 0x482a, "Guest IA32_SYSENTER_CS") \
	F(VMCS_PREEMPTION_TIMER, 0x482e, "VMX-preemption timer value") \
	F(VMCS_HOST_SYSENTER_CS, 0x4c00, "Host IA32_SYSENTER_CS")

/* Natural width: control, read-only (B.4.1-B.4.2). */
#define VMX_FIELDS_NATURAL_CONTROL(F) \
	F(VMCS_CR0_MASK, 0x6000, "CR0 guest/host mask") \
	F(VMCS_CR4_MASK, 0x6002, "CR4 guest/host mask") \
	F(VMCS_CR0_SHADOW, 0x6004, "CR0 read shadow") \
	F(VMCS_CR4_SHADOW, 0x6006, "CR4 read shadow") \
	F(VMCS_CR3_TARGET_0, 0x6008, "CR3-target value 0") \
	F(VMCS_CR3_TARGET_1, 0x600a, "CR3-target value 1") \
	F(VMCS_CR3_TARGET_2, 0x600c, "CR3-target value 2") \
	F(VMCS_CR3_TARGET_3, 0x600e, "CR3-target value 3") \
	F(VMCS_EXIT_QUALIFICATION, 0x6400, "Exit qualification") \
	F(VMCS_IO_RCX, 0x6402, "I/O RCX") \
	F(VMCS_IO_RSI, 0x6404, "I/O RSI") \
	F(VMCS_IO_RDI, 0x6406, "I/O RDI") \
	F(VMCS_IO_RIP, 0x6408, "I/O RIP") \
	F(VMCS_GUEST_LINEAR_ADDRESS, 0x640a, "Guest-linear address")

/* Natural width: guest, host (B.4.3-B.4.4). */
#define VMX_FIELDS_NATURAL_STATE(F) \
	F(VMCS_GUEST_CR0, 0x6800, "Guest CR0") \
	F(VMCS_GUEST_CR3, 0x6802, "Guest CR3") \
	F(VMCS_GUEST_CR4, 0x6804, "Guest CR4") \
	F(VMCS_GUEST_ES_BASE, 0x6806, "Guest ES base") \
	F(VMCS_GUEST_CS_BASE, 0x6808, "Guest CS base") \
	F(VMCS_GUEST_SS_BASE, 0x680a, "Guest SS base") \
	F(VMCS_GUEST_DS_BASE, 0x680c, "Guest DS base") \
	F(VMCS_GUEST_FS_BASE, 0x680e, "Guest FS base") \
	F(VMCS_GUEST_GS_BASE, 0x6810, "Guest GS base") \
	F(VMCS_GUEST_LDTR_BASE, 0x6812, "Guest LDTR base") \
	F(VMCS_GUEST_TR_BASE, 0x6814, "Guest TR base") \
	F(VMCS_GUEST_GDTR_BASE, 0x6816, "Guest GDTR base") \
	F(VMCS_GUEST_IDTR_BASE, 0x6818, "Guest IDTR base") \
	F(VMCS_GUEST_DR7, 0x681a, "Guest DR7") \
	F(VMCS_GUEST_RSP, 0x681c, "Guest RSP") \
	F(VMCS_GUEST_RIP, 0x681e, "Guest RIP") \
	F(VMCS_GUEST_RFLAGS, 0x6820, "Guest RFLAGS") \
	F(VMCS_GUEST_PENDING_DEBUG, 0x6822, "Guest pending debug exceptions") \
	F(VMCS_GUEST_SYSENTER_ESP, 0x6824, "Guest IA32_SYSENTER_ESP") \
	F(VMCS_GUEST_SYSENTER_EIP, 0x6826, "Guest IA32_SYSENTER_EIP") \
	F(VMCS_GUEST_S_CET, 0x6828, "Guest IA32_S_CET") \
	F(VMCS_GUEST_SSP, 0x682a, "Guest SSP") \
	F(VMCS_GUEST_INTERRUPT_SSP_TABLE, 0x682c, "Guest IA32_INTERRUPT_SSP_TABLE_ADDR") \
	F(VMCS_HOST_CR0, 0x6c00, "Host CR0") \
	F(VMCS_HOST_CR3, 0x6c02, "Host CR3") \
	F(VMCS_HOST_CR4, 0x6c04, "Host CR4") \
	F(VMCS_HOST_FS_BASE, 0x6c06, "Host FS base") \
	F(VMCS_HOST_GS_BASE, 0x6c08, "Host GS base") \
	F(VMCS_HOST_TR_BASE, 0x6c0a, "Host TR base") \
	F(VMCS_HOST_GDTR_BASE, 0x6c0c, "Host GDTR base") \
	F(VMCS_HOST_IDTR_BASE, 0x6c0e, "Host IDTR base") \
	F(VMCS_HOST_SYSENTER_ESP, 0x6c10, "Host IA32_SYSENTER_ESP") \
	F(VMCS_HOST_SYSENTER_EIP, 0x6c12, "Host IA32_SYSENTER_EIP") \
	F(VMCS_HOST_RSP, 0x6c14, "Host RSP") \
	F(VMCS_HOST_RIP, 0x6c16, "Host RIP") \
	F(VMCS_HOST_S_CET, 0x6c18, "Host IA32_S_CET") \
	F(VMCS_HOST_SSP, 0x6c1a, "Host SSP") \
	F(VMCS_HOST_INTERRUPT_SSP_TABLE, 0x6c1c, "Host IA32_INTERRUPT_SSP_TABLE_ADDR")

#define VMX_FIELDS(F) \
	VMX_FIELDS_16(F) \
	VMX_FIELDS_64_CONTROL(F) \
	VMX_FIELDS_64_STATE(F) \
	VMX_FIELDS_32_CONTROL(F) \
	VMX_FIELDS_32_STATE(F) \
	VMX_FIELDS_NATURAL_CONTROL(F) \
	VMX_FIELDS_NATURAL_STATE(F)
/* clang-format on */

#define VMX_FIELD_ENUM(constant, encoding, name) constant = encoding,
enum vmcs_field { VMX_FIELDS(VMX_FIELD_ENUM) };
#undef VMX_FIELD_ENUM

/* Bits 14:13 and 11:10 of an encoding. */
#define VMX_FIELD_WIDTH(field) ((field) >> 13 & 3)
#define VMX_FIELD_16	       0u
#define VMX_FIELD_64	       1u
#define VMX_FIELD_32	       2u
#define VMX_FIELD_NATURAL      3u
#define VMX_FIELD_TYPE(field)  ((field) >> 10 & 3)
#define VMX_FIELD_CONTROL      0u
#define VMX_FIELD_READ_ONLY    1u
#define VMX_FIELD_GUEST	       2u
#define VMX_FIELD_HOST	       3u

struct vmx_field {
	uint16_t encoding;
	const char *name;
};
#define VMX_FIELD_ONE(constant, encoding, name) +1
#define VMX_FIELD_COUNT				(0 VMX_FIELDS(VMX_FIELD_ONE))
extern const struct vmx_field vmx_fields[VMX_FIELD_COUNT];

/* The manual's name; "?" for what appendix B does not have. */
const char *vmx_field_name(uint32_t encoding);
/* How many bytes it holds: 2, 4 or 8. */
unsigned vmx_field_size(uint32_t encoding);

#endif
