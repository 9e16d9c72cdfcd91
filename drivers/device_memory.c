/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/device_memory.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/paging.h"
#include "kernel/boot_info.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "kernel/spinlock.h"
#include "lib/compiler.h"
#include "lib/list.h"

#include <errno.h>
#include <stdbool.h>

/* Where interrupt messages go (SDM vol. 3A, 10.11.1), and local APICs that are not in x2APIC mode
 * have their registers. */
#define APIC_WINDOW_START UINT64_C(0xfee00000)
#define APIC_WINDOW_END	  UINT64_C(0xfef00000)

/* What is mapped, for good. */
struct device_mapping {
	struct list_head link;
	uint64_t phys, size; /* whole pages */
	volatile uint8_t *memory;
};

static struct spinlock device_mappings_lock = SPINLOCK_INIT;
static struct list_head device_mappings = LIST_HEAD_INIT(device_mappings);

static bool device_memory_meets(uint64_t phys, uint64_t size, uint64_t start, uint64_t end)
{
	return start < end && phys < end && phys + size > start;
}

/* PCI's configuration, 1 MiB a bus: who writes it moves all devices. */
static bool device_memory_meets_pci(uint64_t phys, uint64_t size)
{
	const struct acpi_mcfg *m;

	for (m = acpi_info.mcfg; m < acpi_info.mcfg + acpi_info.mcfg_count; m++)
		if (device_memory_meets(phys, size, m->phys + ((uint64_t)m->first_bus << 20),
					m->phys + ((m->last_bus + UINT64_C(1)) << 20)))
			return true;
	return false;
}

/* Why [@phys, @phys + @size), whole pages, is no device's memory for a guest; NULL: it is. */
static const char *device_memory_refuse(uint64_t phys, uint64_t size)
{
	static const char *const kinds[] = {[BOOT_RAM] = "is RAM",
					    [BOOT_ACPI_RECLAIM] = "has ACPI's tables",
					    [BOOT_ACPI_NVS] = "has ACPI's memory",
					    [BOOT_BAD] = "is bad RAM"};
	const struct boot_info *info = &boot_info;

	/* What the firmware has reserved are devices, and memory of its own. */
	for (size_t i = 0; i < info->range_count; i++)
		if (info->ranges[i].type != BOOT_RESERVED &&
		    device_memory_meets(phys, size, info->ranges[i].start, info->ranges[i].end))
			return kinds[info->ranges[i].type];
	for (size_t i = 0; i < info->module_count; i++)
		if (device_memory_meets(phys, size, info->modules[i].phys,
					info->modules[i].phys + info->modules[i].size))
			return "has a module";
	if (device_memory_meets_pci(phys, size))
		return "has PCI's configuration";
	if (device_memory_meets(phys, size, APIC_WINDOW_START, APIC_WINDOW_END) ||
	    paging_uses_device(phys, size))
		return "has a device that Alcazar uses itself (APIC, I/O APIC, HPET, screen)";
	return NULL;
}

/* Under the lock. */
static volatile uint8_t *device_memory_mapped(uint64_t phys, uint64_t size)
{
	const struct device_mapping *m;

	list_for_each_entry (m, &device_mappings, link)
		if (m->phys <= phys && phys + size <= m->phys + m->size)
			return m->memory + (phys - m->phys);
	return NULL;
}

/* Two tasks may map the same at a time: one of the mappings is then not found again. */
static volatile uint8_t *device_memory_map_new(uint64_t phys, uint64_t size)
{
	struct device_mapping *m = kmalloc(sizeof(*m));

	if (!m)
		return NULL;
	*m = (struct device_mapping){
		.phys = phys, .size = size, .memory = paging_map_guest_device(phys, size)};
	if (!m->memory) {
		kfree(m);
		return NULL;
	}
	spin_lock(&device_mappings_lock);
	list_add(&m->link, &device_mappings);
	spin_unlock(&device_mappings_lock);
	return m->memory;
}

int device_memory_map(uint64_t phys, uint64_t size, volatile void **memory, const char **why)
{
	uint64_t first = ALIGN_DOWN(phys, PAGE_SIZE);
	uint64_t pages = ALIGN_UP(phys + size, PAGE_SIZE) - first;
	volatile uint8_t *at;

	*why = device_memory_refuse(first, pages);
	if (*why)
		return -EPERM;
	spin_lock(&device_mappings_lock);
	at = device_memory_mapped(first, pages);
	spin_unlock(&device_mappings_lock);
	if (!at)
		at = device_memory_map_new(first, pages);
	if (!at) {
		*why = "cannot be mapped: no memory or no addresses are left for it";
		return -ENOMEM;
	}
	*memory = at + (phys - first);
	return 0;
}

uint64_t device_memory_read(const volatile void *at, unsigned width)
{
	uint64_t value = 0;

	if (width == 1)
		__asm__ volatile("movb %1, %b0" : "+r"(value) : "m"(*(const uint8_t *)at));
	else if (width == 2)
		__asm__ volatile("movw %1, %w0" : "+r"(value) : "m"(*(const uint16_t *)at));
	else if (width == 4)
		__asm__ volatile("movl %1, %k0" : "+r"(value) : "m"(*(const uint32_t *)at));
	else
		__asm__ volatile("movq %1, %0" : "=r"(value) : "m"(*(const uint64_t *)at));
	return value;
}

void device_memory_write(volatile void *at, unsigned width, uint64_t value)
{
	if (width == 1)
		__asm__ volatile("movb %b1, %0" : "=m"(*(uint8_t *)at) : "r"(value));
	else if (width == 2)
		__asm__ volatile("movw %w1, %0" : "=m"(*(uint16_t *)at) : "r"(value));
	else if (width == 4)
		__asm__ volatile("movl %k1, %0" : "=m"(*(uint32_t *)at) : "r"(value));
	else
		__asm__ volatile("movq %1, %0" : "=m"(*(uint64_t *)at) : "r"(value));
}
