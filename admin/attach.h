/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal as a VM's console, in both directions. */
#ifndef ADMIN_ATTACH_H
#define ADMIN_ATTACH_H

struct vm;

/* Shows console @id (NULL: the first) of @vm until Ctrl-] is typed or it is gone. The shell's task.
 */
void attach_vm(struct vm *vm, const char *id);

#endif
