/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An exit to struct vm_exit, by a table of exit reasons. Each VMREAD costs a
 * real CPU dozens of cycles: nothing is read that its kind of exit does not need.
 */
#include "vmm/exit.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/exceptions.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_apic.h"
#include "vmm/vmx/vmx_caps.h"
#include "vmm/vmx/vmx_count.h"
#include "vmm/vmx/vmx_event.h"
#include "vmm/vmx/vmx_exit_reason.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"

#define DR7_GD	  BIT(13)
#define DR6_B_ANY UINT64_C(0xf)

typedef void (*vmx_exit_fill)(struct vcpu *vcpu, struct vm_exit *exit);

struct vmx_exit_rule {
	vmx_exit_fill fill; /* the rest of the exit, or NULL */
	uint8_t kind;	    /* enum vm_exit_kind */
	bool insn;	    /* an instruction's: the VMCS has its length (27.2.5) */
};

static void vmx_fill_io(struct vcpu *vcpu __unused, struct vm_exit *exit)
{
	uint64_t q = vmx_read(VMCS_EXIT_QUALIFICATION);
	struct vm_exit_io *io = &exit->u.io;
	uint32_t info;

	io->port = q >> VMX_IO_PORT_SHIFT;
	io->width = VMX_IO_SIZE(q);
	io->in = q & VMX_IO_IN;
	io->string = q & VMX_IO_STRING;
	if (likely(!io->string))
		return;
	io->rep = q & VMX_IO_REP;
	io->addr_width = 0;
	io->seg = -1;
	if (!(vmx_machine.basic & VMX_BASIC_INS_OUTS))
		return;
	info = vmx_read(VMCS_EXIT_INSTRUCTION_INFO);
	io->addr_width = VMX_INSOUT_WIDTH(info);
	if (!io->in)
		io->seg = VMX_INSOUT_SEG(info);
}

static void vmx_fill_rdmsr(struct vcpu *vcpu __unused, struct vm_exit *exit)
{
	exit->u.msr.write = false;
}

static void vmx_fill_wrmsr(struct vcpu *vcpu __unused, struct vm_exit *exit)
{
	exit->u.msr.write = true;
}

static void vmx_fill_memory(struct vcpu *vcpu, struct vm_exit *exit)
{
	uint64_t q = vmx_read(VMCS_EXIT_QUALIFICATION);

	vmx_event_interrupted_or_iret(vcpu, q);
	exit->u.memory.gpa = vmx_read(VMCS_GUEST_PHYSICAL_ADDRESS);
	exit->u.memory.access = q & VMX_EPT_VIOLATION_WRITE   ? ACCESS_WRITE
				: q & VMX_EPT_VIOLATION_FETCH ? ACCESS_EXEC
							      : ACCESS_READ;
	exit->u.memory.table_walk = (q & (VMX_EPT_VIOLATION_LINEAR | VMX_EPT_VIOLATION_OPERAND)) ==
				    VMX_EPT_VIOLATION_LINEAR;
	exit->u.memory.insn_bytes = 0;
}

static void vmx_raise(struct vm_exit *exit, uint8_t vector, bool has_error)
{
	exit->u.exception.vector = vector;
	exit->u.exception.has_error = has_error;
	exit->u.exception.error = 0;
	exit->u.exception.cr2 = 0;
	exit->insn_len = 0;
}

/* The guest has no performance counters: as for a counter that does not exist. */
static void vmx_fill_rdpmc(struct vcpu *vcpu __unused, struct vm_exit *exit)
{
	vmx_raise(exit, EXCEPTION_GP, true);
}

/* A machine check is the machine's, not the guest's: our own handler gets it. */
static void vmx_machine_check(void)
{
	vmx_world_leave();
	__asm__ volatile("int %0" : : "i"(EXCEPTION_MC) : "memory");
}

