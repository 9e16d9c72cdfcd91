/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O ports. All widths at any port; an access that spans owners is split; unowned ports float. */
#ifndef VMM_HOOK_HOOK_IO_H
#define VMM_HOOK_HOOK_IO_H

#include "vmm/hook/hook.h"

#define HOOK_IO_PORTS 0x10000u

/* -EBUSY: a port has an owner already, logged with both. -EINVAL: not within 0-0xffff, or more than
 * one port with a width. -ENOMEM. */
int hook_io_add(struct vm *vm, const struct hook *hook) __must_check;
void hook_io_remove(struct vm *vm, const struct hook *hook);

/* The exit path: one access of 1, 2 or 4 bytes. Never fails; reads give all ones where nobody
 * answers. */
uint32_t hook_io_read(struct vcpu *vcpu, uint16_t port, unsigned width);
void hook_io_write(struct vcpu *vcpu, uint16_t port, unsigned width, uint32_t value);

#endif
