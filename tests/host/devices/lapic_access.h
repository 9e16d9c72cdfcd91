/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APICs' registers as a test reads and writes them: in memory, and as MSRs. */
#ifndef TESTS_HOST_DEVICES_LAPIC_ACCESS_H
#define TESTS_HOST_DEVICES_LAPIC_ACCESS_H

#include "devices/chipset/lapic_regs.h"
#include "tests/host/devices/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static inline uint32_t rd(unsigned cpu, unsigned reg)
{
	return (uint32_t)fake_mmio_read(cpu, APIC_DEFAULT_BASE + reg * 16, 4);
}

static inline void wr(unsigned cpu, unsigned reg, uint32_t value)
{
	fake_mmio_write(cpu, APIC_DEFAULT_BASE + reg * 16, 4, value);
}

static inline uint64_t rdx(unsigned cpu, unsigned reg)
{
	uint64_t value = 0;

	assert_int_equal(fake_rdmsr(cpu, MSR_GUEST_X2APIC + reg, &value), 0);
	return value;
}

static inline void wrx(unsigned cpu, unsigned reg, uint64_t value)
{
	assert_int_equal(fake_wrmsr(cpu, MSR_GUEST_X2APIC + reg, value), 0);
}

#endif
