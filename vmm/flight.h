/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flight recorder: the last exits of each vCPU, always on. The run loop
 * writes, and it alone; nothing is locked, and nothing is read back but by who
 * wants to see it (admin/trace.c). It costs 15 instructions an exit.
 */
#ifndef VMM_FLIGHT_H
#define VMM_FLIGHT_H

#include "kernel/time.h"
#include "vmm/vcpu.h"

#define FLIGHT_EXITS 1024u /* a power of two */
#define FLIGHT_BYTES (FLIGHT_EXITS * sizeof(struct flight_exit))

/*
 * As it is written. RIP's top byte only repeats its sign, for a linear address
 * has 57 bits at most (and a guest's 48): the kind of the exit lies there.
 */
struct flight_exit {
	uint32_t time_low, time_high; /* TSC, when the guest was left; 0: never written */
	union {
		uint64_t rip;
		uint8_t bytes[8]; /* the last one: enum vm_exit_kind */
	} at;
	uint64_t detail; /* the first 8 bytes of vm_exit's u */
	uint32_t gpr;	 /* RAX, of an access to an MSR RCX, when the guest was left */
	uint32_t done;	 /* TSC, its low half, when the exit was dealt with */
};
_Static_assert(sizeof(struct flight_exit) == 32, "two in a cache line");

/* By kind of exit: which register goes to gpr. */
extern const uint8_t flight_gprs[VM_EXIT_KINDS];

/*
 * A store into the exit that lies @at_ bytes from the ring's start. They are
 * done in their order: who reads meanwhile sees by the time, which is first,
 * what to leave out. The compiler is not to add up the address once for all
 * of them: as the two that it is, it costs nothing.
 */
#define FLIGHT_STORE(ring_, at_, field_, value_)                                      \
	do {                                                                          \
		__asm__ volatile("" : "+r"(at_) : : "memory");                        \
		((struct flight_exit *)((char *)(ring_) + (at_)))->field_ = (value_); \
	} while (0)

/* The vCPU was left for @exit, of @kind. Returns @at. Its own CPU, as the next. */
static __always_inline uint64_t flight_begin(struct flight_exit *ring, uint64_t at,
					     const struct vcpu *vcpu, const struct vm_exit *exit,
					     enum vm_exit_kind kind)
{
	uint32_t low, high;

	cpu_rdtsc_halves(&low, &high);
	FLIGHT_STORE(ring, at, time_high, high);
	FLIGHT_STORE(ring, at, time_low, low);
	FLIGHT_STORE(ring, at, at.rip, vcpu->rip);
	FLIGHT_STORE(ring, at, at.bytes[7], kind);
	FLIGHT_STORE(ring, at, detail, exit->u.failed.code);
	FLIGHT_STORE(ring, at, gpr, (uint32_t)vcpu->gpr[flight_gprs[kind]]);
	return at;
}

/* It was dealt with. Returns the place for the next one. */
static __always_inline uint64_t flight_end(struct flight_exit *ring, uint64_t at)
{
	uint32_t low, high;

	cpu_rdtsc_halves(&low, &high);
	FLIGHT_STORE(ring, at, done, low);
	return (at + sizeof(struct flight_exit)) & (FLIGHT_BYTES - 1);
}

static inline uint64_t flight_time(const struct flight_exit *e)
{
	return (uint64_t)e->time_high << 32 | e->time_low;
}

static inline enum vm_exit_kind flight_kind(const struct flight_exit *e)
{
	return (enum vm_exit_kind)e->at.bytes[7];
}

static inline uint64_t flight_rip(const struct flight_exit *e)
{
	return (uint64_t)((int64_t)(e->at.rip << 8) >> 8);
}

/* 0, or -ENOMEM. */
int flight_create(struct vcpu *vcpu) __must_check;
void flight_destroy(struct vcpu *vcpu);

/*
 * Copies the last @max of @vcpu's exits that are kept, oldest first, and returns how many. Any CPU.
 * The vCPU may run: what it writes meanwhile is left out, and so is the exit that it may be dealing
 * with. On that vCPU's own CPU that exit is the last, and *@open says that done is not valid in it.
 * No lock, and nothing else of the vCPU: usable in a panic.
 */
unsigned flight_copy(const struct vcpu *vcpu, struct flight_exit *out, unsigned max, bool *open);

#endif
