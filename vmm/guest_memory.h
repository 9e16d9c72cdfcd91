/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest RAM: from 0 to at most 3 GiB, the rest from 4 GiB up (below 4 GiB is
 * the hole for PCI, APICs and ROM), with the VGA window 0xA0000-0xBFFFF left
 * out. Backed by the largest host pages that fit, zeroed. Host code reaches
 * guest memory through these functions only; all are bounded.
 */
#ifndef VMM_GUEST_MEMORY_H
#define VMM_GUEST_MEMORY_H

#include "kernel/page_alloc.h"
#include "kernel/spinlock.h"
#include "lib/compiler.h"
#include "vmm/types.h"

#include <stdbool.h>
#include <stddef.h>

#define GUEST_LOW_LIMIT UINT64_C(0xc0000000) /* RAM below 4 GiB ends here at the latest */
#define GUEST_HIGH_BASE UINT64_C(0x100000000)
/* PCI's configuration spaces (ECAM): 1 MiB for each of 256 buses, in the hole. */
#define GUEST_PCI_CONFIG      UINT64_C(0xe0000000)
#define GUEST_PCI_CONFIG_SIZE UINT64_C(0x10000000)
#define GUEST_VGA_BASE	      UINT64_C(0xa0000)
#define GUEST_VGA_END	      UINT64_C(0xc0000)
#define GUEST_GRANULE	      UINT64_C(0x200000) /* backing is contiguous within one */

struct vm;
struct guest_past;

/* Is told before RAM is written. @granule: gpa / GUEST_GRANULE. Any context but NMI; may spin. */
struct guest_keeper {
	void (*keep)(struct guest_keeper *keeper, uint64_t granule);
};

struct guest_memory {
	uint64_t size;	    /* bytes of RAM, a multiple of 1 MiB */
	uint64_t low_end;   /* RAM is [0, low_end) less the VGA window … */
	uint64_t high_end;  /* … and [GUEST_HIGH_BASE, high_end); GUEST_HIGH_BASE: none */
	uint8_t **granules; /* direct-map address by gpa / GUEST_GRANULE, NULL where there is no RAM
			     */
	uint64_t granule_count;
	uint8_t *orders;      /* by granule: page order of the block that begins there */
	struct spinlock lock; /* the vendor's nested map */
	uint64_t generation;  /* counts changes of the map; caches of host pointers compare it */
	struct guest_keeper *keeper; /* by grace_publish(); NULL: nobody wants to know */
	struct guest_past *past;     /* vmm/guest_past.c's */
};

/* -ENOMEM says in the log how much is missing. Maps everything for the vendor. */
int guest_memory_create(struct vm *vm, uint64_t size) __must_check;
void guest_memory_destroy(struct vm *vm);

/*
 * Gives the guest direct access to what is RAM in [@gpa, @gpa + @size), whole
 * pages: ACCESS_ bits, 0: none. 0 or -ENOMEM. The caller flushes (vm_flush).
 */
int guest_memory_set_access(struct vm *vm, gpa_t gpa, uint64_t size, unsigned access) __must_check;

/*
 * Maps, or takes away again, a device's memory, whole pages that are
 * contiguous at @pages, where the guest has no access to RAM. -ENOMEM: a part may
 * be mapped and is to be taken away. -EINVAL: beyond what nested tables
 * translate. The caller flushes.
 */
int guest_memory_map_device(struct vm *vm, gpa_t gpa, void *pages, uint64_t size) __must_check;
/* The same, to read and write and not to execute. */
int guest_memory_map_data(struct vm *vm, gpa_t gpa, void *pages, uint64_t size) __must_check;
/* The same with a device's memory of the machine at @gpa itself, uncached. */
int guest_memory_map_machine(struct vm *vm, gpa_t gpa, uint64_t size) __must_check;
/* All that one of these has mapped, at once: then it allocates nothing. Any context. */
void guest_memory_unmap_device(struct vm *vm, gpa_t gpa, uint64_t size);
/* After vm_flush(): frees the tables that are not needed any more now, not when something changes
 * next. */
void guest_memory_trim(struct vm *vm);

/*
 * The host address of [@gpa, @gpa + @len) when all of it is RAM and
 * contiguous for us (never across a granule), else NULL. Exit path: cheap.
 */
static inline uint8_t *guest_memory_ptr(const struct guest_memory *m, gpa_t gpa, uint64_t len)
{
	uint64_t granule = gpa / GUEST_GRANULE;
	uint64_t offset = gpa % GUEST_GRANULE;
	uint8_t *base;

	if (unlikely(granule >= m->granule_count || len > GUEST_GRANULE - offset))
		return NULL;
	base = m->granules[granule];
	if (unlikely(granule == 0 && gpa < GUEST_VGA_END && gpa + len > GUEST_VGA_BASE))
		return NULL;
	if (unlikely(!base || (gpa < GUEST_HIGH_BASE && gpa + len > m->low_end) ||
		     (gpa >= GUEST_HIGH_BASE && gpa + len > m->high_end)))
		return NULL;
	return base + offset;
}

/* The same, to write there, soon: within one exit, work item or call of a timer. */
static inline uint8_t *guest_memory_ptr_to_write(const struct guest_memory *m, gpa_t gpa,
						 uint64_t len)
{
	struct guest_keeper *keeper = __atomic_load_n(&m->keeper, __ATOMIC_CONSUME);
	uint8_t *p = guest_memory_ptr(m, gpa, len);

	if (unlikely(keeper) && p)
		keeper->keep(keeper, gpa / GUEST_GRANULE);
	return p;
}

/* Whether any byte of [@gpa, @gpa + @size) is RAM. */
static inline bool guest_memory_has_ram(const struct guest_memory *m, gpa_t gpa, uint64_t size)
{
	return (gpa < m->low_end && (gpa < GUEST_VGA_BASE || gpa + size > GUEST_VGA_END)) ||
	       (gpa < m->high_end && gpa + size > GUEST_HIGH_BASE);
}

/* Copies; 0, or -EFAULT when any byte is not RAM (then nothing was copied). */
int guest_read(struct vm *vm, gpa_t gpa, void *buf, size_t len) __must_check;
int guest_write(struct vm *vm, gpa_t gpa, const void *buf, size_t len) __must_check;
int guest_fill(struct vm *vm, gpa_t gpa, uint8_t value, size_t len) __must_check;
bool guest_is_ram(const struct guest_memory *m, gpa_t gpa, uint64_t len);

#endif
