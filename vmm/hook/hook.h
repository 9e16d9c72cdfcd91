/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hook maps: who answers for a range of I/O ports, MSRs, guest-physical
 * memory, CPUID leaves or hypercall numbers. One shape for all: a range, an
 * ops table, an opaque pointer, an owner's name for messages. Lookups take
 * no lock and write nothing; a change builds a new map, publishes it and
 * frees the old one after a grace period. Changes are made by tasks, under
 * the map set's lock.
 *
 * Handlers run on the vCPU's CPU, hold no lock on entry, never wait. For
 * ports, MSRs and memory they see (offset from the range's start, width,
 * value). 0 is success; a negative errno is answered as hardware would
 * (ports and memory: all ones, write ignored; MSRs: #GP) and logged, rate
 * limited, with the owner's name.
 */
#ifndef VMM_HOOK_HOOK_H
#define VMM_HOOK_HOOK_H

#include "kernel/spinlock.h"
#include "lib/compiler.h"
#include "vmm/types.h"

#include <stdbool.h>
#include <stdint.h>

struct vcpu;
struct vm;
struct hook_table;
struct hook_cpuid_map;
struct range_map;

/* @width: 1, 2, 4 (ports), 1, 2, 4, 8 (memory), 8 (MSRs). NULL read: all ones (MSR: #GP); NULL
 * write: ignored (MSR: #GP). */
struct hook_ops {
	int (*read)(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width,
		    uint64_t *value);
	int (*write)(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width,
		     uint64_t value);
};

/*
 * Hooks of memory have come or gone: the rest's owner takes away what it has
 * mapped for the guest where one is now. In the changing task, which flushes then.
 */
typedef void (*hook_changed_fn)(void *opaque);

/* One range [first, last] and who answers. Owned by the map's user; stays while hooked. */
struct hook {
	uint64_t first, last;
	const struct hook_ops *ops;
	void *opaque;
	const char *owner; /* device id, or a core part's name */
	/*
	 * Ports: 0, or `first` is a register that accesses of exactly this width reach and the
	 * others pass by, as if nobody were there. The bytes behind the first may be other owners'.
	 */
	unsigned width;
	hook_changed_fn changed; /* of memory's rest; or NULL */
};

/* The maps whose rest a bus may have. */
enum hook_rest { HOOK_REST_IO, HOOK_REST_MEMORY, HOOK_RESTS };

struct hook_maps {
	struct spinlock lock; /* writers */
	struct hook_table *io;
	struct hook_table *msr;
	struct range_map *memory;
	struct hook_cpuid_map *cpuid;
	struct range_map *call;
	/* Who answers for what is in no map and is no RAM; NULL: nobody. Offsets are addresses. */
	const struct hook *rest[HOOK_RESTS];
	/* vCPUs may run: what a change takes away is still seen for a grace period. */
	bool live;
	/* RDMSR of an MSR that nobody owns gives 0 and WRMSR does nothing, not #GP. */
	bool msr_ignore;
	/* Limits what hook_report() logs. */
	uint64_t report_next; /* host ns before which no line is logged */
	uint64_t report_skipped;
};

/* vm->hooks. 0 or -ENOMEM. */
int hook_maps_create(struct vm *vm) __must_check;
void hook_maps_destroy(struct vm *vm);

/*
 * The rest of ports or memory: a bus that decodes what nobody else does. -EBUSY:
 * there is one, logged with both. The handlers see accesses of which no byte is
 * another's.
 */
int hook_rest_set(struct vm *vm, enum hook_rest rest, const struct hook *hook) __must_check;
void hook_rest_clear(struct vm *vm, enum hook_rest rest); /* waits, where vCPUs may run */

/*
 * Logs, at most once a second and VM, that @owner's handler for @what
 * ("port", "MSR" …) at @address gave the error @err.
 */
void hook_report(struct vm *vm, const char *what, uint64_t address, const char *owner,
		 int err) __cold;

#endif
