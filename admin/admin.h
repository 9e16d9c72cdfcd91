/* SPDX-License-Identifier: BSD-2-Clause */
/* The administrator's shell on the machine's console. */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include <stdbool.h>

/*
 * Starts the shell's task on the calling CPU. It starts the VMs that ask for
 * it, unless not @autostart, attaches to the first that wants the console, and
 * then serves the prompt. -ENOMEM.
 */
int admin_start(bool autostart) __attribute__((warn_unused_result));

#endif
