/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a device tells the ACPI tables about itself: one object of the DSDT's
 * \_SB with _HID and _CRS (ACPI 6.4, 6.1.5 and 6.2.2). A device provides it as
 * ACPI_NODE_KIND under its id; whether anybody asks is not its business.
 */
#ifndef DEVICES_ACPI_NODE_H
#define DEVICES_ACPI_NODE_H

#include <stdbool.h>
#include <stdint.h>

#define ACPI_NODE_KIND "acpi-node"
#define ACPI_NODE_IO   4

#define ACPI_HID_PIC	  "PNP0000"
#define ACPI_HID_PIT	  "PNP0100"
#define ACPI_HID_RTC	  "PNP0B00"
#define ACPI_HID_KEYBOARD "PNP0303"
#define ACPI_HID_MOUSE	  "PNP0F13"
#define ACPI_HID_UART	  "PNP0501"
#define ACPI_HID_BOARD	  "PNP0C02" /* resources of the board itself */
#define ACPI_HID_FW_CFG	  "QEMU0002"
#define ACPI_HID_CPU	  "ACPI0007"
#define ACPI_HID_PCI	  "PNP0A03"

struct acpi_node {
	const char *hid; /* an EISA id, or another of 8 characters */
	struct {
		uint16_t port;
		uint8_t count; /* 0: unused */
	} io[ACPI_NODE_IO];
	uint32_t memory, memory_size; /* addresses; size 0: none */
	uint16_t irqs;		      /* one bit for each ISA IRQ */
	const struct acpi_node *next; /* another object of the same device */
};

/* An I/O APIC, for the MADT (5.2.12.3). A VM with it provides ACPI_IOAPIC_KIND. */
#define ACPI_IOAPIC_KIND "acpi-ioapic"
struct acpi_ioapic {
	uint32_t address;
	uint32_t gsi_base;
	uint8_t id;
};

/* Local APICs, one for each vCPU with its number as id, as ACPI_LAPIC_KIND. */
#define ACPI_LAPIC_KIND "acpi-lapic"
struct acpi_lapic {
	uint32_t address;
};

/* The ACPI fixed hardware, for the FADT and \_S5 (5.2.9, 7.4.2.6), as ACPI_PM_KIND. */
#define ACPI_PM_KIND "acpi-pm"
struct acpi_pm {
	uint16_t pm1_event, pm1_control, timer, gpe0; /* I/O ports */
	uint8_t gpe0_bytes;			      /* status and enable together */
	uint8_t sci;				      /* ISA IRQ */
	bool timer_32;
	uint8_t s5_type; /* SLP_TYP */
};

/*
 * General-purpose events 0 to 31 (5.6.4): raise() sets the status of event @n
 * and, where the guest has enabled it, its SCI. As ACPI_GPE_KIND. Any CPU, any
 * lock of the caller's.
 */
#define ACPI_GPE_KIND "acpi-gpe"
struct acpi_gpe {
	void (*raise)(void *opaque, unsigned n);
	/* Whether the guest wants to know of event @n. */
	bool (*enabled)(void *opaque, unsigned n);
	void *opaque;
};

/*
 * The PCI root bus, for the DSDT (PNP0A03), the MCFG and the MP table, as
 * ACPI_PCI_KIND: which buses, which I/O ports and memory are theirs (the first
 * and the last of each; 0: unused), and where interrupt pins lead. Pin p (0-3)
 * of device d on the root bus is line (p + d) % 4.
 */
#define ACPI_PCI_KIND	 "acpi-pci"
#define ACPI_PCI_WINDOWS 4
#define ACPI_PCI_LINES	 4
#define ACPI_PCI_DEVICES 32
struct acpi_pci {
	uint16_t config_port; /* of the bridge itself */
	uint8_t config_ports;
	uint8_t bus_last; /* from 0 on */
	uint32_t ecam;	  /* address of bus 0's configuration, 1 MiB a bus */
	struct {
		uint64_t first, last;
	} io[ACPI_PCI_WINDOWS], memory[ACPI_PCI_WINDOWS], prefetchable;
	uint8_t gsi[ACPI_PCI_LINES]; /* by line, at the I/O APIC */
	uint8_t isa[ACPI_PCI_LINES]; /* by line, the ISA IRQ at the 8259s */
};

/*
 * Slots of the root bus whose devices come and go (6.3), as ACPI_HOTPLUG_KIND:
 * three registers of four bytes with a bit for each slot. UP: look what has come
 * or gone; DOWN: let go of it, please; both are cleared by writing what was read.
 * EJECT, written: it is let go of.
 */
#define ACPI_HOTPLUG_KIND  "acpi-hotplug"
#define ACPI_HOTPLUG_UP	   0
#define ACPI_HOTPLUG_DOWN  4
#define ACPI_HOTPLUG_EJECT 8
#define ACPI_HOTPLUG_PORTS 12
struct acpi_hotplug {
	uint16_t port;
	uint8_t gpe; /* that tells of changes in UP and DOWN */
	/* The slots that are not soldered on, when the tables are built. */
	uint32_t (*slots)(void *opaque);
	void *opaque;
};

/* A register that resets the machine when `value` is written, as ACPI_RESET_KIND. */
#define ACPI_RESET_KIND "acpi-reset"
struct acpi_reset {
	uint16_t port;
	uint8_t value;
};

#endif
