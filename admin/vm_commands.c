/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about VMs. What goes wrong is in the log, which the console shows. */
#include "admin/attach.h"
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

struct vm *vm_arg(const char *name)
{
	struct vm *vm = vm_find(name);

	if (!vm)
		console_printf("%s: no such VM; `list` shows them\n", name);
	return vm;
}

static void list_vm(void *opaque, struct vm *vm)
{
	unsigned *count = opaque;

	if (!(*count)++)
		console_printf("%-20s %-8s %4s %10s\n", "NAME", "STATE", "CPUS", "MEMORY");
	console_printf("%-20s %-8s %4u %6lu MiB\n", vm->name, vm_state_name(vm->state),
		       vm->config->cpus, vm->config->memory >> 20);
}

static void command_list(char **argv)
{
	unsigned count = 0;

	(void)argv;
	vm_for_each(list_vm, &count);
	if (!count)
		console_printf("No VM is defined: the boot loader gave no module that ends in "
			       ".cfg, or the log (`dmesg`) says what is wrong with it.\n");
}

/* Runs @fn on the VM that @argv names and says how it went. */
static void vm_command(char **argv, int (*fn)(struct vm *vm), const char *done)
{
	struct vm *vm = vm_arg(argv[1]);
	int err = vm ? fn(vm) : 0;

	if (vm && err)
		console_printf("%s %s: failed (error %d), see the log\n", argv[0], argv[1], -err);
	else if (vm)
		console_printf("vm %s %s\n", argv[1], done);
}

static void command_start(char **argv)
{
	vm_command(argv, vm_start, "is started");
}

static void command_destroy(char **argv)
{
	vm_command(argv, vm_destroy, "is destroyed");
}

static void command_reset(char **argv)
{
	vm_command(argv, vm_reset, "is reset");
}

static void command_pause(char **argv)
{
	vm_command(argv, vm_pause, "is paused");
}

static void command_resume(char **argv)
{
	vm_command(argv, vm_resume, "goes on");
}

static void command_console(char **argv)
{
	struct vm *vm = vm_arg(argv[1]);

	if (vm)
		attach_vm(vm, argv[2]);
}

COMMAND(list_command, .name = "list", .args = "", .help = "the VMs and their states",
	.run = command_list);
COMMAND(start_entry, .name = "start", .args = "VM", .help = "start a VM", .min = 1, .max = 1,
	.run = command_start, .words = command_add_vms);
COMMAND(destroy_entry, .name = "destroy", .args = "VM",
	.help = "stop a VM at once and give back what it has", .min = 1, .max = 1,
	.run = command_destroy, .words = command_add_vms);
COMMAND(reset_entry, .name = "reset", .args = "VM", .help = "press a VM's reset button", .min = 1,
	.max = 1, .run = command_reset, .words = command_add_vms);
COMMAND(pause_entry, .name = "pause", .args = "VM", .help = "let a VM and its clock stand still",
	.min = 1, .max = 1, .run = command_pause, .words = command_add_vms);
COMMAND(resume_entry, .name = "resume", .args = "VM", .help = "let a paused VM go on", .min = 1,
	.max = 1, .run = command_resume, .words = command_add_vms);
COMMAND(console_entry, .name = "console", .args = "VM [ID]",
	.help = "a VM's serial console, or its console ID; Ctrl-] leaves it", .min = 1, .max = 2,
	.run = command_console, .words = command_add_vms);
