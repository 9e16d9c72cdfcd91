/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/apic.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/paging.h"

#include <errno.h>

/* Offsets in the page; the MSR in x2APIC mode is MSR_X2APIC + offset / 16 (10.12.1.2). */
#define REG_ID		   0x020
#define REG_TPR		   0x080
#define REG_EOI		   0x0b0
#define REG_SVR		   0x0f0
#define SVR_ENABLE	   BIT(8)
#define REG_ISR		   0x100 /* eight of them */
#define REG_ESR		   0x280
#define REG_LVT_CMCI	   0x2f0
#define REG_ICR		   0x300 /* in x2APIC mode all 64 bits in one */
#define REG_ICR_HIGH	   0x310
#define REG_LVT_TIMER	   0x320
#define LVT_TIMER_DEADLINE BIT(18)
#define REG_LVT_THERMAL	   0x330
#define REG_LVT_PERF	   0x340
#define REG_LVT_LINT0	   0x350
#define REG_LVT_LINT1	   0x360
#define LVT_NMI		   (4 << 8)
#define LVT_MASKED	   BIT(16)
#define REG_LVT_ERROR	   0x370
#define REG_TIMER_INITIAL  0x380
#define REG_TIMER_CURRENT  0x390
#define REG_TIMER_DIVIDE   0x3e0
#define TIMER_DIVIDE_BY_1  0xb
#define REG_VERSION	   0x030
#define VERSION_MAX_LVT(v) ((v) >> 16 & 0xff)

#define DEFAULT_PHYS 0xfee00000

static bool x2apic;
static volatile uint32_t *registers; /* NULL in x2APIC mode */
static uint64_t registers_phys;
static bool timer_deadline;
/* Counter ticks per TSC tick, 32.32; 0 before calibration. */
static uint64_t timer_mult;

static uint32_t reg_read(unsigned reg)
{
	return x2apic ? msr_read(MSR_X2APIC + reg / 16) : registers[reg / 4];
}

static void reg_write(unsigned reg, uint32_t v)
{
	if (x2apic)
		msr_write(MSR_X2APIC + reg / 16, v);
	else
		registers[reg / 4] = v;
}

int apic_init(uint64_t phys)
{
	x2apic = cpuid(1).ecx & CPUID_1_ECX_X2APIC;
	timer_deadline = cpuid(1).ecx & CPUID_1_ECX_TSC_DEADLINE;
	registers_phys = phys ? phys : DEFAULT_PHYS;
	if (x2apic)
		return 0;
	registers = paging_map_device(registers_phys, 4096, PAGING_UC);
	return registers ? 0 : -ENOMEM;
}

bool apic_is_x2apic(void)
{
	return x2apic;
}

/* What the firmware left in service would hold back our own interrupts. */
static void drain_in_service(void)
{
	for (unsigned i = 0; i < 8; i++)
		for (uint32_t isr = reg_read(REG_ISR + 16 * i); isr; isr &= isr - 1)
			reg_write(REG_EOI, 0);
}

void apic_init_cpu(void)
{
	uint64_t base = msr_read(MSR_APIC_BASE) & APIC_BASE_BSP;
	unsigned max_lvt;

	/* x2APIC is entered from enabled xAPIC only (10.12.5). */
	msr_write(MSR_APIC_BASE, registers_phys | base | APIC_BASE_ENABLE |
					 (msr_read(MSR_APIC_BASE) & APIC_BASE_X2APIC));
	if (x2apic)
		msr_write(MSR_APIC_BASE,
			  registers_phys | base | APIC_BASE_ENABLE | APIC_BASE_X2APIC);

	/* An LVT entry keeps its mask while the APIC is software-disabled: enable it first. */
	reg_write(REG_SVR, SVR_ENABLE | IRQ_VECTOR_SPURIOUS);
	reg_write(REG_TPR, 0);
	max_lvt = VERSION_MAX_LVT(reg_read(REG_VERSION));
	reg_write(REG_LVT_TIMER, LVT_MASKED | IRQ_VECTOR_TIMER);
	reg_write(REG_LVT_LINT0, LVT_MASKED);
	reg_write(REG_LVT_LINT1, LVT_NMI);
	reg_write(REG_LVT_ERROR, LVT_MASKED | IRQ_VECTOR_SPURIOUS);
	if (max_lvt >= 4)
		reg_write(REG_LVT_PERF, LVT_MASKED);
	if (max_lvt >= 6)
		reg_write(REG_LVT_CMCI, LVT_MASKED);
	reg_write(REG_ESR, 0);
	drain_in_service();
}

uint32_t apic_id(void)
{
	return x2apic ? reg_read(REG_ID) : reg_read(REG_ID) >> 24;
}

void apic_eoi(void)
{
	reg_write(REG_EOI, 0);
}

void apic_send(uint32_t apic_id, uint32_t command)
{
	if (x2apic) {
		/* Not a serializing write: what the receiver is to see goes first (10.12.3). */
		__asm__ volatile("mfence; lfence" : : : "memory");
		msr_write(MSR_X2APIC + REG_ICR / 16, (uint64_t)apic_id << 32 | command);
		return;
	}
	/* An NMI between the two writes sends only when it never comes back here. */
	reg_write(REG_ICR_HIGH, apic_id << 24);
	reg_write(REG_ICR, command);
	while (reg_read(REG_ICR) & APIC_ICR_PENDING)
		cpu_pause();
}

void apic_timer_run(void)
{
	reg_write(REG_LVT_TIMER, LVT_MASKED | IRQ_VECTOR_TIMER);
	reg_write(REG_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	reg_write(REG_TIMER_INITIAL, UINT32_MAX);
}

uint32_t apic_timer_count(void)
{
	return reg_read(REG_TIMER_CURRENT);
}

void apic_timer_calibrated(uint32_t ticks, uint64_t tsc_ticks)
{
	timer_mult = ((uint64_t)ticks << 32) / tsc_ticks;
}

void apic_timer_init_cpu(void)
{
	reg_write(REG_TIMER_INITIAL, 0);
	reg_write(REG_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	reg_write(REG_LVT_TIMER, IRQ_VECTOR_TIMER | (timer_deadline ? LVT_TIMER_DEADLINE : 0));
	/* The mode must be set before the first deadline is (10.5.4.1). */
	__asm__ volatile("mfence" : : : "memory");
}

/* The count for a deadline that lies @delta TSC ticks ahead; never 0, which would stop it. */
static uint32_t count_for(uint64_t delta)
{
	unsigned __int128 ticks = ((unsigned __int128)delta * timer_mult >> 32) + 1;

	return ticks > UINT32_MAX ? UINT32_MAX : ticks;
}

void apic_timer_set(uint64_t deadline)
{
	uint64_t now;

	if (timer_deadline) {
		/* 0 disarms it. */
		msr_write(MSR_TSC_DEADLINE,
			  deadline == UINT64_MAX ? 0 : MAX(deadline, UINT64_C(1)));
		return;
	}
	if (deadline == UINT64_MAX) {
		reg_write(REG_TIMER_INITIAL, 0);
		return;
	}
	now = cpu_rdtsc();
	reg_write(REG_TIMER_INITIAL, deadline > now ? count_for(deadline - now) : 1);
}

const char *apic_timer_name(void)
{
	return timer_deadline ? "TSC deadline" : "one-shot";
}