/* Not delivered by the CPU itself: what that would have done to registers is left to us (27.1). */
static void vmx_debug_exception(struct vcpu *vcpu)
{
	uint64_t dr6 = vmx_get_reg(vcpu, VCPU_DR6) & ~DR6_B_ANY;

	dr6 |= vmx_read(VMCS_EXIT_QUALIFICATION) & VMX_DEBUG_DR6;
	vmx_set_reg(vcpu, VCPU_DR6, dr6);
	vmx_write(VMCS_GUEST_DR7, vmx_read(VMCS_GUEST_DR7) & ~DR7_GD);
	vmx_event_debug_generated();
	vmx_event_check_pending();
}

static void vmx_exit_nmi(struct vm_exit *exit)
{
	exit->kind = VM_EXIT_NMI;
	/* The exit has blocked NMIs; the handler's IRET ends that (27.5.5). */
	__asm__ volatile("int %0" : : "i"(EXCEPTION_NMI) : "memory");
}

static void vmx_fill_exception(struct vcpu *vcpu, struct vm_exit *exit)
{
	uint32_t info = vmx_read(VMCS_EXIT_INTERRUPTION_INFO);
	uint8_t vector = info & VMX_INTR_VECTOR;

	if (VMX_INTR_TYPE(info) == VMX_INTR_NMI) {
		vmx_exit_nmi(exit);
		return;
	}
	/* With #DF the bit is undefined (27.2.2). */
	vmx_event_interrupted_or_iret(vcpu, vector == EXCEPTION_DF ? 0 : info);
	vmx_raise(exit, vector, info & VMX_INTR_HAS_ERROR);
	if (exit->u.exception.has_error)
		exit->u.exception.error = vmx_read(VMCS_EXIT_INTERRUPTION_ERROR_CODE);
	if (vector == EXCEPTION_MC) {
		exit->kind = VM_EXIT_INTERRUPT;
		vmx_machine_check();
	} else if (VMX_INTR_TYPE(info) == VMX_INTR_PRIVILEGED) {
		/* INT1 traps, and touches no debug register. */
		vcpu->rip += vmx_read(VMCS_EXIT_INSTRUCTION_LENGTH);
		vmx_event_check_pending();
	} else if (vector == EXCEPTION_DB) {
		vmx_debug_exception(vcpu);
	}
}

/* CLTS and LMSW change bits alone that are the guest's. */
static void vmx_fill_cr(struct vcpu *vcpu __unused, struct vm_exit *exit)
{
	uint64_t q = vmx_read(VMCS_EXIT_QUALIFICATION);

	exit->u.cr.cr = VMX_CR_NUMBER(q);
	exit->u.cr.write = VMX_CR_ACCESS(q) == VMX_CR_WRITE;
	exit->u.cr.gpr = VMX_CR_GPR(q);
}

static void vmx_fill_irq_window(struct vcpu *vcpu, struct vm_exit *exit __unused)
{
	vmx_event_window_opened(vcpu);
}

static void vmx_fill_nmi_window(struct vcpu *vcpu, struct vm_exit *exit __unused)
{
	vmx_event_nmi_window_opened(vcpu);
}

/* Both behind the guest's instruction (29.4.3.2). */
static void vmx_fill_eoi(struct vcpu *vcpu __unused, struct vm_exit *exit)
{
	exit->u.apic.reg = VMX_APIC_EOI >> 4;
	exit->u.apic.value = vmx_read(VMCS_EXIT_QUALIFICATION) & 0xff;
}

static void vmx_fill_apic_write(struct vcpu *vcpu, struct vm_exit *exit)
{
	uint32_t offset = vmx_read(VMCS_EXIT_QUALIFICATION) & VMX_APIC_OFFSET;

	exit->u.apic.reg = offset >> 4;
	exit->u.apic.value = vmx_of(vcpu)->apic[offset / 4];
}

_Static_assert(TASK_BY_CALL == 0 && TASK_BY_IRET == 1 && TASK_BY_JMP == 2 && TASK_BY_GATE == 3,
	       "table 27-2");

