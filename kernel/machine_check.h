/* SPDX-License-Identifier: BSD-2-Clause */
/* What the machine's banks say of a machine check. */
#ifndef KERNEL_MACHINE_CHECK_H
#define KERNEL_MACHINE_CHECK_H

#include "kernel/panic.h"

/* In a panic, on the CPU that took it: a line for each bank that reports an error. */
void machine_check_tell(panic_line_fn line);

#endif
