/* SPDX-License-Identifier: BSD-2-Clause */
/* A CPU whose instructions the test answers. */
#ifndef FAKE_ARCH_X86_64_ENTROPY_H
#define FAKE_ARCH_X86_64_ENTROPY_H

#include <stdbool.h>
#include <stdint.h>

struct entropy_source {
	bool rdseed, rdrand;
};

struct entropy_source entropy_source(void);
bool entropy_rdseed(uint64_t *value);
bool entropy_rdrand(uint64_t *value);

#endif
