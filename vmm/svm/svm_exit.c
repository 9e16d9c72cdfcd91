/* SPDX-License-Identifier: BSD-2-Clause */
/* #VMEXIT to struct vm_exit, by a table of exit codes. */
#include "vmm/exit.h"
#include "arch/x86_64/exceptions.h"
#include "vmm/emulate/vcpu_emulate.h"
#include "vmm/svm/svm.h"
#include "vmm/svm/svm_event.h"
#include "vmm/svm/svm_exit_code.h"
#include "vmm/svm/svm_step.h"

#define INSN_LEN_MAX 15

/* Vectors that push an error code (8.2). */
#define EXCEPTIONS_WITH_ERROR                                                            \
	(BIT(EXCEPTION_DF) | BIT(EXCEPTION_TS) | BIT(EXCEPTION_NP) | BIT(EXCEPTION_SS) | \
	 BIT(EXCEPTION_GP) | BIT(EXCEPTION_PF) | BIT(EXCEPTION_AC))

typedef void (*svm_exit_fill)(struct vcpu *vcpu, const struct vmcb_control *control,
			      struct vm_exit *exit);

struct svm_exit_rule {
	svm_exit_fill fill; /* the rest of the exit, or NULL */
	uint8_t kind;	    /* enum vm_exit_kind */
};

static void svm_fill_io(struct vcpu *vcpu, const struct vmcb_control *control, struct vm_exit *exit)
{
	uint32_t info = control->exit_info1;
	struct vm_exit_io *io = &exit->u.io;

	exit->insn_len = control->exit_info2 - vcpu->rip;
	io->port = info >> SVM_IOIO_PORT_SHIFT;
	io->width = info >> SVM_IOIO_WIDTH_SHIFT & 7; /* one of the bits says 1, 2, 4 bytes */
	io->in = info & SVM_IOIO_IN;
	io->string = info & SVM_IOIO_STRING;
	if (likely(!io->string))
		return;
	io->rep = info & SVM_IOIO_REP;
	/* One of the bits says 2, 4, 8 bytes; QEMU leaves them clear. */
	io->addr_width = (info >> SVM_IOIO_AWIDTH_SHIFT & 7) << 1;
	io->seg = svm_has(SVM_CPUID_DECODE_ASSIST) ? (int)(info >> SVM_IOIO_SEG_SHIFT & 7) : -1;
}

static void svm_fill_msr(struct vcpu *vcpu __unused, const struct vmcb_control *control,
			 struct vm_exit *exit)
{
	exit->u.msr.write = control->exit_info1 & SVM_MSR_WRITE;
}

static void svm_fill_memory(struct vcpu *vcpu __unused, const struct vmcb_control *control,
			    struct vm_exit *exit)
{
	uint64_t info = control->exit_info1;

	exit->u.memory.gpa = control->exit_info2;
	exit->u.memory.access = info & SVM_NPF_WRITE   ? ACCESS_WRITE
				: info & SVM_NPF_FETCH ? ACCESS_EXEC
						       : ACCESS_READ;
	exit->u.memory.table_walk = info & SVM_NPF_TABLE_WALK;
	/* 0 on CPUs without decode assists. */
	exit->u.memory.insn_bytes = MIN(control->insn_count, INSN_LEN_MAX);
	exit->u.memory.insn = control->insn;
	exit->insn_len = 0;
}

static void svm_fill_exception(struct vcpu *vcpu __unused, const struct vmcb_control *control,
			       struct vm_exit *exit)
{

	exit->u.exception.vector = control->exit_code - SVM_EXIT_EXCEPTION;
	exit->u.exception.has_error = EXCEPTIONS_WITH_ERROR >> exit->u.exception.vector & 1;
	exit->u.exception.error = control->exit_info1;
	exit->u.exception.cr2 = control->exit_info2;
	exit->insn_len = 0;
}

static void svm_raise(struct vm_exit *exit, uint8_t vector)
{
	exit->u.exception.vector = vector;
	exit->u.exception.has_error = EXCEPTIONS_WITH_ERROR >> vector & 1;
	exit->u.exception.error = 0;
	exit->insn_len = 0;
}

/*
 * The register of the MOV to CRn in @bytes, or -1: prefixes, 0Fh, 22h and
 * ModRM, whose register field is CRn's and whose other one is taken for a
 * register whatever its mode says (APM vol. 3, MOV CRn).
 */
