/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CMOS clock: MC146818A with 128 bytes of memory.
 *
 * Spec: Motorola MC146818A data sheet (1984); the index port's bit 7 masks the
 * PC's NMI, which has no source here.
 * Keys: none. It starts with the host's date.
 * Lock: lock over everything; the line's comes after it.
 *
 * The time is computed from the guest's clock when somebody looks, and so are
 * the flags of register C: what has happened since the last look. A timer
 * runs only while an event is enabled and register C is clear.
 */
#include "devices/chipset/rtc.h"

#include "devices/acpi_node.h"
#include "devices/byte_io.h"
#include "devices/ticks.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "kernel/wall_time.h"
#include "lib/date.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>

#define RTC_IO	  0x70
#define RTC_PORTS 2
#define RTC_IRQ	  8

#define RTC_A_UIP	    0x80 /* the next update is less than 244 µs away */
#define RTC_A_DIVIDER	    0x70 /* 2: a crystal of 32768 Hz */
#define RTC_A_DIVIDER_RESET 0x60 /* from here on */
#define RTC_A_RATE	    0x0f
#define RTC_A_DEFAULT	    0x26 /* 1024 Hz */
#define RTC_B_SET	    0x80 /* the time stands still and can be set */
#define RTC_B_PIE	    0x40
#define RTC_B_AIE	    0x20
#define RTC_B_UIE	    0x10
#define RTC_B_BINARY	    0x04
#define RTC_B_24H	    0x02
#define RTC_C_IRQ	    0x80
#define RTC_EVENTS	    (RTC_B_PIE | RTC_B_AIE | RTC_B_UIE) /* flags of C as in B */
#define RTC_D_VALID	    0x80
#define RTC_PM		    0x80 /* in the hours, where they are 12 */
#define RTC_ALARM_ANY	    0xc0 /* an alarm byte from here on matches all */
#define RTC_UIP_NS	    UINT64_C(244000)
#define RTC_CRYSTAL_HZ	    32768
#define DAY_SECONDS	    86400

static const struct tick_rate rtc_rate = TICK_RATE(RTC_CRYSTAL_HZ);

struct rtc {
	struct spinlock lock;
	struct vm *vm;
	struct irq_line *irq;
	struct device_timer *timer;
	struct acpi_node acpi;
	uint8_t index;		 /* of the next access; bit 7 masks NMIs */
	uint8_t cmos[RTC_BYTES]; /* time bytes are valid while SET is on */
	int64_t base;		 /* the date at vm_time_ns() 0 */
	uint64_t looked;	 /* vm_time_ns() up to which register C is right */
};

static uint64_t rtc_now(const struct rtc *r)
{
	return vm_time_ns(r->vm);
}

static uint8_t rtc_encode(const struct rtc *r, unsigned value)
{
	return (uint8_t)((r->cmos[RTC_B] & RTC_B_BINARY) ? value : value / 10 << 4 | value % 10);
}

static unsigned rtc_decode(const struct rtc *r, uint8_t value)
{
	return (r->cmos[RTC_B] & RTC_B_BINARY) ? value : (value >> 4) * 10u + (value & 0xf);
}

static uint8_t rtc_encode_hour(const struct rtc *r, unsigned hour)
{
	if (r->cmos[RTC_B] & RTC_B_24H)
		return rtc_encode(r, hour);
	return rtc_encode(r, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? RTC_PM : 0);
}

static unsigned rtc_decode_hour(const struct rtc *r, uint8_t value)
{
	if (r->cmos[RTC_B] & RTC_B_24H)
		return rtc_decode(r, value);
	return rtc_decode(r, value & ~RTC_PM) % 12 + (value & RTC_PM ? 12 : 0);
}

