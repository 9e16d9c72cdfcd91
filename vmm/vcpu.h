/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual CPU. It is owned by the physical CPU that it was placed on
 * (entity.cpu): registers are touched only there, or anywhere while the vCPU
 * is not runnable. Others talk to it through requests and vcpu_kick().
 */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include "kernel/sched.h"
#include "kernel/timer.h"
#include "lib/compiler.h"
#include "vmm/exit.h"
#include "vmm/nested_epoch.h"
#include "vmm/types.h"

struct vm;
struct icache;
struct flight_exit;

/* Order of the encoding in instructions. RSP's slot is not kept current: vcpu_gpr(). */
enum vcpu_gpr { GPR_RAX, GPR_RCX, GPR_RDX, GPR_RBX, GPR_RSP, GPR_RBP, GPR_RSI, GPR_RDI, GPR_R8 };

/* Registers that the vendor keeps; by hv_ops->get_reg/set_reg. Guest's values, as the guest sees
 * them. */
enum vcpu_reg {
	VCPU_RSP,
	VCPU_RFLAGS,
	VCPU_CR0,
	VCPU_CR2,
	VCPU_CR3,
	VCPU_CR4,
	VCPU_CR8,
	VCPU_DR6,
	VCPU_DR7,
	VCPU_EFER,
	VCPU_PAT,
	VCPU_STAR,
	VCPU_LSTAR,
	VCPU_CSTAR,
	VCPU_SFMASK,
	VCPU_KERNEL_GS_BASE,
	VCPU_SYSENTER_CS,
	VCPU_SYSENTER_ESP,
	VCPU_SYSENTER_EIP,
	VCPU_DEBUGCTL,
	VCPU_INTR_SHADOW, /* 1: one instruction after STI or MOV SS */
	VCPU_NMI_MASKED,  /* 1: between an NMI and its IRET */
	VCPU_REGS
};

enum vcpu_seg {
	SEG_ES,
	SEG_CS,
	SEG_SS,
	SEG_DS,
	SEG_FS,
	SEG_GS,
	SEG_LDTR,
	SEG_TR,
	SEG_GDTR,
	SEG_IDTR,
	VCPU_SEGS
};

/* attrib: bits 0-3 type, 4 S, 5-6 DPL, 7 P, 8 AVL, 9 L, 10 D/B, 11 G; a null segment has P clear.
 */
#define SEG_ATTR_S	   0x010u
#define SEG_ATTR_DPL_SHIFT 5
#define SEG_ATTR_P	   0x080u
#define SEG_ATTR_L	   0x200u
#define SEG_ATTR_DB	   0x400u
#define SEG_ATTR_G	   0x800u

struct vcpu_segment {
	uint16_t selector;
	uint16_t attrib;
	uint32_t limit; /* bytes - 1, G applied */
	uint64_t base;
};

/* What fetching and addressing depend on, in one piece: hv_ops->get_mode, for the exit path. */
struct vcpu_mode {
	uint64_t rsp, rflags;
	uint64_t cr0, cr3, cr4, efer;
	struct vcpu_segment cs;
	uint8_t cpl; /* 0-3 */
};

enum vcpu_event_type { EVENT_NONE, EVENT_EXT_INT, EVENT_NMI, EVENT_EXCEPTION, EVENT_SOFT_INT };

/* What is to be delivered at the next entry; also what an exit interrupted and must be delivered
 * again. */
struct vcpu_event {
	uint8_t type; /* enum vcpu_event_type */
	uint8_t vector;
	bool has_error;
	uint8_t insn_len; /* EVENT_SOFT_INT, INT3, INTO: where delivery needs it */
	uint32_t error;
};

/* vcpu->requests: set by anyone (vcpu_request), seen at the top of the run loop. */
#define VCPU_REQ_IRQ   BIT(0) /* an external interrupt may be deliverable: ask the controller */
#define VCPU_REQ_NMI   BIT(1)
#define VCPU_REQ_HALT  BIT(2)  /* the vCPU executed HLT */
#define VCPU_REQ_PAUSE BIT(3)  /* the VM pauses: leave the run loop, keep everything */
#define VCPU_REQ_STOP  BIT(4)  /* the VM stops or the vCPU failed */
#define VCPU_REQ_RESET BIT(5)  /* INIT: back to the reset state, wait for SIPI unless boot CPU */
#define VCPU_REQ_SIPI  BIT(6)  /* start at sipi_vector << 12 */
#define VCPU_REQ_FLUSH BIT(7)  /* guest TLB, because mappings were taken away */
#define VCPU_REQ_TSC   BIT(8)  /* the TSC offset changed */
#define VCPU_REQ_TIMER BIT(9)  /* the interrupt controller's timer fired */
#define VCPU_REQ_SYNC  BIT(10) /* the guest goes on when no other vCPU has VCPU_REQ_FLUSH to do */

