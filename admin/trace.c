/* SPDX-License-Identifier: BSD-2-Clause */
/* `trace`: what the flight recorder has of a VM's last exits. */
#include "admin/command.h"
#include "admin/trace_format.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "lib/parse.h"
#include "vmm/vm_life.h"

#include <string.h>

#define TRACE_DEFAULT 16
#define TRACE_ALL     VM_MAX_VCPUS /* no vCPU was named */

/* The exits are copied at once and printed in peace: the VM runs on. */
static bool trace_vcpu(struct vm *vm, uint32_t index, struct flight_exit *exits, unsigned max)
{
	enum vm_state state = vm_life_begin(vm);
	bool open, there = index < vm->vcpu_count;
	unsigned count = there ? flight_copy(vm->vcpus[index], exits, max, &open) : 0;
	char line[TRACE_LINE_MAX];

	vm_life_end(vm, state);
	if (!there)
		return false;
	console_printf("vm %s, vcpu %u: %u exits\n", vm->name, index, count);
	if (count)
		console_printf("%s\n", TRACE_HEAD);
	for (unsigned i = 0; i < count; i++) {
		trace_format(line, &exits[i], open && i == count - 1);
		console_printf("%s\n", line);
		task_yield();
	}
	return true;
}

static void trace_vm(struct vm *vm, uint32_t index, unsigned max)
{
	struct flight_exit *exits = kmalloc(max * sizeof(*exits));

	if (!exits)
		console_printf("trace: no memory for a copy of %u exits: ask for fewer\n", max);
	else if (index != TRACE_ALL && !trace_vcpu(vm, index, exits, max))
		console_printf("vm %s has no vCPU %u now\n", vm->name, index);
	else if (index == TRACE_ALL && !trace_vcpu(vm, 0, exits, max))
		console_printf("vm %s is not started: it has made no exits\n", vm->name);
	else if (index == TRACE_ALL)
		for (index = 1; trace_vcpu(vm, index, exits, max);)
			index++;
	kfree(exits);
}

/* VM or VM.VCPU; a VM's name may have dots. @arg is taken apart in place. */
static struct vm *trace_arg(char *arg, uint32_t *index)
{
	char *dot = strrchr(arg, '.');
	uint64_t value;

	*index = TRACE_ALL;
	if (dot && !vm_find(arg) && parse_uint(dot + 1, &value) && value < VM_MAX_VCPUS) {
		*dot = '\0';
		*index = (uint32_t)value;
	}
	return vm_arg(arg);
}

static void command_trace(char **argv)
{
	uint64_t max = TRACE_DEFAULT;
	uint32_t index;
	struct vm *vm;

	if (argv[2] && (!parse_uint(argv[2], &max) || max < 1 || max > FLIGHT_EXITS)) {
		command_error("trace: %s: expected a number of exits, 1 to %u\n", argv[2],
			      FLIGHT_EXITS);
		return;
	}
	vm = trace_arg(argv[1], &index);
	if (vm)
		trace_vm(vm, index, (unsigned)max);
}

COMMAND(trace_entry, .name = "trace", .args = "VM[.VCPU] [N]",
	.help = "the last N exits of a VM's vCPUs (16; up to 1024 are kept)",
	.example = "trace linux.0 100", .min = 1, .max = 2, .run = command_trace,
	.words = command_add_vms);
