/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/guest_memory.c vmm/hook/hook.c vmm/hook/hook_cpuid.c vmm/hook/hook_memory.c */
/* test-sources: vmm/hook/hook_call.c vmm/hook/hook_range.c vmm/hook/hook_table.c */
/* test-sources: lib/range_map.c kernel/time.c tests/host/vmm/fake.c */
/* test-sources: vmm/hook/hook_mapped.c tests/host/fake/kernel/fake_panic.c */
/* Where RAM is and where not, what backs it, what is mapped, and hooks over it. */
#include "vmm/guest_memory.h"

#include "arch/x86_64/paging.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "lib/range_map.h"
#include "tests/host/vmm/fake.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/hv_ops.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB   UINT64_C(0x100000)
#define GIB   UINT64_C(0x40000000)
#define PAGES (UINT64_C(5) * GIB / PAGE_SIZE) /* that the nested map below can show */
#define FREE  (UINT64_C(5) * GIB / PAGE_SIZE)

static struct vm vm = {.name = "v"};
static struct vcpu vcpu = {.vm = &vm};
static unsigned flushes, maps;

/* A nested map that keeps its word for every page. */
static struct {
	hpa_t hpa;
	uint8_t access;
} nested[PAGES];
static bool map_fails;

static int map(struct vm *v, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned access)
{
	(void)v;
	maps++;
	assert_true(size && gpa % PAGE_SIZE == 0 && hpa % PAGE_SIZE == 0 && size % PAGE_SIZE == 0);
	if (map_fails)
		return -ENOMEM;
	for (uint64_t i = 0; i < size / PAGE_SIZE; i++) {
		nested[gpa / PAGE_SIZE + i].hpa = hpa + i * PAGE_SIZE;
		nested[gpa / PAGE_SIZE + i].access = (uint8_t)access;
	}
	return 0;
}

