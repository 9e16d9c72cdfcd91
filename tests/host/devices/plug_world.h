/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM with the real device manager, hook maps and devices, and no machine below. */
#ifndef TESTS_HOST_DEVICES_PLUG_WORLD_H
#define TESTS_HOST_DEVICES_PLUG_WORLD_H

#include "tests/host/vmm/fake.h"
#include "vmm/device.h"
#include "vmm/irq.h"

#include <stddef.h>

/* Everything of the VM that a device can take. */
struct plug_state {
	uint64_t io, msr, memory, calls, cpuid; /* who is hooked where */
	uint64_t mapped;			/* pages that the guest reaches at full speed */
	uint64_t devices, consoles, sinks, controller, ext;
	uint64_t free_users[IRQ_LINES];
	uint64_t objects;
};

extern struct vm *const plug_vm;
/* Devices' pages that are mapped, and ports that are open. */
extern uint64_t plug_mapped;

/* The types, once. */
int plug_init(void);
/* The VM with the devices of @config; the test ends where that fails. It runs, or has crashed. */
void plug_start(const char *config, bool runs);
/* Takes it apart: nothing may be left. */
void plug_end(void);
int plug_add(const char *type, const char *id, const char *keys);
void plug_remove(const char *id);
/* How often vCPUs were asked to flush because BARs have changed. */
extern unsigned plug_flushes;
/* Lets time pass, so that what runs late runs. */
void plug_use(void);
size_t plug_objects(void);
void plug_take_state(struct plug_state *state);
/* The first thing that differs. */
const char *plug_difference(const struct plug_state *a, const struct plug_state *b);

#endif
