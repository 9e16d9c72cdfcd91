/* SPDX-License-Identifier: BSD-2-Clause */
/* Random instructions of every class that is emulated, whose operands lie in the scratch pages. */
#ifndef TESTS_HOST_EMULATE_GEN_H
#define TESTS_HOST_EMULATE_GEN_H

#include "tests/host/emulate/native.h"

/* Operands lie in the middle of the scratch pages, so that some cross from one to the other. */
#define GEN_WINDOW    UINT64_C(0x400)
#define GEN_WINDOW_AT (NATIVE_SCRATCH + NATIVE_SCRATCH_SIZE / 2 - GEN_WINDOW / 2)

struct gen_case {
	uint8_t bytes[16];
	unsigned int len;
	struct native_state state; /* to start from */
	uint64_t undefined;	   /* flags that the manual leaves open */
};

/* The next case of the sequence that random_seed() began. */
void gen_next(struct gen_case *c, bool bits32);

#endif