static int svm_mov_cr_gpr(const uint8_t *bytes, unsigned count)
{
	unsigned i = 0, rex = 0;

	while (i < count && bytes[i] != 0x0f) {
		rex = (bytes[i] & 0xf0) == 0x40 ? bytes[i] : 0;
		i++;
	}
	if (i + 3 > count || bytes[i + 1] != 0x22)
		return -1;
	return (bytes[i + 2] & 7) | (rex & 1) << 3;
}

/* Where nothing says which register it is, and its code is gone: the guest tries again. */
static void svm_fill_cr(struct vcpu *vcpu, const struct vmcb_control *control, struct vm_exit *exit)
{
	uint64_t info = control->exit_info1;
	int gpr = info & SVM_CR_GPR;
	uint8_t bytes[INSN_LEN_MAX] = {0};

	if (!(info & SVM_CR_IS_MOV))
		gpr = svm_mov_cr_gpr(bytes, vcpu_emulate_fetch(vcpu, bytes));
	if (gpr < 0) {
		exit->kind = VM_EXIT_IRQ_WINDOW;
		return;
	}
	exit->u.cr.cr = (uint8_t)(control->exit_code - SVM_EXIT_CR_WRITE);
	exit->u.cr.write = true;
	exit->u.cr.gpr = (uint8_t)gpr;
}

/* A machine check is the machine's, not the guest's: our own handler gets it. */
static void svm_fill_machine_check(struct vcpu *vcpu __unused,
				   const struct vmcb_control *control __unused,
				   struct vm_exit *exit __unused)
{
	svm_world_leave();
	__asm__ volatile("int %0" : : "i"(EXCEPTION_MC) : "memory");
}

/* Raises #DB, as a trap, and not by the exception's intercept (15.9). */
static void svm_fill_icebp(struct vcpu *vcpu, const struct vmcb_control *control __unused,
			   struct vm_exit *exit)
{
	uint8_t len = exit->insn_len ? exit->insn_len : 1;

	svm_raise(exit, EXCEPTION_DB);
	vcpu->rip += len;
}

/* The guest has no performance counters: as for a counter that does not exist. */
static void svm_fill_rdpmc(struct vcpu *vcpu __unused, const struct vmcb_control *control __unused,
			   struct vm_exit *exit)
{
	svm_raise(exit, EXCEPTION_GP);
}

/* CR0.NE is 0 and the FPU waits for IRQ 13, which our PC does not have wired. */
static void svm_fill_ferr(struct vcpu *vcpu __unused, const struct vmcb_control *control __unused,
			  struct vm_exit *exit)
{
	svm_raise(exit, EXCEPTION_MF);
}

static void svm_fill_window(struct vcpu *vcpu, const struct vmcb_control *control __unused,
			    struct vm_exit *exit __unused)
{
	svm_event_window_opened(vcpu);
}

static void svm_fill_iret(struct vcpu *vcpu, const struct vmcb_control *control __unused,
			  struct vm_exit *exit)
{
	exit->insn_len = 0;
	svm_step_request(vcpu, SVM_STEP_IRET);
}

static void svm_fill_failed(struct vcpu *vcpu __unused, const struct vmcb_control *control,
			    struct vm_exit *exit)
{

	exit->u.failed.code = control->exit_code;
	exit->u.failed.info1 = control->exit_info1;
	exit->u.failed.info2 = control->exit_info2;
	exit->insn_len = 0;
	/* A flush of all ASIDs that was asked for may not have been done. */
	this_cpu()->hv->asids.next = UINT32_MAX;
}

#define EXCEPTION_RULE(vector) \
	[SVM_EXIT_EXCEPTION + (vector)] = {svm_fill_exception, VM_EXIT_EXCEPTION}
#define UNDEFINED_RULE(code) [code] = {NULL, VM_EXIT_UNDEFINED}
/* What we did not ask for. */
#define UNKNOWN_RULES(first, last) [first... last] = {svm_fill_failed, VM_EXIT_UNKNOWN}

