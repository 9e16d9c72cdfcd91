/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of each kind of exit. The frequent ones come first, and each is a straight line. */
#include "vmm/exit.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/exceptions.h"
#include "arch/x86_64/msr.h"
#include "kernel/grace.h"
#include "kernel/sched.h"
#include "vmm/emulate/task_switch.h"
#include "vmm/emulate/vcpu_emulate.h"
#include "vmm/fpu.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_call.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/hook/hook_io.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/hv_ops.h"
#include "vmm/irq.h"
#include "vmm/vcpu.h"
#include "vmm/vcpu_cr.h"
#include "vmm/vm.h"
#include "vmm/vm_debug.h"

#include <inttypes.h>
#include <string.h>

static enum exit_action exit_cpuid(struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct cpuid_regs regs;

	(void)exit;
	hook_cpuid_query(vcpu, (uint32_t)vcpu->gpr[GPR_RAX], (uint32_t)vcpu->gpr[GPR_RCX], &regs);
	vcpu->gpr[GPR_RAX] = regs.eax;
	vcpu->gpr[GPR_RBX] = regs.ebx;
	vcpu->gpr[GPR_RCX] = regs.ecx;
	vcpu->gpr[GPR_RDX] = regs.edx;
	return EXIT_ADVANCE;
}

/* IN of 1 and 2 bytes leaves the rest of RAX, of 4 bytes clears the upper half. */
static enum exit_action exit_io(struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct vm_exit_io *io = &exit->u.io;
	uint64_t mask = io->width == 1 ? 0xff : 0xffff;
	uint32_t value;

	if (unlikely(io->string))
		return vcpu_emulate_string_io(vcpu, exit);
	if (!io->in) {
		hook_io_write(vcpu, io->port, io->width, (uint32_t)vcpu->gpr[GPR_RAX]);
		return EXIT_ADVANCE;
	}
	value = hook_io_read(vcpu, io->port, io->width);
	if (io->width == 4)
		vcpu->gpr[GPR_RAX] = value;
	else
		vcpu->gpr[GPR_RAX] = (vcpu->gpr[GPR_RAX] & ~mask) | value;
	return EXIT_ADVANCE;
}

static __noinline __cold enum exit_action msr_refused(struct vcpu *vcpu)
{
	vcpu_inject_gp(vcpu, 0);
	return EXIT_RESUME;
}

/* Without a place on the stack for the value, and what comes with one. */
static enum exit_action exit_msr_write(struct vcpu *vcpu)
{
	uint64_t value = (uint32_t)vcpu->gpr[GPR_RAX] | vcpu->gpr[GPR_RDX] << 32;

	if (unlikely(hook_msr_write(vcpu, (uint32_t)vcpu->gpr[GPR_RCX], value)))
		return msr_refused(vcpu);
	return EXIT_ADVANCE;
}

/* By itself, so that a write, which is the more frequent, needs no room for its value. */
static __noinline enum exit_action exit_msr_read(struct vcpu *vcpu)
{
	uint64_t value;

	if (unlikely(hook_msr_read(vcpu, (uint32_t)vcpu->gpr[GPR_RCX], &value)))
		return msr_refused(vcpu);
	vcpu->gpr[GPR_RAX] = (uint32_t)value;
	vcpu->gpr[GPR_RDX] = value >> 32;
	return EXIT_ADVANCE;
}

static enum exit_action exit_msr(struct vcpu *vcpu, const struct vm_exit *exit)
{
	return exit->u.msr.write ? exit_msr_write(vcpu) : exit_msr_read(vcpu);
}

static enum exit_action exit_hypercall(struct vcpu *vcpu, const struct vm_exit *exit)
{
	const uint64_t args[4] = {vcpu->gpr[GPR_RBX], vcpu->gpr[GPR_RCX], vcpu->gpr[GPR_RDX],
				  vcpu->gpr[GPR_RSI]};
	int64_t result = HYPERCALL_DENIED;

	(void)exit;
	if (likely(vcpu_cpl(vcpu) == 0))
		result = hook_call_do(vcpu, vcpu->gpr[GPR_RAX], args);
	vcpu->gpr[GPR_RAX] = (uint64_t)result;
	return EXIT_ADVANCE;
}

static enum exit_action exit_memory(struct vcpu *vcpu, const struct vm_exit *exit)
{
	gpa_t gpa = exit->u.memory.gpa;

