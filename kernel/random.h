/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers that nobody can guess: ChaCha20 with fast key erasure, so that
 * what was given out cannot be found again from what is kept. Seeded by what the
 * CPU has for it (RDSEED, RDRAND) and by the jitter of the TSC, and mixed with
 * the former again and again.
 */
#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include <stdint.h>

/* Seeds the generator, if nobody has: a millisecond. Task or start-up. */
void random_init(void);
/* After random_init(). Any context, any CPU, device locks may be held. */
void random_bytes(void *buf, uint32_t len);

#endif
