/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/host.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/host.h"
#include "arch/x86_64/paging.h"
#include "drivers/serial.h"
#include "kernel/log.h"
#include "kernel/nmi.h"
#include "kernel/page_alloc.h"
#include "kernel/panic.h"
#include "kernel/power.h"

#include <stdarg.h>
#include <string.h>

#define EARLY_LIMIT (UINT64_C(1) << 32) /* what entry.S maps */

/* Something has been said already: there is a console, or never will be. */
static bool spoken;
static struct memory_set *early;
static struct page_owner owner;

void host_use_early(struct memory_set *set)
{
	spoken = true;
	early = set;
}

void host_use_allocator(void)
{
	page_owner_register(&owner, "page tables and CPU stacks");
	early = NULL;
}

static void *host_pages(unsigned order)
{
	uint64_t phys;

	if (!early)
		return page_alloc_zeroed(&owner, order);
	phys = memory_take(early, PAGE_SIZE << order, EARLY_LIMIT);
	return phys ? memset(paging_direct(phys), 0, PAGE_SIZE << order) : NULL;
}

static void host_pages_free(void *pages, unsigned order)
{
	/* Early ones are given back only by a start-up that fails anyway. */
	if (!early)
		page_free(&owner, pages, order);
}

static void __printf(1, 2) host_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_vmsg(LOG_INFO, fmt, args);
	va_end(args);
}

static void __printf(1, 2) host_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_vmsg(LOG_WARN, fmt, args);
	va_end(args);
}

static void __noreturn page_fault(const struct exception_frame *frame)
{
	/* Intel SDM vol. 3A, figure 4-12. */
	const char *what = frame->error & BIT(4)   ? "execute"
			   : frame->error & BIT(1) ? "write"
						   : "read";
	const char *why = frame->error & BIT(3)	  ? "broken page tables"
			  : frame->error & BIT(0) ? "forbidden there"
						  : "nothing there";

	panic_exception(frame, "page fault: %s at %#lx: %s", what, cpu_read_cr2(), why);
}

static void __noreturn host_exception(const struct exception_frame *frame)
{
	/* Before the command line is read, the usual port is the best guess. */
	if (!spoken)
		spoken = serial_console_init("com1");
	switch (frame->vector) {
	case EXCEPTION_PF:
		page_fault(frame);
	case EXCEPTION_DF:
		panic_exception(frame, "double fault, stack at %#lx: it may have overflowed",
				frame->rsp);
	case EXCEPTION_MC:
		panic_exception(frame, "machine check: the hardware reports an error");
	default:
		panic_exception(frame, "unexpected %s", exceptions_name(frame->vector));
	}
}

static void host_nmi(const struct exception_frame *frame)
{
	(void)frame;
	panic_stop_if_any();
	power_stop_if_any();
	nmi_count();
}

const struct arch_host arch_host = {
	.info = host_info,
	.warn = host_warn,
	.pages = host_pages,
	.pages_free = host_pages_free,
	.exception = host_exception,
	.nmi = host_nmi,
};
