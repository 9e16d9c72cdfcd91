/* SPDX-License-Identifier: BSD-2-Clause */
/* A device's own memory for the instructions that are done for the guest: others do not exit. */
#include "vmm/hook/hook_memory.h"

#include <string.h>

static int hook_mapped_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset,
			    unsigned width, uint64_t *value)
{
	*value = 0;
	memcpy(value, (const uint8_t *)opaque + offset, width);
	return 0;
}

static int hook_mapped_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset,
			     unsigned width, uint64_t value)
{
	memcpy((uint8_t *)opaque + offset, &value, width);
	return 0;
}

const struct hook_ops hook_mapped_ops = {.read = hook_mapped_read, .write = hook_mapped_write};
