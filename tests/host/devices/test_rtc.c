/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/chipset/rtc.c devices/chipset/rtc_nvram.c lib/date.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "devices/chipset/rtc.h"

#include "tests/host/devices/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

static uint8_t rd(uint8_t reg)
{
	fake_outb(0x70, reg);
	return fake_inb(0x71);
}

static void wr(uint8_t reg, uint8_t value)
{
	fake_outb(0x70, reg | 0x80);
	fake_outb(0x71, value);
}

static int setup(void **state)
{
	(void)state;
	fake_start(2);
	assert_non_null(fake_create("rtc", "rtc", NULL));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static void test_time(void **state)
{
	(void)state;
	assert_int_equal(rd(RTC_D), 0x80);
	assert_int_equal(rd(RTC_YEAR), 0x26);
	assert_int_equal(rd(RTC_CENTURY), 0x20);
	assert_int_equal(rd(RTC_MONTH), 1);
	assert_int_equal(rd(RTC_DAY), 1);
	assert_int_equal(rd(RTC_WEEKDAY), 5);
	fake_advance(SECOND * (86400 + 13 * 3600 + 59 * 60 + 58));
	assert_int_equal(rd(RTC_DAY), 2);
	assert_int_equal(rd(RTC_HOURS), 0x13);
	assert_int_equal(rd(RTC_MINUTES), 0x59);
	assert_int_equal(rd(RTC_SECONDS), 0x58);
	wr(RTC_B, 0x04); /* binary, 12 hours */
	assert_int_equal(rd(RTC_HOURS), 0x81);
	assert_int_equal(rd(RTC_MINUTES), 59);
	assert_int_equal(rd(RTC_A) & 0x80, 0);
	fake_advance(SECOND - 100000);
	assert_int_equal(rd(RTC_A) & 0x80, 0x80);
}

static void test_setting(void **state)
{
	(void)state;
	wr(RTC_B, 0x82);
	fake_advance(5 * SECOND);
	assert_int_equal(rd(RTC_SECONDS), 0);
	wr(RTC_CENTURY, 0x19);
	wr(RTC_YEAR, 0x99);
	wr(RTC_MONTH, 0x12);
	wr(RTC_DAY, 0x31);
	wr(RTC_HOURS, 0x23);
	wr(RTC_MINUTES, 0x59);
	wr(RTC_SECONDS, 0x59);
	wr(RTC_B, 0x02);
	fake_advance(SECOND);
	assert_int_equal(rd(RTC_CENTURY), 0x20);
	assert_int_equal(rd(RTC_YEAR), 0);
	assert_int_equal(rd(RTC_WEEKDAY), 7);
	wr(RTC_MINUTES, 0x30); /* without SET */
	assert_int_equal(rd(RTC_MINUTES), 0x30);
	fake_reset();
	assert_int_equal(rd(RTC_MINUTES), 0x30);
}

static void test_periodic(void **state)
{
	unsigned i;

	(void)state;
	wr(RTC_A, 0x2f); /* 2 Hz */
	wr(RTC_B, 0x42);
	for (i = 0; i < 10; i++) {
		assert_false(fake_line(8));
		fake_advance(SECOND / 2);
		assert_true(fake_line(8));
		assert_int_equal(rd(RTC_C) & 0xc0, 0xc0);
	}
	fake_advance(10 * SECOND);
	assert_int_equal(rd(RTC_C), 0xd0);
	assert_int_equal(rd(RTC_C), 0);
	wr(RTC_A, 0x26);
	fake_advance(976563);
	assert_true(fake_line(8));
	wr(RTC_B, 0x02);
	assert_false(fake_line(8));
}

static void test_update_and_alarm(void **state)
{
	(void)state;
	wr(RTC_B, 0x12);
	rd(RTC_C);
	fake_advance(SECOND);
	assert_true(fake_line(8));
	assert_int_equal(rd(RTC_C), 0xd0); /* the periodic flag needs no enable */
	wr(RTC_HOURS_ALARM, 0x02);
	wr(RTC_MINUTES_ALARM, 0x30);
	wr(RTC_SECONDS_ALARM, 0x15);
	wr(RTC_B, 0x22);
	fake_advance((2 * 3600 + 30 * 60 + 13) * SECOND);
	assert_false(fake_line(8));
	fake_advance(SECOND);
	assert_true(fake_line(8));
	assert_int_equal(rd(RTC_C) & 0xa0, 0xa0);
	wr(RTC_HOURS_ALARM, 0xff);
	wr(RTC_MINUTES_ALARM, 0xff);
	fake_advance(59 * SECOND);
	assert_false(fake_line(8));
	fake_advance(SECOND);
	assert_true(fake_line(8));
	rd(RTC_C);
	wr(RTC_SECONDS_ALARM, 0x99); /* never */
	fake_advance(100 * SECOND);
	assert_false(fake_line(8));
}

static void test_memory(void **state)
{
	(void)state;
	assert_int_equal(rd(0x15) | rd(0x16) << 8, 640);
	assert_int_equal(rd(0x17) | rd(0x18) << 8, (FAKE_RAM_SIZE >> 10) - 1024);
	assert_int_equal(rd(0x5f), 1);
	wr(0x40, 0x5a);
	fake_reset();
	assert_int_equal(rd(0x40), 0x5a);
	assert_int_equal(fake_inb(0x70), 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_setting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_periodic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_update_and_alarm, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
