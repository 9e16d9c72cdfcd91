/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/irq.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/ioapic.h"
#include "arch/x86_64/percpu.h"

#include <errno.h>

static irq_handler handlers[256];

void irq_register(uint8_t vector, irq_handler handler)
{
	handlers[vector] = handler;
}

void irq_dispatch(uint8_t vector)
{
	if (handlers[vector])
		handlers[vector]();
	else
		this_cpu()->strays++;
	/* Neither of these is in service at the local APIC (Intel SDM vol. 3A, 10.9). */
	if (vector != IRQ_VECTOR_SPURIOUS &&
	    (vector < IRQ_VECTOR_PIC || vector >= IRQ_VECTOR_PIC + 16))
		apic_eoi();
}

int irq_route_isa(unsigned isa_irq, uint8_t vector)
{
	const struct acpi_isa_irq *to;

	if (isa_irq >= ARRAY_SIZE(acpi_info.isa))
		return -EINVAL;
	to = &acpi_info.isa[isa_irq];
	return ioapic_route(to->gsi, vector, cpu_table[0]->apic_id, to->level, to->active_low);
}

void irq_send(uint32_t apic_id, uint8_t vector)
{
	apic_send(apic_id, APIC_ICR_ASSERT | vector);
}

void irq_send_nmi_others(void)
{
	apic_send(0, APIC_ICR_ALL_OTHERS | APIC_ICR_ASSERT | APIC_ICR_NMI);
}

void irq_timer_set(uint64_t deadline)
{
	apic_timer_set(deadline);
}
