/* SPDX-License-Identifier: BSD-2-Clause */
/* `info paging`: what the shell cannot see for itself, because admin/ knows no architecture. */
#include "admin/command.h"
#include "arch/x86_64/paging.h"
#include "kernel/console.h"

static void info_paging(char **argv)
{
	struct paging_report report;

	(void)argv;
	paging_check_wx(&report);
	console_printf("%lu pages, %lu MiB mapped; writable and executable: %lu; for user mode: "
		       "%lu; below our addresses: %lu\n",
		       report.pages, report.bytes >> 20, report.wx, report.user, report.low);
	if (report.wx || report.user || report.low)
		console_printf("the first of these: %#lx\n", report.first_bad);
}

INFO_TOPIC(info_paging_topic, .name = "paging", .args = "",
	   .help = "whether W^X holds in this CPU's live page tables", .run = info_paging);
