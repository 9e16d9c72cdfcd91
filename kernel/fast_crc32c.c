/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/fast_crc32c.h"

#include "arch/x86_64/cpuid.h"
#include "lib/compiler.h"
#include "lib/crc32c.h"

#include <stdbool.h>
#include <string.h>

#define CPUID_1_ECX_SSE42 BIT(20)

/* SDM vol. 2A, "CRC32"; it works in general registers. */
static uint32_t by_quads(uint32_t crc, const uint8_t *data, size_t quads)
{
	uint64_t sum = ~crc, quad;

	for (; quads; quads--, data += sizeof(quad)) {
		memcpy(&quad, data, sizeof(quad));
		__asm__("crc32q %1, %0" : "+r"(sum) : "rm"(quad));
	}
	return ~(uint32_t)sum;
}

static bool has_crc32(void)
{
	static uint8_t known; /* 1: no, 2: yes; whoever comes first finds the same */

	if (!READ_ONCE(known))
		WRITE_ONCE(known, cpuid(1).ecx & CPUID_1_ECX_SSE42 ? 2 : 1);
	return READ_ONCE(known) == 2;
}

uint32_t fast_crc32c(uint32_t crc, const void *data, size_t len)
{
	size_t quads = has_crc32() ? len / sizeof(uint64_t) : 0;

	crc = by_quads(crc, data, quads);
	return crc32c(crc, (const uint8_t *)data + quads * sizeof(uint64_t),
		      len - quads * sizeof(uint64_t));
}
