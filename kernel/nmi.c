/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/nmi.h"

#include "arch/x86_64/io.h"
#include "kernel/log.h"
#include "kernel/time.h"

#define PORT_NMI_STATUS	   0x61
#define NMI_STATUS_REASONS 0xc0

/* The TSC before which each CPU is silent. */
static uint64_t quiet[CPU_MAX];

void nmi_tell(void)
{
	struct cpu *cpu = this_cpu();
	uint32_t nmis = cpu->nmis;

	if (time_tsc() < quiet[cpu->index])
		return;
	quiet[cpu->index] = time_tsc() + time_ns_to_tsc(NSEC_PER_SEC);
	log_warn("nmi: CPU %u took %u from the hardware, %u in all; port 61h says %#x (80h: SERR, "
		 "40h: I/O check); is memory, a device or a watchdog at fault?",
		 cpu->index, nmis - cpu->nmis_told, nmis,
		 io_in8(PORT_NMI_STATUS) & NMI_STATUS_REASONS);
	cpu->nmis_told = nmis;
}
