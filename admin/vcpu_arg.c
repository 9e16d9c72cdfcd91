/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "lib/parse.h"
#include "vmm/vcpu.h"
#include "vmm/vm_life.h"

#include <stdio.h>
#include <string.h>

static struct vcpu *vcpu_of_still_vm(struct vm *vm, enum vm_state state, uint64_t index)
{
	if (state != VM_PAUSED && state != VM_CRASHED)
		command_error("vm %s is %s: `pause` it first\n", vm->name, vm_state_name(state));
	else if (index >= vm->vcpu_count)
		command_error("vm %s has vCPUs 0 to %u\n", vm->name, vm->vcpu_count - 1);
	else
		return vm->vcpus[index];
	return NULL;
}

struct vcpu *vcpu_arg_begin(char *arg, enum vm_state *state)
{
	/* A VM's name may have dots. */
	char *dot = strrchr(arg, '.');
	struct vcpu *vcpu;
	struct vm *vm;
	uint64_t index;

	if (!dot || !parse_uint(dot + 1, &index)) {
		command_error("%s: expected VM.VCPU, as in linux.0\n", arg);
		return NULL;
	}
	*dot = '\0';
	vm = vm_arg(arg);
	if (!vm)
		return NULL;
	*state = vm_life_begin(vm);
	vcpu = vcpu_of_still_vm(vm, *state, index);
	if (!vcpu)
		vm_life_end(vm, *state);
	return vcpu;
}

void vcpu_arg_end(struct vcpu *vcpu, enum vm_state state)
{
	vm_life_end(vcpu->vm, state);
}

/* The VM of @arg, "NAME" or "NAME.N", and N. A VM's name may have dots and numbers. */
static struct vm *vcpu_still_vm(const char *arg, uint64_t *index)
{
	char name[VM_NAME_MAX + 1];
	const char *dot = arg ? strrchr(arg, '.') : NULL;

	*index = 0;
	if (!arg || vm_find(arg) || !dot || dot - arg > VM_NAME_MAX || !parse_uint(dot + 1, index))
		return vm_arg_or_only(arg);
	snprintf(name, sizeof(name), "%.*s", (int)(dot - arg), arg);
	return vm_arg(name);
}

struct vcpu *vcpu_still_begin(const char *arg, enum vm_state *state)
{
	uint64_t index;
	struct vm *vm = vcpu_still_vm(arg, &index);

	if (!vm)
		return NULL;
	*state = vm_life_begin(vm);
	if (index < vm->vcpu_count) {
		if (*state == VM_RUNNING)
			vm_vcpus_pause(vm);
		return vm->vcpus[index];
	}
	if (!vm->vcpu_count)
		command_error("vm %s is %s: `start` it first\n", vm->name, vm_state_name(*state));
	else
		command_error("vm %s has vCPUs 0 to %u\n", vm->name, vm->vcpu_count - 1);
	vm_life_end(vm, *state);
	return NULL;
}

void vcpu_still_end(struct vcpu *vcpu, enum vm_state state)
{
	struct vm *vm = vcpu->vm;

	if (state == VM_RUNNING) {
		vm_vcpus_resume(vm);
		/* What the guest has asked for meanwhile is to find its vCPUs standing still. */
		for (uint32_t i = 0; READ_ONCE(vm->requests) && i < vm->vcpu_count; i++)
			vcpu_request(vm->vcpus[i], VCPU_REQ_PAUSE);
	}
	vm_life_end(vm, state);
}
