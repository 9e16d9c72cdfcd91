/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/vm_arg.h"

#include "admin/command.h"
#include "vmm/vm_life.h"

struct vm_at {
	unsigned left, count;
	struct vm *vm;
};

static void vm_arg_at(void *opaque, struct vm *vm)
{
	struct vm_at *at = opaque;

	at->count++;
	if (at->left-- == 0)
		at->vm = vm;
}

struct vm *vm_nth(unsigned n)
{
	struct vm_at at = {.left = n};

	vm_for_each(vm_arg_at, &at);
	return at.vm;
}

struct vm *vm_arg(const char *name)
{
	struct vm *vm = vm_find(name);

	if (!vm) {
		command_error("%s: no such VM; `list` shows them\n", name);
		command_fail(COMMAND_ABSENT);
	}
	return vm;
}

struct vm *vm_arg_or_only(const char *name)
{
	struct vm_at at = {0};

	if (name)
		return vm_arg(name);
	vm_for_each(vm_arg_at, &at);
	if (at.count != 1)
		command_error("say which VM: there are %u\n", at.count);
	return at.count == 1 ? at.vm : NULL;
}

struct vm *vm_arg_begin(const char *name, enum vm_state *state)
{
	struct vm *vm = vm_arg(name);

	if (!vm)
		return NULL;
	*state = vm_life_begin(vm);
	if (vm->devices)
		return vm;
	vm_life_end(vm, *state);
	command_error("vm %s is %s: `start` it first\n", vm->name, vm_state_name(*state));
	return NULL;
}
