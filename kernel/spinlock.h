/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticket spinlock. Hypervisor code runs with interrupts off and is not
 * preempted, and interrupt handlers run only where no lock is held
 * (irq_window()), so there is no irqsave variant and no way to need one.
 * The order of locks is in docs/locking.md.
 */
#ifndef KERNEL_SPINLOCK_H
#define KERNEL_SPINLOCK_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct spinlock {
	uint32_t next;	/* the ticket that the next locker takes */
	uint32_t owner; /* the ticket that holds the lock */
};

#define SPINLOCK_INIT \
	{             \
		0, 0  \
	}

static inline void spinlock_init(struct spinlock *l)
{
	l->next = 0;
	l->owner = 0;
}

static inline void spin_lock(struct spinlock *l)
{
	uint32_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket)
		__builtin_ia32_pause();
}

static inline bool __must_check spin_trylock(struct spinlock *l)
{
	uint32_t owner = __atomic_load_n(&l->owner, __ATOMIC_RELAXED);

	return __atomic_compare_exchange_n(&l->next, &owner, owner + 1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static inline void spin_unlock(struct spinlock *l)
{
	__atomic_store_n(&l->owner, l->owner + 1, __ATOMIC_RELEASE);
}

#endif
