/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A terminal, and one VM `demo` with a guest on its serial port, for the
 * shell. The shell's task runs until it waits with all keys typed.
 */
#ifndef TESTS_HOST_ADMIN_FAKE_H
#define TESTS_HOST_ADMIN_FAKE_H

#include <stdbool.h>

extern char fake_screen[65536]; /* since fake_shell() began */
extern char fake_guest_heard[8192];
extern bool fake_guest_deaf; /* takes no input */
extern int fake_start_error;
/* What device_create() was last called with. */
extern char fake_plugged[512]; /* what vm_start() returns */

int fake_setup(void **state);
int fake_teardown(void **state);
/* Starts the shell and types @keys. */
void fake_shell(bool autostart, const char *keys);
/* When it starts. */
void fake_guest_says(const char *text);
/* It then says `Power down` and its VM stops. */
void fake_guest_ends_when_it_hears(char key);
/* The same, but its VM crashes. */
void fake_guest_crashes_when_it_hears(char key);

#endif