/* The length is valid for instructions, INT n and its like among them (27.2.5). */
static void vmx_fill_task_switch(struct vcpu *vcpu, struct vm_exit *exit)
{
	uint64_t q = vmx_read(VMCS_EXIT_QUALIFICATION);

	vmx_event_interrupted(vcpu);
	exit->u.task.selector = q;
	exit->u.task.source = (enum vm_exit_task_source)VMX_TASK_SOURCE(q);
	exit->insn_len = exit->u.task.source == TASK_BY_GATE
				 ? vcpu->event.insn_len
				 : vmx_read(VMCS_EXIT_INSTRUCTION_LENGTH);
}

static void vmx_fill_failed(struct vcpu *vcpu __unused, struct vm_exit *exit)
{
	exit->insn_len = 0;
	exit->u.failed.code = vmx_read(VMCS_EXIT_REASON);
	exit->u.failed.info1 = vmx_read(VMCS_EXIT_QUALIFICATION);
	exit->u.failed.info2 = 0;
}

/* Our own tables are at fault (28.2.3.1). */
static void vmx_fill_misconfig(struct vcpu *vcpu, struct vm_exit *exit)
{
	vmx_fill_failed(vcpu, exit);
	exit->u.failed.info2 = vmx_read(VMCS_GUEST_PHYSICAL_ADDRESS);
	vm_log(vcpu->vm, LOG_ERROR, "vcpu %u: the nested page tables' entry for %#lx is not valid",
	       vcpu->index, exit->u.failed.info2);
}

