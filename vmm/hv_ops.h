/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vendor boundary: one const table per vendor, all members mandatory,
 * chosen once at boot. The vendor knows VMCB or VMCS and nothing of devices;
 * nothing above knows either.
 *
 * The guest's world: besides general registers, a guest has state that the
 * entry itself does not switch (FS/GS/TR/LDTR hidden parts, syscall MSRs …).
 * run() loads it when this_cpu()->world is not this vCPU and leaves it live
 * afterwards; leave_world() puts the host's back. Handlers run with the
 * guest's world live and interrupts (and, on SVM, GIF) off. FPU, debug
 * registers, XCR0 and TSC_AUX are switched by vmm/fpu.c, later still: when
 * another vCPU comes to that CPU.
 */
#ifndef VMM_HV_OPS_H
#define VMM_HV_OPS_H

#include "kernel/page_alloc.h"
#include "vmm/cpu_vendor.h"
#include "vmm/exit.h"
#include "vmm/vcpu.h"

#include <stddef.h>

struct vm;

/* console_printf(), or a test's own. */
typedef void (*hv_print_fn)(const char *fmt, ...) __printf(1, 2);

struct hv_ops {
	const char *name;	      /* "SVM", "VT-x" */
	const struct cpu_vendor *cpu; /* what guests see of whose CPU this is */

	/*
	 * 0 when this machine has what we need. Otherwise -ENODEV and @reason
	 * (@size bytes) says what is missing and what to do. Boot CPU.
	 */
	int (*probe)(char *reason, size_t size);
	/* Turns virtualization on, on the calling CPU. */
	int (*cpu_enable)(void);
	/* Before a reset, and in a panic: power_set_cpu_leave(). Nothing is called on that CPU
	 * after it. */
	void (*cpu_disable)(void);
	/*
	 * For a person: a line for each feature and control, whether the CPU has it, whether it is
	 * used, and what follows where not. Tasks, after probe.
	 */
	void (*report)(hv_print_fn print);

	/* vm->hv: nested page tables, permission maps. All I/O and MSRs intercepted, nothing
	 * mapped. */
	int (*vm_create)(struct vm *vm);
	void (*vm_destroy)(struct vm *vm);
	/* vcpu->hv. */
	int (*vcpu_create)(struct vcpu *vcpu);
	void (*vcpu_destroy)(struct vcpu *vcpu);
	/* The vendor's registers to the architecture's reset state. */
	void (*vcpu_reset)(struct vcpu *vcpu);

	/*
	 * Enters the guest with vcpu->gpr, rip and event (consumed), and fills
	 * @exit. On return vcpu->event holds what the exit interrupted and must
	 * be delivered again. Own CPU, interrupts off.
	 */
	void (*run)(struct vcpu *vcpu, struct vm_exit *exit);
	/* Puts the host's world back on this CPU (world becomes NULL). Safe in a panic. */
	void (*leave_world)(void);

	uint64_t (*get_reg)(struct vcpu *vcpu, enum vcpu_reg reg);
	/* As given: the caller has checked it. Effects (paging mode, TLB) are the vendor's to
	 * handle. */
	void (*set_reg)(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value);
	void (*get_seg)(struct vcpu *vcpu, enum vcpu_seg seg, struct vcpu_segment *value);
	void (*set_seg)(struct vcpu *vcpu, enum vcpu_seg seg, const struct vcpu_segment *value);

	/* All of @mode in one call, for exits that decode an instruction: cheap. */
	void (*get_mode)(struct vcpu *vcpu, struct vcpu_mode *mode);
	unsigned (*get_cpl)(struct vcpu *vcpu); /* of it, which costs less alone */
	/* Whether it would give CR0, CR3, CR4, EFER and CS as in @mode: cheaper still. */
	bool (*mode_is)(struct vcpu *vcpu, const struct vcpu_mode *mode);

