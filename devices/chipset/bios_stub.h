/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a kernel finds that calls a BIOS in real mode, though it was loaded without one: each
 * interrupt has a handler; calls are refused as functions that the BIOS does not know, but for
 * those that tell how much memory there is below and, to 63 MiB, above 1 MiB.
 */
#ifndef DEVICES_CHIPSET_BIOS_STUB_H
#define DEVICES_CHIPSET_BIOS_STUB_H

#include "lib/compiler.h"

struct vm;

/* Puts the vectors at 0 and the code at F000:FE00. 0 or -EFAULT when the VM has no RAM there.
 * Context: a task, no vCPU runs. */
int bios_stub_write(struct vm *vm) __must_check;

#endif
