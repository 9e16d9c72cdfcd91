/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/flight.h"

#include "arch/x86_64/percpu.h"
#include "vmm/vm.h"

#include <errno.h>

#define FLIGHT_ORDER 3

_Static_assert(FLIGHT_BYTES == PAGE_SIZE << FLIGHT_ORDER, "what is allocated");

const uint8_t flight_gprs[VM_EXIT_KINDS] = {[VM_EXIT_MSR] = GPR_RCX};
_Static_assert(GPR_RAX == 0, "of all others");

int flight_create(struct vcpu *vcpu)
{
	vcpu->flight = page_alloc_zeroed(&vcpu->vm->owner, FLIGHT_ORDER);
	return vcpu->flight ? 0 : -ENOMEM;
}

void flight_destroy(struct vcpu *vcpu)
{
	page_free(&vcpu->vm->owner, vcpu->flight, FLIGHT_ORDER);
	vcpu->flight = NULL;
}

static uint64_t flight_time_now(const struct flight_exit *e)
{
	uint32_t low = READ_ONCE(e->time_low);

	return (uint64_t)READ_ONCE(e->time_high) << 32 | low;
}

/* The exit that was begun last. */
static unsigned flight_newest(const struct flight_exit *ring)
{
	uint64_t time, last = 0;
	unsigned newest = 0;

	for (unsigned i = 0; i < FLIGHT_EXITS; i++) {
		time = flight_time_now(&ring[i]);
		if (time > last) {
			last = time;
			newest = i;
		}
	}
	return newest;
}

/* Its time, or 0 when it was never written, or anew meanwhile. */
static uint64_t flight_copy_one(const struct flight_exit *from, struct flight_exit *to)
{
	uint64_t time = flight_time_now(from);

	to->time_low = (uint32_t)time;
	to->time_high = time >> 32;
	to->at.rip = READ_ONCE(from->at.rip);
	to->detail = READ_ONCE(from->detail);
	to->gpr = READ_ONCE(from->gpr);
	to->done = READ_ONCE(from->done);
	return flight_time_now(from) == time ? time : 0;
}

/*
 * The writer's stores become visible in their order (SDM vol. 3A, 8.2.2), and
 * our loads are done in theirs. So once an exit's time was seen, all of the
 * exits before it are whole; and what replaces one of them shows by another
 * time, written first.
 */
unsigned flight_copy(const struct vcpu *vcpu, struct flight_exit *out, unsigned max, bool *open)
{
	const struct flight_exit *ring = vcpu->flight;
	unsigned newest = flight_newest(ring);
	uint64_t last = flight_time_now(&ring[newest]);
	bool running = __atomic_load_n(&vcpu->in_loop, __ATOMIC_SEQ_CST);
	bool still = !running || vcpu->entity.cpu == this_cpu()->index;
	unsigned wanted = MIN(max + !still, FLIGHT_EXITS), count = 0;
	uint64_t time, before = 0;

	for (unsigned i = FLIGHT_EXITS - wanted + 1; i <= FLIGHT_EXITS && count < max; i++) {
		time = flight_copy_one(&ring[(newest + i) % FLIGHT_EXITS], &out[count]);
		/* Out of order: the writer stands between the halves of a time. */
		if (time <= before || time > last || (time == last && !still))
			continue;
		before = time;
		count++;
	}
	*open = running && still;
	return count;
}
