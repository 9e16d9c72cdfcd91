/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM as a command's argument. */
#ifndef ADMIN_VM_ARG_H
#define ADMIN_VM_ARG_H

struct vm;

/* The VM called @name, or NULL with a message. */
struct vm *vm_arg(const char *name);

#endif
