/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PCI function, as its device sees it. The device describes it once: its
 * first configuration bytes, its BARs, its callbacks. From then on the bus does
 * what the PCI specifications ask of every function: write masks, BARs and
 * their moves, decode bits, capabilities (power management, MSI, MSI-X, PCI
 * Express), interrupts. The device is told and may add its own.
 *
 * The bus resets configurations itself when the VM is reset, and gives BARs
 * their addresses then, as firmware does; a function that comes to a VM that
 * runs has none yet.
 *
 * Callbacks, BARs' handlers included, run on any CPU, several at a time, with no
 * lock held; they never wait and allocate nothing. Until every CPU has passed a
 * quiescent point after the device gave the function back, one may still run.
 */
#ifndef DEVICES_PCI_PCI_FUNCTION_H
#define DEVICES_PCI_PCI_FUNCTION_H

#include "lib/compiler.h"
#include "vmm/hook/hook.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_BUS_KIND "pci-bus" /* what a device with a bus provides: a struct pci_bus */

#define PCI_BARS 6

struct device;
struct device_ref;
struct pci_bus;
struct pci_function;

/*
 * One region of addresses. Its handlers see offsets from its first byte, with
 * 1, 2 or 4 bytes, aligned (ports), or 1, 2, 4 or 8, however unaligned
 * (memory), within it: what reaches beyond its end is cut off.
 */
struct pci_bar {
	uint64_t size; /* bytes, a power of two; 0: there is none */
	bool io;       /* ports: at least 4; else memory: at least 16 */
	bool wide;     /* 64-bit memory: the next number has none */
	bool prefetchable;
	const struct hook_ops *ops;
	void *opaque;
	/* As of struct host_region: what is mapped where nothing else is; or NULL. */
	void *pages;
	uint64_t pages_offset, pages_size;
};

/* Any may be NULL. @opaque: pci_function_desc's. */
struct pci_function_ops {
	/* The guest reads [@offset, + @width): @*value is what the bus would answer. Volatile
	 * registers have theirs put in. */
	void (*config_read)(void *opaque, unsigned offset, unsigned width, uint32_t *value);
	/* The guest wrote, and the bus has done its part. Not where nothing is written: an access
	 * that crosses the end of the space. */
	void (*config_written)(void *opaque, unsigned offset, unsigned width, uint32_t value);
	/* The command register is now @command, the device's power state included: in D3 neither
	 * ports nor memory nor mastering are on. Also by the VM's reset. */
	void (*command)(void *opaque, uint16_t command);
	/* The guest ended an interrupt of a line that this function's pin is on. */
	void (*eoi)(void *opaque);
	/* The guest reset this function (PCI Express FLR, D3hot to D0, its bridge's secondary bus
	 * reset). Its configuration is reset already. */
	void (*reset)(void *opaque);
};

/*
 * What the function is. Nothing is kept of it but the BARs' handlers, `ops` and
 * `opaque`.
 */
struct pci_function_desc {
	/*
	 * 256 or 4096 bytes, the state after a reset. Of the header, everything but BARs (written
	 * by the bus), the multi-function bit and the status register's capability bit (as the
	 * capability pointer says) is taken from here; the header's type is 0, or 1 for bridges.
	 * Capabilities are found by walking the list; one that is not known stays read-only. An
	 * MSI-X capability names a memory BAR: the bus answers for the table and the pending bits,
	 * which the BAR's handlers never see. Bits that only software sets (command, MSI enable,
	 * power state ...) are 0 after a reset whatever stands here.
	 */
	const uint8_t *config;
	size_t config_size;
	struct pci_bar bars[PCI_BARS]; /* of a bridge: two */
	struct pci_bar rom;	       /* read only; size 0: none, else at least 2 KiB */
	const struct pci_function_ops *ops;
	void *opaque;
};

/* The bus of device @bus, the value of @dev's KEY_DEVICE "bus"; NULL was logged: it has none. */
struct pci_bus *pci_bus_of(struct device *dev, struct device *bus);

