/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two CPUs with all timers running, which compare clocks until a character
 * comes: whatever was done with the VM meanwhile, no clock has gone without the
 * others, and all timers go on.
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"

#define PM_TIMER    0x608
#define PM_TIMER_HZ 3579545
#define UART_LSR    (GUEST_SERIAL_PORT + 5)
#define LSR_DR	    0x01

#define PIT_VECTOR    0x50
#define RTC_VECTOR    0x58
#define TIMER_VECTOR  0x60
#define PIT_PIN	      2
#define RTC_PIN	      8
#define PIT_COUNT     11932 /* 100 Hz */
#define RTC_64_HZ     0x2a
#define RTC_PIE	      0x42
#define TIMER_COUNT   625000u /* of 1 GHz by 16: 10 ms */
#define BY_16	      3
#define LOOK_MS	      500
#define LOOK_TAKES_MS 10
#define PATTERN	      0x9e3779b97f4a7c15

static volatile unsigned pit_ticks, rtc_ticks, timer_ticks[2];
static uint64_t memory[65536];

static void on_pit(struct guest_frame *frame)
{
	(void)frame;
	pit_ticks++;
	apic_eoi();
}

static uint8_t rtc_read(uint8_t reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

static void rtc_write(uint8_t reg, uint8_t value)
{
	outb(0x70, reg);
	outb(0x71, value);
}

static void on_rtc(struct guest_frame *frame)
{
	(void)frame;
	rtc_read(0x0c);
	rtc_ticks++;
	apic_eoi();
}

static void on_timer(struct guest_frame *frame)
{
	(void)frame;
	timer_ticks[apic_read(APIC_ID) >> 24 & 1]++;
	apic_eoi();
}

static void start_timer(void)
{
	apic_enable();
	apic_write(APIC_TIMER_DIVIDE, BY_16);
	apic_write(APIC_LVT_TIMER, APIC_LVT_PERIODIC | TIMER_VECTOR);
	apic_write(APIC_TIMER_INIT, TIMER_COUNT);
}

static void second_cpu(void *arg)
{
	(void)arg;
	start_timer();
	for (;;)
		irq_wait();
}

static void start_all(void)
{
	guest_set_handler(PIT_VECTOR, on_pit);
	guest_set_handler(RTC_VECTOR, on_rtc);
	guest_set_handler(TIMER_VECTOR, on_timer);
	start_timer();
	apic_io_route(PIT_PIN, PIT_VECTOR);
	apic_io_route(RTC_PIN, RTC_VECTOR);
	outb(0x43, 0x34);
	outb(0x40, PIT_COUNT & 0xff);
	outb(0x40, PIT_COUNT >> 8);
	rtc_write(0x0a, RTC_64_HZ);
	rtc_write(0x0b, RTC_PIE);
	rtc_read(0x0c);
	CHECK(guest_start_cpu(1, second_cpu, NULL), "it did not start");
	for (unsigned i = 0; i < ARRAY_SIZE(memory); i++)
		memory[i] = i * PATTERN;
}

static uint64_t told_khz(void)
{
	uint32_t r[4];

	cpuid(0x40000010, 0, r);
	return r[0];
}

/* Both clocks, since the start. */
struct clocks {
	uint64_t tsc, first_tsc;
	uint64_t pm;
	uint32_t last_pm;
};

/* Both at one moment: a look between which and the next something else had the CPU says nothing. */
static void look(struct clocks *c)
{
	uint64_t before, after;
	uint32_t pm;

	do {
		before = rdtsc();
		pm = inl(PM_TIMER);
		after = rdtsc();
	} while (after - before > LOOK_TAKES_MS * told_khz());
	c->pm += pm - c->last_pm;
	c->last_pm = pm;
	c->tsc = after - c->first_tsc;
}

static void check_clocks(const struct clocks *c)
{
	uint64_t tsc_ms = c->tsc / told_khz(), pm_ms = c->pm * 1000 / PM_TIMER_HZ;
	uint64_t apart = tsc_ms > pm_ms ? tsc_ms - pm_ms : pm_ms - tsc_ms;

	CHECK(apart < 20 + tsc_ms / 100, "the TSC went on for %llu ms, the PM timer for %llu",
	      (unsigned long long)tsc_ms, (unsigned long long)pm_ms);
}

static void check_memory(void)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(memory); i++)
		wrong += memory[i] != i * PATTERN;
	CHECK(!wrong, "%u words are others", wrong);
}

static void check_ticks(struct clocks *c)
{
	unsigned pit = pit_ticks, rtc = rtc_ticks, first = timer_ticks[0], second = timer_ticks[1];
	uint64_t end = rdtsc() + LOOK_MS * told_khz();

	while (rdtsc() < end)
		irq_window();
	CHECK(pit_ticks - pit > 5, "%u of the PIT", pit_ticks - pit);
	CHECK(rtc_ticks - rtc > 5, "%u of the RTC", rtc_ticks - rtc);
	CHECK(timer_ticks[0] - first > 5, "%u of the first CPU's timer", timer_ticks[0] - first);
	CHECK(timer_ticks[1] - second > 5, "%u of the second's", timer_ticks[1] - second);
	CHECK(pit_ticks - pit < 2 * LOOK_MS / 10, "%u of the PIT", pit_ticks - pit);
	look(c);
}

GUEST_TEST(ticks_go_on)
{
	struct clocks c = {0};

	start_all();
	c.last_pm = inl(PM_TIMER);
	c.first_tsc = rdtsc();
	check_ticks(&c);
	guest_printf("# ticking\n");
	while (!(inb(UART_LSR) & LSR_DR)) {
		irq_window();
		look(&c);
		check_clocks(&c);
	}
	check_ticks(&c);
	check_clocks(&c);
	check_memory();
}
