/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the device manager, the configs and the consoles stand on, played on
 * the host: memory that runs out when a test wants it to, a log that is kept,
 * hook maps that only know who owns what, timers and time that tests move.
 */
#ifndef TESTS_HOST_VMM_FAKE_H
#define TESTS_HOST_VMM_FAKE_H

#include "vmm/vm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Objects of kmalloc() that live. */
extern size_t fake_objects;
/* The allocation after that many more, and all that follow, fail; negative: none does. */
extern long fake_memory_left;
/* Everything that was logged since fake_log_clear(), a line each. */
extern char fake_log[16384];
/* Hooks that are in a map. */
extern unsigned fake_hooks;
/* The host's TSC, which is also its nanoseconds, and what the guest's time lags behind it. */
extern uint64_t fake_tsc;
extern uint64_t fake_vm_lag;
/* How often somebody waited for a grace period; what other CPUs end in one (NULL: nothing). */
extern unsigned fake_grace_periods;
extern void (*fake_in_grace)(void);

void fake_log_clear(void);
bool fake_logged(const char *text);
extern unsigned fake_guest_lines; /* those by vm_log_guest() */
/* Modules that the boot loader is said to have brought. */
void fake_add_module(const char *name, const void *data, size_t size);
void fake_clear_modules(void);
/* Time goes on to @tsc: timers fire. */
void fake_run_until(uint64_t tsc);

#endif