	/* The guest can take an external interrupt (or NMI) at the next entry: IF, shadow, NMI
	 * mask, vcpu->event. */
	bool (*irq_allowed)(struct vcpu *vcpu);
	bool (*nmi_allowed)(struct vcpu *vcpu);
	/* Exit with VM_EXIT_IRQ_WINDOW / NMI_WINDOW as soon as it can. */
	void (*request_irq_window)(struct vcpu *vcpu);
	void (*request_nmi_window)(struct vcpu *vcpu);
	/*
	 * The guest writes CR8 without an exit, but for this: when it lowers it below @priority
	 * (0-15; 0, and after a reset: never), VCPU_REQ_IRQ is set before its next instruction,
	 * by VM_EXIT_CR or VM_EXIT_IRQ_WINDOW. The entry finds it no lower: who lowers it by
	 * set_reg() sets VCPU_REQ_IRQ. Own CPU or vCPU not runnable.
	 */
	void (*set_tpr_threshold)(struct vcpu *vcpu, unsigned priority);
	/*
	 * Whether the hardware is to do, of a local APIC in x2APIC mode, what guests do most: TPR,
	 * EOI, SELF IPI, and taking what is requested. The registers' page, as the manual lays it
	 * out (a register of 32 bits every 16 bytes), of which TPR, PPR, IRR and ISR are the
	 * hardware's while the guest runs; NULL: it cannot, or @on is false. A reset turns it off.
	 * Own CPU or vCPU not runnable, and so the next one.
	 */
	uint32_t *(*virtualize_apic)(struct vcpu *vcpu, bool on);
	/*
	 * IRR or ISR were written: the highest vector of each, or 0. VM_EXIT_APIC comes for an EOI
	 * of a vector in @level (bit n % 64 of word n / 64).
	 */
	void (*update_apic)(struct vcpu *vcpu, uint8_t requested, uint8_t in_service,
			    const uint64_t level[4]);
	/* RIP was moved past an instruction: the interrupt shadow ends, RF is cleared, TF traps. */
	void (*insn_done)(struct vcpu *vcpu);

	/*
	 * Nested mappings. [@gpa, @gpa + @size), page-aligned, becomes @hpa with
	 * ACCESS_ rights, in the largest pages that fit; an existing mapping is
	 * replaced (large pages split). With ACCESS_UNCACHED it is uncacheable, or what
	 * the guest's PAT makes of that (write-combining, as on the machine itself).
	 * 0, -ENOMEM (then the range may be partly mapped; unmap, too, splits) or
	 * -EINVAL (beyond what the hardware's tables translate: 48 bits). The caller
	 * holds vm->memory's lock and flushes (vm_flush) when rights were taken away.
	 */
	int (*map)(struct vm *vm, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned access);
	int (*unmap)(struct vm *vm, gpa_t gpa, uint64_t size);
	/* The vCPU's TLB before its next entry. Own CPU. */
	void (*flush)(struct vcpu *vcpu);

	/*
	 * Exits for @count ports (MSR @index), or straight to hardware. Only passthrough turns them
	 * off. Those that run have seen it after vm_flush().
	 */
	void (*intercept_io)(struct vm *vm, uint16_t port, uint32_t count, bool on);
	int (*intercept_msr)(struct vm *vm, uint32_t index, bool read, bool write);
	/* vcpu->tsc_offset changed. */
	void (*tsc_changed)(struct vcpu *vcpu);

	/* After VM_EXIT_ENTRY_FAILED: logs which rules of the manual the state breaks. Own CPU. */
	void (*explain)(struct vcpu *vcpu);
	/*
	 * For a person: the vCPU's control structure, field by field, and which rules of an entry
	 * it breaks. Tasks; the vCPU has left its run loop.
	 */
	void (*dump)(struct vcpu *vcpu, hv_print_fn print);
};

/* The vendor that runs this machine, NULL before vmm_init(). */
extern const struct hv_ops *hv_ops;

/* The vendors that are linked in: pointers in a linker table. */
typedef const struct hv_ops *hv_ops_entry;
#define HV_OPS_REGISTER(ops) TABLE_ENTRY(hv_ops, hv_ops_entry, hv_ops_entry_##ops) = &(ops)

#endif
