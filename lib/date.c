/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The year is taken to begin in March: then the leap day is its last, and the
 * months' lengths follow a straight line, (153 m + 2) / 5. 400 years are
 * 146097 days; 1970-01-01 is day 719468 from 0000-03-01.
 */
#include "lib/date.h"

#define DAYS_PER_ERA 146097
#define EPOCH_DAY    719468
#define DAY_SECONDS  86400

int64_t date_to_seconds(const struct date *d)
{
	int64_t y = d->month > 2 ? d->year : d->year - 1;
	int64_t m = d->month > 2 ? d->month - 3 : d->month + 9;
	int64_t days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + d->day - 1;

	return (days - EPOCH_DAY) * DAY_SECONDS + d->hour * 3600 + d->minute * 60 + d->second;
}

void date_from_seconds(int64_t seconds, struct date *d)
{
	int64_t days = seconds / DAY_SECONDS, rest = seconds % DAY_SECONDS, era, doe, yoe, doy, m;

	if (rest < 0) {
		rest += DAY_SECONDS;
		days--;
	}
	d->hour = (uint8_t)(rest / 3600);
	d->minute = (uint8_t)(rest / 60 % 60);
	d->second = (uint8_t)(rest % 60);
	days += EPOCH_DAY;
	d->weekday = (uint8_t)((days + 3) % 7); /* 0000-03-01 was a Wednesday */
	era = days / DAYS_PER_ERA;
	doe = days % DAYS_PER_ERA;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / (DAYS_PER_ERA - 1)) / 365;
	doy = doe - (yoe * 365 + yoe / 4 - yoe / 100);
	m = (doy * 5 + 2) / 153;
	d->day = (uint8_t)(doy - (m * 153 + 2) / 5 + 1);
	d->month = (uint8_t)(m < 10 ? m + 3 : m - 9);
	d->year = (int32_t)(yoe + era * 400 + (m >= 10));
}
