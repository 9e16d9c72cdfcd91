/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM, or one of its vCPUs, as a command's argument. */
#ifndef ADMIN_VM_ARG_H
#define ADMIN_VM_ARG_H

#include "vmm/vm.h"

/* The VM called @name, or NULL with a message. */
struct vm *vm_arg(const char *name);

/*
 * vCPU N of VM NAME, "NAME.N", which must stand still and does until vcpu_arg_end(). NULL with a
 * message. @arg is taken apart in place.
 */
struct vcpu *vcpu_arg_begin(char *arg, enum vm_state *state);
void vcpu_arg_end(struct vcpu *vcpu, enum vm_state state);

#endif
