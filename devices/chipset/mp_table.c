/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/chipset/mp_table.h"

#include <errno.h>
#include <string.h>

#define MP_REVISION    4 /* 1.4 */
#define MP_LAPIC_VER   0x14
#define MP_IOAPIC_VER  0x20
#define MP_ENABLED     1
#define MP_BOOT_CPU    2
#define MP_ALL_APICS   0xff
#define MP_PCI_BUS     0    /* the root's number; its bridges are the kernel's to follow */
#define MP_ISA_BUS     0xff /* beside it */
#define MP_ISA_IRQS    16
#define MP_CASCADE     2
#define MP_PIT_PIN     2
#define MP_LEVEL_HIGH  0x000d
#define MP_LEVEL_LOW   0x000f
#define MP_TYPE_CPU    0
#define MP_TYPE_BUS    1
#define MP_TYPE_IOAPIC 2
#define MP_TYPE_IOINT  3
#define MP_TYPE_LOCAL  4
#define MP_INT	       0
#define MP_NMI	       1
#define MP_EXTINT      3

struct mp_pointer { /* 4.1 */
	char signature[4];
	uint32_t table;
	uint8_t length, revision, checksum, features[5]; /* length: in 16 bytes */
} __packed;
_Static_assert(sizeof(struct mp_pointer) == 16, "4.1");

struct mp_header { /* 4.2 */
	char signature[4];
	uint16_t length;
	uint8_t revision, checksum;
	char oem_id[8], product_id[12];
	uint32_t oem_table;
	uint16_t oem_size, entries;
	uint32_t lapic;
	uint16_t ext_length;
	uint8_t ext_checksum, reserved;
} __packed;
_Static_assert(sizeof(struct mp_header) == 44, "4.2");

struct mp_cpu { /* 4.3.1 */
	uint8_t type, id, version, flags;
	uint32_t signature, features, reserved[2];
} __packed;
_Static_assert(sizeof(struct mp_cpu) == 20, "4.3.1");

struct mp_bus { /* 4.3.2 */
	uint8_t type, id;
	char name[6];
} __packed;
struct mp_ioapic { /* 4.3.3 */
	uint8_t type, id, version, flags;
	uint32_t address;
} __packed;
struct mp_interrupt { /* 4.3.4, 4.3.5 */
	uint8_t type, kind;
	uint16_t flags; /* 0: as the bus has it */
	uint8_t bus, irq, apic, pin;
} __packed;
_Static_assert(sizeof(struct mp_bus) == 8 && sizeof(struct mp_ioapic) == 8 &&
		       sizeof(struct mp_interrupt) == 8,
	       "4.3");

static uint8_t mp_checksum(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (n--)
		sum += *p++;
	return -sum;
}

static bool mp_put(struct acpi_image *image, const void *data, size_t n)
{
	if (n > image->size - image->used) {
		image->overflow = true;
		return false;
	}
	memcpy(image->data + image->used, data, n);
	image->used += n;
	return true;
}

static unsigned mp_put_cpus(struct acpi_image *image, const struct acpi_machine *m)
{
	struct mp_cpu cpu = {.type = MP_TYPE_CPU, .version = MP_LAPIC_VER};
	unsigned i;

	for (i = 0; i < m->cpus; i++) {
		cpu.id = (uint8_t)i;
		cpu.flags = MP_ENABLED | (i ? 0 : MP_BOOT_CPU);
		mp_put(image, &cpu, sizeof(cpu));
	}
	return m->cpus;
}

/* As the MADT: IRQ 0 on pin 2, the SCI a level, the others as ISA has them. */
static unsigned mp_put_irqs(struct acpi_image *image, const struct acpi_machine *m)
{
	struct mp_interrupt irq = {.type = MP_TYPE_IOINT,
				   .kind = MP_INT,
				   .bus = MP_ISA_BUS,
				   .apic = m->ioapics[0]->id};
	unsigned i, n = 0;

	for (i = 0; i < MP_ISA_IRQS; i++) {
		if (i == MP_CASCADE)
			continue;
		irq.irq = (uint8_t)i;
		irq.pin = (uint8_t)(i ? i : MP_PIT_PIN);
		irq.flags = m->pm && m->pm->sci == i ? MP_LEVEL_HIGH : 0;
		n += mp_put(image, &irq, sizeof(irq));
	}
	return n;
}

