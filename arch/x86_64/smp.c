/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/smp.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/host.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/percpu_init.h"
#include "arch/x86_64/trampoline.h"

#include <string.h>

#define INIT_WAIT_US	10000 /* Intel SDM vol. 3A, 8.4.4.1 */
#define STARTUP_WAIT_US 200
#define ARRIVAL_WAIT_US 200000

/* The pages at low_phys. */
enum { LOW_CODE, LOW_PML4, LOW_PDPT, LOW_PD, LOW_PT };

static uint64_t tsc_khz;
static void (*cpu_entry)(void);
/* Set by the CPU that is being started; the boot CPU waits for it. */
static uint32_t arrived;
/* TSCs on both sides of the hand-over, to see whether one lies behind the other. */
static uint64_t released_at, online_at;

void smp_enter(struct cpu *cpu);

static void wait_us(uint64_t us)
{
	uint64_t end = cpu_rdtsc() + us * tsc_khz / 1000;

	while (cpu_rdtsc() < end)
		cpu_pause();
}

/* True when *@flag gets to @value within @us. */
static bool wait_for(const uint32_t *flag, uint32_t value, uint64_t us)
{
	uint64_t end = cpu_rdtsc() + us * tsc_khz / 1000;

	while (__atomic_load_n(flag, __ATOMIC_ACQUIRE) != value) {
		if (cpu_rdtsc() > end)
			return false;
		cpu_pause();
	}
	return true;
}

/* The other CPU's first C code, from trampoline.S. */
void smp_enter(struct cpu *cpu)
{
	cpu_init();
	percpu_load();
	apic_init_cpu();
	apic_timer_init_cpu();
	__atomic_store_n(&arrived, cpu->index, __ATOMIC_RELEASE);
	/* Given up meanwhile? Then the boot CPU sends an INIT, and this waits for it. */
	while (__atomic_load_n(&cpu_count, __ATOMIC_ACQUIRE) <= cpu->index)
		cpu_pause();
	if (cpu_rdtsc() < released_at)
		arch_host.warn("smp: the TSC of CPU %u is behind the boot CPU's", cpu->index);
	online_at = cpu_rdtsc();
	__atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
	cpu_entry();
}

/*
 * The started CPU needs tables below 4 GiB in which its first page is mapped
 * where it physically is: a copy of the boot CPU's, whose slot 0 is empty.
 */
static void build_low(uint64_t low_phys)
{
	uint8_t *low = paging_direct(low_phys);
	uint64_t *table[LOW_PT + 1];

	memset(low, 0, SMP_LOW_SIZE);
	for (int i = LOW_PML4; i <= LOW_PT; i++)
		table[i] = (uint64_t *)(low + 4096 * i);
	memcpy(table[LOW_PML4], paging_direct(this_cpu()->pml4_phys), 4096);
	table[LOW_PML4][0] = (low_phys + 4096 * LOW_PDPT) | PTE_P;
	table[LOW_PDPT][0] = (low_phys + 4096 * LOW_PD) | PTE_P;
	table[LOW_PD][0] = (low_phys + 4096 * LOW_PT) | PTE_P;
	table[LOW_PT][low_phys >> 12] = low_phys | PTE_P;
}

/* Lets the one that has arrived go on as a CPU of ours. */
static void release(struct cpu *cpu)
{
	released_at = cpu_rdtsc();
	cpu_table[cpu->index] = cpu;
	__atomic_store_n(&cpu_count, cpu->index + 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE))
		cpu_pause();
	if (cpu_rdtsc() < online_at)
		arch_host.warn("smp: the TSC of CPU %u is ahead of the boot CPU's", cpu->index);
}

/* @apic_id has had its INIT. Reports it when it does not come. */
static void start_one(uint32_t apic_id, uint64_t low_phys)
{
	struct trampoline_data *data =
		(struct trampoline_data *)((uint8_t *)paging_direct(low_phys) + TRAMPOLINE_MAX);
	uint32_t startup = APIC_ICR_ASSERT | APIC_ICR_STARTUP | (uint32_t)(low_phys >> 12);
	struct cpu *cpu = percpu_create(apic_id);

	if (!cpu) {
		arch_host.warn("smp: no memory for the CPU with APIC id %u; left out", apic_id);
		return;
	}
	memcpy(paging_direct(low_phys), trampoline_start, TRAMPOLINE_MAX);
	*data = (struct trampoline_data){
		.cr3 = low_phys + 4096 * LOW_PML4,
		.tables = cpu->pml4_phys,
		.stack = (uint64_t)cpu->stack_top,
		.cpu = (uint64_t)cpu,
	};
	apic_send(apic_id, startup);
	if (!wait_for(&arrived, cpu->index, STARTUP_WAIT_US)) {
		apic_send(apic_id, startup);
		if (!wait_for(&arrived, cpu->index, ARRIVAL_WAIT_US)) {
			apic_send(apic_id, APIC_ICR_ASSERT | APIC_ICR_INIT);
			arch_host.warn("smp: the CPU with APIC id %u does not start; left out",
				       apic_id);
			return;
		}
	}
	release(cpu);
}

/* Without x2APIC mode we have eight bits of address, and 255 is everybody. */
static bool can_reach(uint32_t apic_id)
{
	return apic_is_x2apic() || apic_id < 255;
}

void smp_start(uint32_t limit, uint64_t low_phys, uint64_t khz, void (*entry)(void))
{
	uint32_t self = apic_id();

	tsc_khz = khz;
	cpu_entry = entry;
	if (limit < 2 || acpi_info.cpu_count < 2)
		return;
	build_low(low_phys);
	for (uint32_t i = 0; i < acpi_info.cpu_count; i++)
		if (acpi_info.cpu_apic_ids[i] != self && can_reach(acpi_info.cpu_apic_ids[i]))
			apic_send(acpi_info.cpu_apic_ids[i], APIC_ICR_ASSERT | APIC_ICR_INIT);
	wait_us(INIT_WAIT_US);
	for (uint32_t i = 0; i < acpi_info.cpu_count && cpu_count < limit; i++) {
		uint32_t id = acpi_info.cpu_apic_ids[i];

		if (id == self)
			continue;
		if (can_reach(id))
			start_one(id, low_phys);
		else
			arch_host.warn("smp: APIC id %u needs x2APIC, which is missing; left out",
				       id);
	}
}
