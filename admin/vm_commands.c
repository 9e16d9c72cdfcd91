/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about VMs. What goes wrong is in the log, which the console shows. */
#include "admin/attach.h"
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "vmm/device.h"
#include "vmm/power_button.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"
#include "vmm/vm_event.h"
#include "vmm/vm_life.h"

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
		command_error("%s %s: failed (error %d), see the log\n", argv[0], argv[1], -err);
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

static void command_undefine(char **argv)
{
	vm_command(argv, vm_undefine, "is undefined");
}

static void command_shutdown(char **argv)
{
	enum vm_state state;
	struct vm *vm = vm_arg_begin(argv[1], &state);
	const struct power_button *button;

	if (!vm)
		return;
	button = device_iface(vm, NULL, POWER_BUTTON_KIND);
	if (button)
		button->press(button->opaque);
	vm_life_end(vm, state);
	if (button)
		vm_event(vm, VM_EVENT_POWER_BUTTON, false, NULL);
	if (!button)
		command_error("vm %s has no power button (a `pm` device): `destroy` it\n",
			      vm->name);
	else
		console_printf(
			"vm %s: its power button is pressed; what follows is its own to do\n",
			vm->name);
}

/* To every vCPU, as the button of a machine does. */
static void command_nmi(char **argv)
{
	enum vm_state state;
	struct vm *vm = vm_arg_begin(argv[1], &state);

	if (!vm)
		return;
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		vcpu_request(vm->vcpus[i], VCPU_REQ_NMI);
	vm_life_end(vm, state);
	console_printf("vm %s: NMI to %u vCPU%s\n", vm->name, vm->vcpu_count,
		       vm->vcpu_count == 1 ? "" : "s");
}

static void command_console(char **argv)
{
	struct vm *vm = vm_arg(argv[1]);

	if (vm)
		attach_vm(vm, argv[2]);
}

COMMAND(list_command, .name = "list", .args = "", .help = "the VMs and their states",
	.example = "list", .run = command_list);
COMMAND(start_entry, .name = "start", .args = "VM", .help = "start a VM", .example = "start linux",
	.min = 1, .max = 1, .run = command_start);
COMMAND(shutdown_entry, .name = "shutdown", .args = "VM",
	.help = "press a VM's power button: the guest switches itself off, or not",
	.example = "shutdown linux", .min = 1, .max = 1, .run = command_shutdown);
COMMAND(destroy_entry, .name = "destroy", .args = "VM",
	.help = "stop a VM at once and give back what it has", .example = "destroy linux", .min = 1,
	.max = 1, .run = command_destroy);
COMMAND(undefine_entry, .name = "undefine", .args = "VM", .help = "forget a VM that does not run",
	.example = "undefine linux", .min = 1, .max = 1, .run = command_undefine);
COMMAND(reset_entry, .name = "reset", .args = "VM", .help = "press a VM's reset button",
	.example = "reset linux", .min = 1, .max = 1, .run = command_reset);
COMMAND(pause_entry, .name = "pause", .args = "VM", .help = "let a VM and its clock stand still",
	.example = "pause linux", .min = 1, .max = 1, .run = command_pause);
COMMAND(suspend_entry, .name = "suspend", .args = "VM", .help = "the same as pause",
	.example = "suspend linux", .min = 1, .max = 1, .run = command_pause);
COMMAND(resume_entry, .name = "resume", .args = "VM", .help = "let a paused VM go on",
	.example = "resume linux", .min = 1, .max = 1, .run = command_resume);
COMMAND(nmi_entry, .name = "nmi", .args = "VM", .help = "send an NMI to a VM's vCPUs",
	.example = "nmi linux", .min = 1, .max = 1, .run = command_nmi);
COMMAND(console_entry, .name = "console", .args = "VM [ID]",
	.help = "a VM's serial console, or its console ID; Ctrl-] leaves it",
	.example = "console linux", .min = 1, .max = 2, .run = command_console, .live = true);
