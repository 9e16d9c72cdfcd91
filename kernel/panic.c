/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/panic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/exceptions.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/percpu.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/machine_check.h"
#include "kernel/panic_card.h"
#include "kernel/power.h"
#include "kernel/sched.h"
#include "kernel/symbols.h"
#include "kernel/version.h"

#include <stdarg.h>
#include <stdio.h>

#define PANIC_LINE_MAX	 256
#define PANIC_FRAMES_MAX 32
#define PANIC_LOG_LINES	 8

static const char panic_own_fault[] =
	"this is a fault of Alcazar itself, of no guest: keep this text, it is what a report "
	"needs, "
	"and `addr2line -e alcazar.elf ADDRESS` has the lines of the backtrace";
static const char panic_hardware_fault[] =
	"the hardware is at fault: look at the banks above, test memory, cooling and power, update "
	"the firmware and the CPU's microcode";

/* The APIC id of the CPU that panics + 1; 0 = none does. Atomic. */
static uint32_t panic_cpu;
/* How often that CPU came here: a panic can meet the next one on its way. */
static unsigned panic_depth;

static void __printf(1, 2) panic_line(const char *fmt, ...)
{
	char line[PANIC_LINE_MAX];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	len = MIN(len, (int)sizeof(line) - 2);
	line[len++] = '\n';
	/* Kept first: a console may hang. */
	panic_card_add(line, len);
	console_write_emergency(line, len);
}

/*
 * By CPUID, because nothing of ours may work any more (APM vol. 3, CPUID
 * Fn0000_000B_EDX; without that leaf no id is above 255: Fn0000_0001_EBX).
 */
static uint32_t panic_self(void)
{
	struct cpuid topology = cpuid_checked(0xb);

	return (topology.ebx ? topology.edx : cpuid(1).ebx >> 24) + 1;
}

static bool panic_mapped(uint64_t virt)
{
	return paging_lookup(virt, NULL) != 0;
}

static void panic_frame(uint64_t rip)
{
	char name[SYMBOL_NAME_MAX];
	uint64_t offset;

	if (symbols_lookup(rip, &offset, name))
		panic_line("  %016lx %s+0x%lx", rip, name, offset);
	else
		panic_line("  %016lx", rip);
}

/*
 * Follows the frame pointers, upwards only. Stacks lie in the image and in the
 * vmap area; a damaged chain ends at the first address that is in neither.
 */
static void panic_backtrace(uint64_t rip, uint64_t rbp)
{
	panic_line("backtrace:");
	panic_frame(rip);
	for (unsigned i = 0; i < PANIC_FRAMES_MAX; i++) {
		const uint64_t *frame = (const uint64_t *)rbp;

		if (rbp < VMAP_BASE || !IS_ALIGNED(rbp, 8) || !panic_mapped(rbp) ||
		    !panic_mapped(rbp + 8) || !frame[1])
			return;
		panic_frame(frame[1]);
		if (frame[0] <= rbp)
			return;
		rbp = frame[0];
	}
}

static void panic_registers(const struct exception_frame *f)
{
	panic_line("vector %lu %s error %lx cs %lx rflags %lx", f->vector,
		   exceptions_name(f->vector), f->error, f->cs, f->rflags);
	panic_line("rip %016lx rsp %016lx rbp %016lx", f->rip, f->rsp, f->rbp);
	panic_line("rax %016lx rbx %016lx rcx %016lx", f->rax, f->rbx, f->rcx);
	panic_line("rdx %016lx rsi %016lx rdi %016lx", f->rdx, f->rsi, f->rdi);
	panic_line("r8  %016lx r9  %016lx r10 %016lx", f->r8, f->r9, f->r10);
	panic_line("r11 %016lx r12 %016lx r13 %016lx", f->r11, f->r12, f->r13);
	panic_line("r14 %016lx r15 %016lx", f->r14, f->r15);
}

/*
 * The other CPUs stop, and what a guest left in this one is put away. Returns
 * the vCPU that ran here last, if it can be told.
 */
static struct vcpu *panic_seize(void)
{
	cpu_irq_disable();
	if (!panic_mapped(CPU_LOCAL_BASE))
		return NULL;
	if (cpu_count > 1)
		irq_send_nmi_others();
	/* Without our TR, an exception in here would not find its stack. */
	sched_leave_world();
	return this_cpu()->fpu_owner;
}

static void panic_report(const struct exception_frame *frame, const char *fmt, va_list args)
{
	char what[PANIC_LINE_MAX];

	vsnprintf(what, sizeof(what), fmt, args);
	panic_line("\nPANIC: %s", what);
	panic_line("alcazar " ALCAZAR_VERSION ", CPU with APIC id %u", panic_self() - 1);
	if (frame)
		panic_registers(frame);
	if (frame && frame->vector == EXCEPTION_MC)
		machine_check_tell(panic_line);
	panic_line("cr0 %lx cr2 %016lx cr3 %lx cr4 %lx", cpu_read_cr0(), cpu_read_cr2(),
		   cpu_read_cr3(), cpu_read_cr4());
}

static void panic_log_line(void *opaque, const char *text)
{
	(void)opaque;
	panic_line("  %s", text);
}

/* What may itself be what is damaged, last. */
static void panic_context(struct vcpu *last)
{
	const panic_report_fn *report;

	panic_line("log:");
	log_last(PANIC_LOG_LINES, panic_log_line, NULL);
	for (report = TABLE_START(panic_reports); report < TABLE_END(panic_reports); report++)
		(*report)(panic_line, last);
}

/* A reset may leave the caches' content behind. */
static void __noreturn panic_end(void)
{
	cpu_wbinvd();
	cpu_stop();
}

static void __noreturn panic_vpanic(const struct exception_frame *frame, uint64_t rip, uint64_t rbp,
				    const char *try, const char *fmt, va_list args)
{
	uint32_t expected = 0;
	struct vcpu *last;

	if (!__atomic_compare_exchange_n(&panic_cpu, &expected, panic_self(), false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) &&
	    expected != panic_self())
		cpu_stop();
	switch (++panic_depth) {
	case 1:
		last = panic_seize();
		panic_report(frame, fmt, args);
		panic_backtrace(rip, rbp);
		panic_line("what to try: %s", try);
		panic_context(last);
		panic_line("halted: reset the machine");
		power_leave_cpu();
		break;
	case 2:
		panic_line("\nPANIC inside the panic, at %016lx: %s", rip, fmt);
		break;
	default:
		break;
	}
	panic_end();
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	panic_vpanic(NULL, (uintptr_t)__builtin_return_address(0),
		     *(const uint64_t *)__builtin_frame_address(0), panic_own_fault, fmt, args);
}

void panic_try(const char *try, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	panic_vpanic(NULL, (uintptr_t)__builtin_return_address(0),
		     *(const uint64_t *)__builtin_frame_address(0), try, fmt, args);
}

void panic_exception(const struct exception_frame *frame, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	panic_vpanic(frame, frame->rip, frame->rbp,
		     frame->vector == EXCEPTION_MC ? panic_hardware_fault : panic_own_fault, fmt,
		     args);
}

void panic_stop_if_any(void)
{
	uint32_t cpu = __atomic_load_n(&panic_cpu, __ATOMIC_ACQUIRE);

	if (cpu && cpu != panic_self()) {
		power_leave_cpu();
		cpu_stop();
	}
}
