/* SPDX-License-Identifier: BSD-2-Clause */
/* VMs that are saved, to wherever there is a place for them, and restored. */
#include "admin/command.h"
#include "admin/progress.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/time.h"
#include "vmm/checkpoint/checkpoint.h"
#include "vmm/checkpoint/place.h"

#include <stdio.h>
#include <string.h>

/* What is written, and who looks on. */
struct save {
	struct checkpoint_writer w;
	struct progress progress;
};

static bool save_step(struct checkpoint_writer *w, uint64_t done, uint64_t total)
{
	progress_update(&container_of(w, struct save, w)->progress, done, total);
	return progress_cancelled();
}

static void command_save(char **argv)
{
	char why[CHECKPOINT_WHY_MAX] = "nothing can be saved there";
	struct vm *vm = vm_arg(argv[1]);
	struct save save = {.w = {.step = save_step}};
	const char *name = argv[2];
	const struct checkpoint_place *place = checkpoint_place_of(&name);
	int err;

	if (!vm)
		return;
	if (!place->create || place->create(name, vm->name, &save.w, why)) {
		command_error("save: %s: %s\n", argv[2], why);
		return;
	}
	progress_begin(&save.progress, "save");
	err = checkpoint_save(vm, &save.w, why);
	err = place->end(&save.w, err, why);
	progress_end(&save.progress);
	if (err)
		command_error("vm %s is not saved: %s\n", vm->name, why);
	else
		console_printf(
			"vm %s is saved as %s, %lu KiB in %lu ms; it stood still for %lu us\n",
			vm->name, argv[2], save.w.bytes >> 10,
			(time_ns() - save.progress.start) / NSEC_PER_MSEC,
			save.w.still_ns / NSEC_PER_USEC);
}

/* restore NAME, restore NAME as VM. */
static void command_restore(char **argv)
{
	const char *as = argv[2] ? argv[3] : NULL, *name = argv[1];
	const struct checkpoint_place *place = checkpoint_place_of(&name);
	char why[CHECKPOINT_WHY_MAX] = "";
	struct checkpoint_source source;
	uint64_t start = time_ns();
	int err;

	if (argv[2] && (strcmp(argv[2], "as") || !as)) {
		command_error("restore: expected restore NAME [as VM]\n");
		return;
	}
	if (place->open(name, &source, why)) {
		command_error("restore: %s: %s\n", argv[1], why);
		return;
	}
	err = checkpoint_restore(&source, as, why);
	if (place->close)
		place->close(&source, why);
	if (err)
		command_error("%s is not restored: %s\n", argv[1], why);
	else
		console_printf("%s is restored and runs, after %lu ms\n", argv[1],
			       (time_ns() - start) / NSEC_PER_MSEC);
}

typedef void (*listed_fn)(void *opaque, const struct checkpoint_place *place, const char *name);

static void for_each_listed(listed_fn fn, void *opaque)
{
	const struct checkpoint_place *place;
	char name[CHECKPOINT_NAME_MAX + 1];

	for (place = TABLE_START(checkpoint_places); place < TABLE_END(checkpoint_places); place++)
		for (unsigned n = 0; place->nth && place->nth(n, name); n++)
			fn(opaque, place, name);
}

static void print_listed(void *opaque, const struct checkpoint_place *place, const char *name)
{
	int width = 31 - (int)strlen(place->scheme);
	char what[CHECKPOINT_WHY_MAX];
	unsigned *count = opaque;

	++*count;
	place->describe(name, what);
	console_printf("%s%-*s %s\n", place->scheme, width, name, what);
}

static void command_snapshots(char **argv)
{
	unsigned count = 0;

	(void)argv;
	for_each_listed(print_listed, &count);
	if (!count)
		console_printf("there are none\n");
}

static void command_snapshot_delete(char **argv)
{
	char why[CHECKPOINT_WHY_MAX] = "it came with the boot";
	const char *name = argv[1];
	const struct checkpoint_place *place = checkpoint_place_of(&name);

	if (!place->remove || place->remove(name, why))
		command_error("snapshot-delete: %s: %s\n", argv[1], why);
}

struct name_sink {
	command_add_fn add;
	void *opaque;
};

static void add_listed(void *opaque, const struct checkpoint_place *place, const char *name)
{
	char word[sizeof("module:") + CHECKPOINT_NAME_MAX];
	const struct name_sink *sink = opaque;

	snprintf(word, sizeof(word), "%s%s", place->scheme, name);
	sink->add(sink->opaque, word);
}

void command_add_snapshots(command_add_fn add, void *opaque)
{
	struct name_sink sink = {add, opaque};

	for_each_listed(add_listed, &sink);
}

COMMAND(save_entry, .name = "save", .args = "VM NAME|disk:OWNER.DEVICE",
	.help = "keep all of a VM that runs, as it is now, in our memory or on a disk",
	.example = "save linux before-upgrade", .min = 2, .max = 2, .run = command_save,
	.direct = true);
COMMAND(restore_entry, .name = "restore", .args = "NAME|disk:OWNER.DEVICE|module:MODULE [as VM]",
	.help = "let a VM go on where it was saved, here or in a file that came with the boot",
	.example = "restore before-upgrade", .min = 1, .max = 3, .run = command_restore,
	.words = command_add_snapshots);
COMMAND(snapshots_entry, .name = "snapshots", .args = "", .help = "the VMs that were saved",
	.example = "snapshots", .run = command_snapshots);
COMMAND(snapshot_delete_entry, .name = "snapshot-delete", .args = "NAME|disk:OWNER.DEVICE",
	.help = "forget a saved VM", .example = "snapshot-delete before-upgrade", .min = 1,
	.max = 1, .run = command_snapshot_delete, .words = command_add_snapshots);
