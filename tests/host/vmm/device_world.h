/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM with nothing but a device manager, and types of devices: `bus`, `disk`
 * on a bus, `taker`, which takes one of everything, and `port` and `backend`,
 * which are the two ends of a character connection.
 */
#ifndef TESTS_HOST_VMM_DEVICE_WORLD_H
#define TESTS_HOST_VMM_DEVICE_WORLD_H

#include "tests/host/vmm/fake.h"
#include "vmm/device.h"
#include "vmm/vm_config.h"

extern struct vm world_vm;
/* Devices' states that live. */
extern unsigned world_states;
/* What happened, a letter and an id each: +id made, -id destroyed, !id reset. */
extern char world_story[1024];
/* How often a timer of a taker fired; at what guest time last. */
extern unsigned world_fired;
/* Called by a disk's deferred(): false, or NULL: the disk ends itself. */
extern bool (*world_disk_stays)(struct device *dev);
extern uint64_t world_fired_at;

/* With the devices of @text, which follows a [vm] section: what device_create_all() says. */
int world_start(const char *text);
/* Destroys everything and checks that nothing is left. */
void world_end(void);
/* The one timer of taker @id. */
struct device_timer *world_timer(const char *id);

#endif
