/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/trace_format.h"

#include "kernel/log.h"

#include <stdio.h>
#include <string.h>

#define DETAIL_MAX 48

/* The part of struct vm_exit's u that the recorder keeps, by its own names. */
static struct vm_exit trace_exit(const struct flight_exit *e)
{
	struct vm_exit exit = {.kind = flight_kind(e)};

	memcpy(&exit.u, &e->detail, sizeof(e->detail));
	return exit;
}

static void trace_io(char *text, const struct vm_exit_io *io, uint32_t rax)
{
	uint32_t mask = io->width >= 4 ? UINT32_MAX : (1u << 8 * io->width) - 1;

	if (io->string)
		snprintf(text, DETAIL_MAX, "%s%s 0x%x, %u bytes", io->rep ? "rep " : "",
			 io->in ? "ins" : "outs", io->port, io->width);
	else if (io->in)
		snprintf(text, DETAIL_MAX, "in 0x%x, %u bytes", io->port, io->width);
	else
		snprintf(text, DETAIL_MAX, "out 0x%x, %u bytes: 0x%x", io->port, io->width,
			 rax & mask);
}

/* The reason's qualifier, by its kind; "" where it has none. */
static void trace_detail(char *text, const struct flight_exit *e)
{
	struct vm_exit exit = trace_exit(e);

	*text = '\0';
	switch (exit.kind) {
	case VM_EXIT_IO:
		trace_io(text, &exit.u.io, e->gpr);
		break;
	case VM_EXIT_MSR:
		snprintf(text, DETAIL_MAX, "%s 0x%x", exit.u.msr.write ? "wrmsr" : "rdmsr", e->gpr);
		break;
	case VM_EXIT_CPUID:
	case VM_EXIT_HYPERCALL:
		snprintf(text, DETAIL_MAX, "0x%x", e->gpr);
		break;
	case VM_EXIT_MEMORY:
		snprintf(text, DETAIL_MAX, "at 0x%lx", exit.u.memory.gpa);
		break;
	case VM_EXIT_CR:
		snprintf(text, DETAIL_MAX, "%s cr%u", exit.u.cr.write ? "write of" : "read of",
			 exit.u.cr.cr);
		break;
	case VM_EXIT_APIC:
		snprintf(text, DETAIL_MAX, "register 0x%x: 0x%x", exit.u.apic.reg << 4,
			 exit.u.apic.value);
		break;
	case VM_EXIT_EXCEPTION:
		snprintf(text, DETAIL_MAX, "vector %u, error 0x%x", exit.u.exception.vector,
			 exit.u.exception.error);
		break;
	case VM_EXIT_TASK_SWITCH:
		snprintf(text, DETAIL_MAX, "to 0x%x", exit.u.task.selector);
		break;
	case VM_EXIT_ENTRY_FAILED:
	case VM_EXIT_UNKNOWN:
		snprintf(text, DETAIL_MAX, "0x%lx", exit.u.failed.code);
		break;
	default:
		break;
	}
}

void trace_format(char line[TRACE_LINE_MAX], const struct flight_exit *e, bool open)
{
	uint64_t us = log_time_us(flight_time(e));
	char detail[DETAIL_MAX], cost[16] = "?";
	enum vm_exit_kind kind = flight_kind(e);

	trace_detail(detail, e);
	if (!open)
		snprintf(cost, sizeof(cost), "%lu", time_tsc_to_ns(e->done - e->time_low));
	snprintf(line, TRACE_LINE_MAX, "[%5lu.%06lu] %016lx %12s  %s%s%s", us / 1000000,
		 us % 1000000, flight_rip(e), cost, kind < VM_EXIT_KINDS ? exit_names[kind] : "?",
		 *detail ? " " : "", detail);
}
