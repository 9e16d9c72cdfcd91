/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the CMOS clock (MC146818A data sheet).
 */
#include "kernel/wall_time.h"

#include "arch/x86_64/io.h"
#include "kernel/spinlock.h"
#include "kernel/time.h"
#include "lib/date.h"

#include <stdbool.h>
#include <string.h>

#define CMOS_INDEX   0x70
#define CMOS_DATA    0x71
#define CMOS_SECONDS 0
#define CMOS_MINUTES 2
#define CMOS_HOURS   4
#define CMOS_DAY     7
#define CMOS_MONTH   8
#define CMOS_YEAR    9
#define CMOS_A	     10
#define CMOS_A_UIP   0x80 /* an update is near: the time may change under us */
#define CMOS_B	     11
#define CMOS_B_24H   0x02
#define CMOS_B_BIN   0x04
#define CMOS_PM	     0x80

/* An update takes 2 ms; the tries of a machine without the clock end. */
#define CMOS_TRIES 100000

struct cmos_time {
	uint8_t second, minute, hour, day, month, year;
};

static struct spinlock wall_lock;
static bool wall_read;
static int64_t wall_base;   /* seconds since 1970 … */
static uint64_t wall_since; /* … at this time_ns() */

static uint8_t cmos_read(uint8_t reg)
{
	io_out8(CMOS_INDEX, reg);
	return io_in8(CMOS_DATA);
}

static struct cmos_time cmos_read_time(void)
{
	unsigned tries;

	for (tries = 0; tries < CMOS_TRIES && (cmos_read(CMOS_A) & CMOS_A_UIP); tries++)
		__builtin_ia32_pause();
	return (struct cmos_time){
		.second = cmos_read(CMOS_SECONDS),
		.minute = cmos_read(CMOS_MINUTES),
		.hour = cmos_read(CMOS_HOURS),
		.day = cmos_read(CMOS_DAY),
		.month = cmos_read(CMOS_MONTH),
		.year = cmos_read(CMOS_YEAR),
	};
}

static uint8_t cmos_from_bcd(uint8_t b, uint8_t value)
{
	return (b & CMOS_B_BIN) ? value : (value >> 4) * 10 + (value & 0xf);
}

static struct cmos_time cmos_decode(struct cmos_time t)
{
	uint8_t b = cmos_read(CMOS_B);
	bool pm = !(b & CMOS_B_24H) && (t.hour & CMOS_PM);

	t.second = cmos_from_bcd(b, t.second);
	t.minute = cmos_from_bcd(b, t.minute);
	t.hour = cmos_from_bcd(b, t.hour & ~(pm ? CMOS_PM : 0));
	if (!(b & CMOS_B_24H))
		t.hour = t.hour % 12 + (pm ? 12 : 0);
	t.day = cmos_from_bcd(b, t.day);
	t.month = cmos_from_bcd(b, t.month);
	t.year = cmos_from_bcd(b, t.year);
	return t;
}

static int64_t wall_read_cmos(void)
{
	struct cmos_time t = cmos_read_time(), again;
	unsigned tries;

	/* The same twice: no update in between. */
	for (tries = 0; tries < 4; tries++) {
		again = cmos_read_time();
		if (!memcmp(&t, &again, sizeof(t)))
			break;
		t = again;
	}
	t = cmos_decode(t);
	if (t.second > 59 || t.minute > 59 || t.hour > 23 || t.month < 1 || t.month > 12 ||
	    t.day < 1 || t.day > 31 || t.year > 99)
		return 0;
	return date_to_seconds(&(struct date){
		.year = 2000 + t.year,
		.month = t.month,
		.day = t.day,
		.hour = t.hour,
		.minute = t.minute,
		.second = t.second,
	});
}

int64_t wall_time(void)
{
	int64_t seconds;

	spin_lock(&wall_lock);
	if (!wall_read) {
		wall_base = wall_read_cmos();
		wall_since = time_ns();
		wall_read = true;
	}
	seconds = wall_base + (int64_t)((time_ns() - wall_since) / NSEC_PER_SEC);
	spin_unlock(&wall_lock);
	return seconds;
}
