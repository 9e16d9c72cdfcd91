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
extern unsigned fake_losses; /* what console_losses() says */
/* What device_create() was last called with. */
extern char fake_plugged[512];	/* what vm_start() returns */
extern bool fake_guest_listens; /* when it is asked to let go of a device */
/* "FILE: TEXT" of the last config; one with "bad" in it is refused. */
extern char fake_defined[8192];
/* Presses of the power button ("button"), keys down (+CODE) and up (-CODE); none of either there.
 */
extern char fake_pressed[256];
extern bool fake_bare;
extern int fake_keyboard_error; /* what the keyboard answers */
/* What a terminal answers when it is asked for its cursor; NULL: nobody does. */
extern const char *fake_terminal;
extern unsigned fake_guest_columns, fake_guest_rows; /* as the guest was told */
extern bool fake_person; /* keys come one by one, and none before it is waited for */

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
