/* SPDX-License-Identifier: BSD-2-Clause */
/* panic() for host tests: fails the test, unless that is what it waits for. */
#ifndef TESTS_HOST_FAKE_PANIC_H
#define TESTS_HOST_FAKE_PANIC_H

#include <setjmp.h>
#include <stdbool.h>

extern jmp_buf fake_panic_jump;
extern bool fake_panic_expected;

/* Whether @statement panics. Locks that it held stay locked. */
#define FAKE_PANICS(statement)                  \
	({                                      \
		bool panics_ = true;            \
		fake_panic_expected = true;     \
		if (!setjmp(fake_panic_jump)) { \
			statement;              \
			panics_ = false;        \
		}                               \
		fake_panic_expected = false;    \
		panics_;                        \
	})

#endif
