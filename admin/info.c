/* SPDX-License-Identifier: BSD-2-Clause */
/* `info`: how things stand. */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/vm.h"
#include "vmm/vm_life.h"

#include <stdio.h>

static void info_list(void)
{
	const struct command *topic = NULL;

	while ((topic = command_next(TABLE_START(info_topics), TABLE_END(info_topics), topic)))
		console_printf("  info %s%s%s: %s\n", topic->name, *topic->args ? " " : "",
			       topic->args, topic->help);
}

static void command_info(char **argv)
{
	const struct command *topic;

	if (!argv[1]) {
		info_list();
		return;
	}
	topic = command_find(TABLE_START(info_topics), TABLE_END(info_topics), argv[1]);
	if (topic)
		command_run(topic, "info ", argv + 1);
	else
		command_error("info %s: no such topic; `info` lists them\n", argv[1]);
}

static void info_words(command_add_fn add, void *opaque)
{
	const struct command *topic;

	for (topic = TABLE_START(info_topics); topic < TABLE_END(info_topics); topic++)
		add(opaque, topic->name);
}

COMMAND(info_entry, .name = "info", .args = "[TOPIC [VM]]", .help = "how things stand",
	.example = "info exits linux", .max = 2, .run = command_info, .words = info_words);

static void info_owner(void *opaque, const char *name, uint64_t pages)
{
	(void)opaque;
	console_printf("  %-28s %10lu KiB\n", name, pages * (PAGE_SIZE / 1024));
}

static void info_memory(char **argv)
{
	struct page_stats stats;
	unsigned order;

	(void)argv;
	page_alloc_stats(&stats);
	console_printf("%lu MiB, %lu MiB free, %lu pages used\n", stats.total >> 8, stats.free >> 8,
		       stats.total - stats.free);
	page_owner_for_each(info_owner, NULL);
	console_printf("small objects: %zu bytes\nfree blocks:", slab_in_use());
	for (order = 0; order <= PAGE_ORDER_MAX; order++)
		if (stats.free_by_order[order])
			console_printf(" %lu of %lu KiB", stats.free_by_order[order],
				       (PAGE_SIZE << order) / 1024);
	console_printf("\n");
}

INFO_TOPIC(info_memory_topic, .name = "memory", .args = "", .help = "who holds how much",
	   .run = info_memory);

static void info_msr(void *opaque, const struct hook *hook)
{
	(void)opaque;
	if (hook->first == hook->last)
		console_printf("%8lx          %s\n", hook->first, hook->owner);
	else
		console_printf("%8lx-%08lx %s\n", hook->first, hook->last, hook->owner);
}

static void info_msrs(char **argv)
{
	struct vm *vm = vm_arg(argv[1]);
	enum vm_state state;

	if (!vm)
		return;
	state = vm_life_begin(vm);
	if (vm->hooks)
		hook_msr_for_each(vm, info_msr, NULL);
	else
		command_error("VM %s is not started\n", vm->name);
	vm_life_end(vm, state);
}

INFO_TOPIC(info_msrs_topic, .name = "msrs", .args = "VM",
	   .help = "which MSRs a VM has, and who answers for them", .min = 1, .max = 1,
	   .run = info_msrs);

static void info_device(void *opaque, struct device *dev)
{
	char taken[128] = "";
	size_t at = 0;
	unsigned kind;

	(void)opaque;
	for (kind = 0; kind < DEVICE_RESOURCE_KINDS && at < sizeof(taken); kind++)
		if (dev->counts[kind])
			at += snprintf(taken + at, sizeof(taken) - at, " %s:%u",
				       device_resource_names[kind], dev->counts[kind]);
	console_printf("%-16s %-16s%s\n", dev->id, dev->type->name, taken);
}

static void info_devices(char **argv)
{
	struct vm *vm = vm_arg(argv[1]);
	enum vm_state state;

	if (!vm)
		return;
	console_printf("%-16s %-16s TAKEN\n", "ID", "TYPE");
	/* The lines take long, under a lock that no one must spin for meanwhile. */
	state = vm_life_begin(vm);
	device_for_each(vm, info_device, NULL);
	vm_life_end(vm, state);
}

INFO_TOPIC(info_devices_topic, .name = "devices", .args = "VM",
	   .help = "a VM's devices and what they have taken", .min = 1, .max = 1,
	   .run = info_devices);
