/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What firmware and old kernels look for in the CMOS memory: the PC/AT's own
 * bytes (IBM PC/AT Technical Reference, system board, 1-56) and those that
 * SeaBIOS takes from QEMU and Bochs.
 */
#include "devices/chipset/rtc.h"

#include "lib/compiler.h"
#include "vmm/guest_memory.h"
#include "vmm/vm.h"

#include <string.h>

#define NVRAM_EQUIPMENT	     0x14 /* a mathematics processor, a PS/2 mouse, no floppy */
#define NVRAM_BASE_KB	     0x15 /* 2 bytes */
#define NVRAM_EXT_KB	     0x17 /* 2 bytes: above 1 MiB, at most 63 MiB are told here */
#define NVRAM_EXT_KB_FOUND   0x30 /* the same, as found at power-on */
#define NVRAM_ABOVE_16M	     0x34 /* 2 bytes: 64 KiB above 16 MiB */
#define NVRAM_ABOVE_4G	     0x5b /* 3 bytes: 64 KiB above 4 GiB */
#define NVRAM_CPUS	     0x5f /* CPUs less one */
#define NVRAM_CHECKSUM	     0x2e /* 2 bytes, high first: sum of 0x10-0x2d */
#define NVRAM_CHECKSUM_FIRST 0x10

#define EQUIPMENT_VALUE 0x06

static void nvram_put(uint8_t *bytes, unsigned at, unsigned n, uint64_t value)
{
	for (; n; n--, at++, value >>= 8)
		bytes[at] = (uint8_t)value;
}

void rtc_nvram_init(const struct vm *vm, uint8_t bytes[RTC_BYTES])
{
	const uint64_t low = vm->memory->low_end, mib = 1 << 20;
	uint64_t ext = low > mib ? (low - mib) >> 10 : 0;
	unsigned i, sum = 0;

	memset(bytes + RTC_NVRAM, 0, RTC_BYTES - RTC_NVRAM);
	bytes[NVRAM_EQUIPMENT] = EQUIPMENT_VALUE;
	nvram_put(bytes, NVRAM_BASE_KB, 2, 640);
	nvram_put(bytes, NVRAM_EXT_KB, 2, MIN(ext, UINT64_C(63) << 10));
	nvram_put(bytes, NVRAM_EXT_KB_FOUND, 2, MIN(ext, UINT64_C(63) << 10));
	if (low > 16 * mib)
		nvram_put(bytes, NVRAM_ABOVE_16M, 2, (low - 16 * mib) >> 16);
	nvram_put(bytes, NVRAM_ABOVE_4G, 3, (vm->memory->high_end - GUEST_HIGH_BASE) >> 16);
	bytes[NVRAM_CPUS] = (uint8_t)(vm->vcpu_count - 1);
	for (i = NVRAM_CHECKSUM_FIRST; i < NVRAM_CHECKSUM; i++)
		sum += bytes[i];
	bytes[NVRAM_CHECKSUM] = (uint8_t)(sum >> 8);
	bytes[NVRAM_CHECKSUM + 1] = (uint8_t)sum;
}
