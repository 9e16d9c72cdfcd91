/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/clock.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/paging.h"

/* IA-PC HPET Specification 1.0a, 2.3.4: words of 32 bits. */
#define HPET_PERIOD	   1 /* femtoseconds a tick */
#define HPET_PERIOD_MAX	   100000000
#define HPET_PERIOD_MIN	   1000000 /* quicker ones do not exist, and products stay in 64 bits */
#define HPET_CONFIG	   4
#define HPET_CONFIG_ENABLE BIT(0)
#define HPET_COUNTER	   60

/* ACPI 6.5, 4.8.3.3. */
#define PM_TIMER_HZ 3579545

/* Intel 8254 data sheet; channel 2 hangs on port 0x61, bit 0 its gate. */
#define PIT_HZ	     1193182
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND  0x43
#define PIT_LATCH2   0x80
#define PIT_RATE2    0xb4 /* channel 2, both bytes, mode 2 */
#define PORT_61	     0x61

static volatile uint32_t *hpet;

static uint32_t hpet_read(void)
{
	return hpet[HPET_COUNTER];
}

static const struct clock *hpet_start(void)
{
	static struct clock clock = {.name = "HPET", .mask = UINT32_MAX, .read = hpet_read};

	if (!acpi_info.hpet_phys)
		return NULL;
	hpet = paging_map_device(acpi_info.hpet_phys, 1024, PAGING_UC);
	if (!hpet || hpet[HPET_PERIOD] < HPET_PERIOD_MIN || hpet[HPET_PERIOD] > HPET_PERIOD_MAX)
		return NULL;
	clock.hz = UINT64_C(1000000000000000) / hpet[HPET_PERIOD];
	hpet[HPET_CONFIG] |= HPET_CONFIG_ENABLE;
	return &clock;
}

static uint32_t pm_timer_read(void)
{
	return io_in32(acpi_info.pm_timer_port);
}

static const struct clock *pm_timer_start(void)
{
	static struct clock clock = {
		.name = "the PM timer", .hz = PM_TIMER_HZ, .read = pm_timer_read};

	/* Some chipsets of old have 24 bits and say 32; the window needs 16. */
	clock.mask = 0xffffff;
	return acpi_info.pm_timer_port ? &clock : NULL;
}

static uint32_t pit_read(void)
{
	uint32_t count;

	io_out8(PIT_COMMAND, PIT_LATCH2);
	count = io_in8(PIT_CHANNEL2);
	count |= io_in8(PIT_CHANNEL2) << 8;
	return -count; /* it counts down */
}

static const struct clock *pit_start(void)
{
	static const struct clock clock = {
		.name = "the PIT", .hz = PIT_HZ, .mask = UINT16_MAX, .read = pit_read};

	io_out8(PORT_61, (io_in8(PORT_61) & ~2) | 1); /* gate on, speaker off */
	io_out8(PIT_COMMAND, PIT_RATE2);
	io_out8(PIT_CHANNEL2, 0); /* 65536 */
	io_out8(PIT_CHANNEL2, 0);
	return &clock;
}

const struct clock *clock_start(unsigned index)
{
	static const struct clock *(*const starters[CLOCK_COUNT])(void) = {
		hpet_start, pm_timer_start, pit_start};

	return starters[index]();
}