enum vcpu_state { VCPU_WAIT_SIPI, VCPU_RUNNABLE, VCPU_HALTED, VCPU_STOPPED };

struct vcpu_stats {
	uint64_t exits[VM_EXIT_KINDS];
	uint64_t injected;
};

struct vcpu {
	/* Hot: used by the vendor's assembly (offsets asserted there) and every exit. */
	uint64_t gpr[16];
	uint64_t rip;
	struct vcpu_event event;
	uint32_t requests; /* atomic: VCPU_REQ_ */
	bool nmi_pending;
	struct vm *vm;
	void *hv;		    /* the vendor's part */
	void *intc;		    /* the interrupt controller's part (vmm/irq.h) */
	struct icache *icache;	    /* vmm/emulate */
	struct flight_exit *flight; /* its last exits, vmm/flight.h … */
	uint64_t flight_at;	    /* … and where the next one goes, while the loop is left */
	uint32_t index;		    /* in its VM; also its APIC id */
	enum vcpu_state state;
	/* An interrupt whose delivery a fault cut short: it was acknowledged and must come yet. */
	struct vcpu_event deferred;
	bool in_loop; /* vcpu_run() is at work; atomic, see vcpu_may_run() */
	bool exited;  /* the scheduler does not know it; atomic */
	/* Pauses are numbered: when the second equals the first, the vCPU has seen VCPU_REQ_PAUSE,
	 * and all its registers are in memory. Atomic. */
	uint32_t pause_wanted, pause_seen;
	uint8_t sipi_vector;
	uint64_t tsc_offset; /* guest TSC = host TSC + this */
	uint64_t tsc_adjust; /* what the guest moved it by (SDM vol. 3B, 17.17.3) */
	uint64_t xcr0;
	uint64_t tsc_aux;
	uint64_t dr[4];		    /* DR0-3 while not live */
	struct nested_epoch nested; /* what its CPU may have cached of the nested tables */
	void *fpu;		    /* XSAVE area, page-aligned: the state while not live */
	struct vcpu_stats stats;
	struct sched_entity entity;
};

/* The value of general register @n (0-15), RSP included. Own CPU. */
uint64_t vcpu_gpr(struct vcpu *vcpu, unsigned n);
void vcpu_set_gpr(struct vcpu *vcpu, unsigned n, uint64_t value);
/* 0-3, from SS.DPL as both vendors define it. */
unsigned vcpu_cpl(struct vcpu *vcpu);

/*
 * Queue an exception for the next entry, with the double and triple fault
 * rules when one is queued already (APM vol. 2, 8.2.9; SDM vol. 3A, 6.15).
 */
void vcpu_inject_exception(struct vcpu *vcpu, uint8_t vector, bool has_error, uint32_t error);
void vcpu_inject_ud(struct vcpu *vcpu);
void vcpu_inject_gp(struct vcpu *vcpu, uint32_t error);
/* #DB behind an instruction that was done for the guest with RFLAGS.TF set. */
void vcpu_inject_step(struct vcpu *vcpu);
void vcpu_inject_page_fault(struct vcpu *vcpu, gva_t address, uint32_t error);

/* Sets request bits; the vCPU sees them before its next guest instruction. Any CPU, any context but
 * NMI. */
void vcpu_request(struct vcpu *vcpu, uint32_t bits);

/* sched_ops of every vCPU: the run loop (vmm/run.c). */
enum sched_result vcpu_run(struct sched_entity *e);
extern const struct sched_ops vcpu_sched_ops;
/*
 * Whether a CPU may be running the guest, or about to, without having seen
 * what the caller requested before. Any CPU.
 */
bool vcpu_may_run(struct vcpu *vcpu);
/* Takes request bits back. The vCPU does not run, or it is its own CPU. */
void vcpu_clear_request(struct vcpu *vcpu, uint32_t bits);

int vcpu_create(struct vm *vm, uint32_t index, struct vcpu **out) __must_check;
void vcpu_destroy(struct vcpu *vcpu);
/* To the architecture's reset state (APM vol. 2, 14.1.3), state RUNNABLE for vCPU 0, WAIT_SIPI for
 * others. */
void vcpu_reset(struct vcpu *vcpu);
/*
 * As vcpu_reset(), but for INIT: FPU, MSRs but EFER, the TSC, CR0.CD and NW
 * keep their values; the debug registers do not (SDM vol. 3A, table 9-1). Own CPU.
 */
void vcpu_init_signal(struct vcpu *vcpu);
/* Stops the vCPU's VM because of @fmt (logged with VM, vCPU, RIP); the run loop leaves. Own CPU. */
void vcpu_fail(struct vcpu *vcpu, const char *fmt, ...) __printf(2, 3);

#endif