#define INSN_RULE(reason, kind, fill) [VMX_REASON_##reason] = {fill, kind, true}
#define UNDEFINED_RULES(first, last) \
	[VMX_REASON_##first... VMX_REASON_##last] = {NULL, VM_EXIT_UNDEFINED, false}
#define UNDEFINED_RULE(reason) UNDEFINED_RULES(reason, reason)
/* What we did not ask for. */
#define UNKNOWN_RULES(first, last) [first... last] = {vmx_fill_failed, VM_EXIT_UNKNOWN, false}

static const struct vmx_exit_rule vmx_exit_rules[VMX_REASONS] = {
	[VMX_REASON_EXCEPTION] = {vmx_fill_exception, VM_EXIT_EXCEPTION, false},
	[VMX_REASON_INTERRUPT] = {NULL, VM_EXIT_INTERRUPT, false},
	[VMX_REASON_TRIPLE_FAULT] = {NULL, VM_EXIT_TRIPLE_FAULT, false},
	[VMX_REASON_INIT] = {NULL, VM_EXIT_TRIPLE_FAULT, false},
	UNKNOWN_RULES(4, 6), /* SIPI, SMIs */
	[VMX_REASON_IRQ_WINDOW] = {vmx_fill_irq_window, VM_EXIT_IRQ_WINDOW, false},
	[VMX_REASON_NMI_WINDOW] = {vmx_fill_nmi_window, VM_EXIT_NMI_WINDOW, false},
	[VMX_REASON_TASK_SWITCH] = {vmx_fill_task_switch, VM_EXIT_TASK_SWITCH, false},
	INSN_RULE(CPUID, VM_EXIT_CPUID, NULL),
	UNDEFINED_RULE(GETSEC),
	INSN_RULE(HLT, VM_EXIT_HLT, NULL),
	INSN_RULE(INVD, VM_EXIT_CACHE, NULL),
	UNKNOWN_RULES(14, 14), /* INVLPG */
	[VMX_REASON_RDPMC] = {vmx_fill_rdpmc, VM_EXIT_EXCEPTION, false},
	UNKNOWN_RULES(16, 16), /* RDTSC */
	UNDEFINED_RULE(RSM),
	INSN_RULE(VMCALL, VM_EXIT_HYPERCALL, NULL),
	UNDEFINED_RULES(VMCLEAR, VMXON),
	INSN_RULE(CR, VM_EXIT_CR, vmx_fill_cr),
	UNKNOWN_RULES(29, 29), /* MOV DR */
	INSN_RULE(IO, VM_EXIT_IO, vmx_fill_io),
	INSN_RULE(RDMSR, VM_EXIT_MSR, vmx_fill_rdmsr),
	INSN_RULE(WRMSR, VM_EXIT_MSR, vmx_fill_wrmsr),
	UNKNOWN_RULES(33, 35), /* entries that failed have another bit set */
	UNDEFINED_RULE(MWAIT),
	UNKNOWN_RULES(37, 38), /* the monitor trap flag */
	UNDEFINED_RULE(MONITOR),
	INSN_RULE(PAUSE, VM_EXIT_PAUSE, NULL),
	UNKNOWN_RULES(41, 42),
	/* Behind the instruction that lowered CR8 (29.1.2). */
	[VMX_REASON_TPR] = {NULL, VM_EXIT_IRQ_WINDOW, false},
	UNKNOWN_RULES(44, 44), /* APIC accesses */
	[VMX_REASON_EOI] = {vmx_fill_eoi, VM_EXIT_APIC, false},
	UNKNOWN_RULES(46, 47), /* descriptor-table accesses */
	[VMX_REASON_EPT_VIOLATION] = {vmx_fill_memory, VM_EXIT_MEMORY, false},
	[VMX_REASON_EPT_MISCONFIG] = {vmx_fill_misconfig, VM_EXIT_UNKNOWN, false},
	UNDEFINED_RULE(INVEPT),
	UNKNOWN_RULES(51, 51), /* RDTSCP */
	/* It ran for long enough: what has not interrupted it is taken now. */
	[VMX_REASON_PREEMPTION_TIMER] = {NULL, VM_EXIT_INTERRUPT, false},
	UNDEFINED_RULE(INVVPID),
	INSN_RULE(WBINVD, VM_EXIT_CACHE, NULL),
	INSN_RULE(XSETBV, VM_EXIT_XSETBV, NULL),
	[VMX_REASON_APIC_WRITE] = {vmx_fill_apic_write, VM_EXIT_APIC, false},
	UNKNOWN_RULES(57, 57), /* RDRAND */
	UNDEFINED_RULE(INVPCID),
	UNDEFINED_RULE(VMFUNC),
	UNDEFINED_RULE(ENCLS),
	UNKNOWN_RULES(61, 63), /* RDSEED, the page-modification log, XSAVES */
};

/* An entry that failed after its checks of controls and host (26.7), and reasons of later CPUs. */
static __noinline void vmx_exit_other(struct vcpu *vcpu, uint64_t reason, struct vm_exit *exit)
{
	exit->kind = reason & VMX_REASON_FAILED ? VM_EXIT_ENTRY_FAILED : VM_EXIT_UNKNOWN;
	vmx_fill_failed(vcpu, exit);
	if ((reason & VMX_REASON_BASIC) == VMX_REASON_MACHINE_CHECK)
		vmx_machine_check();
}

void vmx_exited(struct vcpu *vcpu, struct vm_exit *exit)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	uint64_t reason = vmx_read(VMCS_EXIT_REASON);
	const struct vmx_exit_rule *rule;

	vmx_count_exit();
	/* vmx_run.S wrote it. */
	if (vcpu->rip != vmx->rip)
		vmx_count_write();
	vmx->rip = vmx_read(VMCS_GUEST_RIP);
	vcpu->rip = vmx->rip;
	if (unlikely(reason >= VMX_REASONS)) {
		vmx_exit_other(vcpu, reason, exit);
		return;
	}
	rule = &vmx_exit_rules[reason];
	exit->kind = rule->kind;
	exit->insn_len = rule->insn ? vmx_read(VMCS_EXIT_INSTRUCTION_LENGTH) : 0;
	if (rule->fill)
		rule->fill(vcpu, exit);
}
