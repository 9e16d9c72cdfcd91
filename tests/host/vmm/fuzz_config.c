/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c vmm/vm_config_sections.c */
/* test-sources: lib/ini.c lib/parse.c tests/host/vmm/fake.c */
/* Any bytes as a VM's config: an error that is logged, or a config; never more, nothing left. */
#include "tests/host/vmm/fake.h"
#include "vmm/vm_config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vm_config *config;
	int err;

	fake_log_clear();
	err = vm_config_parse("fuzz.cfg", (const char *)data, size, &config);
	if (!err)
		vm_config_free(config);
	else if (!fake_logged("fuzz.cfg"))
		abort();
	if (fake_objects)
		abort();
	return 0;
}
