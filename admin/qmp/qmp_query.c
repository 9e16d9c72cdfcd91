/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests whose answers have a form: what programs ask for. */
#include "admin/qmp/qmp.h"

#include "admin/command.h"
#include "admin/dominfo.h"
#include "admin/vm_arg.h"
#include "kernel/boot_info.h"
#include "kernel/console.h"
#include "kernel/page_alloc.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "vmm/device.h"
#include "vmm/hv_ops.h"
#include "vmm/vcpu.h"
#include "vmm/vm_config.h"
#include "vmm/vm_life.h"

#include <errno.h>
#include <string.h>

void qmp_member(const char *name, const char *value)
{
	console_printf("\"%s\": ", name);
	json_put_string(console_write, value, strlen(value));
}

static void query_vm(const struct vm *vm, unsigned id, enum vm_state state)
{
	console_printf("{");
	qmp_member("name", vm->name);
	console_printf(", \"id\": %u, \"state\": \"%s\", \"running\": %s, \"vcpus\": %u, "
		       "\"memory\": %lu",
		       id, vm_state_name(state), state == VM_RUNNING ? "true" : "false",
		       vm->config->cpus, vm->config->memory);
}

static void query_list(char **argv)
{
	struct vm *wanted = argv[1] ? vm_arg(argv[1]) : NULL, *vm;
	const char *comma = "";

	if (argv[1] && !wanted)
		return;
	console_printf("[");
	for (unsigned n = 0; (vm = vm_nth(n)); n++) {
		if (wanted && vm != wanted)
			continue;
		console_printf("%s", comma);
		query_vm(vm, n + 1, READ_ONCE(vm->state));
		console_printf("}");
		comma = ", ";
	}
	console_printf("]");
}

static void query_count(void *opaque, struct device *dev)
{
	(void)dev;
	++*(unsigned *)opaque;
}

static void query_dominfo(char **argv)
{
	struct vm *vm = vm_arg(argv[1]);
	uint64_t ms = 0, exits = 0;
	unsigned id = 0, devices = 0;
	enum vm_state state;

	if (!vm)
		return;
	while (vm_nth(id++) != vm)
		;
	state = vm_life_begin(vm);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		ms += dominfo_ms(vm->vcpus[i]);
		exits += dominfo_exits(vm->vcpus[i]);
	}
	if (vm->devices)
		device_for_each(vm, query_count, &devices);
	query_vm(vm, id, state);
	console_printf(", ");
	qmp_member("defined-by", vm->config->file);
	console_printf(", \"autostart\": %s, \"clock-ms\": %lu, \"cpu-ms\": %lu, \"exits\": %lu, "
		       "\"devices\": %u, \"cost\": %lu}",
		       vm->config->autostart ? "true" : "false",
		       vm->vcpu_count ? vm_time_ns(vm) / NSEC_PER_MSEC : 0, ms, exits, devices,
		       vm->owner.pages * PAGE_SIZE);
	vm_life_end(vm, state);
}

static void query_vcpuinfo(char **argv)
{
	enum vm_state state;
	struct vm *vm = vm_arg_begin(argv[1], &state);

	if (!vm)
		return;
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		const struct vcpu *vcpu = vm->vcpus[i];

		console_printf("%s{\"vcpu\": %u, \"cpu\": %u, \"state\": \"%s\", \"cpu-ms\": %lu, "
			       "\"exits\": %lu, \"interrupts\": %lu}",
			       i ? ", " : "[", i, vcpu->entity.cpu, dominfo_vcpu_state(vcpu, state),
			       dominfo_ms(vcpu), dominfo_exits(vcpu), vcpu->stats.injected);
	}
	console_printf("]");
	vm_life_end(vm, state);
}

