/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APICs of a VM, between the files of this model: lapic.c (the
 * device and what a vCPU takes), lapic_access.c and lapic_msr.c (registers),
 * lapic_ipi.c (delivery), lapic_timer.c.
 */
#ifndef DEVICES_CHIPSET_LAPIC_H
#define DEVICES_CHIPSET_LAPIC_H

#include "devices/acpi_node.h"
#include "devices/chipset/lapic_regs.h"
#include "kernel/timer.h"
#include "vmm/hook/hook.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <stdbool.h>
#include <stdint.h>

#define LAPIC_LVTS    (APIC_LVT_LAST - APIC_LVT_TIMER + 1)
#define LAPIC_NESTING 15 /* classes of vectors, 1 to 15 */
enum lapic_lvt { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR };

struct device;
struct device_state;
struct lapic_set;

/*
 * One local APIC. No lock: registers are touched on the vCPU's own CPU only;
 * what other CPUs touch as well is atomic and marked with a *.
 */
struct lapic {
	uint64_t irr[4]; /* * requested vectors: bit n % 64 of word n / 64 */
	uint64_t isr[4]; /* in service */
	uint64_t tmr[4]; /* * requested as level-triggered */
	/*
	 * The same by priority: only a vector of a higher class interrupts (11.8.3), and EOI
	 * ends the highest, so they come and go as on a stack. [0] is below all.
	 */
	int16_t in_service[LAPIC_NESTING + 1];
	uint32_t nesting; /* how many are on it */
	struct vcpu *vcpu;
	struct lapic_set *set;
	/* In x2APIC mode, if the CPU does part of our work; else NULL. See lapic_virtual.c. */
	uint32_t *page;
	uint64_t base; /* * IA32_APIC_BASE */
	uint32_t tpr;  /* with CR8: see lapic_tpr() */
	uint32_t svr;  /* * */
	uint32_t ldr;  /* * */
	uint32_t dfr;  /* * */
	uint32_t esr;
	uint32_t errors; /* * gathered for the next write of ESR */
	uint32_t icr, icr2;
	uint32_t lvt[LAPIC_LVTS]; /* * */
	uint32_t ext_message;	  /* * an ExtINT message waits */
	bool ext_offered;	  /* pending() gave the 8259's vector */
	uint8_t held;		  /* class of the vector that CR8 holds back, or 0 */
	/* Timer. */
	bool counting; /* one-shot and periodic: next_ns is valid */
	struct timer timer;
	uint32_t tmict, tdcr;
	uint64_t next_ns;  /* vm_time_ns() of the next expiry */
	uint64_t deadline; /* IA32_TSC_DEADLINE: guest TSC, 0 = not armed */
};

struct lapic_set {
	struct vm *vm;
	struct acpi_lapic acpi;
	bool ext_level;	  /* * the 8259's output; one writer, under its lock */
	uint32_t arbiter; /* * where the search for a lowest priority goes on */
	uint32_t count;
	struct lapic apics[];
};

/* The highest vector in @bits, or -1. Straight: it is on the way of every interrupt. */
static __always_inline int lapic_highest(const uint64_t bits[4])
{
	uint64_t word;

	if ((word = READ_ONCE(bits[3])))
		return 255 - __builtin_clzll(word);
	if ((word = READ_ONCE(bits[2])))
		return 191 - __builtin_clzll(word);
	if ((word = READ_ONCE(bits[1])))
		return 127 - __builtin_clzll(word);
	if ((word = READ_ONCE(bits[0])))
		return 63 - __builtin_clzll(word);
	return -1;
}

/* 32 of them, as a register shows them. */
static inline uint32_t lapic_slice(const uint64_t bits[4], unsigned n)
{
	return (uint32_t)(READ_ONCE(bits[n / 2]) >> (n % 2 * 32));
}

static inline bool lapic_enabled(const struct lapic *l)
{
	return READ_ONCE(l->base) & APIC_BASE_EN;
}

static inline bool lapic_x2(const struct lapic *l)
{
	return READ_ONCE(l->base) & APIC_BASE_EXTD;
}

