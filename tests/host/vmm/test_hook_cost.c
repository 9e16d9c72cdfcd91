/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/hook/hook.c vmm/hook/hook_call.c vmm/hook/hook_cpuid.c vmm/hook/hook_io.c */
/* test-sources: vmm/hook/hook_memory.c vmm/hook/hook_msr.c vmm/hook/hook_range.c */
/* test-sources: vmm/hook/hook_table.c lib/range_map.c kernel/time.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_time.c */
/* test-sources: vmm/hook/hook_mapped.c */
/* test-sources: tests/host/vmm/fake_pages.c */
/*
 * An access with 10 000 hooks costs at most half as much again as with 10:
 * counted in instructions, one by one with the CPU's trap flag, so that the
 * result is the same whatever else the machine does. The sanitizers' are
 * counted as well.
 */
#include "vmm/hook/hook.h"

#include "kernel/slab.h"
#include "kernel/time.h"
#include "lib/range_map.h"
#include "tests/host/vmm/fake.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_call.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/hook/hook_io.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOOKS_MAX 10000u
#define LOOKUPS	  32u
#define LIMIT	  1.5

static struct vm vm = {.name = "v"};
static struct vcpu vcpu = {.vm = &vm};
static struct guest_memory no_memory = {.high_end = GUEST_HIGH_BASE};

void vm_flush(struct vm *v)
{
	(void)v;
}

static int read_one(void *opaque, struct vcpu *v, uint64_t offset, unsigned width, uint64_t *value)
{
	(void)opaque;
	(void)v;
	(void)width;
	*value = offset;
	return 0;
}

static int64_t call_one(void *opaque, struct vcpu *v, uint64_t number, const uint64_t args[4])
{
	(void)opaque;
	(void)v;
	(void)args;
	return (int64_t)number;
}

static void cpuid_one(void *opaque, struct vcpu *v, uint32_t leaf, uint32_t subleaf,
		      struct cpuid_regs *regs)
{
	(void)opaque;
	(void)v;
	(void)subleaf;
	regs->eax = leaf;
}

static const struct hook_ops ops = {.read = read_one};
static struct hook hooks[HOOKS_MAX];
static struct hook_cpuid cpuid_hooks[HOOKS_MAX];
static struct hook_call call_hooks[HOOKS_MAX];
static struct range ranges[HOOKS_MAX];

struct kind {
	const char *name;
	int (*fill)(unsigned from, unsigned to); /* hooks number from … to - 1 */
	void (*access)(unsigned i);
};

/* A map that is built whole at each change is built once here, as the last change would. */
static void replace(struct range_map **map, const struct range *ranges, size_t count)
{
	struct range_map *old = *map;

	*map = range_map_build(kmalloc(range_map_size(count)), ranges, count, old->shift);
	kfree(old);
}

static int fill_io(unsigned from, unsigned to)
{
	int err = 0;

	for (unsigned i = from; !err && i < to; i++) {
		hooks[i] = (struct hook){i * 4, i * 4 + 3, &ops, NULL, "d", 0, NULL};
		err = hook_io_add(&vm, &hooks[i]);
	}
	return err;
}

static void access_io(unsigned i)
{
	assert_int_equal(hook_io_read(&vcpu, (uint16_t)(i * 4), 4), 0);
}

static int fill_msr(unsigned from, unsigned to)
{
	int err = 0;

	for (unsigned i = from; !err && i < to; i++) {
		hooks[i] = (struct hook){i, i, &ops, NULL, "d", 0, NULL};
		err = hook_msr_add(&vm, &hooks[i]);
	}
	return err;
}

static void access_msr(unsigned i)
{
	uint64_t value;

	assert_int_equal(hook_msr_read(&vcpu, i, &value), 0);
}

/* Small ones and large ones, from the LAPIC's page to BARs of GiBs, as far apart as on a PC. */
static uint64_t place(unsigned i)
{
	return i % 3 == 0   ? 0xc0000000 + i * UINT64_C(0x1000)
	       : i % 3 == 1 ? UINT64_C(0x4000000000) + i * UINT64_C(0x4000000)
			    : UINT64_C(0x10000000000) + i * UINT64_C(0x20000);
}

