/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers for tests: the same seed gives the same sequence. */
#ifndef TESTS_HOST_EMULATE_RANDOM_H
#define TESTS_HOST_EMULATE_RANDOM_H

#include <stdint.h>

void random_seed(uint64_t seed);
uint64_t random_word(void);
/* 0 to @n - 1. */
uint64_t random_below(uint64_t n);

#endif
