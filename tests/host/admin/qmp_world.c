/* SPDX-License-Identifier: BSD-2-Clause */
/* What the protocol asks for beside the shell's world. */
#include "tests/host/admin/fake.h"
#include "tests/host/admin/qmp_world.h"

#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/wall_time.h"
#include "vmm/vm.h"
#include "vmm/vm_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const device_resource_names[] = {"io",   "msr", "memory", "cpuid",
					     "call", "irq", "timer"};

int64_t wall_time(void)
{
	return 1000000000;
}

uint64_t vm_time_ns(const struct vm *vm)
{
	(void)vm;
	return 0;
}

/* The log: as many lines as a command has written. */

#define LINE_LEN (sizeof("[ 1.0] line 00000\n") - 1)
static size_t lines, kept; /* the first that is kept */

size_t log_end(void)
{
	return lines * LINE_LEN;
}

size_t log_read(size_t *pos, char *line)
{
	*pos = MAX(*pos, kept * LINE_LEN);
	if (*pos == log_end())
		return 0;
	*pos += LINE_LEN;
	return (size_t)sprintf(line, "[ 1.0] line %05zu\n", *pos / LINE_LEN);
}

/* Commands that do what only other tasks would. */

static void command_happen(char **argv)
{
	const struct vm *vm = vm_find("demo");

	for (long n = argv[1] ? atol(argv[1]) : 1; n > 0; n--)
		vm_event(vm, VM_EVENT_PAUSE, false, NULL);
	vm_event(vm, VM_EVENT_CRASH, true, "a \"triple\" fault");
	vm_event(vm, VM_EVENT_DEVICE_DELETED, false, "com2");
	vm_event(vm, VM_EVENT_RESET, true, NULL);
	lines++;
}

/* More of the log than is kept, at once. */
static void command_log_much(char **argv)
{
	(void)argv;
	lines += 500;
	kept = lines - 2;
}

static void command_say(char **argv)
{
	(void)argv;
	for (unsigned i = 0; i < 500; i++)
		console_printf("line %u of what is much to say: \"\\\t\x01\xff\xc3\xa9\n", i);
}

static void command_flood(char **argv)
{
	(void)argv;
	for (unsigned i = 0; i < 20000; i++)
		console_printf("a line of too many\n");
}

static bool ran;

static void command_run_it(char **argv)
{
	(void)argv;
	ran = true;
}

bool qmp_world_ran(void)
{
	bool was = ran;

	ran = false;
	return was;
}

static void command_lose(char **argv)
{
	(void)argv;
	fake_losses++;
}

COMMAND(lose_entry, .name = "lose", .args = "", .help = "", .run = command_lose);
COMMAND(happen_entry, .name = "happen", .args = "[COUNT]", .help = "", .max = 1,
	.run = command_happen);
COMMAND(log_entry, .name = "log-much", .args = "", .help = "", .run = command_log_much);
COMMAND(say_entry, .name = "say_much", .args = "", .help = "", .run = command_say);
COMMAND(flood_entry, .name = "flood", .args = "", .help = "", .run = command_flood);
COMMAND(run_entry, .name = "run-it", .args = "A [B [C]] [on|off]", .help = "", .max = 4,
	.run = command_run_it);
