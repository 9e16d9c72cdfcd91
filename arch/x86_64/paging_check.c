/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the live page tables and tells what they really allow. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"

#include <string.h>

/* Rights add up on the way down: writable and user if all levels are, executable if none forbids.
 */
struct rights {
	bool write, execute, user;
};

static void check_page(struct paging_report *report, uint64_t virt, int level, struct rights r)
{
	bool low = virt < DIRECT_BASE;

	report->pages++;
	report->bytes += UINT64_C(0x1000) << 9 * level;
	report->wx += r.write && r.execute;
	report->user += r.user;
	report->low += low;
	if (!report->first_bad && ((r.write && r.execute) || r.user || low))
		report->first_bad = virt;
}

static void check_table(struct paging_report *report, uint64_t table_phys, uint64_t virt, int level,
			struct rights above)
{
	const uint64_t *table = paging_direct(table_phys & PTE_ADDR);

	for (uint64_t i = 0; i < 512; i++) {
		uint64_t entry = table[i];
		uint64_t at = virt + (i << (12 + 9 * level));
		struct rights r = {
			.write = above.write && entry & PTE_RW,
			.execute = above.execute && !(entry & PTE_NX),
			.user = above.user && entry & PTE_US,
		};

		if (!(entry & PTE_P))
			continue;
		if (level == 3 && i >= 256)
			at |= UINT64_C(0xffff) << 48; /* canonical */
		if (level == 0 || (level < 3 && entry & PTE_PS))
			check_page(report, at, level, r);
		else
			check_table(report, entry, at, level - 1, r);
	}
}

void paging_check_wx(struct paging_report *report)
{
	memset(report, 0, sizeof(*report));
	check_table(report, cpu_read_cr3(), 0, 3, (struct rights){true, true, true});
}
