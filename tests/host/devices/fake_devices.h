/* SPDX-License-Identifier: BSD-2-Clause */
/* The halves of the stand-in know this of each other. */
#ifndef TESTS_HOST_DEVICES_FAKE_DEVICES_H
#define TESTS_HOST_DEVICES_FAKE_DEVICES_H

#include "vmm/hook/hook.h"
#include "vmm/hook/hook_cpuid.h"

#define FAKE_MAX_HOOKS 128

/* Where it goes says nothing of a device: fuzzers are not to spend their time on it. */
#define FAKE_UNTRACED __attribute__((no_sanitize("coverage")))

struct fake_hook {
	uint64_t first, last;
	const struct hook_ops *ops;
	hook_cpuid_fn cpuid;
	void *opaque;
	uint64_t *accesses; /* of its device's type */
	unsigned width;	    /* the only one that it answers; 0: all */
};

struct fake_map {
	struct fake_hook hooks[FAKE_MAX_HOOKS];
	unsigned count;
};

extern struct fake_map fake_io, fake_msr, fake_memory, fake_leaves;
extern struct fake_hook fake_io_rest, fake_memory_rest;

void fake_devices_start(void);
void fake_devices_end(void);
void fake_time_start(void);
/* Devices' timers are gone; those of the host that a device left armed fire once more. */
void fake_time_end(void);

#endif
