/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the PCI bus; devices use pci_function.h.
 *
 * A VM's PCI is one root with all that is behind it: buses, functions, and two
 * maps from addresses (ports, memory) to BARs, which the root asks when no hook
 * and no RAM has an address.
 *
 * Locks: the root's, then a function's, then the pins'. Configurations are
 * written with root and function locked, and so may be read with either.
 * Functions are found, and the maps are read, without a lock: what a change
 * takes away stays for a grace period, and a map that is being rebuilt, in its
 * place, is told by its count of changes.
 */
#ifndef DEVICES_PCI_PCI_BUS_H
#define DEVICES_PCI_PCI_BUS_H

#include "devices/pci/pci_config.h"
#include "devices/pci/pci_function.h"
#include "kernel/spinlock.h"
#include "lib/list.h"
#include "vmm/device_state.h"
#include "vmm/types.h"

#define PCI_DEVFNS	  256u /* 32 devices of 8 functions each */
#define PCI_DEVFN(d, fn)  ((uint8_t)((d) << 3 | (fn)))
#define PCI_SLOT(devfn)	  ((unsigned)(devfn) >> 3)
#define PCI_SLOTS	  32u
#define PCI_FN(devfn)	  ((unsigned)(devfn)&7)
#define PCI_BUSES	  256u
#define PCI_DEPTH_MAX	  8u /* bridges one behind the other */
#define PCI_PINS	  4u
#define PCI_FUNCTIONS_MAX 256u /* of a VM: bounds what a change costs */

#define PCI_BAR_ROM   PCI_BARS /* its number among a function's regions */
#define PCI_REGIONS   (PCI_BARS + 1)
#define PCI_GPA_LIMIT BIT(52)

/* What is placed together; a bridge has one window for each. */
enum pci_kind { PCI_KIND_IO, PCI_KIND_MEMORY, PCI_KIND_HIGH, PCI_KINDS };

struct irq_line;

/* A BAR or the ROM. */
struct pci_region {
	struct pci_bar desc; /* size 0: there is none */
	uint64_t mask;	     /* size - 1 */
	struct hook_ops ops; /* desc's, without NULLs: what an access needs lies together */
	struct pci_function *f;
	uint8_t reg;	/* its offset in the configuration */
	uint8_t sizing; /* bit 0, 1 (upper half): all ones were written, and moved nothing */
	bool has_msix;	/* a part of it is the bus's */
	uint64_t base;	/* where it answers when it is decoded; 0: nowhere */
	/* Of one with pages, under the root's lock: where these belong, and where they are mapped;
	 * 0: nowhere. */
	uint64_t place, mapped;
	struct list_head link; /* in the root's `paged` */
};

/* MSI-X's table and pending bits; under the function's lock. */
struct pci_msix {
	unsigned vectors;
	uint8_t table_bar, pba_bar;
	uint32_t table_offset, pba_offset;
	uint32_t (*table)[4]; /* address, upper address, data, control */
	uint64_t *pending;
};

struct pci_function {
	struct spinlock lock;
	struct pci_config config;
	struct device *dev;
	struct pci_bus *bus;
	uint8_t devfn;
	bool is_bridge;		   /* header type 1 */
	bool gone;		   /* from the bus, or vanished: under `lock`, for good */
	struct pci_bus *secondary; /* of a bridge */
	struct pci_region regions[PCI_REGIONS];
	const struct pci_function_ops *ops;
	void *opaque;
	uint16_t pm, msi, msix_cap, pcie; /* capabilities' offsets; 0: none */
	uint16_t command;		  /* what is in force: written under `lock`, read without */
	uint8_t pin;			  /* 1-4; 0: none */
	uint8_t route;			  /* which of the root's pins that is */
	bool level;			  /* the device's wish */
	bool asserted;			  /* what the pin does */
	struct pci_msix msix;
	/* Of the assignment: what is needed behind a bridge. */
	struct {
		uint64_t size, align, base;
	} need[PCI_KINDS];
};

struct pci_bus {
	struct pci_root *root;
	struct pci_function *bridge; /* NULL: the root bus */
	unsigned depth;
	int number;				    /* -1: not reachable */
	unsigned last;				    /* number that may be behind it */
	struct pci_function *functions[PCI_DEVFNS]; /* by devfn; NULL: absent */
};

/* A part of a region that nobody before it has. */
struct pci_window {
	uint64_t first, last;
	const struct pci_region *region;
	uint32_t order; /* who comes first where two begin together */
	bool shared;	/* another wanted a part of it */
};

/* Sorted and disjoint. */
struct pci_map {
	uint32_t changes; /* odd: it is being rebuilt */
	uint32_t count;
	struct pci_window windows[];
};

/* All functions, bridges before what is behind them; NULL: it has gone. */
struct pci_list {
	unsigned count;
	struct pci_function *items[];
};

/* One of the root's four pins, and the lines that it raises. */
struct pci_pin {
	struct pci_root *root;
	struct irq_line *line, *isa;
	unsigned asserting; /* functions; under pin_lock */
};

enum pci_space { PCI_PORTS, PCI_MEMORY, PCI_SPACES };

