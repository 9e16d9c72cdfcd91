/* SPDX-License-Identifier: BSD-2-Clause */
/* What a checkpoint has beside devices: tables (vmm/device_state.h), and the guest's memory. */
#ifndef VMM_CHECKPOINT_STATE_H
#define VMM_CHECKPOINT_STATE_H

#include "lib/compiler.h"
#include "vmm/checkpoint/stream.h"
#include "vmm/device_state.h"

#include <stdint.h>

struct vm;

/* vmm/vcpu_saved.h, by names: neither vendors nor our enums decide where a register is. */
extern const struct device_state checkpoint_vcpu_state;

/* The machine that the guest was on, as far as it can tell. */
struct checkpoint_machine {
	struct vm *vm;
	uint64_t memory; /* bytes */
	uint32_t vcpus;
	uint32_t tsc_khz;
	uint64_t clock_ns, clock_tsc; /* the VM's clock, which stands still */
	char text[CHECKPOINT_WHY_MAX / 2];
	char *wrong; /* room for what does not fit: the check looks at a copy */
};
extern const struct device_state checkpoint_machine_state;
/* Of a VM that stands still. */
void checkpoint_machine_get(struct checkpoint_machine *m, struct vm *vm);
/* Sets the clock of @vm, whose vCPUs were not loaded yet. */
void checkpoint_machine_set(const struct checkpoint_machine *m, struct vm *vm);

/* Memory's records: those of 64 KiB that have something in them. Tasks: yield. */
int checkpoint_write_memory(struct vm *vm, struct checkpoint_writer *w) __must_check;
/*
 * All of them, @first being the first or the end: into @vm's memory, or with @check alone, whether
 * they fit into it. -EINVAL: @why.
 */
int checkpoint_read_memory(struct vm *vm, const struct checkpoint_source *source,
			   struct checkpoint_record first, bool check, char *why) __must_check;

#endif
