/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal as a VM's console, in both directions. */
#ifndef ADMIN_ATTACH_H
#define ADMIN_ATTACH_H

struct vm;

/* Shows the VM's console until Ctrl-] is typed or the console is gone. The shell's task. */
void attach_vm(struct vm *vm);

#endif
