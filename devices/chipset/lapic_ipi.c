/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who gets an interrupt message: inter-processor interrupts, messages of
 * devices and of the I/O APIC (SDM vol. 3A, 11.6, 11.11, 11.12.10).
 */
#include "devices/chipset/lapic.h"

#include "vmm/irq.h"

/* xAPIC, 8 bits (11.6.2.2): one bit each, or clusters of four. */
static bool lapic_matches_logical8(const struct lapic *l, uint8_t dest)
{
	uint8_t id = READ_ONCE(l->ldr) >> 24;

	if (dest == 0xff)
		return true;
	if (READ_ONCE(l->dfr) >> 28 == 0xf)
		return id & dest;
	return (dest >> 4 == 0xf || id >> 4 == dest >> 4) && (id & dest & 0xf);
}

static bool lapic_matches_logical(const struct lapic *l, uint32_t dest)
{
	uint32_t id = READ_ONCE(l->ldr);

	if (!lapic_x2(l))
		return lapic_matches_logical8(l, (uint8_t)dest);
	return dest == UINT32_MAX || (id >> 16 == dest >> 16 && (id & dest & 0xffff));
}

/* @broadcast: the physical destination that means everyone. */
static bool lapic_matches(const struct lapic *l, const struct lapic_message *m, uint32_t broadcast)
{
	if (m->logical)
		return lapic_matches_logical(l, m->dest);
	return m->dest == broadcast || m->dest == l->vcpu->index;
}

/* Fixed vectors are for APICs that software has enabled (11.4.7.2). */
static bool lapic_takes_fixed(const struct lapic *l)
{
	return lapic_enabled(l) && (READ_ONCE(l->svr) & APIC_SVR_ENABLE);
}

static void lapic_deliver_fixed(struct lapic *l, const struct lapic_message *m)
{
	if (!lapic_takes_fixed(l))
		return;
	if (likely(m->vector >= APIC_FIRST_VECTOR))
		lapic_accept(l, m->vector, m->level);
	else
		lapic_error(l, APIC_ESR_RECEIVE_VECTOR);
}

static void lapic_deliver_to(struct lapic *l, const struct lapic_message *m)
{
	if (!lapic_enabled(l))
		return;
	switch (m->mode) {
	case APIC_FIXED:
	case APIC_LOWEST:
		lapic_deliver_fixed(l, m);
		break;
	case APIC_NMI:
		vcpu_request(l->vcpu, VCPU_REQ_NMI);
		break;
	case APIC_INIT:
		/* The de-assertion only synchronized arbitration ids, long ago (11.6.1). */
		if (m->asserted || !m->level)
			vcpu_request(l->vcpu, VCPU_REQ_RESET);
		break;
	case APIC_SIPI:
		WRITE_ONCE(l->vcpu->sipi_vector, m->vector);
		vcpu_request(l->vcpu, VCPU_REQ_SIPI);
		break;
	case APIC_EXTINT:
		WRITE_ONCE(l->ext_message, 1);
		vcpu_request(l->vcpu, VCPU_REQ_IRQ);
		break;
	}
}

/*
 * The choice is the chipset's; another CPU's task priority is not for us to
 * read (its CR8 may be live), so those that match take turns.
 */
static void lapic_deliver_lowest(struct lapic_set *set, const struct lapic_message *m,
				 uint32_t broadcast)
{
	uint32_t first = __atomic_fetch_add(&set->arbiter, 1, __ATOMIC_RELAXED), i;
	struct lapic *l;

	for (i = 0; i < set->count; i++) {
		l = &set->apics[(first + i) % set->count];
		if (lapic_matches(l, m, broadcast) && lapic_takes_fixed(l)) {
			lapic_deliver_fixed(l, m);
			return;
		}
	}
}

static void lapic_deliver(struct lapic_set *set, const struct lapic_message *m, uint32_t broadcast)
{
	uint32_t i;

	if (m->mode == APIC_LOWEST) {
		lapic_deliver_lowest(set, m, broadcast);
	} else if (!m->logical && m->dest != broadcast) {
		if (m->dest < set->count)
			lapic_deliver_to(&set->apics[m->dest], m);
	} else {
		for (i = 0; i < set->count; i++)
			if (lapic_matches(&set->apics[i], m, broadcast))
				lapic_deliver_to(&set->apics[i], m);
	}
}

static void lapic_send_all(struct lapic *l, const struct lapic_message *m, bool self)
{
	struct lapic_set *set = l->set;
	uint32_t i;

	for (i = 0; i < set->count; i++)
		if (self || &set->apics[i] != l)
			lapic_deliver_to(&set->apics[i], m);
}

void lapic_send(struct lapic *l, uint32_t icr, uint32_t dest)
{
	struct lapic_message m = {
		.dest = dest,
		.logical = icr & APIC_ICR_LOGICAL,
		.asserted = icr & APIC_ICR_ASSERT,
		.mode = (icr & APIC_MODE_MASK) >> APIC_MODE_SHIFT,
		.vector = icr & APIC_VECTOR_MASK,
	};

	if ((m.mode == APIC_FIXED || m.mode == APIC_LOWEST) && m.vector < APIC_FIRST_VECTOR) {
		lapic_error(l, APIC_ESR_SEND_VECTOR);
		return;
	}
	/* Of all IPIs only INIT can be a level (table 11-3). */
	m.level = m.mode == APIC_INIT && (icr & APIC_ICR_LEVEL);
	switch (icr >> APIC_ICR_SHORTHAND_SHIFT & 3) {
	case APIC_SHORTHAND_NONE:
		lapic_deliver(l->set, &m, lapic_x2(l) ? UINT32_MAX : 0xff);
		break;
	case APIC_SHORTHAND_SELF:
		if (m.mode == APIC_FIXED)
			lapic_deliver_fixed(l, &m);
		break;
	case APIC_SHORTHAND_ALL:
		lapic_send_all(l, &m, m.mode == APIC_FIXED);
		break;
	case APIC_SHORTHAND_OTHERS:
		lapic_send_all(l, &m, false);
		break;
	}
}

void lapic_msi(void *opaque, uint64_t address, uint32_t data)
{
	struct lapic_message m = {
		.dest = address >> MSI_ADDR_DEST_SHIFT & 0xff,
		.logical = address & MSI_ADDR_LOGICAL,
		.level = data & MSI_DATA_LEVEL,
		.asserted = true,
		.mode = (data & APIC_MODE_MASK) >> APIC_MODE_SHIFT,
		.vector = data & APIC_VECTOR_MASK,
	};

	if ((address & MSI_ADDR_MASK) != MSI_ADDR_BASE || m.mode == APIC_SIPI ||
	    (m.level && !(data & MSI_DATA_ASSERT)))
		return;
	if ((address & MSI_ADDR_LOWEST) && m.mode == APIC_FIXED)
		m.mode = APIC_LOWEST;
	lapic_deliver(opaque, &m, 0xff);
}
