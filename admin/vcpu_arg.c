/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "lib/parse.h"
#include "vmm/vcpu.h"
#include "vmm/vm_life.h"

#include <string.h>

static struct vcpu *vcpu_of_still_vm(struct vm *vm, enum vm_state state, uint64_t index)
{
	if (state != VM_PAUSED && state != VM_CRASHED)
		console_printf("vm %s is %s: `pause` it first\n", vm->name, vm_state_name(state));
	else if (index >= vm->vcpu_count)
		console_printf("vm %s has vCPUs 0 to %u\n", vm->name, vm->vcpu_count - 1);
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
		console_printf("%s: expected VM.VCPU, as in linux.0\n", arg);
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
