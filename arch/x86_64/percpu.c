/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/percpu.h"

#include "arch/x86_64/desc.h"
#include "arch/x86_64/host.h"
#include "arch/x86_64/layout.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/percpu_init.h"

#include <errno.h>
#include <string.h>

struct cpu *cpu_table[CPU_MAX];
uint32_t cpu_count;

/* What CPU_LOCAL_BASE shows, one page a CPU. */
struct percpu_page {
	struct cpu cpu;
	struct desc_cpu desc;
} __aligned(4096);
_Static_assert(sizeof(struct percpu_page) == 4096, "one page");

struct percpu_ist {
	uint8_t guard[4096];
	uint8_t stack[DESC_IST_SIZE];
};

struct percpu_stacks {
	uint8_t guard[4096];
	uint8_t stack[CPU_STACK_SIZE];
	struct percpu_ist ist[DESC_IST_COUNT];
};

/* The boot CPU's, there before anything can be allocated; boot/entry.S uses them first. */
extern struct percpu_page percpu_boot;
extern struct percpu_stacks percpu_boot_stacks;
struct percpu_page percpu_boot;
struct percpu_stacks percpu_boot_stacks __aligned(4096);

bool percpu_is_guard(const uint8_t *page)
{
	if (page == percpu_boot_stacks.guard)
		return true;
	for (int i = 0; i < DESC_IST_COUNT; i++)
		if (page == percpu_boot_stacks.ist[i].guard)
			return true;
	return false;
}

static struct percpu_page *page_of(struct cpu *cpu)
{
	return container_of(cpu, struct percpu_page, cpu);
}

void percpu_init_boot(void)
{
	struct cpu *cpu = &percpu_boot.cpu;
	uint8_t *tops[DESC_IST_COUNT];

	cpu->self = cpu;
	cpu->stack_top = percpu_boot_stacks.stack + CPU_STACK_SIZE;
	for (int i = 0; i < DESC_IST_COUNT; i++)
		tops[i] = percpu_boot_stacks.ist[i].stack + DESC_IST_SIZE;
	desc_init(&percpu_boot.desc, tops);
	cpu_table[0] = cpu;
	cpu_count = 1;
	percpu_load();
	cpu->online = true;
}

void percpu_load(void)
{
	desc_load(&page_of(this_cpu()->self)->desc);
}

/* Returns the upper end of a stack of 4 KiB << @order with a guard page below, or NULL. */
static uint8_t *new_stack(unsigned order)
{
	void *pages = arch_host.pages(order);
	uint8_t *stack;

	if (!pages)
		return NULL;
	stack = paging_map_stack(pages, UINT64_C(4096) << order);
	if (!stack) {
		arch_host.pages_free(pages, order);
		return NULL;
	}
	return stack + (UINT64_C(4096) << order);
}

/* Page tables like the boot CPU's but for the slot that shows @page at CPU_LOCAL_BASE. */
static uint64_t new_tables(struct percpu_page *page)
{
	const uint64_t *boot = paging_direct(percpu_boot.cpu.pml4_phys);
	uint64_t *tables[4];

	for (int i = 0; i < 4; i++) {
		tables[i] = arch_host.pages(0);
		if (!tables[i]) {
			while (i--)
				arch_host.pages_free(tables[i], 0);
			return 0;
		}
	}
	memcpy(tables[0], boot, 4096);
	tables[0][CPU_LOCAL_SLOT] = paging_phys(tables[1]) | PTE_P | PTE_RW;
	tables[1][0] = paging_phys(tables[2]) | PTE_P | PTE_RW;
	tables[2][0] = paging_phys(tables[3]) | PTE_P | PTE_RW;
	tables[3][0] = paging_phys(page) | PTE_P | PTE_RW | PTE_NX;
	return paging_phys(tables[0]);
}

/* Stacks stay mapped and are lost when a later step fails: the machine is out of memory anyway. */
struct cpu *percpu_create(uint32_t apic_id)
{
	struct percpu_page *page = arch_host.pages(0);
	uint8_t *tops[DESC_IST_COUNT];

	if (!page)
		return NULL;
	page->cpu.self = &page->cpu;
	page->cpu.index = cpu_count;
	page->cpu.apic_id = apic_id;
	page->cpu.stack_top = new_stack(CPU_STACK_ORDER);
	page->cpu.pml4_phys = new_tables(page);
	for (int i = 0; i < DESC_IST_COUNT; i++) {
		tops[i] = new_stack(DESC_IST_ORDER);
		if (!tops[i])
			return NULL;
	}
	if (!page->cpu.stack_top || !page->cpu.pml4_phys)
		return NULL;
	desc_init(&page->desc, tops);
	return &page->cpu;
}