/* Something may be to be taken: the run loop asks lapic.c, which knows better. Own CPU. */
static __always_inline void lapic_look(struct lapic *l)
{
	if ((READ_ONCE(l->irr[0]) | READ_ONCE(l->irr[1]) | READ_ONCE(l->irr[2]) |
	     READ_ONCE(l->irr[3])) ||
	    READ_ONCE(l->set->ext_level))
		vcpu_request(l->vcpu, VCPU_REQ_IRQ);
}

/* Takes vector @vector, 16-255, for @l. Any CPU. */
void lapic_accept(struct lapic *l, uint8_t vector, bool level);
/* Records @error; the error LVT interrupts. Any CPU. */
void lapic_error(struct lapic *l, uint32_t error);
/* What LVT entry @lvt sends when its source fires. Any CPU. */
void lapic_lvt_fire(struct lapic *l, enum lapic_lvt lvt);

/* The highest vector in service, or -1. Own CPU. */
static __always_inline int lapic_in_service(const struct lapic *l)
{
	return l->in_service[l->nesting];
}

/*
 * lapic_virtual.c. Own CPU. Hands TPR, EOI and what comes in to the CPU, if it can, or takes them
 * back, to be cleared; irq_controller_ops.pending and .wrote; false: not a register of the page.
 */
void lapic_virtualize(struct lapic *l, bool on);
int lapic_pending_virtual(struct lapic *l);
void lapic_wrote(void *opaque, struct vcpu *vcpu, unsigned reg, uint32_t value);
/* For who saves it: what the CPU has, here as well; requests move here, and back when the vCPU
 * runs. */
void lapic_take_back(struct lapic *l);
bool lapic_read_virtual(const struct lapic *l, unsigned reg, uint32_t *value);

/* lapic.c. Own CPU. */
int lapic_pending_ext(struct lapic *l);
void lapic_hold(struct lapic *l, uint8_t class);
void lapic_eoi(struct lapic *l);
/* Vectors, timer and registers as after INIT; IA32_APIC_BASE stays. */
void lapic_init(struct lapic *l);

/* lapic_ipi.c. */
struct lapic_message {
	uint32_t dest;
	bool logical, level, asserted;
	uint8_t mode; /* enum apic_delivery */
	uint8_t vector;
};
/* A write of @icr (low half) to @dest, as @l's mode has it. Own CPU. */
void lapic_send(struct lapic *l, uint32_t icr, uint32_t dest);
/* irq_controller_ops.message; @opaque is the set. */
void lapic_msi(void *opaque, uint64_t address, uint32_t data);

/* lapic_timer.c. Own CPU. */
void lapic_timer_init(struct lapic *l);
void lapic_timer_stop(struct lapic *l);
void lapic_timer_check(struct lapic *l); /* VCPU_REQ_TIMER */
uint32_t lapic_timer_current(struct lapic *l);
void lapic_timer_set_count(struct lapic *l, uint32_t count);
void lapic_timer_set_divide(struct lapic *l, uint32_t tdcr);
void lapic_timer_set_lvt(struct lapic *l, uint32_t lvt);
void lapic_timer_set_deadline(struct lapic *l, uint64_t deadline);

/* lapic_access.c. Own CPU. -ENOENT: no such register. */
uint32_t lapic_tpr(struct lapic *l);
int lapic_read_reg(struct lapic *l, unsigned reg, uint32_t *value) __must_check;
int lapic_write_reg(struct lapic *l, unsigned reg, uint32_t value) __must_check;
/* The page in xAPIC mode; TPR in x2APIC mode. */
extern const struct hook_ops lapic_mmio_ops, lapic_tpr_ops;
/* lapic.c: EOI and SELF IPI in x2APIC mode. */
extern const struct hook_ops lapic_eoi_ops, lapic_self_ops;

/* lapic_state.c. */
extern const struct device_state lapic_saved;

/* lapic_msr.c. */
int lapic_hook_msrs(struct device *dev) __must_check;

#endif