/* Puts the date into the time bytes, unless the guest is setting them. */
static void rtc_latch(struct rtc *r)
{
	struct date d;

	if (r->cmos[RTC_B] & RTC_B_SET)
		return;
	date_from_seconds(r->base + (int64_t)(rtc_now(r) / NSEC_PER_SEC), &d);
	r->cmos[RTC_SECONDS] = rtc_encode(r, d.second);
	r->cmos[RTC_MINUTES] = rtc_encode(r, d.minute);
	r->cmos[RTC_HOURS] = rtc_encode_hour(r, d.hour);
	r->cmos[RTC_WEEKDAY] = rtc_encode(r, d.weekday + 1u);
	r->cmos[RTC_DAY] = rtc_encode(r, d.day);
	r->cmos[RTC_MONTH] = rtc_encode(r, d.month);
	r->cmos[RTC_YEAR] = rtc_encode(r, (unsigned)d.year % 100);
	r->cmos[RTC_CENTURY] = rtc_encode(r, (unsigned)d.year / 100 % 100);
}

/* The time bytes become the date; nonsense is taken into range. */
static void rtc_set(struct rtc *r)
{
	unsigned year =
		rtc_decode(r, r->cmos[RTC_CENTURY]) * 100 + rtc_decode(r, r->cmos[RTC_YEAR]);
	unsigned month = rtc_decode(r, r->cmos[RTC_MONTH]);
	unsigned day = rtc_decode(r, r->cmos[RTC_DAY]);
	struct date d = {
		.year = (int32_t)MIN(MAX(year, 1u), 9999u),
		.month = (uint8_t)MIN(MAX(month, 1u), 12u),
		.day = (uint8_t)MIN(MAX(day, 1u), 31u),
		.hour = (uint8_t)MIN(rtc_decode_hour(r, r->cmos[RTC_HOURS]), 23u),
		.minute = (uint8_t)MIN(rtc_decode(r, r->cmos[RTC_MINUTES]), 59u),
		.second = (uint8_t)MIN(rtc_decode(r, r->cmos[RTC_SECONDS]), 59u),
	};

	r->base = date_to_seconds(&d) - (int64_t)(rtc_now(r) / NSEC_PER_SEC);
}

/* The clock stands still while it is set, or with its divider in reset. */
static bool rtc_runs(const struct rtc *r)
{
	return !(r->cmos[RTC_B] & RTC_B_SET) &&
	       (r->cmos[RTC_A] & RTC_A_DIVIDER) < RTC_A_DIVIDER_RESET;
}

/* Crystal ticks of a period, as a power of two: table 5, rates 1 and 2 are 8 and 9. -1: none. */
static int rtc_period_shift(const struct rtc *r)
{
	int rate = r->cmos[RTC_A] & RTC_A_RATE;

	return rate && rate < 3 ? rate + 6 : rate - 1;
}

static bool rtc_alarm_is(const struct rtc *r, unsigned reg, uint8_t encoded)
{
	return r->cmos[reg] >= RTC_ALARM_ANY || r->cmos[reg] == encoded;
}

/* The first date after @after at which the alarm goes off, or INT64_MAX. */
static int64_t rtc_next_alarm(const struct rtc *r, int64_t after)
{
	unsigned start = (unsigned)(((after + 1) % DAY_SECONDS + DAY_SECONDS) % DAY_SECONDS);
	unsigned t = start;

	/* Skips whole hours and minutes: some 170 steps at most. */
	while (t < start + DAY_SECONDS) {
		if (!rtc_alarm_is(r, RTC_HOURS_ALARM, rtc_encode_hour(r, t / 3600 % 24)))
			t = (t / 3600 + 1) * 3600;
		else if (!rtc_alarm_is(r, RTC_MINUTES_ALARM, rtc_encode(r, t / 60 % 60)))
			t = (t / 60 + 1) * 60;
		else if (!rtc_alarm_is(r, RTC_SECONDS_ALARM, rtc_encode(r, t % 60)))
			t++;
		else
			return after + 1 + (t - start);
	}
	return INT64_MAX;
}

/* Brings register C and the line up to now. */
static void rtc_look(struct rtc *r)
{
	uint64_t now = rtc_now(r), was = r->looked;
	int64_t second = r->base + (int64_t)(now / NSEC_PER_SEC);
	int64_t last = r->base + (int64_t)(was / NSEC_PER_SEC);
	int shift = rtc_period_shift(r);

	r->looked = now;
	if (rtc_runs(r)) {
		if (second != last)
			r->cmos[RTC_C] |= RTC_B_UIE;
		if (second != last && rtc_next_alarm(r, last) <= second)
			r->cmos[RTC_C] |= RTC_B_AIE;
		if (shift >= 0 && ticks_from_ns(&rtc_rate, now) >> shift !=
					  ticks_from_ns(&rtc_rate, was) >> shift)
			r->cmos[RTC_C] |= RTC_B_PIE;
	}
	irq_line_set(r->irq, r->cmos[RTC_C] & r->cmos[RTC_B] & RTC_EVENTS);
}

