/* SPDX-License-Identifier: BSD-2-Clause */
/* VMs that are saved to our memory and restored from it. */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/time.h"
#include "vmm/checkpoint/checkpoint.h"
#include "vmm/checkpoint/store.h"

#include <errno.h>
#include <string.h>

static void save_failed(const char *name, int err)
{
	if (err == -EEXIST)
		command_error("save: snapshot %s is there already; `snapshot-delete %s`\n", name,
			      name);
	else if (err == -EINVAL)
		command_error("save: '%s': expected a name of 1 to %u letters, digits and . _ -\n",
			      name, SNAPSHOT_NAME_MAX);
	else
		command_error("save: no memory is left: see `info memory`, and destroy VMs or "
			      "delete snapshots\n");
}

static void say_room(void)
{
	uint64_t taken, room = snapshot_room(&taken);

	command_error("snapshots have %lu of at most %lu KiB: `snapshot-delete` forgets one\n",
		      taken >> 10, room >> 10);
}

static void command_save(char **argv)
{
	char why[CHECKPOINT_WHY_MAX] = "";
	struct vm *vm = vm_arg(argv[1]);
	struct checkpoint_writer w = {.write = snapshot_append};
	struct snapshot *s;
	uint64_t start;
	int err;

	if (!vm)
		return;
	err = snapshot_create(argv[2], &s);
	if (err) {
		save_failed(argv[2], err);
		return;
	}
	w.opaque = s;
	start = time_ns();
	err = checkpoint_save(vm, &w, why);
	if (err) {
		snapshot_delete(s);
		command_error("vm %s is not saved: %s\n", vm->name, why);
		if (err == -ENOSPC)
			say_room();
		return;
	}
	snapshot_publish(s);
	console_printf("vm %s is saved as %s, %lu KiB; it stood still for %lu ms\n", vm->name,
		       argv[2], w.bytes >> 10, (time_ns() - start) / NSEC_PER_MSEC);
}

/* restore NAME, restore NAME as VM */
static void command_restore(char **argv)
{
	struct snapshot *s = snapshot_find(argv[1]);
	const char *name = argv[2] ? argv[3] : NULL;
	char why[CHECKPOINT_WHY_MAX] = "";
	struct checkpoint_source source;

	if (argv[2] && (strcmp(argv[2], "as") || !name)) {
		command_error("restore: expected restore NAME [as VM]\n");
		return;
	}
	if (!s) {
		command_error("restore: %s: no such snapshot; `snapshots` lists them\n", argv[1]);
		return;
	}
	snapshot_source(s, &source);
	if (checkpoint_restore(&source, name, why))
		command_error("%s is not restored: %s\n", argv[1], why);
	else
		console_printf("%s is restored and runs\n", argv[1]);
}

static void command_snapshots(char **argv)
{
	const char *name;
	uint64_t bytes;
	unsigned n;

	(void)argv;
	for (n = 0; snapshot_nth(n, &name, &bytes); n++)
		console_printf("%-31s %10lu KiB\n", name, bytes >> 10);
	if (!n)
		console_printf("there are none\n");
}

static void command_snapshot_delete(char **argv)
{
	struct snapshot *s = snapshot_find(argv[1]);

	if (s)
		snapshot_delete(s);
	else
		command_error("snapshot-delete: %s: no such snapshot; `snapshots` lists them\n",
			      argv[1]);
}

static void snapshot_words(command_add_fn add, void *opaque)
{
	const char *name;
	uint64_t bytes;

	for (unsigned n = 0; snapshot_nth(n, &name, &bytes); n++)
		add(opaque, name);
}

COMMAND(save_entry, .name = "save", .args = "VM NAME",
	.help = "keep all of a VM that runs, as it is now, in our memory",
	.example = "save linux before-upgrade", .min = 2, .max = 2, .run = command_save);
COMMAND(restore_entry, .name = "restore", .args = "NAME [as VM]",
	.help = "let a VM go on where it was saved", .example = "restore before-upgrade", .min = 1,
	.max = 3, .run = command_restore, .words = snapshot_words);
COMMAND(snapshots_entry, .name = "snapshots", .args = "", .help = "the VMs that were saved",
	.example = "snapshots", .run = command_snapshots);
COMMAND(snapshot_delete_entry, .name = "snapshot-delete", .args = "NAME",
	.help = "forget a saved VM", .example = "snapshot-delete before-upgrade", .min = 1,
	.max = 1, .run = command_snapshot_delete, .words = snapshot_words);
