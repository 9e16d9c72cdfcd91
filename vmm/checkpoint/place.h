/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where checkpoints are kept: a table that any file adds to which can keep
 * them. A checkpoint's name begins with its place's scheme: `held` is one in
 * our memory, `module:held.ckpt` came with the boot, `disk:keeper.snap` is on a
 * disk. Context: the shell's task. @why: CHECKPOINT_WHY_MAX bytes, a line that
 * says what is the matter, where the result is an error.
 */
#ifndef VMM_CHECKPOINT_PLACE_H
#define VMM_CHECKPOINT_PLACE_H

#include "lib/compiler.h"
#include "vmm/checkpoint/stream.h"
#include "vmm/vm.h"

#include <stdbool.h>

/* Behind the scheme: a VM's, a dot, a device's is the longest. */
#define CHECKPOINT_NAME_MAX (VM_NAME_MAX + 1 + 63)

struct checkpoint_place {
	const char *scheme; /* "disk:"; "": of all names that are no other's */
	/* The n-th name that there is (@name: CHECKPOINT_NAME_MAX + 1 bytes); false: there are
	 * fewer. NULL: they are listed elsewhere. Does not wait. */
	bool (*nth)(unsigned n, char *name);
	/* What is there, in words, @what of CHECKPOINT_WHY_MAX bytes. */
	void (*describe)(const char *name, char *what);
	/*
	 * Of VM @vm. Nothing of it is seen before end(), and what was there stays until then. Sets
	 * @w's write and opaque. NULL: nobody writes there.
	 */
	int (*create)(const char *name, const char *vm, struct checkpoint_writer *w, char *why);
	/*
	 * After create(): all is written, and it is kept; or, with @err of the saving, given up.
	 * Returns @err, or an error of the keeping. @why may be told better than it was.
	 */
	int (*end)(struct checkpoint_writer *w, int err, char *why);
	/* Sets @source, until close(). */
	int (*open)(const char *name, struct checkpoint_source *source, char *why);
	/* Sets @why where a read has failed. NULL: nothing is to be done. */
	void (*close)(struct checkpoint_source *source, char *why);
	/* Forgets it. NULL: that cannot be. */
	int (*remove)(const char *name, char *why);
};

#define CHECKPOINT_PLACE(ident_, ...) \
	TABLE_ENTRY(checkpoint_places, struct checkpoint_place, ident_) = {__VA_ARGS__}
TABLE_DECLARE(checkpoint_places, struct checkpoint_place);

/* Whose @*name is; @*name becomes what stands behind the scheme. */
const struct checkpoint_place *checkpoint_place_of(const char **name);

/* Puts a line into @why; returns @err. */
int checkpoint_why(char *why, int err, const char *fmt, ...) __printf(3, 4);

#endif