static int unmap(struct vm *v, gpa_t gpa, uint64_t size)
{
	(void)v;
	for (uint64_t i = 0; i < size / PAGE_SIZE; i++)
		nested[gpa / PAGE_SIZE + i].access = 0;
	return 0;
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

void vm_flush(struct vm *v)
{
	(void)v;
	flushes++;
}

/*
 * The page allocator. A GiB is 512 views of the same 2 MiB, so that the host
 * need not have what the guest gets; physical addresses are the host's own.
 */
char *fake_direct_base;
static void *gib;

static void make_gib(void)
{
	int fd = memfd_create("granule", 0);
	char *area =
		mmap(NULL, 2 * GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	gib = (void *)ALIGN_UP((uintptr_t)area, GIB);
	assert_int_equal(ftruncate(fd, (off_t)GUEST_GRANULE), 0);
	for (uint64_t at = 0; at < GIB; at += GUEST_GRANULE)
		mmap((char *)gib + at, GUEST_GRANULE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
}

void *page_alloc(struct page_owner *owner, unsigned order)
{
	void *p = order == PAGE_ORDER_1G ? gib
					 : aligned_alloc(PAGE_SIZE << order, PAGE_SIZE << order);

	owner->pages += UINT64_C(1) << order;
	if (order != PAGE_ORDER_1G)
		memset(p, 0xa5, PAGE_SIZE << order);
	return p;
}

void page_free(struct page_owner *owner, void *pages, unsigned order)
{
	owner->pages -= UINT64_C(1) << order;
	if (order != PAGE_ORDER_1G)
		free(pages);
}

void page_alloc_stats(struct page_stats *stats)
{
	stats->free = FREE;
}

static int setup(void **state)
{
	(void)state;
	memset(nested, 0, sizeof(nested));
	map_fails = false;
	maps = flushes = 0;
	fake_log_clear();
	return hook_maps_create(&vm);
}

static int teardown(void **state)
{
	(void)state;
	guest_memory_destroy(&vm);
	hook_maps_destroy(&vm);
	assert_int_equal(vm.memory_owner.pages, 0);
	assert_int_equal(fake_objects, 0);
	return 0;
}

/* The map, the pointer function and guest_is_ram() say the same of every page. */
static void assert_layout(uint64_t low_end, uint64_t high_end)
{
	const struct guest_memory *m = vm.memory;

	for (uint64_t page = 0; page < PAGES; page++) {
		gpa_t gpa = page * PAGE_SIZE;
		bool ram = (gpa < low_end && (gpa < 0xa0000 || gpa >= 0xc0000)) ||
			   (gpa >= 4 * GIB && gpa < high_end);
		const uint8_t *p = guest_memory_ptr(m, gpa, PAGE_SIZE);

		if (guest_is_ram(m, gpa, PAGE_SIZE) != ram || (p != NULL) != ram ||
		    nested[page].access != (ram ? 7 : 0) ||
		    (ram && nested[page].hpa != paging_phys(p)))
			fail_msg("page at 0x%lx", gpa);
	}
}

static void test_layouts(void **state)
{
	static const uint64_t sizes[] = {
		1 * MIB,   2 * MIB, 3 * MIB,	   64 * MIB,
		GIB + MIB, 3 * GIB, 3 * GIB + MIB, 3 * GIB + 2 * MIB + MIB};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t low = MIN(sizes[i], 3 * GIB);

		memset(nested, 0, sizeof(nested));
		assert_int_equal(guest_memory_create(&vm, sizes[i]), 0);
		assert_int_equal(vm.memory_owner.pages, sizes[i] / PAGE_SIZE);
		assert_layout(low, 4 * GIB + sizes[i] - low);
		guest_memory_destroy(&vm);
	}
}

static void test_large_pages(void **state)
{
	(void)state;
	assert_int_equal(guest_memory_create(&vm, 2 * GIB + 64 * MIB), 0);
	assert_int_equal(vm.memory->orders[0], PAGE_ORDER_1G);
	assert_int_equal(vm.memory->orders[512], PAGE_ORDER_1G);
	assert_int_equal(vm.memory->orders[1024], PAGE_ORDER_2M);
	/* Two pieces below and above the VGA window, and what is contiguous behind. */
	assert_true(maps < 40);
}

static void test_bounds(void **state)
{
	const struct guest_memory *m;
	uint8_t buf[16] = {0};

	(void)state;
	assert_int_equal(guest_memory_create(&vm, 3 * GIB + MIB), 0);
	m = vm.memory;
	assert_non_null(guest_memory_ptr(m, 0x9ffff, 1));
	assert_null(guest_memory_ptr(m, 0x9ffff, 2));
	assert_null(guest_memory_ptr(m, 0xbffff, 2));
	assert_non_null(guest_memory_ptr(m, 0xc0000, 1));
	assert_null(guest_memory_ptr(m, 2 * MIB - 1, 2)); /* never across a granule */
	assert_null(guest_memory_ptr(m, 3 * GIB - 1, 2));
	assert_null(guest_memory_ptr(m, 4 * GIB - 1, 2));
	assert_non_null(guest_memory_ptr(m, 4 * GIB + MIB - 1, 1));
	assert_null(guest_memory_ptr(m, 4 * GIB + MIB - 1, 2));
	assert_null(guest_memory_ptr(m, 4 * GIB + MIB, 1));
	assert_null(guest_memory_ptr(m, UINT64_MAX, 1));
	assert_null(guest_memory_ptr(m, 0, UINT64_MAX));
	assert_false(guest_is_ram(m, UINT64_MAX, 2));
	assert_false(guest_is_ram(m, 4 * GIB, UINT64_MAX));
	assert_int_equal(guest_read(&vm, 0x9fff8, buf, 16), -EFAULT);
	assert_int_equal(guest_write(&vm, 3 * GIB - 8, buf, 16), -EFAULT);
	assert_int_equal(guest_fill(&vm, UINT64_MAX - 3, 1, 8), -EFAULT);
}

static void test_copies_across_granules(void **state)
{
	static uint8_t out[5 * MIB], in[5 * MIB];

	(void)state;
	assert_int_equal(guest_memory_create(&vm, 16 * MIB), 0);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + i / 4096);
	assert_int_equal(guest_read(&vm, MIB + 5, in, sizeof(in)), 0);
	for (size_t i = 0; i < sizeof(in); i++)
		assert_int_equal(in[i], 0); /* the machine's memory had other things in it */
	assert_int_equal(guest_write(&vm, MIB + 5, out, sizeof(out)), 0);
	assert_int_equal(guest_read(&vm, MIB + 5, in, sizeof(in)), 0);
	assert_memory_equal(in, out, sizeof(out));
	assert_int_equal(guest_fill(&vm, 2 * MIB - 1, 0x5a, 2 * MIB + 2), 0);
	assert_int_equal(*guest_memory_ptr(vm.memory, 2 * MIB - 1, 1), 0x5a);
	assert_int_equal(*guest_memory_ptr(vm.memory, 4 * MIB, 1), 0x5a);
	assert_int_not_equal(*guest_memory_ptr(vm.memory, 4 * MIB + 1, 1), 0x5a);
}

static int no_read(void *opaque, struct vcpu *v, uint64_t offset, unsigned width, uint64_t *value)
{
	(void)opaque;
	(void)v;
	(void)width;
	*value = 0xd0 + offset;
	return 0;
}

static uint64_t written;

static int note_write(void *opaque, struct vcpu *v, uint64_t offset, unsigned width, uint64_t value)
{
	(void)opaque;
	(void)v;
	(void)width;
	written = value | offset << 32;
	return 0;
}

static const struct hook_ops device = {.read = no_read, .write = note_write};

static unsigned rights(gpa_t gpa)
{
	return nested[gpa / PAGE_SIZE].access;
}

static void test_hooks_over_ram(void **state)
{
	static const struct hook full = {
		.first = 0x5010, .last = 0x7003, .ops = &device, .owner = "f"};
	static const struct hook writes = {
		.first = 0x7100, .last = 0x7107, .ops = &device, .owner = "w"};
	uint64_t generation;

	(void)state;
	assert_int_equal(guest_memory_create(&vm, 4 * MIB), 0);
	generation = vm.memory->generation;
	vm.hooks->live = true;
	assert_int_equal(hook_memory_add(&vm, &writes, HOOK_MEMORY_WRITE), 0);
	assert_int_equal(rights(0x7000), 5);
	assert_int_equal(hook_memory_add(&vm, &full, HOOK_MEMORY_FULL), 0);
	assert_int_equal(rights(0x4000), 7);
	assert_int_equal(rights(0x5000), 0);
	assert_int_equal(rights(0x6000), 0);
	assert_int_equal(rights(0x7000), 0);
	assert_int_equal(rights(0x8000), 7);
	assert_int_equal(flushes, 2);
	assert_true(vm.memory->generation > generation);

	/* What nobody hooked in these pages is RAM still. */
	assert_int_equal(guest_fill(&vm, 0x5000, 0x11, 0x3000), 0);
	assert_int_equal(hook_memory_read(&vcpu, 0x500c, 8), 0xd011111111);
	assert_int_equal(hook_memory_read(&vcpu, 0x7004, 4), 0x11111111);
	hook_memory_write(&vcpu, 0x7004, 4, 0x22222222);
	assert_int_equal(hook_memory_read(&vcpu, 0x7004, 8), 0x1111111122222222);
	/* Reads of what only writes are hooked of, and writes. */
	assert_int_equal(hook_memory_read(&vcpu, 0x7100, 8), 0x1111111111111111);
	hook_memory_write(&vcpu, 0x7104, 4, 0x33);
	assert_int_equal(written, UINT64_C(4) << 32 | 0x33);
	assert_int_equal(hook_memory_read(&vcpu, 0x7104, 4), 0x11111111);
	assert_true(hook_memory_covers(vm.hooks->memory, 0x7fff, 1, false));

	hook_memory_remove(&vm, &full);
	assert_int_equal(rights(0x5000), 7);
	assert_int_equal(rights(0x6000), 7);
	assert_int_equal(rights(0x7000), 5);
	assert_false(hook_memory_covers(vm.hooks->memory, 0x7fff, 1, false));
	assert_true(hook_memory_covers(vm.hooks->memory, 0x7fff, 1, true));
	hook_memory_remove(&vm, &writes);
	assert_int_equal(rights(0x7000), 7);
}

/* What is no RAM is a bus's, from the byte behind the RAM on. */
static void test_rest_behind_ram(void **state)
{
	static const struct hook rest = {
		.first = 0, .last = BIT(52) - 1, .ops = &device, .owner = "r"};

	(void)state;
	assert_int_equal(guest_memory_create(&vm, 4 * MIB), 0);
	assert_int_equal(hook_rest_set(&vm, HOOK_REST_MEMORY, &rest), 0);
	written = 0;
	hook_memory_write(&vcpu, 4 * MIB - 8, 8, 0x55);
	hook_memory_write(&vcpu, GUEST_VGA_BASE - 8, 8, 0x66);
	assert_int_equal(written, 0);
	assert_int_equal(hook_memory_read(&vcpu, 4 * MIB - 8, 8), 0x55);
	hook_memory_write(&vcpu, 4 * MIB, 4, 0x77);
	assert_int_equal(written, 4 * MIB << 32 | 0x77);
	/* Across the end of the RAM. */
	hook_memory_write(&vcpu, 4 * MIB - 4, 8, UINT64_C(0x1111111122222222));
	assert_int_equal(written, 4 * MIB << 32 | 0x11111111);
	assert_int_equal(hook_memory_read(&vcpu, 4 * MIB - 4, 4), 0x22222222);
	assert_int_equal(hook_memory_read(&vcpu, 4 * MIB - 4, 8) & UINT32_MAX, 0x22222222);
	hook_memory_write(&vcpu, GUEST_VGA_BASE - 2, 4, 0x33334444);
	assert_int_equal(written, GUEST_VGA_BASE << 32 | 0x3333);
	hook_rest_clear(&vm, HOOK_REST_MEMORY);
}

/* A device's memory in the VGA window, which no RAM is below; and where there is some. */
static void test_mapped(void **state)
{
	static uint8_t pages[2 * PAGE_SIZE] __aligned(PAGE_SIZE);
	const struct hook hook = {.first = 0xb8000,
				  .last = 0xb9fff,
				  .ops = &hook_mapped_ops,
				  .opaque = pages,
				  .owner = "m"};
	struct hook bad = hook;

	(void)state;
	assert_int_equal(guest_memory_create(&vm, 4 * MIB), 0);
	vm.hooks->live = true;
	assert_int_equal(hook_memory_add(&vm, &hook, HOOK_MEMORY_MAPPED), 0);
	assert_int_equal(rights(0xb7000), 0);
	assert_int_equal(rights(0xb8000), 7);
	assert_int_equal(rights(0xb9000), 7);
	assert_int_equal(nested[0xb9].hpa, paging_phys(pages + PAGE_SIZE));
	assert_int_equal(flushes, 1);
	hook_memory_write(&vcpu, 0xb8ffc, 8, 0x8877665544332211);
	assert_int_equal(pages[0x1003], 0x88);
	assert_int_equal(hook_memory_read(&vcpu, 0xb8ffe, 4), 0x66554433);
	hook_memory_remove(&vm, &hook);
	assert_int_equal(rights(0xb8000), 0);
	assert_int_equal(flushes, 2);
	bad.first = 0x9f000;
	assert_int_equal(hook_memory_add(&vm, &bad, HOOK_MEMORY_MAPPED), -EINVAL);
	bad.first = 0xb8800;
	assert_int_equal(hook_memory_add(&vm, &bad, HOOK_MEMORY_MAPPED), -EINVAL);
	assert_int_equal(rights(0x9f000), 7);
}

static void test_hook_without_tables(void **state)
{
	static const struct hook writes = {
		.first = 0x7100, .last = 0x7107, .ops = &device, .owner = "w"};

	(void)state;
	assert_int_equal(guest_memory_create(&vm, 4 * MIB), 0);
	map_fails = true;
	assert_int_equal(hook_memory_add(&vm, &writes, HOOK_MEMORY_WRITE), -ENOMEM);
	assert_null(range_map_find(vm.hooks->memory, 0x7100, NULL));
}

static void test_too_large(void **state)
{
	(void)state;
	assert_int_equal(guest_memory_create(&vm, 8 * GIB), -ENOMEM);
	assert_true(fake_logged("8192 MiB wanted"));
	assert_null(vm.memory);
	map_fails = true;
	assert_int_equal(guest_memory_create(&vm, 2 * MIB), -ENOMEM);
	assert_true(fake_logged("nested page tables"));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_layouts),	    TEST(test_large_pages),
		TEST(test_bounds),	    TEST(test_copies_across_granules),
		TEST(test_hooks_over_ram),  TEST(test_hook_without_tables),
		TEST(test_rest_behind_ram), TEST(test_mapped),
		TEST(test_too_large),
	};

	time_init(1000000);
	make_gib();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
