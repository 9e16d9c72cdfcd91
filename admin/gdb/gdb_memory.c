/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's memory as a vCPU sees it: its RAM only, for a device's registers act. */
#include "admin/gdb/gdb.h"

#include "vmm/emulate/vcpu_emulate.h"
#include "vmm/guest_memory.h"

/* How much of @len bytes at @address lies in its page, and where that is. 0: nowhere. */
static size_t gdb_piece(struct vcpu *vcpu, uint64_t address, size_t len, gpa_t *gpa)
{
	if (!vcpu_emulate_address(vcpu, address, gpa))
		return 0;
	return MIN(len, PAGE_SIZE - address % PAGE_SIZE);
}

bool gdb_read_memory(struct vcpu *vcpu, uint64_t address, uint8_t *data, size_t len)
{
	size_t piece;
	gpa_t gpa;

	for (; len; len -= piece, data += piece, address += piece) {
		piece = gdb_piece(vcpu, address, len, &gpa);
		if (!piece || guest_read(vcpu->vm, gpa, data, piece))
			return false;
	}
	return true;
}

bool gdb_write_memory(struct vcpu *vcpu, uint64_t address, const uint8_t *data, size_t len)
{
	size_t piece;
	gpa_t gpa;

	for (; len; len -= piece, data += piece, address += piece) {
		piece = gdb_piece(vcpu, address, len, &gpa);
		if (!piece || guest_write(vcpu->vm, gpa, data, piece))
			return false;
	}
	return true;
}
