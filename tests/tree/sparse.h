/* SPDX-License-Identifier: BSD-2-Clause */
/* gcc's built-in functions that sparse does not know; for the check only. */
#ifndef TESTS_TREE_SPARSE_H
#define TESTS_TREE_SPARSE_H

unsigned long long __builtin_ia32_rdtsc(void);
void __builtin_ia32_pause(void);

#endif
