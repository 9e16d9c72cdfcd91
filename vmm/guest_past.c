/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A granule that is LIVE is not written to, and read where it is; one that is FREE may have been,
 * and is read from its copy. In between it is BUSY: somebody copies it, or reads it for the
 * checkpoint, on a CPU that nothing interrupts, so that others may spin meanwhile.
 */
#include "vmm/guest_past.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "kernel/grace.h"
#include "kernel/panic.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/hv_ops.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define PAST_RESERVE (UINT64_C(64) << 20) /* bytes */

enum { PAST_FREE, PAST_LIVE, PAST_BUSY };

struct guest_past {
	struct guest_keeper keeper;
	struct vm *vm;
	uint8_t **copies; /* by granule; NULL: no RAM, or given back */
	uint8_t *states;  /* by granule: atomic */
};

static struct guest_past *past_of(struct vm *vm)
{
	return vm->memory->past;
}

static uint64_t past_size(const struct guest_memory *m, uint64_t index)
{
	gpa_t gpa = index * GUEST_GRANULE;

	return MIN(GUEST_GRANULE, (gpa < GUEST_HIGH_BASE ? m->low_end : m->high_end) - gpa);
}

static void past_copy(const struct guest_past *p, uint64_t index)
{
	const struct guest_memory *m = p->vm->memory;

	memcpy(p->copies[index], m->granules[index], past_size(m, index));
}

static int past_map(const struct guest_past *p, uint64_t index, unsigned access)
{
	struct guest_memory *m = p->vm->memory;
	int err;

	spin_lock(&m->lock);
	err = hv_ops->map(p->vm, index * GUEST_GRANULE, paging_phys(m->granules[index]),
			  GUEST_GRANULE, access);
	spin_unlock(&m->lock);
	return err;
}

/* Its tables are there (guest_past_prepare()): nothing is allocated. */
static void past_protect(const struct guest_past *p, uint64_t index, bool on)
{
	int err = past_map(p, index, ACCESS_READ | ACCESS_EXEC | (on ? 0 : ACCESS_WRITE));

	BUG_ON(err);
}

/* Whether the guest has all rights to all of it, so that it can have them back at once. Of others
 * there are few: with a hook, with the VGA window, and ends that are no whole granule. */
static bool past_is_plain(const struct guest_past *p, uint64_t index)
{
	gpa_t gpa = index * GUEST_GRANULE;

	return gpa && past_size(p->vm->memory, index) == GUEST_GRANULE &&
	       !hook_memory_covers(p->vm->hooks->memory, gpa, GUEST_GRANULE, true);
}

/* True: it was LIVE, and is the caller's. */
static bool past_claim(struct guest_past *p, uint64_t index)
{
	uint8_t live = PAST_LIVE;

	return __atomic_compare_exchange_n(&p->states[index], &live, PAST_BUSY, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE);
}

static void past_release(struct guest_past *p, uint64_t index)
{
	past_protect(p, index, false);
	__atomic_store_n(&p->states[index], PAST_FREE, __ATOMIC_RELEASE);
}

/* False: it is FREE. */
static bool past_claim_soon(struct guest_past *p, uint64_t index)
{
	while (!past_claim(p, index)) {
		if (__atomic_load_n(&p->states[index], __ATOMIC_ACQUIRE) == PAST_FREE)
			return false;
		cpu_pause();
	}
	return true;
}

static void past_keep(struct guest_keeper *keeper, uint64_t index)
{
	struct guest_past *p = container_of(keeper, struct guest_past, keeper);

	if (past_claim_soon(p, index)) {
		past_copy(p, index);
		past_release(p, index);
	}
}

static int past_take(struct guest_past *p, uint64_t index)
{
	p->copies[index] = page_alloc(&p->vm->owner, PAGE_ORDER_2M);
	if (!p->copies[index])
		return -ENOMEM;
	/* As it is, but not by a page of 1 GiB. */
	return past_is_plain(p, index)
		       ? past_map(p, index, ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC)
		       : 0;
}

/* And some for what VMs take meanwhile: pages of disks, new devices. */
static bool past_has_room(const struct guest_memory *m)
{
	uint64_t wanted = m->size / PAGE_SIZE; /* granules lie in the hole below 4 GiB, too */
	struct page_stats stats;

	page_alloc_stats(&stats);
	return stats.free >= wanted + MAX(PAST_RESERVE / PAGE_SIZE, stats.free / 8);
}

int guest_past_prepare(struct vm *vm)
{
	struct guest_memory *m = vm->memory;
	struct guest_past *p = past_has_room(m) ? kzalloc(sizeof(*p)) : NULL;
	int err = -ENOMEM;

	if (!p)
		return -ENOMEM;
	m->past = p;
	p->vm = vm;
	p->keeper.keep = past_keep;
	p->copies = kcalloc(m->granule_count, sizeof(*p->copies));
	p->states = kcalloc(m->granule_count, sizeof(*p->states));
	if (!p->copies || !p->states)
		goto end;
	err = 0;
	for (uint64_t i = 0; i < m->granule_count && !err; i++, task_share())
		if (m->granules[i])
			err = past_take(p, i);
	if (!err)
		return 0;
end:
	guest_past_end(vm);
	return err;
}

void guest_past_begin(struct vm *vm)
{
	struct guest_past *p = past_of(vm);

	for (uint64_t i = 0; i < vm->memory->granule_count; i++) {
		if (!vm->memory->granules[i])
			continue;
		if (past_is_plain(p, i)) {
			past_protect(p, i, true);
			p->states[i] = PAST_LIVE;
		} else {
			past_copy(p, i);
		}
	}
	grace_publish(vm->memory->keeper, &p->keeper);
}

const uint8_t *guest_past_open(struct vm *vm, uint64_t index)
{
	struct guest_past *p = past_of(vm);

	return past_claim_soon(p, index) ? vm->memory->granules[index] : p->copies[index];
}

void guest_past_close(struct vm *vm, uint64_t index)
{
	uint8_t *state = &past_of(vm)->states[index];

	if (*state == PAST_BUSY) /* by guest_past_open() */
		__atomic_store_n(state, PAST_LIVE, __ATOMIC_RELEASE);
}

void guest_past_forget(struct vm *vm, uint64_t index)
{
	struct guest_past *p = past_of(vm);

	if (past_claim_soon(p, index))
		past_release(p, index);
	if (p->copies[index])
		page_free(&vm->owner, p->copies[index], PAGE_ORDER_2M);
	p->copies[index] = NULL;
}

/* A vCPU whose write was stopped is told why: it has done with that exit, and with what its TLB has
 * of it, before the keeper goes. */
void guest_past_end(struct vm *vm)
{
	struct guest_memory *m = vm->memory;
	struct guest_past *p = m->past;

	for (uint64_t i = 0; p->copies && p->states && i < m->granule_count; i++)
		guest_past_forget(vm, i);
	if (m->keeper) {
		vm_flush(vm);
		grace_publish(m->keeper, NULL);
		grace_synchronize();
	}
	kfree(p->states);
	kfree(p->copies);
	kfree(p);
	m->past = NULL;
}