	if (unlikely((exit->u.memory.access & ACCESS_EXEC) && !exit->u.memory.table_walk)) {
		/* A hook that was there until just now: the page is RAM again. */
		if (guest_is_ram(vcpu->vm->memory, gpa, 1) &&
		    !hook_memory_covers(grace_read(vcpu->vm->hooks->memory), gpa, 1, false))
			return EXIT_RESUME;
		vcpu_fail(vcpu, "executes at 0x%" PRIx64 ", which is no RAM", gpa);
		return EXIT_STOP;
	}
	return vcpu_emulate_memory(vcpu, exit);
}

/* Also VM_EXIT_NMI: the NMI itself is taken when the host's world is back. */
static enum exit_action exit_interrupt(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)vcpu;
	(void)exit;
	irq_window();
	return EXIT_RESUME;
}

static enum exit_action exit_window(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)exit;
	vcpu_request(vcpu, VCPU_REQ_IRQ);
	return EXIT_RESUME;
}

static enum exit_action exit_hlt(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)exit;
	vcpu_request(vcpu, VCPU_REQ_HALT);
	return EXIT_ADVANCE;
}

/* The guest spins, perhaps for a vCPU that waits for this CPU. */
static enum exit_action exit_pause(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)vcpu;
	(void)exit;
	this_cpu()->need_resched = true;
	return EXIT_ADVANCE;
}

static enum exit_action exit_xsetbv(struct vcpu *vcpu, const struct vm_exit *exit)
{
	uint64_t value = (uint32_t)vcpu->gpr[GPR_RAX] | vcpu->gpr[GPR_RDX] << 32;

	(void)exit;
	if (!(hv_ops->get_reg(vcpu, VCPU_CR4) & CR4_OSXSAVE)) {
		vcpu_inject_ud(vcpu);
		return EXIT_RESUME;
	}
	if (vcpu_cpl(vcpu) != 0 || (uint32_t)vcpu->gpr[GPR_RCX] != 0 || fpu_set_xcr0(vcpu, value)) {
		vcpu_inject_gp(vcpu, 0);
		return EXIT_RESUME;
	}
	return EXIT_ADVANCE;
}

/*
 * CR8, the priority below which the controller holds interrupts back, and what
 * the hardware may not do of CR0 and CR4.
 */
static enum exit_action exit_cr(struct vcpu *vcpu, const struct vm_exit *exit)
{
	if (!exit->u.cr.write && exit->u.cr.cr == 8) {
		vcpu_set_gpr(vcpu, exit->u.cr.gpr, hv_ops->get_reg(vcpu, VCPU_CR8));
		return EXIT_ADVANCE;
	}
	if (!exit->u.cr.write || !vcpu_cr_serves(exit->u.cr.cr)) {
		vcpu_fail(vcpu, "access to CR%u, which nobody serves", exit->u.cr.cr);
		return EXIT_STOP;
	}
	if (vcpu_cr_write(vcpu, exit->u.cr.cr, exit->u.cr.gpr)) {
		vcpu_inject_gp(vcpu, 0);
		return EXIT_RESUME;
	}
	return EXIT_ADVANCE;
}

/* Behind the guest's instruction. */
static enum exit_action exit_apic(struct vcpu *vcpu, const struct vm_exit *exit)
{
	irq_wrote(vcpu, exit->u.apic.reg, exit->u.apic.value);
	return EXIT_RESUME;
}

/* VMCALL and VMMCALL: whichever the CPU does not have raises #UD. */
static bool is_hypercall(struct vcpu *vcpu)
{
	static const uint8_t vmcall[3] = {0x0f, 0x01, 0xc1}, vmmcall[3] = {0x0f, 0x01, 0xd9};
	uint8_t bytes[15];

	return vcpu_emulate_fetch(vcpu, bytes) >= sizeof(vmcall) &&
	       (memcmp(bytes, vmcall, sizeof(vmcall)) == 0 ||
		memcmp(bytes, vmmcall, sizeof(vmmcall)) == 0);
}

