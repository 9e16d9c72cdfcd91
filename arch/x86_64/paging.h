/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our own page tables: layout.h says what lies where. Every mapping is either
 * writable or executable, never both. Mapping is safe on any CPU at the same
 * time: tables are linked in by compare-and-swap and addresses of the vmap
 * area are never used twice, so nothing has to be flushed elsewhere.
 */
#ifndef ARCH_X86_64_PAGING_H
#define ARCH_X86_64_PAGING_H

#include "arch/x86_64/layout.h"
#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PTE_P	 BIT(0)
#define PTE_RW	 BIT(1)
#define PTE_US	 BIT(2)
#define PTE_PWT	 BIT(3)
#define PTE_PCD	 BIT(4)
#define PTE_A	 BIT(5)
#define PTE_D	 BIT(6)
#define PTE_PS	 BIT(7) /* in a PDPT or PD entry: a page, not a table */
#define PTE_G	 BIT(8)
#define PTE_OURS BIT(9) /* the CPU ignores it; paging_map_device() */
#define PTE_NX	 BIT(63)
#define PTE_ADDR UINT64_C(0x000ffffffffff000)

/* The PAT that cpu_init() writes, the same in its upper half, by (PCD, PWT): WB, WC, UC-, UC. */
#define PAGING_PAT UINT64_C(0x0007010600070106)

enum paging_cache { PAGING_WB = 0, PAGING_WC = PTE_PWT, PAGING_UC = PTE_PCD | PTE_PWT };

/* The direct map: all RAM, also what modules and ACPI tables lie in. One instruction. */
static __always_inline void *paging_direct(uint64_t phys)
{
	return (void *)(DIRECT_BASE + phys);
}

/* The physical address of something in the direct map or in the image. */
uint64_t paging_phys(const void *p);

/* Boot CPU, once: builds the final tables with the image in them, by its segments. */
int __must_check paging_init(void);
/*
 * Boot CPU: [@start, @end) of physical RAM into the direct map, with the
 * largest pages. Ranges do not overlap. -E2BIG: beyond what we have addresses for.
 */
int __must_check paging_map_direct(uint64_t start, uint64_t end);
/* Each CPU, once: from the tables it came up with to its own ones. */
void paging_switch(void);

/*
 * Device registers or a framebuffer: @size bytes at @phys, of any alignment,
 * read and write, not executable. NULL when there is no memory for the tables.
 * They stay mapped for good.
 */
void *__must_check paging_map_device(uint64_t phys, size_t size, enum paging_cache cache);
/* The same, uncached, of a device that is a guest's: paging_uses_device() does not count it. */
void *__must_check paging_map_guest_device(uint64_t phys, size_t size);
/* Whether paging_map_device() has mapped any page of [@phys, @phys + @size). Tasks: it walks all
 * that is mapped for devices. */
bool paging_uses_device(uint64_t phys, uint64_t size);

/*
 * A stack of @size bytes (whole pages) on @pages, physically contiguous and in
 * the direct map, with an unmapped guard page below. Returns its lowest
 * address or NULL. It stays mapped for good: keep it for the next user.
 */
void *__must_check paging_map_stack(void *pages, size_t size);

/*
 * @size bytes (whole pages) on @pages, for reading, at @virt, which linker.ld keeps for them in the
 * image's slot. -ENOMEM.
 */
int __must_check paging_map_tables(uint64_t virt, void *pages, size_t size);

/* The entry that maps @virt on this CPU, 0 if none; its page's size to @size (may be NULL). */
uint64_t paging_lookup(uint64_t virt, uint64_t *size);

/* What paging_check_wx() found in the live tables of this CPU. */
struct paging_report {
	uint64_t pages; /* mapped, of any size */
	uint64_t bytes;
	uint64_t wx;	    /* pages that are writable and executable */
	uint64_t user;	    /* pages that user mode could reach */
	uint64_t low;	    /* pages mapped below DIRECT_BASE */
	uint64_t first_bad; /* address of the first of these */
};
void paging_check_wx(struct paging_report *report);

#endif
