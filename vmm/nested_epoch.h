/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a nested table that was taken out can be freed. A physical CPU may have
 * cached what led to it for a vCPU; the hardware uses that only while this
 * vCPU's world is loaded. So each vCPU tells whether it is ("live"), and the
 * epoch that its TLB was flushed in last. One that is not live does not count:
 * it flushes when it comes back and finds the epoch changed.
 */
#ifndef VMM_NESTED_EPOCH_H
#define VMM_NESTED_EPOCH_H

#include "lib/compiler.h"
#include "vmm/nested_table.h"

#include <stdbool.h>
#include <stdint.h>

struct vm;

/* A vCPU's part: written on its own CPU, read on all. */
struct nested_epoch {
	bool live;
	uint64_t flushed; /* nested_table.epoch when the TLB was flushed last */
};

/* The vCPU is about to flush all that it has of @t, before its next entry. */
static inline void nested_epoch_flush(struct nested_epoch *e, const struct nested_table *t)
{
	__atomic_store_n(&e->flushed, __atomic_load_n(&t->epoch, __ATOMIC_ACQUIRE),
			 __ATOMIC_RELEASE);
}

/*
 * The world is loaded. True: @t has changed since the last flush, do one.
 * First "live", then the epoch: either nested_epoch_reap() sees that we may
 * use an old mapping, or we see its epoch.
 */
static inline bool __must_check nested_epoch_enter(struct nested_epoch *e,
						   const struct nested_table *t)
{
	__atomic_store_n(&e->live, true, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&t->epoch, __ATOMIC_SEQ_CST) != e->flushed;
}

/* The world is saved. */
static inline void nested_epoch_leave(struct nested_epoch *e)
{
	__atomic_store_n(&e->live, false, __ATOMIC_RELEASE);
}

/* Frees tables of @t, which is @vm's, that no vCPU can have cached. Under vm->memory's lock. */
void nested_epoch_reap(struct vm *vm, struct nested_table *t);

#endif
