/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vmx/vmx_permission.c */
/* vmm/vmx: the bitmaps of ports and MSRs, read as the CPU does. */
#include "vmm/vmx/vmx_permission.h"
#include "vmm/msr_direct.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MSRS 0x2000u

static uint8_t io[VMX_IO_BITMAPS_SIZE], msr[VMX_MSR_BITMAP_SIZE];

static int setup(void **state)
{
	(void)state;
	vmx_permission_init(io, msr);
	return 0;
}

/* Bitmap A for 0 to 7FFFh, B for the rest (SDM vol. 3C, 25.1.3). */
static bool io_exits(uint32_t port)
{
	const uint8_t *bitmap = io + (port < 0x8000 ? 0 : VMX_IO_BITMAP_B);

	return bitmap[port % 0x8000 / 8] >> port % 8 & 1;
}

/* Four of 1 KiB: reads low, reads high, writes low, writes high (24.6.9). */
static bool msr_exits(uint32_t index, bool write)
{
	bool high = index >= 0xc0000000u;

	return msr[(write ? 2048 : 0) + (high ? 1024 : 0) + index % MSRS / 8] >> index % 8 & 1;
}

static void test_ports(void **state)
{
	(void)state;
	for (uint32_t port = 0; port <= UINT16_MAX; port++)
		assert_true(io_exits(port));
	vmx_permission_io(io, 0x3f8, 8, false);
	vmx_permission_io(io, 0x7ffe, 4, false);
	vmx_permission_io(io, 0xfffe, 10, false);
	vmx_permission_io(io, 0x3fa, 1, true);
	for (uint32_t port = 0; port <= UINT16_MAX; port++) {
		bool open = (port >= 0x3f8 && port < 0x400 && port != 0x3fa) ||
			    (port >= 0x7ffe && port < 0x8002) || port >= 0xfffe;

		assert_int_equal(io_exits(port), !open);
	}
}

static bool is_direct(uint32_t index, bool write)
{
	for (unsigned i = 0; i < ARRAY_SIZE(msr_direct); i++)
		if (msr_direct[i].index == index)
			return !write || msr_direct[i].write;
	return false;
}

static void test_all_msrs_but_the_direct_ones(void **state)
{
	static const uint32_t ranges[] = {0, 0xc0000000};

	(void)state;
	for (unsigned r = 0; r < ARRAY_SIZE(ranges); r++)
		for (uint32_t index = ranges[r]; index < ranges[r] + MSRS; index++) {
			assert_int_equal(msr_exits(index, false), !is_direct(index, false));
			assert_int_equal(msr_exits(index, true), !is_direct(index, true));
		}
}

static void test_msrs(void **state)
{
	static const uint32_t ranges[] = {0, 0xc0000000};

	(void)state;
	for (unsigned r = 0; r < ARRAY_SIZE(ranges); r++) {
		assert_int_equal(vmx_permission_msr(msr, ranges[r], false, true), 0);
		assert_false(msr_exits(ranges[r], false));
		assert_true(msr_exits(ranges[r], true));
		assert_int_equal(vmx_permission_msr(msr, ranges[r] + MSRS - 1, true, false), 0);
		assert_true(msr_exits(ranges[r] + MSRS - 1, false));
		assert_false(msr_exits(ranges[r] + MSRS - 1, true));
		assert_int_equal(vmx_permission_msr(msr, ranges[r] + MSRS - 1, true, true), 0);
		assert_true(msr_exits(ranges[r] + MSRS - 1, true));
	}
}

/* AMD's range is outside, too. */
static void test_msrs_outside_the_bitmap(void **state)
{
	static const uint32_t outside[] = {0x2000, 0xbfffffff, 0xc0002000, 0xc0010000, UINT32_MAX};
	uint8_t before[sizeof(msr)];

	(void)state;
	memcpy(before, msr, sizeof(msr));
	for (unsigned i = 0; i < ARRAY_SIZE(outside); i++) {
		assert_int_equal(vmx_permission_msr(msr, outside[i], true, true), 0);
		assert_int_equal(vmx_permission_msr(msr, outside[i], false, true), -EINVAL);
		assert_int_equal(vmx_permission_msr(msr, outside[i], true, false), -EINVAL);
		assert_int_equal(vmx_permission_msr(msr, outside[i], false, false), -EINVAL);
	}
	assert_memory_equal(before, msr, sizeof(msr));
}

/* Nothing else is opened, or closed. */
static void test_x2apic(void **state)
{
	static uint8_t other[sizeof(msr)];

	(void)state;
	assert_int_equal(vmx_permission_msr(msr, 0x10, false, false), 0);
	vmx_permission_x2apic(other, msr);
	for (uint32_t index = 0; index < MSRS; index++) {
		bool read = index == 0x808, write = read || index == 0x80b || index == 0x83f;

		if (read || write)
			assert_true(msr_exits(index, false) && msr_exits(index, true));
		assert_int_equal(other[index / 8] >> index % 8 & 1,
				 msr_exits(index, false) && !read);
		assert_int_equal(other[2048 + index / 8] >> index % 8 & 1,
				 msr_exits(index, true) && !write);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ports, setup),
		cmocka_unit_test_setup(test_all_msrs_but_the_direct_ones, setup),
		cmocka_unit_test_setup(test_msrs, setup),
		cmocka_unit_test_setup(test_msrs_outside_the_bitmap, setup),
		cmocka_unit_test_setup(test_x2apic, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
