/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/guest_past.c vmm/guest_memory.c vmm/hook/hook.c vmm/hook/hook_cpuid.c */
/* test-sources: vmm/hook/hook_memory.c vmm/hook/hook_call.c vmm/hook/hook_range.c */
/* test-sources: vmm/hook/hook_table.c vmm/hook/hook_mapped.c lib/range_map.c kernel/time.c */
/* test-sources: tests/host/vmm/fake.c tests/host/fake/kernel/fake_panic.c */
/*
 * Guest memory as it was at one moment, while a vCPU that the nested map stops, a device and a hook
 * write to it, and while a checkpoint reads it; and that all of it is given back.
 */
#include "vmm/guest_past.h"

#include "arch/x86_64/paging.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "lib/range_map.h"
#include "tests/host/vmm/fake.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/hv_ops.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB   UINT64_C(0x100000)
#define SIZE  (9 * MIB) /* five granules, the last one is half a granule */
#define WORDS (SIZE / 8)

static struct vm vm = {.name = "v"};
static uint8_t access_of[SIZE / PAGE_SIZE];
static unsigned flushes;
static int blocks_left, blocks;
static uint64_t then[WORDS]; /* what there was at the moment */
char *fake_direct_base;

static int map(struct vm *v, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned access)
{
	(void)v;
	(void)hpa;
	for (uint64_t page = gpa / PAGE_SIZE; page < (gpa + size) / PAGE_SIZE; page++)
		__atomic_store_n(&access_of[page], (uint8_t)access, __ATOMIC_SEQ_CST);
	return 0;
}

static int unmap(struct vm *v, gpa_t gpa, uint64_t size)
{
	return map(v, gpa, 0, size, 0);
}

static const struct hv_ops ops = {.map = map, .unmap = unmap};
const struct hv_ops *hv_ops = &ops;

void task_yield(void)
{
}

void task_share(void)
{
	task_yield();
}

void cpu_pause(void)
{
}

void vm_flush(struct vm *v)
{
	(void)v;
	flushes++;
}

static uint64_t pages_free = 1 << 20;

void page_alloc_stats(struct page_stats *stats)
{
	*stats = (struct page_stats){.free = pages_free};
}

void *page_alloc(struct page_owner *owner, unsigned order)
{
	(void)owner;
	if (blocks == blocks_left)
		return NULL;
	blocks++;
	return aligned_alloc(PAGE_SIZE, PAGE_SIZE << order);
}

void page_free(struct page_owner *owner, void *block, unsigned order)
{
	(void)owner;
	(void)order;
	blocks--;
	free(block);
}

/* As a CPU does: where it may not, the exit's handler. */
static void vcpu_store(gpa_t gpa, uint64_t value)
{
	uint8_t *to = guest_memory_ptr(vm.memory, gpa, 8);

	assert_non_null(to);
	if (!(__atomic_load_n(&access_of[gpa / PAGE_SIZE], __ATOMIC_SEQ_CST) & ACCESS_WRITE))
		to = guest_memory_ptr_to_write(vm.memory, gpa, 8);
	__atomic_store_n((uint64_t *)(void *)to, value, __ATOMIC_SEQ_CST);
}

static void device_store(gpa_t gpa, uint64_t value)
{
	assert_int_equal(guest_write(&vm, gpa, &value, sizeof(value)), 0);
}

static bool has(gpa_t gpa)
{
	return guest_memory_ptr(vm.memory, gpa, 8);
}

static void begin(void)
{
	for (uint64_t i = 0; i < WORDS; i++)
		if (has(i * 8))
			then[i] = *(uint64_t *)(void *)guest_memory_ptr(vm.memory, i * 8, 8);
	guest_past_begin(&vm);
}

/* Words that are not what they were, of [@from, @to) of granule @index. */
static unsigned wrong_in(uint64_t index, uint64_t from, uint64_t to)
{
	const uint8_t *past = guest_past_open(&vm, index);
	unsigned wrong = 0;

	for (uint64_t at = from; at < to; at += 8) {
		gpa_t gpa = index * GUEST_GRANULE + at;

		if (has(gpa))
			wrong += memcmp(past + at, &then[gpa / 8], 8) != 0;
	}
	guest_past_close(&vm, index);
	return wrong;
}

