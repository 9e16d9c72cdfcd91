/* SPDX-License-Identifier: BSD-2-Clause */
/* `dominfo` and `vcpuinfo`: a VM and its vCPUs in numbers. */
#include "admin/dominfo.h"

#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/time.h"
#include "vmm/device.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"
#include "vmm/vm_life.h"

uint64_t dominfo_exits(const struct vcpu *vcpu)
{
	uint64_t exits = 0;

	for (unsigned kind = 0; kind < VM_EXIT_KINDS; kind++)
		exits += vcpu->stats.exits[kind];
	return exits;
}

uint64_t dominfo_ms(const struct vcpu *vcpu)
{
	return time_tsc_to_ns(sched_runtime(&vcpu->entity)) / NSEC_PER_MSEC;
}

static void dominfo_count(void *opaque, struct device *dev)
{
	(void)dev;
	++*(unsigned *)opaque;
}

static void dominfo_used(struct vm *vm)
{
	uint64_t ms = 0, exits = 0;
	unsigned devices = 0;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		ms += dominfo_ms(vm->vcpus[i]);
		exits += dominfo_exits(vm->vcpus[i]);
	}
	if (vm->devices)
		device_for_each(vm, dominfo_count, &devices);
	console_printf("clock:      %lu ms\n", vm->vcpu_count ? vm_time_ns(vm) / NSEC_PER_MSEC : 0);
	console_printf("CPU time:   %lu ms\nexits:      %lu\ndevices:    %u\n", ms, exits, devices);
	console_printf("our cost:   %lu KiB beyond its memory\n",
		       vm->owner.pages * (PAGE_SIZE / 1024));
}

static void command_dominfo(char **argv)
{
	struct vm *vm = vm_arg(argv[1]);
	enum vm_state state;

	if (!vm)
		return;
	state = vm_life_begin(vm);
	console_printf("name:       %s\nstate:      %s\n", vm->name, vm_state_name(state));
	console_printf("defined by: %s\n", vm->config->file);
	console_printf("vCPUs:      %u\nmemory:     %lu MiB\n", vm->config->cpus,
		       vm->config->memory >> 20);
	console_printf("autostart:  %s\n", vm->config->autostart ? "yes" : "no");
	dominfo_used(vm);
	vm_life_end(vm, state);
}

const char *dominfo_vcpu_state(const struct vcpu *vcpu, enum vm_state state)
{
	static const char *const names[] = {[VCPU_WAIT_SIPI] = "waits for SIPI",
					    [VCPU_RUNNABLE] = "runs",
					    [VCPU_HALTED] = "halted",
					    [VCPU_STOPPED] = "stopped"};

	return state == VM_RUNNING ? names[vcpu->state] : vm_state_name(state);
}

static void command_vcpuinfo(char **argv)
{
	enum vm_state state;
	struct vm *vm = vm_arg_begin(argv[1], &state);

	if (!vm)
		return;
	console_printf("%4s %4s %10s %12s %12s STATE\n", "VCPU", "CPU", "TIME", "EXITS",
		       "INTERRUPTS");
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		const struct vcpu *vcpu = vm->vcpus[i];

		console_printf("%4u %4u %7lu ms %12lu %12lu %s\n", i, vcpu->entity.cpu,
			       dominfo_ms(vcpu), dominfo_exits(vcpu), vcpu->stats.injected,
			       dominfo_vcpu_state(vcpu, state));
	}
	vm_life_end(vm, state);
}

COMMAND(dominfo_entry, .name = "dominfo", .args = "VM", .help = "a VM in numbers",
	.example = "dominfo linux", .min = 1, .max = 1, .run = command_dominfo);
COMMAND(vcpuinfo_entry, .name = "vcpuinfo", .args = "VM",
	.help = "a VM's vCPUs: where they run, how long, how often they exit",
	.example = "vcpuinfo linux", .min = 1, .max = 1, .run = command_vcpuinfo);