static const struct svm_exit_rule svm_exit_rules[SVM_EXIT_CODES] = {
	UNKNOWN_RULES(0x00, 0x13), /* CR and DR accesses */
	[SVM_EXIT_CR_WRITE + 4] = {svm_fill_cr, VM_EXIT_CR},
	UNKNOWN_RULES(0x15, 0x17),
	[SVM_EXIT_CR_WRITE + 8] = {svm_fill_cr, VM_EXIT_CR},
	UNKNOWN_RULES(0x19, 0x3f),
	EXCEPTION_RULE(EXCEPTION_DE),
	EXCEPTION_RULE(EXCEPTION_DB),
	UNKNOWN_RULES(0x42, 0x42),
	EXCEPTION_RULE(EXCEPTION_BP),
	EXCEPTION_RULE(EXCEPTION_OF),
	EXCEPTION_RULE(EXCEPTION_BR),
	EXCEPTION_RULE(EXCEPTION_UD),
	EXCEPTION_RULE(EXCEPTION_NM),
	EXCEPTION_RULE(EXCEPTION_DF),
	UNKNOWN_RULES(0x49, 0x49),
	EXCEPTION_RULE(EXCEPTION_TS),
	EXCEPTION_RULE(EXCEPTION_NP),
	EXCEPTION_RULE(EXCEPTION_SS),
	EXCEPTION_RULE(EXCEPTION_GP),
	EXCEPTION_RULE(EXCEPTION_PF),
	UNKNOWN_RULES(0x4f, 0x4f),
	EXCEPTION_RULE(EXCEPTION_MF),
	EXCEPTION_RULE(EXCEPTION_AC),
	[SVM_EXIT_EXCEPTION + EXCEPTION_MC] = {svm_fill_machine_check, VM_EXIT_INTERRUPT},
	EXCEPTION_RULE(EXCEPTION_XM),
	UNKNOWN_RULES(0x54, 0x5f),
	[SVM_EXIT_INTR] = {NULL, VM_EXIT_INTERRUPT},
	[SVM_EXIT_NMI] = {NULL, VM_EXIT_NMI},
	UNKNOWN_RULES(0x62, 0x62), /* SMI */
	[SVM_EXIT_INIT] = {NULL, VM_EXIT_TRIPLE_FAULT},
	[SVM_EXIT_VINTR] = {svm_fill_window, VM_EXIT_IRQ_WINDOW},
	UNKNOWN_RULES(0x65, 0x6e), /* CR0, descriptor tables, TSC */
	[SVM_EXIT_RDPMC] = {svm_fill_rdpmc, VM_EXIT_EXCEPTION},
	[SVM_EXIT_PUSHF] = {NULL, VM_EXIT_IRQ_WINDOW}, /* svm_step.c */
	UNKNOWN_RULES(0x71, 0x71),		       /* POPF */
	[SVM_EXIT_CPUID] = {NULL, VM_EXIT_CPUID},
	UNDEFINED_RULE(SVM_EXIT_RSM),
	[SVM_EXIT_IRET] = {svm_fill_iret, VM_EXIT_NMI_WINDOW},
	[SVM_EXIT_SWINT] = {NULL, VM_EXIT_IRQ_WINDOW}, /* svm_step.c */
	[SVM_EXIT_INVD] = {NULL, VM_EXIT_CACHE},
	[SVM_EXIT_PAUSE] = {NULL, VM_EXIT_PAUSE},
	[SVM_EXIT_HLT] = {NULL, VM_EXIT_HLT},
	UNKNOWN_RULES(0x79, 0x79), /* INVLPG */
	UNDEFINED_RULE(SVM_EXIT_INVLPGA),
	[SVM_EXIT_IOIO] = {svm_fill_io, VM_EXIT_IO},
	[SVM_EXIT_MSR] = {svm_fill_msr, VM_EXIT_MSR},
	UNKNOWN_RULES(0x7d, 0x7d), /* task switch */
	[SVM_EXIT_FERR_FREEZE] = {svm_fill_ferr, VM_EXIT_EXCEPTION},
	[SVM_EXIT_SHUTDOWN] = {NULL, VM_EXIT_TRIPLE_FAULT},
	UNDEFINED_RULE(SVM_EXIT_VMRUN),
	[SVM_EXIT_VMMCALL] = {NULL, VM_EXIT_HYPERCALL},
	UNDEFINED_RULE(SVM_EXIT_VMLOAD),
	UNDEFINED_RULE(SVM_EXIT_VMSAVE),
	UNDEFINED_RULE(SVM_EXIT_STGI),
	UNDEFINED_RULE(SVM_EXIT_CLGI),
	UNDEFINED_RULE(SVM_EXIT_SKINIT),
	UNKNOWN_RULES(0x87, 0x87), /* RDTSCP */
	[SVM_EXIT_ICEBP] = {svm_fill_icebp, VM_EXIT_EXCEPTION},
	[SVM_EXIT_WBINVD] = {NULL, VM_EXIT_CACHE},
	UNDEFINED_RULE(SVM_EXIT_MONITOR),
	UNDEFINED_RULE(SVM_EXIT_MWAIT),
	UNDEFINED_RULE(SVM_EXIT_MWAIT_ON),
	[SVM_EXIT_XSETBV] = {NULL, VM_EXIT_XSETBV},
	UNDEFINED_RULE(SVM_EXIT_RDPRU),
	UNKNOWN_RULES(0x8f, 0x8f), /* EFER */
};
/* Codes that the table does not reach. */
static __noinline void svm_exit_other(struct vcpu *vcpu, const struct vmcb_control *control,
				      struct vm_exit *exit)
{
	uint32_t code = control->exit_code;

