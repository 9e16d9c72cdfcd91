/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs without an effect, by a table: guests access them because their CPU's
 * family has them, and find again what they wrote, or a constant. Each vCPU
 * has its own.
 */
#ifndef DEVICES_CPU_STORED_MSR_H
#define DEVICES_CPU_STORED_MSR_H

#include "vmm/device.h"
#include "vmm/device_state.h"

#include <stddef.h>
#include <stdint.h>

struct stored_msr {
	uint32_t index;
	uint64_t reset; /* the value at power-on */
	/* Of a written value. A bit outside @known is #GP (0: any write is), those in @fixed keep
	 * what they have. */
	uint64_t known, fixed;
};

#define STORED_MSR_ANY UINT64_MAX

/* Reads @reset_, and a write is #GP; is ignored; is kept. */
#define MSR_READ_ONLY(index_, reset_)                \
	{                                            \
		.index = (index_), .reset = (reset_) \
	}
#define MSR_CONSTANT(index_, reset_)                                           \
	{                                                                      \
		.index = (index_), .reset = (reset_), .known = STORED_MSR_ANY, \
		.fixed = STORED_MSR_ANY                                        \
	}
#define MSR_KEPT(index_)                                   \
	{                                                  \
		.index = (index_), .known = STORED_MSR_ANY \
	}

/* dev->state and hooks for @count MSRs of @table. For the create of a type that is fixed: a vCPU
 * touches its own values without a lock, and none runs when they are reset. */
int stored_msr_create(struct device *dev, const struct stored_msr *table,
		      size_t count) __must_check;
/* The device's destroy and reset. */
void stored_msr_destroy(struct device *dev);
void stored_msr_reset(struct device *dev);

/* The type's table: of the device's values. */
extern const struct device_field stored_msr_fields[];
#define STORED_MSR_SAVED(name_) \
	(&(const struct device_state){.name = (name_), .version = 1, .fields = stored_msr_fields})

/* What @index reads on all vCPUs from now on, until a guest changes it. */
void stored_msr_set(struct device *dev, uint32_t index, uint64_t value);

#endif
