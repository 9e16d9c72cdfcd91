/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saving a VM that runs, and making a VM from what was saved. Context: tasks
 * that do not have the VM's life. All: 0 or a negative errno, and @why
 * (CHECKPOINT_WHY_MAX bytes) says in a line what is the matter.
 */
#ifndef VMM_CHECKPOINT_CHECKPOINT_H
#define VMM_CHECKPOINT_CHECKPOINT_H

#include "lib/compiler.h"
#include "vmm/checkpoint/stream.h"

struct vm;

/*
 * @vm, and goes on: it stands still for its vCPUs' and devices' state alone, where there is as much
 * memory as it has to keep what it changes meanwhile; else until all is written. -ENOTSUP: a device
 * that cannot be saved, or a VM that is not started; nothing was written. -ECANCELED: by step().
 * -EAGAIN: the VM ended meanwhile, or got or lost a device.
 */
int checkpoint_save(struct vm *vm, struct checkpoint_writer *w, char *why) __must_check;
/*
 * Makes VM @name, where there is none of that name (-EEXIST); NULL: as it was
 * called, where that one is stopped or not defined, and then what it is defined
 * as is what was saved. It goes on where it was. On an error nothing has changed.
 */
int checkpoint_restore(const struct checkpoint_source *source, const char *name,
		       char *why) __must_check;

#endif
