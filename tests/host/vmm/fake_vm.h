/* SPDX-License-Identifier: BSD-2-Clause */
/* What a whole VM stands on beside its CPU: devices, loader, FPU, scheduler and workers. */
#ifndef TESTS_HOST_VMM_FAKE_VM_H
#define TESTS_HOST_VMM_FAKE_VM_H

#include <stdbool.h>

extern int fake_loader_result, fake_devices_result;
extern unsigned fake_loads, fake_devices, fake_deferred;
extern bool fake_timers_run;

void fake_vm_reset(void);
/* The device has a request in flight, which a work item ends. It goes, and is reset, after that. */
void fake_device_io(void);
/* Gives the CPU once to each vCPU that is ready. */
void fake_schedule(void);
/* Does the oldest work that was queued. */
void fake_run_work(void);

#endif
