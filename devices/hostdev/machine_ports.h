/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's I/O ports for a guest: straight, without an exit, or access by
 * access for those that exit all the same (they reach over the end of the range).
 */
#ifndef DEVICES_HOSTDEV_MACHINE_PORTS_H
#define DEVICES_HOSTDEV_MACHINE_PORTS_H

#include "lib/compiler.h"

#include <stdint.h>

struct device;
struct vm;

/* Takes @count ports from @first for @dev to pass to its guest, until it releases them or fails to
 * be created. -EPERM, logged: the hypervisor uses one, or another VM has its UART. Task. */
int machine_ports_claim(struct device *dev, uint16_t first, uint32_t count) __must_check;
void machine_ports_release(struct vm *vm, uint16_t first, uint32_t count);
/* @count ports from @first, which their caller owns in the VM's map. Task. */
void machine_ports_open(struct vm *vm, uint16_t first, uint32_t count);
/* On return no vCPU reaches them any more. */
void machine_ports_close(struct vm *vm, uint16_t first, uint32_t count);

uint32_t machine_ports_read(uint16_t port, unsigned width);
void machine_ports_write(uint16_t port, unsigned width, uint32_t value);

#endif