struct pci_root {
	struct spinlock lock;
	struct spinlock pin_lock;
	struct device *dev;
	struct pci_bus bus;
	struct pci_bus *numbers[PCI_BUSES]; /* NULL: there is none */
	struct pci_list *list;
	struct pci_map *maps[PCI_SPACES];
	struct list_head paged; /* regions with pages, of functions in the list */
	struct pci_pin pins[PCI_PINS];
	struct pci_window overlap[2]; /* the last two that did not leave each other alone */
	bool overlap_told;
	/* Where BARs are given their addresses: docs/memory-map.md. */
	uint64_t high_base, high_end; /* empty: no such window */
};

/* pci_function.c. The root, zeroed, with an empty bus 0; free, when no CPU is in it any more. */
int pci_root_init(struct pci_root *root) __must_check;
void pci_root_free(struct pci_root *root);
/* A function, to be published, or freed. */
int pci_function_make(struct device *dev, struct pci_bus *bus, uint8_t devfn,
		      const struct pci_function_desc *desc, struct pci_function **out) __must_check;
int pci_function_publish(struct pci_function *f) __must_check;

/* pci_caps.c: what of the configuration is writable. -EINVAL is logged. */
int pci_caps_define(struct pci_function *f) __must_check;

/* pci_access.c: by any mechanism. @address: bus in bits 15:8, devfn in bits 7:0. */
uint32_t pci_root_read(struct pci_root *root, uint16_t address, unsigned offset, unsigned width);
void pci_root_write(struct pci_root *root, uint16_t address, unsigned offset, unsigned width,
		    uint32_t value);
/* The function's command in force, recomputed; root and function are locked. True: it changed. */
bool pci_command_update(struct pci_function *f);
/* To power-on state; both locks are held. */
void pci_function_reset(struct pci_function *f);
bool pci_function_is_behind(const struct pci_function *f, const struct pci_function *bridge);

/* pci_decode.c. The address in @f's region, from its registers; both locks are held. */
void pci_region_update(struct pci_region *r);
/* Builds the maps and the bus numbers anew, in other maps or in the root's. The root is locked. */
void pci_decode_build(struct pci_root *root, struct pci_map *const maps[]);
void pci_decode_update(struct pci_root *root);
extern const struct hook_ops pci_ports_ops, pci_memory_ops; /* opaque: the root */
/* Whether all of @r answers in @map, and nobody else wanted any of it. */
bool pci_map_is_alone(const struct pci_map *map, const struct pci_region *r);

/*
 * pci_pages.c. Regions' pages, in nested tables: taken away at once, and where
 * they belong is noted; mapped by pci_pages_map() in a task, which is asked for.
 */
int pci_pages_check(const struct pci_function *f) __must_check;
/* Each of these with the root locked. */
void pci_pages_enter(struct pci_root *root, struct pci_function *f);
void pci_pages_update(struct pci_root *root, const struct pci_map *map);
/* True: pci_pages_left() is to follow, when the root is not locked any more. */
bool pci_pages_leave(struct pci_function *f) __must_check;
/* Task, no lock held: no vCPU reaches them any more when it returns. */
void pci_pages_left(struct vm *vm);
void pci_pages_map(struct pci_root *root);
/* The root's hook_changed_fn. */
void pci_pages_hooked(void *opaque);

/* pci_irq.c; the function is locked. */
void pci_irq_update(struct pci_function *f);
/* The same of a function that was loaded, and no chip is told. */
void pci_irq_restore(struct pci_function *f);
/* What is pending and not masked any more is sent. */
void pci_irq_send_pending(struct pci_function *f);
/* @route of a function with @pin (1-4). */
uint8_t pci_irq_route(const struct pci_bus *bus, uint8_t devfn, uint8_t pin);
/* Lines of the root's pins. */
int pci_irq_create(struct pci_root *root) __must_check;
extern const uint8_t pci_irq_gsi[PCI_PINS], pci_irq_isa[PCI_PINS];

/* pci_msix.c. */
int pci_msix_create(struct pci_function *f) __must_check;
void pci_msix_reset(struct pci_function *f);
/* Whether byte @offset of region @bar is the bus's. */
bool pci_msix_owns(const struct pci_function *f, unsigned bar, uint64_t offset);
bool pci_msix_overlaps(const struct pci_function *f, unsigned bar, uint64_t offset, uint64_t size);
/* What of an access is the bus's; other bytes read 0 and are not written. The function is locked.
 */
uint64_t pci_msix_read(struct pci_function *f, unsigned bar, uint64_t offset, unsigned width);
void pci_msix_write(struct pci_function *f, unsigned bar, uint64_t offset, uint64_t value,
		    unsigned width);

/* pci_saved.c: of a function, for the table of a device that is one: its state is the function. */
extern const struct device_field pci_function_fields[];
const char *pci_function_post_load(void *state);
#define PCI_FUNCTION_STATE(name_)                                                   \
	{                                                                           \
		.name = (name_), .version = 1, .size = sizeof(struct pci_function), \
		.lock = DEVICE_STATE_LOCK(struct pci_function, lock),               \
		.fields = pci_function_fields, .post_load = pci_function_post_load, \
	}

/* pci_assign.c: buses, windows, BARs, interrupt lines as firmware leaves them. The root is
 * locked. */
void pci_assign(struct pci_root *root);

#endif