	if (likely(code == SVM_EXIT_NPF)) {
		exit->kind = VM_EXIT_MEMORY;
		svm_fill_memory(vcpu, control, exit);
		return;
	}
	exit->kind = code == SVM_EXIT_INVALID ? VM_EXIT_ENTRY_FAILED : VM_EXIT_UNKNOWN;
	svm_fill_failed(vcpu, control, exit);
}

/* All calls are the last thing that is done: no frame, nothing saved. */
static __always_inline void svm_exit_translate(struct vcpu *vcpu, const struct vmcb *vmcb,
					       struct vm_exit *exit)
{
	uint32_t code = vmcb->control.exit_code;
	uint64_t len = vmcb->control.next_rip - vmcb->save.rip;
	const struct svm_exit_rule *rule;

	if (unlikely(code >= SVM_EXIT_CODES)) {
		svm_exit_other(vcpu, &vmcb->control, exit);
		return;
	}
	rule = &svm_exit_rules[code];
	exit->kind = rule->kind;
	/* next_rip is 0 where it says nothing. */
	exit->insn_len = len <= INSN_LEN_MAX ? len : 0;
	if (rule->fill)
		rule->fill(vcpu, &vmcb->control, exit);
}

static __always_inline const struct vmcb *svm_exit_read(struct vcpu *vcpu)
{
	const struct vmcb *vmcb = svm_of(vcpu)->vmcb;

	vcpu->gpr[GPR_RAX] = vmcb->save.rax;
	vcpu->rip = vmcb->save.rip;
	return vmcb;
}

static __noinline void svm_exit_in_delivery(struct vcpu *vcpu, struct vm_exit *exit)
{
	svm_event_interrupted(vcpu);
	svm_exit_translate(vcpu, svm_of(vcpu)->vmcb, exit);
}

/* What svm->injected still holds is of an older entry. */
static __noinline void svm_exit_in_own_delivery(struct vcpu *vcpu, struct vm_exit *exit)
{
	svm_of(vcpu)->injected.type = EVENT_NONE;
	svm_exit_in_delivery(vcpu, exit);
}

void svm_exited(struct vcpu *vcpu, struct vm_exit *exit)
{
	const struct vmcb *vmcb = svm_exit_read(vcpu);

	if (unlikely(vmcb->control.exit_int_info & VMCB_EVENT_VALID))
		svm_exit_in_own_delivery(vcpu, exit);
	else
		svm_exit_translate(vcpu, vmcb, exit);
}

void svm_exited_injected(struct vcpu *vcpu, struct vm_exit *exit)
{
	const struct vmcb *vmcb = svm_exit_read(vcpu);

	if (unlikely((vmcb->control.vintr & VMCB_VINTR_IRQ) && !svm_of(vcpu)->irq_window))
		svm_event_not_taken(vcpu);
	if (unlikely(vmcb->control.exit_int_info & VMCB_EVENT_VALID))
		svm_exit_in_delivery(vcpu, exit);
	else
		svm_exit_translate(vcpu, vmcb, exit);
}
