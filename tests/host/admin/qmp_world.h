/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands for tests of the protocol: `happen [COUNT]` has COUNT pauses, a crash, a device that
 * goes, a reset and a line of the log; `say_much` and `flood` print; `run-it A [B [C]] [on|off]`.
 */
#ifndef TESTS_HOST_ADMIN_QMP_WORLD_H
#define TESTS_HOST_ADMIN_QMP_WORLD_H

#include <stdbool.h>

/* Whether `run-it` ran since this was last asked. */
bool qmp_world_ran(void);

#endif
