/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's interrupts as the layers above see them: handlers by vector,
 * messages between CPUs, and each CPU's one-shot timer. Handlers run with
 * interrupts off, on the CPU's stack or the idle task's, only where no lock
 * is held (irq_window(), idle); the stub acknowledges at the local APIC after
 * the handler, so that a level-triggered line must be quiet by then.
 */
#ifndef ARCH_X86_64_IRQ_H
#define ARCH_X86_64_IRQ_H

#include <stdint.h>

/* All vectors that we use beyond the exceptions; a higher one has the higher priority. */
#define IRQ_VECTOR_PIC	    0x20 /* 16 of the masked 8259 pair: spurious ones only */
#define IRQ_VECTOR_COM1	    0x50
#define IRQ_VECTOR_COM2	    0x51
#define IRQ_VECTOR_TIMER    0xe0 /* local APIC timer */
#define IRQ_VECTOR_KICK	    0xe1 /* "look at your requests": leaves guest mode or idle */
#define IRQ_VECTOR_SPURIOUS 0xff

typedef void (*irq_handler)(void);

/* Boot: @handler serves @vector on every CPU. A vector without one is counted, not fatal. */
void irq_register(uint8_t vector, irq_handler handler);

/*
 * Boot: ISA interrupt @isa_irq (0-15, through the MADT's overrides) goes to
 * @vector of the boot CPU and is unmasked. -ENODEV without an I/O APIC for it.
 */
int irq_route_isa(unsigned isa_irq, uint8_t vector) __attribute__((warn_unused_result));

/* Sends @vector to the CPU with local APIC id @apic_id. Any context. */
void irq_send(uint32_t apic_id, uint8_t vector);
/* NMI to every other CPU: they stop in the panic. Any context. */
void irq_send_nmi_others(void);

/*
 * IRQ_VECTOR_TIMER comes to this CPU at TSC @deadline, at once when that has
 * passed, and earlier when the hardware's counter cannot reach so far.
 * Replaces what was set; UINT64_MAX: none.
 */
void irq_timer_set(uint64_t deadline);

/* From the stubs, for each interrupt that this CPU takes. */
void irq_dispatch(uint8_t vector);

#endif
