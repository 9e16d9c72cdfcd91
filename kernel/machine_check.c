/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel SDM vol. 3B, 15.3; AMD's are the same in what is read here (APM vol. 2, 9.3). */
#include "kernel/machine_check.h"

#include "arch/x86_64/msr.h"

#define MCG_CAP_COUNT 0xff
#define MC_STATUS_VAL BIT(63)

void machine_check_tell(panic_line_fn line)
{
	uint64_t cap, status, bank, address;

	if (msr_read_safe(MSR_MCG_CAP, &cap) || msr_read_safe(MSR_MCG_STATUS, &status)) {
		line("this CPU has no banks that say what failed");
		return;
	}
	line("machine check status %lx, %lu banks", status, cap & MCG_CAP_COUNT);
	for (uint32_t i = 0; i < (cap & MCG_CAP_COUNT); i++) {
		if (msr_read_safe(MSR_MC_STATUS(i), &bank) || !(bank & MC_STATUS_VAL))
			continue;
		/* One that the bank does not have reads 0, or is not there. */
		if (msr_read_safe(MSR_MC_ADDR(i), &address))
			address = 0;
		line("bank %u: status %016lx address %016lx", i, bank, address);
	}
}