/* As the _PRT: every pin of every device on the root bus (D.3: number of the device, pin). */
static unsigned mp_put_pci_irqs(struct acpi_image *image, const struct acpi_machine *m)
{
	struct mp_interrupt irq = {.type = MP_TYPE_IOINT,
				   .kind = MP_INT,
				   .flags = MP_LEVEL_LOW,
				   .bus = MP_PCI_BUS,
				   .apic = m->ioapics[0]->id};
	unsigned device, pin, n = 0;

	for (device = 0; m->pci && device < ACPI_PCI_DEVICES; device++) {
		for (pin = 0; pin < ACPI_PCI_LINES; pin++) {
			irq.irq = (uint8_t)(device << 2 | pin);
			irq.pin = m->pci->gsi[(pin + device) % ACPI_PCI_LINES];
			n += mp_put(image, &irq, sizeof(irq));
		}
	}
	return n;
}

static unsigned mp_put_ioapics(struct acpi_image *image, const struct acpi_machine *m)
{
	struct mp_ioapic io = {
		.type = MP_TYPE_IOAPIC, .version = MP_IOAPIC_VER, .flags = MP_ENABLED};
	unsigned n;

	for (n = 0; n < m->ioapic_count; n++) {
		io.id = m->ioapics[n]->id;
		io.address = m->ioapics[n]->address;
		mp_put(image, &io, sizeof(io));
	}
	return n ? n + mp_put_irqs(image, m) + mp_put_pci_irqs(image, m) : 0;
}

/* The 8259's interrupts by LINT0 of the boot CPU, NMIs by LINT1 of all. */
static unsigned mp_put_local(struct acpi_image *image)
{
	const struct mp_interrupt lints[] = {
		{MP_TYPE_LOCAL, MP_EXTINT, 0, MP_ISA_BUS, 0, 0, 0},
		{MP_TYPE_LOCAL, MP_NMI, 0, MP_ISA_BUS, 0, MP_ALL_APICS, 1},
	};

	mp_put(image, lints, sizeof(lints));
	return ARRAY_SIZE(lints);
}

int mp_table_build(struct acpi_image *image, const struct acpi_machine *m)
{
	struct mp_pointer pointer = {.signature = {'_', 'M', 'P', '_'},
				     .length = sizeof(pointer) / 16,
				     .revision = MP_REVISION};
	struct mp_header header = {.signature = {'P', 'C', 'M', 'P'},
				   .revision = MP_REVISION,
				   .lapic = m->lapic->address};
	const struct mp_bus pci = {MP_TYPE_BUS, MP_PCI_BUS, {'P', 'C', 'I', ' ', ' ', ' '}};
	const struct mp_bus isa = {MP_TYPE_BUS, MP_ISA_BUS, {'I', 'S', 'A', ' ', ' ', ' '}};
	uint8_t *table = image->data + sizeof(pointer);
	unsigned entries;

	memcpy(header.oem_id, "ALCAZAR ", sizeof(header.oem_id));
	memcpy(header.product_id, "PC          ", sizeof(header.product_id));
	pointer.table = (uint32_t)(image->base + sizeof(pointer));
	pointer.checksum = mp_checksum(&pointer, sizeof(pointer));
	mp_put(image, &pointer, sizeof(pointer));
	mp_put(image, &header, sizeof(header));
	entries = mp_put_cpus(image, m);
	if (m->pci)
		entries += mp_put(image, &pci, sizeof(pci));
	entries += mp_put(image, &isa, sizeof(isa));
	entries += mp_put_ioapics(image, m);
	entries += mp_put_local(image);
	if (image->overflow)
		return -ENOSPC;
	header.entries = (uint16_t)entries;
	header.length = (uint16_t)(image->used - sizeof(pointer));
	memcpy(table, &header, sizeof(header));
	header.checksum = mp_checksum(table, header.length);
	memcpy(table, &header, sizeof(header));
	return 0;
}