static void query_device(void *opaque, struct device *dev)
{
	const char **comma = opaque, *inner = "";

	console_printf("%s{", *comma);
	qmp_member("id", dev->id);
	console_printf(", ");
	qmp_member("type", dev->type->name);
	console_printf(", \"taken\": {");
	for (unsigned kind = 0; kind < DEVICE_RESOURCE_KINDS; kind++) {
		if (!dev->counts[kind])
			continue;
		console_printf("%s\"%s\": %u", inner, device_resource_names[kind],
			       dev->counts[kind]);
		inner = ", ";
	}
	console_printf("}}");
	*comma = ", ";
}

static void query_devices(char **argv)
{
	enum vm_state state;
	struct vm *vm = vm_arg_begin(argv[1], &state);
	const char *comma = "[";

	if (!vm)
		return;
	device_for_each(vm, query_device, &comma);
	console_printf("%s]", *comma == '[' ? comma : "");
	vm_life_end(vm, state);
}

static void query_version(char **argv)
{
	char version[QMP_VERSION_MAX];
	struct page_stats stats;

	(void)argv;
	page_alloc_stats(&stats);
	qmp_version(version, sizeof(version));
	console_printf("{%s, ", version);
	qmp_member("loader", boot_info.loader);
	console_printf(", \"uefi\": %s, ", boot_info.uefi ? "true" : "false");
	qmp_member("command-line", boot_info.cmdline);
	console_printf(", ");
	qmp_member("virtualization", hv_ops ? hv_ops->name : "none");
	console_printf(", \"cpus\": %u, \"tsc-khz\": %lu, \"memory\": %lu, \"free\": %lu, "
		       "\"vcpus-max\": %u, \"modules\": %zu}",
		       sched_cpu_count(), time_scale.tsc_khz, stats.total * PAGE_SIZE,
		       stats.free * PAGE_SIZE, VM_MAX_VCPUS, boot_info.module_count);
}

static void query_define(char **argv)
{
	const struct boot_module *module = boot_module_find(argv[1]);
	bool good = module && !boot_module_is_written(module);
	int err = good ? vm_config_define(module->name, module->data, module->size) : 0;

	if (!good) {
		command_error(module ? "%s: a VM's disk writes to it" : "%s: no such module",
			      argv[1]);
		command_fail(COMMAND_ABSENT);
	} else if (err) {
		command_error("%s: failed (error %d), see the log", argv[1], -err);
	} else {
		console_printf("{}");
	}
}

static void query_define_config(char **argv)
{
	int err = vm_config_define("request", argv[1], strlen(argv[1]));

	if (err)
		command_error("define-config: failed (error %d), see the log", -err);
	else
		console_printf("{}");
}

QMP_REQUEST(query_status_request, .name = "query-status", .args = "[VM]",
	    .help = "the VMs, or one: name, id (its place in the list), state, vcpus, memory in "
		    "bytes",
	    .max = 1, .run = query_list);
QMP_REQUEST(query_list_request, .name = "list", .args = "[VM]", .help = "the same", .max = 1,
	    .run = query_list);
QMP_REQUEST(query_dominfo_request, .name = "dominfo", .args = "VM",
	    .help = "a VM in numbers; cost: bytes beyond its memory", .min = 1, .max = 1,
	    .run = query_dominfo);
QMP_REQUEST(query_vcpuinfo_request, .name = "vcpuinfo", .args = "VM",
	    .help = "a started VM's vCPUs: where they run, how long, how often they exit", .min = 1,
	    .max = 1, .run = query_vcpuinfo);
QMP_REQUEST(query_devices_request, .name = "query-devices", .args = "VM",
	    .help = "a started VM's devices: id, type, how much they have taken of what", .min = 1,
	    .max = 1, .run = query_devices);
QMP_REQUEST(query_version_request, .name = "query-version", .args = "",
	    .help = "what this is and what the machine has, sizes in bytes", .run = query_version);
QMP_REQUEST(query_define_request, .name = "define", .args = "MODULE",
	    .help = "make a VM of a module's config", .min = 1, .max = 1, .run = query_define);
QMP_REQUEST(query_define_config_request, .name = "define-config", .args = "CONFIG",
	    .help = "make a VM of a config, which is the argument's text", .min = 1, .max = 1,
	    .run = query_define_config);
