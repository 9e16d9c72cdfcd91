/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vmx/vmx_check.c vmm/vmx/vmx_check_controls.c vmm/vmx/vmx_check_host.c */
/* test-sources: vmm/vmx/vmx_check_guest.c vmm/vmx/vmx_check_segs.c vmm/vmx/vmx_check_state.c */
/* test-sources: vmm/vmx/vmx_check_msrs.c vmm/vmx/vmx_field.c tests/host/vmx/check_world.c */
/* Any values in any fields, of any machine: the check ends, and counts what it names. */
#include "tests/host/vmx/check_world.h"

#include <stdlib.h>
#include <string.h>

static unsigned named;

static void note(void *opaque, const struct vmx_rule *rule)
{
	(void)opaque;
	if (!rule->text || !rule->section || (rule->bits & ~rule->value))
		abort();
	named += rule->broken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t value;

	world_valid();
	/* Two bytes say which field, eight what it holds; beyond the fields, the machine's. */
	for (; size >= 10; data += 10, size -= 10) {
		unsigned at = data[0] | data[1] << 8;
		size_t word = at % (sizeof(world_machine) / 8) * 8;

		memcpy(&value, data + 2, sizeof(value));
		if (at < 2 * VMX_FIELD_COUNT)
			world_field[vmx_fields[at / 2].encoding] = value;
		else
			memcpy((uint8_t *)&world_machine + word, &value, sizeof(value));
	}
	/* A byte is no bool, and no CPU has as many. */
	world_machine.has_vmx = world_machine.has_rdtscp = true;
	world_machine.phys_bits %= 64;
	named = 0;
	if (vmx_check(&world_input, note, NULL) != named)
		abort();
	return 0;
}