static int setup(void **state)
{
	(void)state;
	blocks_left = -1;
	flushes = 0;
	assert_int_equal(hook_maps_create(&vm), 0);
	assert_int_equal(guest_memory_create(&vm, SIZE), 0);
	for (uint64_t i = 0; i < WORDS; i++)
		if (has(i * 8))
			device_store(i * 8, i * 0x9e3779b97f4a7c15);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_memory_destroy(&vm);
	hook_maps_destroy(&vm);
	assert_int_equal(blocks, 0);
	assert_int_equal(fake_objects, 0);
	return 0;
}

static void test_what_was_written_is_kept(void **state)
{
	int before = blocks;

	(void)state;
	assert_int_equal(guest_past_prepare(&vm), 0);
	assert_null(vm.memory->keeper);
	begin();
	/* The VGA window's and the last granule are copied, the others lose a right. */
	assert_true(access_of[1] & ACCESS_WRITE);
	assert_true(access_of[8 * MIB / PAGE_SIZE] & ACCESS_WRITE);
	assert_int_equal(access_of[2 * MIB / PAGE_SIZE], ACCESS_READ | ACCESS_EXEC);
	vcpu_store(0x1000, 1);
	vcpu_store(2 * MIB, 2);
	assert_true(access_of[2 * MIB / PAGE_SIZE] & ACCESS_WRITE);
	assert_false(access_of[4 * MIB / PAGE_SIZE] & ACCESS_WRITE);
	device_store(4 * MIB - 4, 3); /* over the end of one that was kept */
	assert_true(access_of[4 * MIB / PAGE_SIZE] & ACCESS_WRITE);
	assert_int_equal(guest_fill(&vm, 8 * MIB, 0xff, MIB), 0);
	for (uint64_t i = 0; i < vm.memory->granule_count; i++) {
		assert_int_equal(wrong_in(i, 0, GUEST_GRANULE), 0);
		guest_past_forget(&vm, i);
	}
	assert_true(access_of[6 * MIB / PAGE_SIZE] & ACCESS_WRITE);
	guest_past_end(&vm);
	assert_int_equal(flushes, 1);
	assert_null(vm.memory->keeper);
	assert_null(vm.memory->past);
	assert_int_equal(blocks, before);
}

static int hook_stores;

static int hook_write(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width,
		      uint64_t value)
{
	(void)opaque;
	(void)vcpu;
	(void)offset;
	(void)width;
	(void)value;
	hook_stores++;
	return 0;
}

/* One that comes has the granule kept before its page's rights change, and the rights stay. */
static void test_hooks(void **state)
{
	static const struct hook_ops hook_ops = {.write = hook_write};
	struct hook early = {.first = 2 * MIB, .last = 2 * MIB + 7, .ops = &hook_ops, .owner = "a"};
	struct hook late = {.first = 4 * MIB, .last = 4 * MIB + 7, .ops = &hook_ops, .owner = "b"};
	struct vcpu vcpu = {.vm = &vm};

	(void)state;
	assert_int_equal(hook_memory_add(&vm, &early, HOOK_MEMORY_WRITE), 0);
	assert_int_equal(guest_past_prepare(&vm), 0);
	begin();
	assert_int_equal(access_of[2 * MIB / PAGE_SIZE], ACCESS_READ | ACCESS_EXEC);
	assert_true(access_of[2 * MIB / PAGE_SIZE + 1] & ACCESS_WRITE);
	hook_memory_write(&vcpu, 2 * MIB + 8, 8, 5); /* RAM of a page that is trapped */
	assert_int_equal(wrong_in(1, 0, GUEST_GRANULE), 0);
	assert_int_equal(hook_memory_add(&vm, &late, HOOK_MEMORY_WRITE), 0);
	assert_int_equal(access_of[4 * MIB / PAGE_SIZE], ACCESS_READ | ACCESS_EXEC);
	assert_true(access_of[4 * MIB / PAGE_SIZE + 1] & ACCESS_WRITE);
	hook_memory_write(&vcpu, 4 * MIB + 16, 8, 6);
	vcpu_store(4 * MIB + PAGE_SIZE, 7);
	assert_int_equal(wrong_in(2, 0, GUEST_GRANULE), 0);
	hook_memory_remove(&vm, &late);
	guest_past_end(&vm);
	hook_memory_remove(&vm, &early);
	for (uint64_t page = 2 * MIB / PAGE_SIZE; page < 8 * MIB / PAGE_SIZE; page++)
		assert_int_equal(access_of[page], ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC);
}