/*
 * Parses an address: "device.function" or "device", both hexadecimal; "": the
 * first device of @bus that has no function. 0 with the devfn in @*devfn, or
 * -EINVAL, -ENOSPC, logged with @key, the config's key.
 */
int pci_address_parse(struct device *dev, const struct pci_bus *bus, const char *key,
		      const char *text, uint8_t *devfn) __must_check;

/*
 * Makes the function of @dev visible as @devfn of @bus, until @dev goes. Task,
 * no lock held. -EINVAL: @desc is not one (which part, is logged). -EBUSY: that
 * function exists, logged with both devices. -ENOMEM. On success the function
 * may be called, and calls, before this returns; *@out is set before that.
 */
int pci_function_add(struct device *dev, struct pci_bus *bus, uint8_t devfn,
		     const struct pci_function_desc *desc, struct pci_function **out) __must_check;
/* From @dev's destroy(): nobody has it any more. NULL is fine. */
void pci_function_free(struct pci_function *f);

/*
 * The following may be called on any CPU, with locks of the device's held:
 * the bus's come after them. NULL functions are not allowed.
 */

/* The level of the function's interrupt pin. The guest may have it off (Interrupt Disable), or
 * have MSI on instead: then the line is not driven, and the status register tells it. */
void pci_function_intx(struct pci_function *f, bool level);

/*
 * Sends message @vector: of MSI-X or MSI, which of them is on. A masked one
 * becomes pending, and is sent when it is unmasked. Nothing happens when
 * neither is on, bus mastering is off, or there is no such vector.
 */
void pci_function_message(struct pci_function *f, unsigned vector);

enum pci_irq_mode { PCI_IRQ_INTX, PCI_IRQ_MSI, PCI_IRQ_MSIX };
enum pci_irq_mode pci_function_irq_mode(const struct pci_function *f);

/* Whether it may reach the guest's memory: it and all bridges above it are bus masters. */
bool pci_function_master(const struct pci_function *f);

/* Nobody is there any more, as if it had been pulled out: its configuration and its BARs read all
 * ones, it neither interrupts nor masters the bus. The device still gives it back. */
void pci_function_vanish(struct pci_function *f);

/* For messages: "00:03.0", the bus as the guest has numbered it. */
void pci_function_name(const struct pci_function *f, char *buf, size_t size);

/* What the guest last left in the configuration, without callbacks: @width 1, 2 or 4. */
uint32_t pci_function_config(struct pci_function *f, unsigned offset, unsigned width);

/*
 * Who is to hear of slots that get their first function, or lose the last one,
 * while the VM runs: a device (ACPI's hot plug) provides a struct
 * pci_slot_listener as PCI_SLOTS_KIND. Called in a task, no lock held; on
 * vacating, the function is out of the bus already.
 */
#define PCI_SLOTS_KIND "pci-slots"
struct pci_slot_listener {
	void (*changed)(void *opaque, const struct pci_bus *bus, unsigned slot, bool occupied);
	/* Asks the guest to let go of what is in @slot; its devices end when it has. False: it does
	 * not listen. */
	bool (*ask)(void *opaque, const struct pci_bus *bus, unsigned slot);
	void *opaque;
};

/* A type's unplug() of a device with function @f: asks the guest to let go of its slot. Task. */
bool pci_function_unplug(const struct pci_function *f);

/* Slots of @bus that have a function, one bit each. */
uint32_t pci_bus_slots(const struct pci_bus *bus);
/* Its number as the guest has set it: 0 for the root; -1: not reachable. */
int pci_bus_number(const struct pci_bus *bus);
/* For the table of a device that has a function: DEVICE_FIELD_REF(struct card, function,
 * &pci_function_ref). */
extern const struct device_ref pci_function_ref;

/* The devices that have functions in @slot of @bus, in order of functions. Task. */
void pci_bus_slot_devices(const struct pci_bus *bus, unsigned slot,
			  void (*fn)(void *opaque, struct device *dev), void *opaque);

#endif