/* While the line is high nothing more can happen: the guest's read of C arms again. */
static void rtc_arm(struct rtc *r)
{
	uint8_t enabled = r->cmos[RTC_B] & RTC_EVENTS;
	uint64_t next = UINT64_MAX;
	int shift = rtc_period_shift(r);
	int64_t second, alarm;

	if (!enabled || !rtc_runs(r) || (r->cmos[RTC_C] & enabled)) {
		device_timer_cancel(r->timer);
		return;
	}
	second = (int64_t)(r->looked / NSEC_PER_SEC);
	if (enabled & RTC_B_UIE)
		next = (uint64_t)(second + 1) * NSEC_PER_SEC;
	alarm = (enabled & RTC_B_AIE) ? rtc_next_alarm(r, r->base + second) : INT64_MAX;
	if (alarm != INT64_MAX)
		next = MIN(next, (uint64_t)(alarm - r->base) * NSEC_PER_SEC);
	if ((enabled & RTC_B_PIE) && shift >= 0)
		next = MIN(next, ticks_to_ns(&rtc_rate,
					     ((ticks_from_ns(&rtc_rate, r->looked) >> shift) + 1)
						     << shift));
	if (next != UINT64_MAX)
		device_timer_arm(r->timer, next);
}

static void rtc_timer(void *opaque)
{
	struct rtc *r = opaque;

	spin_lock(&r->lock);
	rtc_look(r);
	rtc_arm(r);
	spin_unlock(&r->lock);
}

/* SET freezes the bytes and turns UIE off; its end starts the clock from them. */
static void rtc_write_b(struct rtc *r, uint8_t value)
{
	uint8_t old = r->cmos[RTC_B];

	r->cmos[RTC_B] = value & ~RTC_B_SET;
	if (old & ~value & RTC_B_SET)
		rtc_set(r);
	else if (!(old & RTC_B_SET))
		rtc_latch(r);
	if (value & RTC_B_SET)
		r->cmos[RTC_B] = value & ~RTC_B_UIE;
}

static bool rtc_is_time(unsigned reg)
{
	return reg <= RTC_YEAR || reg == RTC_CENTURY;
}

static void rtc_write_reg(struct rtc *r, unsigned reg, uint8_t value)
{
	bool alarm = reg == RTC_SECONDS_ALARM || reg == RTC_MINUTES_ALARM || reg == RTC_HOURS_ALARM;

	if (reg == RTC_C || reg == RTC_D)
		return;
	if (!rtc_is_time(reg) && reg > RTC_B) {
		r->cmos[reg] = value;
		return;
	}
	rtc_look(r);
	if (reg == RTC_B) {
		rtc_write_b(r, value);
	} else if (reg == RTC_A) {
		r->cmos[RTC_A] = value & ~RTC_A_UIP;
	} else {
		rtc_latch(r);
		r->cmos[reg] = value;
		if (!alarm && !(r->cmos[RTC_B] & RTC_B_SET))
			rtc_set(r);
	}
	rtc_look(r);
	rtc_arm(r);
}

static uint8_t rtc_read_c(struct rtc *r)
{
	uint8_t value;

	rtc_look(r);
	value = r->cmos[RTC_C];
	if (value & r->cmos[RTC_B] & RTC_EVENTS)
		value |= RTC_C_IRQ;
	r->cmos[RTC_C] = 0;
	irq_line_set(r->irq, false);
	rtc_arm(r);
	return value;
}

static uint8_t rtc_read_reg(struct rtc *r, unsigned reg)
{
	switch (reg) {
	case RTC_A:
		if (rtc_runs(r) && rtc_now(r) % NSEC_PER_SEC >= NSEC_PER_SEC - RTC_UIP_NS)
			return r->cmos[RTC_A] | RTC_A_UIP;
		return r->cmos[RTC_A];
	case RTC_C:
		return rtc_read_c(r);
	case RTC_D:
		return RTC_D_VALID;
	}
	if (rtc_is_time(reg))
		rtc_latch(r);
	return r->cmos[reg];
}

