/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_field.h"

#define VMX_FIELD_ENTRY(constant, encoding, name) {encoding, name},
const struct vmx_field vmx_fields[VMX_FIELD_COUNT] = {VMX_FIELDS(VMX_FIELD_ENTRY)};

const char *vmx_field_name(uint32_t encoding)
{
	for (size_t i = 0; i < VMX_FIELD_COUNT; i++) {
		if (vmx_fields[i].encoding == encoding)
			return vmx_fields[i].name;
	}
	return "?";
}

unsigned vmx_field_size(uint32_t encoding)
{
	static const uint8_t sizes[] = {
		[VMX_FIELD_16] = 2,
		[VMX_FIELD_64] = 8,
		[VMX_FIELD_32] = 4,
		[VMX_FIELD_NATURAL] = 8,
	};

	return sizes[VMX_FIELD_WIDTH(encoding)];
}
