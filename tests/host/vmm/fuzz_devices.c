/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/vm_config_text.c */
/* test-sources: vmm/device_key_value.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c */
/* test-sources: vmm/frontend.c vmm/char_frontend.c vmm/irq.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c */
/* test-sources: vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
/* test-sources: tests/host/vmm/device_world.c */
/*
 * Any bytes as the devices of a VM, with memory that ends after as many
 * allocations as the first byte says (z: never): made whole or not at all, and
 * everything comes back.
 */
#include "tests/host/vmm/device_world.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void make_types_once(void)
{
	static bool once;

	if (!once && device_types_init())
		abort();
	once = true;
	/* The index of types stays. */
	fake_objects = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX + 1];

	if (size < 1 || size > TEXT_MAX)
		return 0;
	make_types_once();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	fake_memory_left = data[0] == 'z' ? -1 : data[0];
	if (!world_start(text)) {
		fake_memory_left = -1;
		device_reset_all(&world_vm);
		fake_run_until(fake_tsc + 2000);
	}
	world_end();
	return 0;
}
