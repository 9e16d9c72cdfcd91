/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/exceptions.h"

#include "arch/x86_64/desc.h"
#include "arch/x86_64/fixup.h"
#include "arch/x86_64/host.h"
#include "arch/x86_64/irq.h"

#include <stdbool.h>

#define STUB_SIZE      16
#define GATE_INTERRUPT 0x8e /* present, DPL 0, interrupts off on entry */

extern const uint8_t exceptions_stubs[]; /* stubs.S, 256 of them */
extern const uint8_t cpu_idle_hlt[], cpu_idle_awake[];
void exceptions_dispatch(struct exception_frame *frame);

static uint8_t ist_of(unsigned vector)
{
	switch (vector) {
	case EXCEPTION_DF:
		return DESC_IST_DF;
	case EXCEPTION_NMI:
		return DESC_IST_NMI;
	case EXCEPTION_MC:
		return DESC_IST_MC;
	default:
		return 0;
	}
}

void exceptions_init(void)
{
	for (unsigned vector = 0; vector < ARRAY_SIZE(desc_idt); vector++) {
		uint64_t stub = (uint64_t)&exceptions_stubs[vector * STUB_SIZE];

		desc_idt[vector] = (struct desc_gate){
			.offset_low = stub,
			.selector = DESC_CODE,
			.ist = ist_of(vector),
			.type = GATE_INTERRUPT,
			.offset_middle = stub >> 16,
			.offset_high = stub >> 32,
		};
	}
}

const char *exceptions_name(uint64_t vector)
{
	static const char names[EXCEPTION_COUNT][4] = {
		"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "#09", "#TS",
		"#NP", "#SS", "#GP", "#PF", "#15", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
		"#22", "#23", "#24", "#25", "#26", "#27", "#HV", "#VC", "#SX", "#31",
	};

	return vector < EXCEPTION_COUNT ? names[vector] : "interrupt";
}

/* True when the instruction was expected to fault, and @frame goes on where it says. */
static bool fixed_up(struct exception_frame *frame)
{
	if (frame->vector == EXCEPTION_DF || frame->vector == EXCEPTION_MC)
		return false;
	for (const struct fixup *f = TABLE_START(fixup); f < TABLE_END(fixup); f++) {
		if (f->from == frame->rip) {
			frame->rip = f->to;
			return true;
		}
	}
	return false;
}

/*
 * STI's shadow holds interrupts back, but NMIs on some CPUs only (SDM vol. 3A, 6.8.1),
 * and it is over when the NMI's handler returns. An interrupt would be taken then
 * before the HLT that it is to end: the CPU would sleep on what it brought.
 */
static void take_nmi(struct exception_frame *frame)
{
	arch_host.nmi(frame);
	if (frame->rip == (uint64_t)cpu_idle_hlt)
		frame->rip = (uint64_t)cpu_idle_awake;
}

void exceptions_dispatch(struct exception_frame *frame)
{
	if (frame->vector >= EXCEPTION_COUNT)
		irq_dispatch(frame->vector);
	else if (frame->vector == EXCEPTION_NMI)
		take_nmi(frame);
	else if (!fixed_up(frame))
		arch_host.exception(frame);
}
