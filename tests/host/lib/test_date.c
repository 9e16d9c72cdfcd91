/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/date.c against the C library. */
/* test-sources: lib/date.c */
#include "lib/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void test_every_day(void **state)
{
	int64_t t;

	(void)state;
	for (t = -60ll * 365 * 86400; t < 400ll * 365 * 86400; t += 86399) {
		time_t libc = t;
		struct tm tm;
		struct date d;

		gmtime_r(&libc, &tm);
		date_from_seconds(t, &d);
		assert_int_equal(d.year, tm.tm_year + 1900);
		assert_int_equal(d.month, tm.tm_mon + 1);
		assert_int_equal(d.day, tm.tm_mday);
		assert_int_equal(d.hour, tm.tm_hour);
		assert_int_equal(d.minute, tm.tm_min);
		assert_int_equal(d.second, tm.tm_sec);
		assert_int_equal(d.weekday, tm.tm_wday);
		assert_int_equal(date_to_seconds(&d), t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_day)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