static enum exit_action exit_exception(struct vcpu *vcpu, const struct vm_exit *exit)
{
	if ((exit->u.exception.vector == EXCEPTION_UD ||
	     exit->u.exception.vector == EXCEPTION_DB) &&
	    vm_debug_takes(vcpu, exit->u.exception.vector))
		return EXIT_RESUME;
	if (exit->u.exception.vector == EXCEPTION_UD && is_hypercall(vcpu))
		return exit_hypercall(vcpu, exit);
	if (exit->u.exception.vector == EXCEPTION_PF)
		hv_ops->set_reg(vcpu, VCPU_CR2, exit->u.exception.cr2);
	vcpu_inject_exception(vcpu, exit->u.exception.vector, exit->u.exception.has_error,
			      exit->u.exception.error);
	return EXIT_RESUME;
}

static enum exit_action exit_cache(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)vcpu;
	(void)exit;
	return EXIT_ADVANCE;
}

static enum exit_action exit_undefined(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)exit;
	vcpu_inject_ud(vcpu);
	return EXIT_RESUME;
}

static enum exit_action exit_triple_fault(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)exit;
	vcpu_fail(vcpu, "triple fault");
	return EXIT_STOP;
}

static enum exit_action exit_entry_failed(struct vcpu *vcpu, const struct vm_exit *exit)
{
	hv_ops->explain(vcpu);
	vcpu_fail(vcpu,
		  "%s refuses to enter the guest (0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ")",
		  hv_ops->name, exit->u.failed.code, exit->u.failed.info1, exit->u.failed.info2);
	return EXIT_STOP;
}

static enum exit_action exit_unknown(struct vcpu *vcpu, const struct vm_exit *exit)
{
	vcpu_fail(vcpu,
		  "%s exit 0x%" PRIx64 " (0x%" PRIx64 ", 0x%" PRIx64 "), which we never ask for",
		  hv_ops->name, exit->u.failed.code, exit->u.failed.info1, exit->u.failed.info2);
	return EXIT_STOP;
}

const exit_handler exit_table[VM_EXIT_KINDS] = {
	[VM_EXIT_INTERRUPT] = exit_interrupt,
	[VM_EXIT_NMI] = exit_interrupt,
	[VM_EXIT_IRQ_WINDOW] = exit_window,
	[VM_EXIT_NMI_WINDOW] = exit_window,
	[VM_EXIT_IO] = exit_io,
	[VM_EXIT_MSR] = exit_msr,
	[VM_EXIT_CPUID] = exit_cpuid,
	[VM_EXIT_HYPERCALL] = exit_hypercall,
	[VM_EXIT_MEMORY] = exit_memory,
	[VM_EXIT_HLT] = exit_hlt,
	[VM_EXIT_PAUSE] = exit_pause,
	[VM_EXIT_XSETBV] = exit_xsetbv,
	[VM_EXIT_CR] = exit_cr,
	[VM_EXIT_APIC] = exit_apic,
	[VM_EXIT_EXCEPTION] = exit_exception,
	[VM_EXIT_CACHE] = exit_cache,
	[VM_EXIT_TASK_SWITCH] = task_switch,
	[VM_EXIT_UNDEFINED] = exit_undefined,
	[VM_EXIT_TRIPLE_FAULT] = exit_triple_fault,
	[VM_EXIT_ENTRY_FAILED] = exit_entry_failed,
	[VM_EXIT_UNKNOWN] = exit_unknown,
};

const char *const exit_names[VM_EXIT_KINDS] = {
	[VM_EXIT_INTERRUPT] = "interrupt",
	[VM_EXIT_NMI] = "nmi",
	[VM_EXIT_IRQ_WINDOW] = "irq-window",
	[VM_EXIT_NMI_WINDOW] = "nmi-window",
	[VM_EXIT_IO] = "io",
	[VM_EXIT_MSR] = "msr",
	[VM_EXIT_CPUID] = "cpuid",
	[VM_EXIT_HYPERCALL] = "hypercall",
	[VM_EXIT_MEMORY] = "memory",
	[VM_EXIT_HLT] = "hlt",
	[VM_EXIT_PAUSE] = "pause",
	[VM_EXIT_XSETBV] = "xsetbv",
	[VM_EXIT_CR] = "cr",
	[VM_EXIT_APIC] = "apic",
	[VM_EXIT_EXCEPTION] = "exception",
	[VM_EXIT_CACHE] = "cache",
	[VM_EXIT_TASK_SWITCH] = "task-switch",
	[VM_EXIT_UNDEFINED] = "undefined",
	[VM_EXIT_TRIPLE_FAULT] = "triple-fault",
	[VM_EXIT_ENTRY_FAILED] = "entry-failed",
	[VM_EXIT_UNKNOWN] = "unknown",
};
