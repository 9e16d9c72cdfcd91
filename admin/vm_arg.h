/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM, or one of its vCPUs, as a command's argument. All messages make the command fail. */
#ifndef ADMIN_VM_ARG_H
#define ADMIN_VM_ARG_H

#include "vmm/vm.h"

/* The VM called @name, or NULL with a message. */
struct vm *vm_arg(const char *name);
/* The same; where @name is NULL, the only VM. */
struct vm *vm_arg_or_only(const char *name);
/* The @n-th of the list, or NULL: for who does what may not be done while the list is walked. Only
 * the shell takes VMs off it. */
struct vm *vm_nth(unsigned n);
/*
 * VM @name with its life to the caller, and with all that a started VM has, until vm_life_end().
 * NULL with a message.
 */
struct vm *vm_arg_begin(const char *name, enum vm_state *state);

/*
 * vCPU N of VM NAME, "NAME.N", which must stand still and does until vcpu_arg_end(). NULL with a
 * message. @arg is taken apart in place.
 */
struct vcpu *vcpu_arg_begin(char *arg, enum vm_state *state);
void vcpu_arg_end(struct vcpu *vcpu, enum vm_state state);

/*
 * vCPU "NAME.N", or the first of "NAME" (NULL: of the only VM), of a VM that is started. It stands
 * still, made to where it does not, until vcpu_still_end(). NULL with a message.
 */
struct vcpu *vcpu_still_begin(const char *arg, enum vm_state *state);
void vcpu_still_end(struct vcpu *vcpu, enum vm_state state);

#endif
