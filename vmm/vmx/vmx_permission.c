/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_permission.h"
#include "vmm/msr_direct.h"

#include <errno.h>
#include <string.h>

#define MSR_RANGE_MSRS	    0x2000u
#define MSR_X2APIC_TPR	    0x808
#define MSR_X2APIC_EOI	    0x80b
#define MSR_X2APIC_SELF_IPI 0x83f

/* Each range has a bitmap of reads, and behind those of reads one of writes. */
#define MSR_RANGE_BYTES 0x400u
#define MSR_WRITES	0x800u

/* The first MSR of each range, in the order of the bitmaps. */
static const uint32_t vmx_permission_ranges[] = {0x00000000, 0xc0000000};

static void vmx_permission_set(uint8_t *bitmap, uint32_t bit, bool on)
{
	if (on)
		bitmap[bit / 8] |= 1u << bit % 8;
	else
		bitmap[bit / 8] &= ~(1u << bit % 8);
}

/* False: it is in no range. */
static bool vmx_permission_set_msr(uint8_t *msr, uint32_t index, bool read, bool write)
{
	for (unsigned i = 0; i < ARRAY_SIZE(vmx_permission_ranges); i++) {
		uint32_t bit = index - vmx_permission_ranges[i];

		if (bit >= MSR_RANGE_MSRS)
			continue;
		vmx_permission_set(msr + i * MSR_RANGE_BYTES, bit, read);
		vmx_permission_set(msr + i * MSR_RANGE_BYTES + MSR_WRITES, bit, write);
		return true;
	}
	return false;
}

int vmx_permission_msr(uint8_t *msr, uint32_t index, bool read, bool write)
{
	if (vmx_permission_set_msr(msr, index, read, write))
		return 0;
	return read && write ? 0 : -EINVAL;
}

void vmx_permission_io(uint8_t *io, uint16_t port, uint32_t count, bool on)
{
	for (uint32_t p = port; p < port + count && p <= UINT16_MAX; p++)
		vmx_permission_set(io, p, on);
}

void vmx_permission_init(uint8_t *io, uint8_t *msr)
{
	memset(io, 0xff, VMX_IO_BITMAPS_SIZE);
	memset(msr, 0xff, VMX_MSR_BITMAP_SIZE);
	/* They are in the VMCS or move with the world. */
	for (unsigned i = 0; i < ARRAY_SIZE(msr_direct); i++)
		vmx_permission_set_msr(msr, msr_direct[i].index, false, !msr_direct[i].write);
}

void vmx_permission_x2apic(uint8_t *x2apic, const uint8_t *msr)
{
	memcpy(x2apic, msr, VMX_MSR_BITMAP_SIZE);
	vmx_permission_set_msr(x2apic, MSR_X2APIC_TPR, false, false);
	vmx_permission_set_msr(x2apic, MSR_X2APIC_EOI, true, false);
	vmx_permission_set_msr(x2apic, MSR_X2APIC_SELF_IPI, true, false);
}