/* The index port cannot be read. */
static uint8_t rtc_read8(void *opaque, unsigned port)
{
	struct rtc *r = opaque;
	uint8_t value = 0xff;

	spin_lock(&r->lock);
	if (port)
		value = rtc_read_reg(r, r->index % RTC_BYTES);
	spin_unlock(&r->lock);
	return value;
}

static void rtc_write8(void *opaque, unsigned port, uint8_t value)
{
	struct rtc *r = opaque;

	spin_lock(&r->lock);
	if (port)
		rtc_write_reg(r, r->index % RTC_BYTES, value);
	else
		r->index = value;
	spin_unlock(&r->lock);
}

static int rtc_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
		    uint64_t *value)
{
	return byte_io_read(rtc_read8, opaque, offset, width, value);
}

static int rtc_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
		     uint64_t value)
{
	return byte_io_write(rtc_write8, opaque, offset, width, value);
}

static const struct hook_ops rtc_ops = {.read = rtc_read, .write = rtc_write};

/* A battery keeps time and memory; interrupts are off (data sheet, "RESET"). */
static void rtc_reset(struct device *dev)
{
	struct rtc *r = dev->state;

	spin_lock(&r->lock);
	r->cmos[RTC_B] &= ~RTC_EVENTS;
	r->cmos[RTC_C] = 0;
	r->looked = rtc_now(r);
	irq_line_set(r->irq, false);
	device_timer_cancel(r->timer);
	spin_unlock(&r->lock);
}

static const struct device_field rtc_fields[] = {
	DEVICE_FIELD(struct rtc, index),
	DEVICE_FIELD(struct rtc, cmos),
	DEVICE_FIELD(struct rtc, base),
	DEVICE_FIELD(struct rtc, looked),
	DEVICE_FIELD_TIMER(struct rtc, timer),
	DEVICE_FIELD_LINE(struct rtc, irq),
	{},
};

/* A date that the guest could have set, and flags that are not ahead of it. */
static const char *rtc_check(const void *state)
{
	const struct date last = {.year = 10000, .month = 1, .day = 1};
	const struct rtc *r = state;
	int64_t most = date_to_seconds(&last);

	if (r->base > most || r->base < -most)
		return "base";
	return r->looked > rtc_now(r) ? "looked" : NULL;
}

static const struct device_state rtc_saved = {
	.name = "rtc",
	.version = 1,
	.size = sizeof(struct rtc),
	.lock = DEVICE_STATE_LOCK(struct rtc, lock),
	.fields = rtc_fields,
	.check = rtc_check,
};

static void rtc_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int rtc_create(struct device *dev, const struct device_config *config __unused)
{
	struct rtc *r = kzalloc(sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	dev->state = r;
	r->vm = dev->vm;
	r->base = wall_time() - (int64_t)(rtc_now(r) / NSEC_PER_SEC);
	r->looked = rtc_now(r);
	rtc_nvram_init(dev->vm, r->cmos);
	r->cmos[RTC_A] = RTC_A_DEFAULT;
	r->cmos[RTC_B] = RTC_B_24H;
	r->acpi = (struct acpi_node){
		.hid = ACPI_HID_RTC,
		.io = {{RTC_IO, RTC_PORTS}},
		.irqs = 1u << RTC_IRQ,
	};
	err = device_timer(dev, rtc_timer, r, &r->timer);
	if (!err)
		err = device_irq(dev, RTC_IRQ, NULL, &r->irq);
	if (!err)
		err = device_provide(dev, ACPI_NODE_KIND, &r->acpi);
	if (!err)
		err = device_hook_io(dev, RTC_IO, RTC_PORTS, &rtc_ops, r);
	return err;
}

MACHINE_PART(rtc_part, .machine = "pc", .text = "[device \"rtc\"]\ntype = rtc\n");

DEVICE_TYPE(rtc_type, .name = "rtc", .help = "MC146818A clock with CMOS memory",
	    .create = rtc_create, .destroy = rtc_destroy, .reset = rtc_reset, .saved = &rtc_saved);
