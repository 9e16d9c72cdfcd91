/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: kernel/grace.c vmm/hook/hook.c vmm/hook/hook_call.c vmm/hook/hook_cpuid.c */
/* test-sources: vmm/hook/hook_io.c vmm/hook/hook_memory.c vmm/hook/hook_msr.c */
/* test-sources: vmm/hook/hook_range.c vmm/hook/hook_table.c vmm/hook/hook_mapped.c */
/* test-sources: lib/range_map.c kernel/time.c */
/* test-sources: tests/host/vmm/fake_pages.c */
/*
 * Threads as CPUs: three that read hook maps without a lock while the fourth
 * adds and removes hooks and frees what it has removed. A reader that finds
 * what is gone is the address sanitizer's to tell; that it reads what it
 * should, and that a grace period ends, are this test's.
 */
#include "arch/x86_64/percpu.h"
#include "kernel/grace.h"
#include "kernel/log.h"
#include "kernel/sched.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook.h"
#include "vmm/hook/hook_call.h"
#include "vmm/hook/hook_io.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CPUS   4
#define ROUNDS 100
#define MAGIC  UINT64_C(0x5a)
#define PORT   0x2e8
#define MSR    0xc0000200
#define GPA    0xd0000000
#define CALL   7

__thread struct cpu *fake_cpu;
struct cpu *cpu_table[CPU_MAX];
uint32_t cpu_count = CPUS;

static struct cpu cpus[CPUS];
static struct guest_memory no_memory = {.high_end = GUEST_HIGH_BASE};
static struct vm vm = {.name = "v", .memory = &no_memory};
static bool stop;
static unsigned seen[CPUS], missed[CPUS], wrong;

/* What the machine would do: a CPU that is waited for comes by itself. */

struct task *task_current(void)
{
	return NULL;
}

void task_give_way(void)
{
	sched_yield();
}

void sched_kick_cpu(uint32_t index)
{
	(void)index;
}

void irq_window(void)
{
	sched_yield();
}

void *kzalloc(size_t size)
{
	return calloc(1, size);
}

void *kmalloc(size_t size)
{
	return malloc(size);
}

void *kcalloc(size_t n, size_t size)
{
	return calloc(n, size);
}

void kfree(const void *p)
{
	free((void *)p);
}

void vm_log(const struct vm *v, enum log_level level, const char *fmt, ...)
{
	(void)v;
	(void)level;
	(void)fmt;
}

void vm_flush(struct vm *v)
{
	(void)v;
}

/* A device: its state says whether it is alive. */

static int read_state(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width,
		      uint64_t *value)
{
	(void)vcpu;
	(void)offset;
	(void)width;
	*value = *(uint64_t *)opaque;
	return 0;
}

static int64_t call_state(void *opaque, struct vcpu *vcpu, uint64_t number, const uint64_t args[4])
{
	(void)vcpu;
	(void)number;
	(void)args;
	return *(int64_t *)opaque;
}

static const struct hook_ops ops = {.read = read_state};

static void look(unsigned cpu, uint64_t value, uint64_t nobody)
{
	if (value == MAGIC)
		seen[cpu]++;
	else if (value == nobody)
		missed[cpu]++;
	else
		__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static void *reader(void *arg)
{
	unsigned cpu = (unsigned)(uintptr_t)arg;
	struct vcpu vcpu = {.vm = &vm};
	const uint64_t args[4] = {0};
	uint64_t value;

	fake_cpu = &cpus[cpu];
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		grace_quiescent();
		look(cpu, hook_io_read(&vcpu, PORT, 1), 0xff);
		look(cpu, hook_msr_read(&vcpu, MSR, &value) ? 0 : value, 0);
		look(cpu, hook_memory_read(&vcpu, GPA, 8), UINT64_MAX);
		value = (uint64_t)hook_call_do(&vcpu, CALL, args);
		look(cpu, value, (uint64_t)HYPERCALL_UNKNOWN);
		/* The build machine has fewer CPUs than there are threads, and others use them. */
		sched_yield();
	}
	/* As a CPU that idles. */
	fake_cpu->idle = true;
	return NULL;
}

struct device {
	struct hook io, msr, memory;
	struct hook_call call;
	uint64_t state;
};

static void come_and_go(void)
{
	struct device *d = malloc(sizeof(*d));

	d->state = MAGIC;
	d->io = (struct hook){PORT, PORT, &ops, &d->state, "d", 0, NULL};
	d->msr = (struct hook){MSR, MSR, &ops, &d->state, "d", 0, NULL};
	d->memory = (struct hook){GPA, GPA + 7, &ops, &d->state, "d", 0, NULL};
	d->call = (struct hook_call){CALL, CALL, call_state, &d->state, "d"};
	assert_int_equal(hook_io_add(&vm, &d->io), 0);
	assert_int_equal(hook_msr_add(&vm, &d->msr), 0);
	assert_int_equal(hook_memory_add(&vm, &d->memory, HOOK_MEMORY_FULL), 0);
	assert_int_equal(hook_call_add(&vm, &d->call), 0);
	hook_call_remove(&vm, &d->call);
	hook_memory_remove(&vm, &d->memory);
	hook_msr_remove(&vm, &d->msr);
	hook_io_remove(&vm, &d->io);
	memset(d, 0xee, sizeof(*d));
	free(d);
}

static void test_readers_never_find_what_is_gone(void **state)
{
	pthread_t threads[CPUS];

	(void)state;
	for (unsigned i = 0; i < CPUS; i++) {
		cpus[i].index = i;
		cpus[i].online = true;
		cpu_table[i] = &cpus[i];
	}
	fake_cpu = &cpus[0];
	assert_int_equal(hook_maps_create(&vm), 0);
	vm.hooks->live = true;
	for (unsigned i = 1; i < CPUS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, (void *)(uintptr_t)i),
				 0);
	for (unsigned i = 0; i < ROUNDS; i++)
		come_and_go();
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (unsigned i = 1; i < CPUS; i++)
		pthread_join(threads[i], NULL);
	hook_maps_destroy(&vm);
	assert_int_equal(wrong, 0);
	for (unsigned i = 1; i < CPUS; i++) {
		print_message("reader %u found it %u times and not %u times\n", i, seen[i],
			      missed[i]);
		assert_true(seen[i] && missed[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_readers_never_find_what_is_gone)};

	time_init(1000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
