/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small stand-in for the vmm, so that device models run unchanged on the
 * host: hooks that tests call as a guest would, guest time that tests move,
 * guest memory, vCPUs whose requests tests look at. Lines and messages are the
 * real vmm/irq.c.
 */
#ifndef TESTS_HOST_DEVICES_FAKE_H
#define TESTS_HOST_DEVICES_FAKE_H

#include "vmm/device.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <stdbool.h>
#include <stdint.h>

#define FAKE_RAM_SIZE  (2u << 20)
#define FAKE_FLOATING  0xffffffffu
#define FAKE_WALL_TIME INT64_C(1767225600) /* 2026-01-01 00:00:00 UTC, a Thursday */

extern struct vm fake_vm;
extern uint8_t fake_ram[FAKE_RAM_SIZE];
extern uint64_t fake_now;      /* vm_time_ns, and the host's TSC at 1 GHz */
extern uint32_t fake_requests; /* bits of enum vm_request */
extern uint64_t fake_cr8[VM_MAX_VCPUS];
extern unsigned fake_tpr_threshold[VM_MAX_VCPUS];
/* What the CPU would have of a local APIC; set fake_virtual_apic for one that does part of it. */
extern bool fake_virtual_apic;
extern struct fake_apic {
	uint32_t page[1024];
	bool on;
	uint8_t requested, in_service;
	uint64_t level[4];
} fake_apics[VM_MAX_VCPUS];
extern char fake_last_log[256];
extern unsigned fake_errors;	/* lines at LOG_ERROR */
extern unsigned fake_unlimited; /* that were not logged by vm_log_guest(), which is limited */

/* A VM with that many vCPUs and FAKE_RAM_SIZE of RAM at time 0; and its end, devices included. */
void fake_start(unsigned vcpus);
void fake_end(void);

/* @keys: "name=value", ended by NULL; the type's defaults for the rest. NULL: create failed. */
struct device *fake_create(const char *type, const char *id, const char *const keys[]);
void fake_reset(void);
/* What devices left to a task by device_defer(). */
void fake_run_deferred(void);
/* Gives back the newest thing of @opaque's that device_own() took, as when its device goes. */
void fake_release(void *opaque);

/* As vCPU @cpu. Where nobody answers: all ones. */
uint32_t fake_in(uint16_t port, unsigned width);
void fake_out(uint16_t port, unsigned width, uint32_t value);
uint64_t fake_mmio_read(unsigned cpu, gpa_t gpa, unsigned width);
void fake_mmio_write(unsigned cpu, gpa_t gpa, unsigned width, uint64_t value);
int fake_rdmsr(unsigned cpu, uint32_t index, uint64_t *value);
int fake_wrmsr(unsigned cpu, uint32_t index, uint64_t value);
void fake_cpuid(unsigned cpu, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *regs);

/* How many accesses the devices of each type have had, of all VMs that there were. */
void fake_for_each_accesses(void (*fn)(const char *type, uint64_t accesses));

/* The shortcuts that most tests use. */
static inline uint8_t fake_inb(uint16_t port)
{
	return (uint8_t)fake_in(port, 1);
}
static inline void fake_outb(uint16_t port, uint8_t value)
{
	fake_out(port, 1, value);
}

/* Moves the guest's time; timers fire at their deadlines, in order. */
void fake_advance(uint64_t ns);
/* The request bits of vCPU @cpu, taken. */
uint32_t fake_take_requests(unsigned cpu);
/*
 * What the run loop does at its top: VCPU_REQ_TIMER, then the vector that is
 * delivered, or -1.
 */
int fake_interrupt(unsigned cpu);
/* Whether the line of @gsi is high, as its sinks see it. */
bool fake_line(unsigned gsi);

#endif
