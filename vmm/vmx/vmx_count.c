/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_count.h"

void vmx_count_report(hv_print_fn print)
{
	const struct cpu *cpu;

	for_each_cpu (cpu, i) {
		const struct hv_cpu *hv = cpu->hv;

		if (hv)
			print("CPU %u: %lu exits, %lu VMREADs, %lu VMWRITEs\n", i, hv->exits,
			      hv->reads, hv->writes);
	}
}
