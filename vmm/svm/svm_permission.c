/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/svm/svm_permission.h"
#include "vmm/msr_direct.h"

#include <errno.h>
#include <string.h>

#define MSRPM_RANGE_MSRS  0x2000u
#define MSRPM_RANGE_BYTES 0x800u
#define MSRPM_READ	  0x1u
#define MSRPM_WRITE	  0x2u

/* The first MSR of each range, in the order of the map. */
static const uint32_t svm_permission_ranges[] = {0x00000000, 0xc0000000, 0xc0010000};

/* The byte with the two bits of MSR @index, and where in it; NULL: in no range. */
static uint8_t *svm_permission_slot(uint8_t *msrpm, uint32_t index, unsigned *shift)
{
	for (unsigned i = 0; i < ARRAY_SIZE(svm_permission_ranges); i++) {
		uint32_t offset = index - svm_permission_ranges[i];

		*shift = offset % 4 * 2;
		if (offset < MSRPM_RANGE_MSRS)
			return msrpm + i * MSRPM_RANGE_BYTES + offset / 4;
	}
	return NULL;
}

static void svm_permission_set(uint8_t *byte, unsigned shift, bool read, bool write)
{
	*byte &= ~((MSRPM_READ | MSRPM_WRITE) << shift);
	*byte |= ((read ? MSRPM_READ : 0) | (write ? MSRPM_WRITE : 0)) << shift;
}

int svm_permission_msr(uint8_t *msrpm, uint32_t index, bool read, bool write)
{
	unsigned shift;
	uint8_t *byte = svm_permission_slot(msrpm, index, &shift);

	if (!byte)
		return read && write ? 0 : -EINVAL;
	svm_permission_set(byte, shift, read, write);
	return 0;
}

void svm_permission_io(uint8_t *iopm, uint16_t port, uint32_t count, bool on)
{
	for (uint32_t p = port; p < port + count && p <= UINT16_MAX; p++) {
		if (on)
			iopm[p / 8] |= 1u << p % 8;
		else
			iopm[p / 8] &= ~(1u << p % 8);
	}
}

void svm_permission_init(uint8_t *iopm, uint8_t *msrpm)
{
	memset(iopm, 0xff, SVM_IOPM_SIZE);
	memset(msrpm, 0xff, SVM_MSRPM_SIZE);
	/* VMLOAD and VMSAVE switch them (15.5.2). */
	for (unsigned i = 0; i < ARRAY_SIZE(msr_direct); i++) {
		unsigned shift;
		uint8_t *byte = svm_permission_slot(msrpm, msr_direct[i].index, &shift);

		svm_permission_set(byte, shift, false, !msr_direct[i].write);
	}
}
