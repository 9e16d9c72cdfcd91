/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CMOS clock between its files: rtc.c (ports, clock, interrupts) and
 * rtc_nvram.c (what firmware would have stored).
 */
#ifndef DEVICES_CHIPSET_RTC_H
#define DEVICES_CHIPSET_RTC_H

#include <stdint.h>

struct vm;

#define RTC_BYTES 128

#define RTC_SECONDS	  0x00
#define RTC_SECONDS_ALARM 0x01
#define RTC_MINUTES	  0x02
#define RTC_MINUTES_ALARM 0x03
#define RTC_HOURS	  0x04
#define RTC_HOURS_ALARM	  0x05
#define RTC_WEEKDAY	  0x06 /* 1 = Sunday */
#define RTC_DAY		  0x07
#define RTC_MONTH	  0x08
#define RTC_YEAR	  0x09
#define RTC_A		  0x0a
#define RTC_B		  0x0b
#define RTC_C		  0x0c
#define RTC_D		  0x0d
#define RTC_NVRAM	  0x0e /* from here on: plain bytes */
#define RTC_CENTURY	  0x32

/* Bytes RTC_NVRAM to RTC_BYTES - 1: sizes of memory and the like for firmware. */
void rtc_nvram_init(const struct vm *vm, uint8_t bytes[RTC_BYTES]);

#endif