static void test_given_up(void **state)
{
	int before = blocks;

	(void)state;
	assert_int_equal(guest_past_prepare(&vm), 0);
	begin();
	vcpu_store(6 * MIB, 1);
	guest_past_end(&vm);
	for (uint64_t page = 2 * MIB / PAGE_SIZE; page < SIZE / PAGE_SIZE; page++)
		assert_true(access_of[page] & ACCESS_WRITE);
	assert_int_equal(blocks, before);
	/* And before the moment. */
	assert_int_equal(guest_past_prepare(&vm), 0);
	guest_past_end(&vm);
	assert_int_equal(blocks, before);
}

static void test_no_memory(void **state)
{
	int before = blocks;
	size_t objects = fake_objects;

	(void)state;
	for (int left = 0; left < 5; left++) {
		blocks_left = before + left;
		assert_int_equal(guest_past_prepare(&vm), -ENOMEM);
		assert_null(vm.memory->past);
		assert_int_equal(blocks, before);
		assert_int_equal(fake_objects, objects);
	}
}

/* Others keep 64 MiB. Of granules without RAM, as below 4 GiB, no copy is wanted. */
static void test_room_for_others(void **state)
{
	uint64_t count = vm.memory->granule_count, before = pages_free;
	int taken = blocks;

	(void)state;
	blocks_left = -1;
	vm.memory->granule_count = 1; /* what has RAM does not depend on it */
	pages_free = (SIZE + 64 * MIB) / PAGE_SIZE - 1;
	assert_int_equal(guest_past_prepare(&vm), -ENOMEM);
	assert_int_equal(blocks, taken);
	vm.memory->granule_count = count;
	pages_free++;
	assert_int_equal(guest_past_prepare(&vm), 0);
	guest_past_end(&vm);
	assert_int_equal(blocks, taken);
	pages_free = before;
}

static bool over;

/* @opaque: not NULL: a device. */
static void *writer(void *opaque)
{
	uint64_t at = 1;

	for (uint64_t i = 0; !__atomic_load_n(&over, __ATOMIC_RELAXED); i++) {
		gpa_t gpa;

		at = at * 6364136223846793005 + (opaque ? 1 : 3);
		gpa = (at >> 20) % WORDS * 8;
		if (!has(gpa))
			continue;
		if (opaque)
			device_store(gpa, i);
		else
			vcpu_store(gpa, i);
	}
	return NULL;
}

/* Writers on all sides of the reader, which takes every granule in pieces, as a checkpoint does. */
static void test_race(void **state)
{
	pthread_t threads[3];
	unsigned wrong = 0;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		assert_int_equal(guest_past_prepare(&vm), 0);
		begin();
		__atomic_store_n(&over, false, __ATOMIC_RELAXED);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(
				pthread_create(&threads[i], NULL, writer, i ? &over : NULL), 0);
		for (uint64_t i = 0; i < vm.memory->granule_count; i++) {
			for (uint64_t at = 0; at < GUEST_GRANULE; at += 0x10000)
				wrong += wrong_in(i, at, at + 0x10000);
			guest_past_forget(&vm, i);
		}
		__atomic_store_n(&over, true, __ATOMIC_RELAXED);
		for (unsigned i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);
		guest_past_end(&vm);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_was_written_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hooks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room_for_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_race, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
