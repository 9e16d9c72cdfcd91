/* SPDX-License-Identifier: BSD-2-Clause */
/* Dates of the Gregorian calendar, as seconds since 1970-01-01 00:00 and back. No time zones. */
#ifndef LIB_DATE_H
#define LIB_DATE_H

#include <stdint.h>

struct date {
	int32_t year;  /* 1-9999 */
	uint8_t month; /* 1-12 */
	uint8_t day;   /* 1-31 */
	uint8_t hour, minute, second;
	uint8_t weekday; /* 0 = Sunday; not read by date_to_seconds() */
};

int64_t date_to_seconds(const struct date *date);
void date_from_seconds(int64_t seconds, struct date *date);

#endif