static int fill_memory(unsigned from, unsigned to)
{
	static const uint64_t sizes[] = {0x1000, 0x4000000, 0x10000};
	struct range_map **map = &vm.hooks->memory;

	(void)from;
	for (unsigned i = 0; i < to; i++) {
		hooks[i] = (struct hook){place(i), place(i) + sizes[i % 3] - 1, &ops, NULL, "d", 0,
					 NULL};
		ranges[i] =
			(struct range){hooks[i].first, hooks[i].last, &hooks[i], HOOK_MEMORY_FULL};
	}
	replace(map, ranges, to);
	return 0;
}

static void access_memory(unsigned i)
{
	assert_int_equal(hook_memory_read(&vcpu, place(i), 4), 0);
}

static int fill_cpuid(unsigned from, unsigned to)
{
	unsigned step = to > 1000 ? 100 : 1;
	int err = 0;

	for (unsigned i = from; !err && i < to; i += step) {
		uint32_t leaf = 0x40000000 + i;

		cpuid_hooks[i] = (struct hook_cpuid){leaf, leaf + step - 1, cpuid_one, NULL, "d"};
		err = hook_cpuid_add(&vm, &cpuid_hooks[i]);
	}
	return err;
}

static void access_cpuid(unsigned i)
{
	struct cpuid_regs regs;

	hook_cpuid_query(&vcpu, 0x40000000 + i, 0, &regs);
	assert_int_equal(regs.eax, 0x40000000 + i);
}

static int fill_call(unsigned from, unsigned to)
{
	(void)from;
	for (unsigned i = 0; i < to; i++) {
		call_hooks[i] = (struct hook_call){i * 10, i * 10 + 8, call_one, NULL, "d"};
		ranges[i] = (struct range){i * 10, i * 10 + 8, &call_hooks[i], 0};
	}
	replace(&vm.hooks->call, ranges, to);
	return 0;
}

static void access_call(unsigned i)
{
	const uint64_t args[4] = {0};

	assert_int_equal(hook_call_do(&vcpu, i * 10, args), i * 10);
}

static const struct kind kinds[] = {
	{"ports", fill_io, access_io},		{"MSRs", fill_msr, access_msr},
	{"memory", fill_memory, access_memory}, {"CPUID", fill_cpuid, access_cpuid},
	{"hypercalls", fill_call, access_call},
};

/* RFLAGS.TF: a #DB behind each instruction (SDM vol. 3B, "Single-Step Exception Condition"). */
#define TRAP_FLAG "0x100"
/* The red zone is the compiler's. */
#define PUSH_FLAGS "lea -128(%%rsp), %%rsp\n\tpushfq\n\t"
#define POP_FLAGS  "popfq\n\tlea 128(%%rsp), %%rsp"

static volatile uint64_t steps;

static void step(int signal)
{
	(void)signal;
	steps++;
}

static uint64_t instructions(const struct kind *kind, unsigned i)
{
	steps = 0;
	__asm__ volatile(PUSH_FLAGS "orq $" TRAP_FLAG ", (%%rsp)\n\t" POP_FLAGS ::: "memory", "cc");
	kind->access(i);
	__asm__ volatile(PUSH_FLAGS "andq $~" TRAP_FLAG ", (%%rsp)\n\t" POP_FLAGS ::
				 : "memory", "cc");
	return steps;
}

/* On the average of addresses all over the map. */
static uint64_t cost(const struct kind *kind, unsigned count)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < LOOKUPS; i++)
		sum += instructions(kind, i * 7919 % count);
	return sum / LOOKUPS;
}

static bool grows(const struct kind *kind)
{
	static const unsigned counts[] = {10, 1000, HOOKS_MAX};
	uint64_t costs[ARRAY_SIZE(counts)];
	unsigned have = 0;

	assert_int_equal(hook_maps_create(&vm), 0);
	for (size_t c = 0; c < ARRAY_SIZE(counts); c++) {
		assert_int_equal(kind->fill(have, counts[c]), 0);
		have = counts[c];
		costs[c] = cost(kind, counts[c]);
	}
	hook_maps_destroy(&vm);
	print_message("%-10s with 10, 1000, 10000 hooks: %lu, %lu, %lu instructions\n", kind->name,
		      costs[0], costs[1], costs[2]);
	assert_true(costs[0] > 10);
	return (double)MAX(costs[1], costs[2]) > (double)costs[0] * LIMIT;
}

static void test_cost(void **state)
{
	(void)state;
	signal(SIGTRAP, step);
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		assert_false(grows(&kinds[k]));
	assert_int_equal(fake_objects, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_cost)};

	vm.memory = &no_memory;
	time_init(1000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
