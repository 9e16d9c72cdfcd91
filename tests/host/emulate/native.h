/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs one instruction on the build machine's own CPU, with chosen registers
 * and flags, in 64-bit mode or in 32-bit compatibility mode.
 */
#ifndef TESTS_HOST_EMULATE_NATIVE_H
#define TESTS_HOST_EMULATE_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

/* Below 2 GiB: reached by 32-bit displacements and from compatibility mode. */
#define NATIVE_CODE	    UINT64_C(0x20000000) /* one page: instructions at its start */
#define NATIVE_SCRATCH	    UINT64_C(0x30000000) /* two pages: operands */
#define NATIVE_SCRATCH_SIZE UINT64_C(0x2000)

struct native_state {
	uint64_t gpr[16]; /* in encoding order; 32-bit mode: the low halves of the first eight */
	uint64_t flags;
};

/* Maps the pages. False when this machine refuses. */
bool native_init(void);
/* Whether 32-bit code can run here. After native_init(). */
bool native_has_32(void);
/* Selector of segment register @seg (encoding order) as native_run() has it. */
uint16_t native_selector(unsigned int seg, bool bits32);
/* Runs the @len bytes, which must not fault nor jump, and updates @state. */
void native_run(const uint8_t *bytes, unsigned int len, struct native_state *state, bool bits32);

#endif
