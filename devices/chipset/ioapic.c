/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I/O APIC: 24 pins, each of which sends a message when its line says so.
 *
 * Spec: Intel 82093AA data sheet (May 1996); version 0x20, whose EOI register
 * ICH and later chips describe.
 * Keys: address.
 * Lock: lock over everything; it is taken under a line's lock, and messages
 * are sent under it (the local APICs need no lock).
 *
 * Lines carry "asserted", not volts: the polarity bits are kept, not used. ISA
 * IRQ 0 (line 0) is on pin 2, as the MADT tells; pin 0 is not connected.
 */
#include "devices/acpi_node.h"
#include "devices/chipset/lapic_regs.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>

#define IOAPIC_ADDRESS "0xfec00000"
#define IOAPIC_SIZE    0x1000
#define IOAPIC_PINS    24
#define IOAPIC_PIN_PIT 2

#define IOAPIC_REGSEL 0x00
#define IOAPIC_WIN    0x10
#define IOAPIC_EOI    0x40

#define IOAPIC_ID	  0x00
#define IOAPIC_VER	  0x01
#define IOAPIC_ARB	  0x02
#define IOAPIC_REDTBL	  0x10 /* two for each pin */
#define IOAPIC_ID_MASK	  0x0f000000u
#define IOAPIC_VER_VALUE  ((IOAPIC_PINS - 1) << 16 | 0x20)
#define IOAPIC_VECTOR	  UINT64_C(0xff)
#define IOAPIC_MODE	  UINT64_C(0x700) /* as enum apic_delivery */
#define IOAPIC_LOGICAL	  BIT(11)
#define IOAPIC_POLARITY	  BIT(13)
#define IOAPIC_REMOTE_IRR BIT(14)
#define IOAPIC_LEVEL	  BIT(15)
#define IOAPIC_MASKED	  BIT(16)
#define IOAPIC_DEST_SHIFT 56
#define IOAPIC_WRITE_MASK                                                                       \
	(UINT64_C(0xff) << IOAPIC_DEST_SHIFT | IOAPIC_MASKED | IOAPIC_LEVEL | IOAPIC_POLARITY | \
	 IOAPIC_LOGICAL | IOAPIC_MODE | IOAPIC_VECTOR)

struct ioapic {
	struct spinlock lock;
	struct vm *vm;
	struct irq_sink sink;
	struct acpi_ioapic acpi;
	uint8_t regsel;
	uint32_t id;
	uint32_t levels; /* by pin: the line is asserted */
	uint64_t redtbl[IOAPIC_PINS];
};

static unsigned ioapic_mode(uint64_t entry)
{
	return (entry & IOAPIC_MODE) >> APIC_MODE_SHIFT;
}

/* Only vectors have levels; NMI, INIT and ExtINT are edges, whatever the entry says (3.2.4). */
static bool ioapic_is_level(uint64_t entry)
{
	return (entry & IOAPIC_LEVEL) && ioapic_mode(entry) <= APIC_LOWEST;
}

static void ioapic_send(struct ioapic *io, unsigned pin)
{
	uint64_t entry = io->redtbl[pin], address = MSI_ADDR_BASE;
	uint32_t data = (uint32_t)(entry & (IOAPIC_VECTOR | IOAPIC_MODE));

	address |= entry >> IOAPIC_DEST_SHIFT << MSI_ADDR_DEST_SHIFT;
	if (entry & IOAPIC_LOGICAL)
		address |= MSI_ADDR_LOGICAL;
	if (ioapic_is_level(entry)) {
		io->redtbl[pin] |= IOAPIC_REMOTE_IRR;
		data |= MSI_DATA_LEVEL | MSI_DATA_ASSERT;
	}
	irq_message(io->vm, address, data);
}

/* A level pin speaks while it is asserted and nobody has been told yet. */
static void ioapic_check_level(struct ioapic *io, unsigned pin)
{
	uint64_t entry = io->redtbl[pin];

	if ((io->levels & BIT(pin)) && ioapic_is_level(entry) &&
	    !(entry & (IOAPIC_MASKED | IOAPIC_REMOTE_IRR)))
		ioapic_send(io, pin);
}

static void ioapic_set(void *opaque, unsigned line, bool level)
{
	struct ioapic *io = opaque;
	unsigned pin = line ? line : IOAPIC_PIN_PIT;
	uint64_t entry;
	bool rising;

	if (line == IOAPIC_PIN_PIT) /* the 8259s' cascade is no device's line */
		return;
	spin_lock(&io->lock);
	rising = level && !(io->levels & BIT(pin));
	io->levels = level ? io->levels | (uint32_t)BIT(pin) : io->levels & ~(uint32_t)BIT(pin);
	entry = io->redtbl[pin];
	if (ioapic_is_level(entry))
		ioapic_check_level(io, pin);
	else if (rising && !(entry & IOAPIC_MASKED)) /* a masked edge is lost */
		ioapic_send(io, pin);
	spin_unlock(&io->lock);
}

/* Of all level pins with @vector: a line that is still asserted speaks again. */
static void ioapic_eoi(void *opaque, uint8_t vector)
{
	struct ioapic *io = opaque;
	uint32_t ended = 0;
	uint64_t entry;
	unsigned pin;

	spin_lock(&io->lock);
	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		entry = io->redtbl[pin];
		if ((entry & IOAPIC_REMOTE_IRR) && (entry & IOAPIC_VECTOR) == vector) {
			io->redtbl[pin] &= ~IOAPIC_REMOTE_IRR;
			ended |= (uint32_t)BIT(pin);
		}
	}
	spin_unlock(&io->lock);
	/* A device may lower its line in between; then nothing is left to say. */
	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		if (!(ended & BIT(pin)))
			continue;
		irq_line_eoi(io->vm, pin == IOAPIC_PIN_PIT ? 0 : pin);
		spin_lock(&io->lock);
		ioapic_check_level(io, pin);
		spin_unlock(&io->lock);
	}
}

