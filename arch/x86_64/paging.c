/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/paging.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/host.h"
#include "arch/x86_64/image.h"
#include "arch/x86_64/percpu_init.h"

#include <errno.h>

#define PAGE_4K	       UINT64_C(0x1000)
#define PAGE_2M	       UINT64_C(0x200000)
#define PAGE_1G	       UINT64_C(0x40000000)
#define SLOT(virt)     ((virt) >> 39 & 511)
#define RIGHTS_READ    (PTE_P | PTE_NX)
#define RIGHTS_WRITE   (PTE_P | PTE_RW | PTE_NX)
#define RIGHTS_EXECUTE (PTE_P)

/* The boot CPU's; the others' are copies, so that slots may be filled through any. */
static uint64_t *pml4;
static bool pages_1g;
static uint64_t vmap_next = VMAP_BASE;

uint64_t paging_phys(const void *p)
{
	uint64_t virt = (uint64_t)p;

	if (virt >= IMAGE_BASE)
		return virt - IMAGE_BASE + image_load_offset;
	return virt - DIRECT_BASE;
}

static uint64_t level_size(int level)
{
	return PAGE_4K << 9 * level;
}

/* The table that @entry points to, made if there is none. NULL: no memory. */
static uint64_t *next_table(uint64_t *entry)
{
	uint64_t old = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
	void *page;

	if (!old) {
		page = arch_host.pages(0);
		if (!page)
			return NULL;
		/* Another CPU may be quicker; its table is as good as ours. */
		if (__atomic_compare_exchange_n(entry, &old, paging_phys(page) | PTE_P | PTE_RW,
						false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return page;
		arch_host.pages_free(page, 0);
	}
	return paging_direct(old & PTE_ADDR);
}

/* The entry for @virt in a table of @level (0: 4 KiB pages … 2: 1 GiB pages). */
static uint64_t *entry_of(uint64_t virt, int level)
{
	uint64_t *table = pml4;

	for (int l = 3; l > level; l--) {
		table = next_table(&table[virt >> (12 + 9 * l) & 511]);
		if (!table)
			return NULL;
	}
	return &table[virt >> (12 + 9 * level) & 511];
}

static int best_level(uint64_t virt, uint64_t phys, uint64_t size)
{
	int level = pages_1g ? 2 : 1;

	while (level && (size < level_size(level) || (virt | phys) & (level_size(level) - 1)))
		level--;
	return level;
}

/* All in whole 4 KiB pages; the range is not mapped yet. */
static int map(uint64_t virt, uint64_t phys, uint64_t size, uint64_t rights)
{
	while (size) {
		int level = best_level(virt, phys, size);
		uint64_t *entry = entry_of(virt, level);

		if (!entry)
			return -ENOMEM;
		*entry = phys | rights | PTE_A | PTE_D | PTE_G | (level ? PTE_PS : 0);
		virt += level_size(level);
		phys += level_size(level);
		size -= level_size(level);
	}
	return 0;
}

/* Everything of the image but the guard pages among its data, page by page. */
static int map_image_part(const uint8_t *start, const uint8_t *end, uint64_t rights)
{
	for (const uint8_t *p = start; p < end; p += PAGE_4K) {
		int err;

		if (percpu_is_guard(p))
			continue;
		err = map((uint64_t)p, paging_phys(p), PAGE_4K, rights);
		if (err)
			return err;
	}
	return 0;
}

static int map_image(void)
{
	int err = map_image_part(image_text_start, image_text_end, RIGHTS_EXECUTE);

	if (!err)
		err = map_image_part(image_rodata_start, image_rodata_end, RIGHTS_READ);
	if (!err)
		err = map_image_part(image_data_start, image_data_end, RIGHTS_WRITE);
	return err;
}

int paging_init(void)
{
	const uint64_t *early = paging_direct(cpu_read_cr3() & PTE_ADDR);
	uint64_t *top = arch_host.pages(0);
	int err;

	if (!top)
		return -ENOMEM;
	pml4 = top;
	pages_1g = cpuid_checked(0x80000001).edx & CPUID_80000001_EDX_1G_PAGES;
	top[SLOT(CPU_LOCAL_BASE)] = early[SLOT(CPU_LOCAL_BASE)];
	err = map_image();
	/* A table for each slot that will ever be used, before another CPU copies them. */
	if (!err && !next_table(&top[SLOT(VMAP_BASE)]))
		err = -ENOMEM;
	if (err)
		return err;
	this_cpu()->pml4_phys = paging_phys(top);
	return 0;
}

int paging_map_direct(uint64_t start, uint64_t end)
{
	start = ALIGN_DOWN(start, PAGE_4K);
	end = ALIGN_UP(end, PAGE_4K);
	if (end > DIRECT_SLOTS * (UINT64_C(1) << 39))
		return -E2BIG;
	return map(DIRECT_BASE + start, start, end - start, RIGHTS_WRITE);
}

void paging_switch(void)
{
	cpu_write_cr3(this_cpu()->pml4_phys);
}

/*
 * @size bytes of fresh addresses, in step with @phys as far as large pages want
 * it. 0: none left below @end.
 */
static uint64_t vmap_reserve(uint64_t phys, uint64_t size, uint64_t end)
{
	uint64_t step = size >= PAGE_2M ? PAGE_2M : PAGE_4K;
	/* One page more before and behind: what runs over the end faults. */
	uint64_t room = ALIGN_UP(size + (phys & (step - 1)), PAGE_4K) + PAGE_4K;
	uint64_t at = __atomic_load_n(&vmap_next, __ATOMIC_RELAXED);

	do {
		if (size > VMAP_SIZE || at + room + step > end)
			return 0;
	} while (!__atomic_compare_exchange_n(&vmap_next, &at, at + ALIGN_UP(room + step, PAGE_4K),
					      true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return ALIGN_UP(at + PAGE_4K, step) + (phys & (step - 1));
}

static void *map_device(uint64_t phys, size_t size, uint64_t end, uint64_t bits)
{
	uint64_t offset = phys & (PAGE_4K - 1);
	uint64_t bytes = ALIGN_UP(size + offset, PAGE_4K);
	uint64_t virt = vmap_reserve(phys - offset, bytes, end);

	if (!virt || map(virt, phys - offset, bytes, RIGHTS_WRITE | bits))
		return NULL;
	return (void *)(virt + offset);
}

void *paging_map_device(uint64_t phys, size_t size, enum paging_cache cache)
{
	return map_device(phys, size, VMAP_BASE + VMAP_SIZE, cache | PTE_OURS);
}

void *paging_map_guest_device(uint64_t phys, size_t size)
{
	/* The other half is for our devices and stacks, whatever guests are given. */
	return map_device(phys, size, VMAP_BASE + VMAP_SIZE / 2, PAGING_UC);
}

/* Whether a page below @table, whose entries are of @level, is ours and meets [@phys, @last]. */
static bool uses_device(const uint64_t *table, int level, uint64_t phys, uint64_t last)
{
	for (int i = 0; i < 512; i++) {
		uint64_t entry = __atomic_load_n(&table[i], __ATOMIC_ACQUIRE);
		uint64_t at = entry & PTE_ADDR & -level_size(level);

		if (!(entry & PTE_P))
			continue;
		if (level && !(entry & PTE_PS)) {
			if (uses_device(paging_direct(entry & PTE_ADDR), level - 1, phys, last))
				return true;
		} else if (entry & PTE_OURS && at <= last && at + level_size(level) - 1 >= phys) {
			return true;
		}
	}
	return false;
}

bool paging_uses_device(uint64_t phys, uint64_t size)
{
	const uint64_t *table = paging_direct(pml4[SLOT(VMAP_BASE)] & PTE_ADDR);

	return uses_device(table, 2, phys, phys + size - 1);
}

void *paging_map_stack(void *pages, size_t size)
{
	uint64_t virt = vmap_reserve(0, size, VMAP_BASE + VMAP_SIZE);

	if (!virt || map(virt, paging_phys(pages), size, RIGHTS_WRITE))
		return NULL;
	return (void *)virt;
}

int paging_map_tables(uint64_t virt, void *pages, size_t size)
{
	return map(virt, paging_phys(pages), size, RIGHTS_READ);
}

uint64_t paging_lookup(uint64_t virt, uint64_t *size)
{
	uint64_t entry = cpu_read_cr3() | PTE_P;

	for (int level = 3; level >= 0; level--) {
		const uint64_t *table = paging_direct(entry & PTE_ADDR);

		entry = table[virt >> (12 + 9 * level) & 511];
		if (!(entry & PTE_P))
			return 0;
		if (level == 0 || entry & PTE_PS) {
			if (size)
				*size = level_size(level);
			return entry;
		}
	}
	return 0;
}
