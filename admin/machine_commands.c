/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about the machine as a whole. */
#include "admin/command.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/power.h"
#include "kernel/task.h"

static void dmesg_line(void *opaque, const char *text)
{
	(void)opaque;
	console_printf("%s\n", text);
	task_yield();
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
	console_printf("This machine cannot switch itself off (no ACPI S5): press its button.\n");
}

COMMAND(dmesg_entry, .name = "dmesg", .args = "",
	.help = "the log since boot, as far as it is kept", .run = command_dmesg);
COMMAND(reboot_entry, .name = "reboot", .args = "", .help = "reset the machine, VMs and all",
	.run = command_reboot);
COMMAND(poweroff_entry, .name = "poweroff", .args = "",
	.help = "switch the machine off, VMs and all", .run = command_poweroff);