static uint32_t ioapic_read_reg(struct ioapic *io)
{
	unsigned n = io->regsel - IOAPIC_REDTBL;

	switch (io->regsel) {
	case IOAPIC_ID:
	case IOAPIC_ARB:
		return io->id;
	case IOAPIC_VER:
		return IOAPIC_VER_VALUE;
	}
	if (io->regsel < IOAPIC_REDTBL || n >= 2 * IOAPIC_PINS)
		return UINT32_MAX;
	return (uint32_t)(io->redtbl[n / 2] >> (n % 2 * 32));
}

static void ioapic_write_redtbl(struct ioapic *io, unsigned n, uint32_t value)
{
	unsigned pin = n / 2, shift = n % 2 * 32;
	uint64_t mask = (uint64_t)UINT32_MAX << shift & IOAPIC_WRITE_MASK;
	uint64_t entry = (io->redtbl[pin] & ~mask) | ((uint64_t)value << shift & mask);

	/* Edge-triggered interrupts have no remote IRR: software clears a stuck one this way. */
	if (!ioapic_is_level(entry))
		entry &= ~IOAPIC_REMOTE_IRR;
	io->redtbl[pin] = entry;
	ioapic_check_level(io, pin);
}

static void ioapic_write_reg(struct ioapic *io, uint32_t value)
{
	unsigned n = io->regsel - IOAPIC_REDTBL;

	if (io->regsel == IOAPIC_ID)
		io->id = value & IOAPIC_ID_MASK;
	else if (io->regsel >= IOAPIC_REDTBL && n < 2 * IOAPIC_PINS)
		ioapic_write_redtbl(io, n, value);
}

static int ioapic_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset,
		       unsigned width __unused, uint64_t *value)
{
	struct ioapic *io = opaque;

	*value = 0;
	spin_lock(&io->lock);
	if (offset == IOAPIC_REGSEL)
		*value = io->regsel;
	else if (offset == IOAPIC_WIN)
		*value = ioapic_read_reg(io);
	spin_unlock(&io->lock);
	return 0;
}

static int ioapic_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset,
			unsigned width __unused, uint64_t value)
{
	struct ioapic *io = opaque;

	if (offset == IOAPIC_EOI) {
		ioapic_eoi(io, (uint8_t)value);
		return 0;
	}
	spin_lock(&io->lock);
	if (offset == IOAPIC_REGSEL)
		io->regsel = (uint8_t)value;
	else if (offset == IOAPIC_WIN)
		ioapic_write_reg(io, (uint32_t)value);
	spin_unlock(&io->lock);
	return 0;
}

static const struct hook_ops ioapic_ops = {.read = ioapic_read, .write = ioapic_write};

/* The lines are their devices' to reset. */
static void ioapic_reset(struct device *dev)
{
	struct ioapic *io = dev->state;
	unsigned pin;

	spin_lock(&io->lock);
	io->regsel = 0;
	io->id = (uint32_t)io->acpi.id << 24;
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		io->redtbl[pin] = IOAPIC_MASKED;
	spin_unlock(&io->lock);
}

static const struct device_field ioapic_fields[] = {
	DEVICE_FIELD(struct ioapic, regsel),
	DEVICE_FIELD(struct ioapic, id),
	DEVICE_FIELD(struct ioapic, levels, .max = BIT(IOAPIC_PINS) - 1),
	DEVICE_FIELD(struct ioapic, redtbl),
	{},
};

static const struct device_state ioapic_saved = {
	.name = "ioapic",
	.version = 1,
	.size = sizeof(struct ioapic),
	.lock = DEVICE_STATE_LOCK(struct ioapic, lock),
	.fields = ioapic_fields,
};

static void ioapic_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int ioapic_create(struct device *dev, const struct device_config *config)
{
	uint64_t address = device_config_uint(config, "address");
	struct ioapic *io = kzalloc(sizeof(*io));
	int err;

	if (!io)
		return -ENOMEM;
	dev->state = io;
	io->vm = dev->vm;
	io->acpi.address = (uint32_t)address;
	io->sink.set = ioapic_set;
	io->sink.eoi = ioapic_eoi;
	io->sink.opaque = io;
	ioapic_reset(dev);
	err = device_provide(dev, ACPI_IOAPIC_KIND, &io->acpi);
	if (!err)
		err = device_irq_sink(dev, &io->sink);
	if (!err)
		err = device_hook_memory(dev, address, IOAPIC_SIZE, HOOK_MEMORY_FULL, &ioapic_ops,
					 io);
	return err;
}

static const struct device_key ioapic_keys[] = {
	{.name = "address",
	 .kind = KEY_UINT,
	 .def = IOAPIC_ADDRESS,
	 .max = UINT32_MAX - IOAPIC_SIZE + 1,
	 .help = "guest-physical address of its registers"},
	{},
};

MACHINE_PART(ioapic_part, .machine = "pc", .text = "[device \"ioapic\"]\ntype = ioapic\n");

DEVICE_TYPE(ioapic_type, .name = "ioapic", .help = "I/O APIC with 24 pins", .keys = ioapic_keys,
	    .create = ioapic_create, .destroy = ioapic_destroy, .reset = ioapic_reset,
	    .saved = &ioapic_saved);
