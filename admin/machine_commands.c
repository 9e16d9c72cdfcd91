/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about the machine as a whole. */
#include "admin/command.h"
#include "kernel/boot_info.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/page_alloc.h"
#include "kernel/power.h"
#include "kernel/sched.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "kernel/version.h"
#include "vmm/device.h"
#include "vmm/hv_ops.h"
#include "vmm/vm.h"

static void dmesg_line(void *opaque, const char *text)
{
	(void)opaque;
	console_printf("%s\n", text);
	task_share();
}

static void command_dmesg(char **argv)
{
	(void)argv;
	log_for_each(dmesg_line, NULL);
}

static void command_reboot(char **argv)
{
	(void)argv;
	console_printf("Resetting the machine.\n");
	power_reset();
}

static void command_poweroff(char **argv)
{
	(void)argv;
	console_printf("Switching the machine off.\n");
	power_off();
	command_error("This machine cannot switch itself off (no ACPI S5): press its button.\n");
}

static void about_count_type(void *opaque, const struct device_type *type)
{
	(void)type;
	++*(unsigned *)opaque;
}

static void about_count_vm(void *opaque, struct vm *vm)
{
	(void)vm;
	++*(unsigned *)opaque;
}

static void command_about(char **argv)
{
	unsigned types = 0, vms = 0;
	struct page_stats stats;

	(void)argv;
	page_alloc_stats(&stats);
	device_type_for_each(about_count_type, &types);
	vm_for_each(about_count_vm, &vms);
	console_printf("Alcazar " ALCAZAR_VERSION ", started by %s (%s), command line '%s'\n",
		       boot_info.loader, boot_info.uefi ? "UEFI" : "BIOS", boot_info.cmdline);
	console_printf("CPUs:    %u, TSC %lu.%03lu MHz, virtualization: %s\n", sched_cpu_count(),
		       time_scale.tsc_khz / 1000, time_scale.tsc_khz % 1000,
		       hv_ops ? hv_ops->name : "none, the log says why");
	console_printf("memory:  %lu MiB, %lu MiB of it free\n", stats.total >> 8, stats.free >> 8);
	console_printf("VMs:     %u, of at most %u vCPUs each\n", vms, VM_MAX_VCPUS);
	console_printf("modules: %zu of %u\n", boot_info.module_count, BOOT_MAX_MODULES);
	console_printf("devices: %u types; `help device` lists them\n", types);
	console_printf("`info hv` says what the CPU has of virtualization and what is used.\n");
}

static void info_modules(char **argv)
{
	(void)argv;
	for (size_t i = 0; i < boot_info.module_count; i++)
		console_printf("%-32s %10lu bytes\n", boot_info.modules[i].name,
			       boot_info.modules[i].size);
}

INFO_TOPIC(info_modules_topic, .name = "modules", .args = "",
	   .help = "images and configs: what the boot loader and `loadmod` brought",
	   .example = "info modules", .run = info_modules);
COMMAND(about_entry, .name = "about", .args = "", .help = "what this is and what the machine has",
	.example = "about", .run = command_about);
COMMAND(dmesg_entry, .name = "dmesg", .args = "",
	.help = "the log since boot, as far as it is kept", .example = "dmesg",
	.run = command_dmesg);
COMMAND(reboot_entry, .name = "reboot", .args = "", .help = "reset the machine, VMs and all",
	.example = "reboot", .run = command_reboot, .live = true);
COMMAND(poweroff_entry, .name = "poweroff", .args = "",
	.help = "switch the machine off, VMs and all", .example = "poweroff",
	.run = command_poweroff, .live = true);
