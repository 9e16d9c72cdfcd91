/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/nested_table.c vmm/svm/svm_npt.c vmm/vmx/vmx_ept.c */
/* test-sources: tests/host/fake/arch/x86_64/fake_memory.c */
/*
 * vmm/nested_table.c, in both formats: random maps and unmaps against a table
 * of single pages, the page sizes, when tables are given back, and running out of memory.
 */
#include "vmm/nested_table.h"
#include "arch/x86_64/paging.h"
#include "tests/host/fake/arch/x86_64/fake_memory.h"
#include "vmm/svm/svm_npt.h"
#include "vmm/vmx/vmx_caps.h"
#include "vmm/vmx/vmx_ept.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB	    (UINT64_C(1) << 20)
#define GIB	    (UINT64_C(1) << 30)
#define POOL_SIZE   (64 * MIB)
#define MODEL_BASE  (UINT64_C(3) * GIB)
#define MODEL_PAGES (3 * GIB / PAGE_SIZE)

static struct page_owner owner;
static unsigned allocations_left;
/* Pages that were never used, and those that came back. */
static uint64_t next_page;
static void **free_pages;

static unsigned (*entry_access)(uint64_t entry); /* the ACCESS_ bits of a page's entry */

static uint64_t *model; /* host page | access; 0: not mapped */

void *page_alloc_zeroed(struct page_owner *o, unsigned order)
{
	void **page = free_pages;

	assert_int_equal(order, 0);
	if (!allocations_left)
		return NULL;
	allocations_left--;
	o->pages++;
	if (page)
		free_pages = *page;
	else
		page = paging_direct(next_page += PAGE_SIZE);
	assert_true(next_page < POOL_SIZE);
	return memset(page, 0, PAGE_SIZE);
}

void page_free(struct page_owner *o, void *pages, unsigned order)
{
	assert_int_equal(order, 0);
	o->pages--;
	memset(pages, 0xff, PAGE_SIZE);
	*(void **)pages = free_pages;
	free_pages = pages;
}

static struct nested_table *make(const struct nested_format *format)
{
	struct nested_table *t = calloc(1, sizeof(*t));

	allocations_left = UINT32_MAX;
	owner.pages = 0;
	assert_int_equal(nested_table_init(t, &owner, format), 0);
	return t;
}

/* Long mode's entries (APM vol. 2, 5.3). Their type is looked up in our PAT: entry 0 or 3. */
static unsigned npt_access(uint64_t entry)
{
	assert_true(entry & PTE_P);
	assert_true(entry & PTE_US);
	assert_int_equal(!!(entry & PTE_PCD), !!(entry & PTE_PWT));
	assert_int_equal(PAGING_PAT & 0xff, 6);
	assert_int_equal(PAGING_PAT >> 24 & 0xff, 0);
	return (entry & PTE_PCD ? ACCESS_UNCACHED : 0) | ACCESS_READ |
	       (entry & PTE_RW ? ACCESS_WRITE : 0) | (entry & PTE_NX ? 0 : ACCESS_EXEC);
}

static int setup_npt(void **state)
{
	struct nested_format format;

	svm_npt_format(&format, true);
	entry_access = npt_access;
	*state = make(&format);
	return 0;
}

/*
 * Extended page tables' (SDM vol. 3C, 28.2.2): write-back, whatever the guest says, or
 * uncacheable, where it may say write-combining.
 */
static unsigned ept_access(uint64_t entry)
{
	unsigned type = entry >> 3 & 7;

	assert_true(type == 6 || type == 0);
	assert_int_equal(!!(entry & BIT(6)), type == 6);
	return (entry & 7) | (type ? 0 : ACCESS_UNCACHED);
}

static int setup_ept(void **state)
{
	const struct vmx_machine m = {.ept_vpid = VMX_EPT_PAGE_1G};
	struct nested_format format;

	vmx_ept_format(&format, &m);
	entry_access = ept_access;
	*state = make(&format);
	return 0;
}

static int teardown(void **state)
{
	nested_table_destroy(*state);
	assert_int_equal(owner.pages, 0);
	free(*state);
	return 0;
}

static void assert_page(const struct nested_table *t, gpa_t gpa, uint64_t want)
{
	uint64_t size, entry = nested_table_lookup(t, gpa, &size);

	if (!want) {
		assert_int_equal(entry, 0);
		return;
	}
	assert_int_equal((entry & PTE_ADDR) + (gpa & (size - 1)), want & PTE_ADDR);
	assert_int_equal(entry_access(entry), ACCESS_READ | (want & (NESTED_LEAFS - 1)));
	assert_int_equal(!!(entry & PTE_PS), size > PAGE_SIZE);
}

static uint64_t random_size(void)
{
	static const uint64_t units[] = {PAGE_SIZE, PAGE_SIZE, 2 * MIB, GIB};
	uint64_t unit = units[random() % 4];

	return unit * (1 + random() % 3);
}

static void model_set(gpa_t gpa, uint64_t size, uint64_t hpa, unsigned access)
{
	for (uint64_t i = 0; i < size / PAGE_SIZE; i++)
		model[(gpa - MODEL_BASE) / PAGE_SIZE + i] =
			access ? (hpa + i * PAGE_SIZE) | access : 0;
}

static void random_step(struct nested_table *t)
{
	uint64_t size = random_size(), align = random() % 2 ? size : PAGE_SIZE, hpa;
	uint64_t page = (uint64_t)random() % MODEL_PAGES;
	unsigned access = (1 + random() % NESTED_ACCESS_ALL) | (random() % 2 ? ACCESS_UNCACHED : 0);
	gpa_t gpa = MODEL_BASE + page * PAGE_SIZE;

	align = align >= GIB ? GIB : align >= 2 * MIB ? 2 * MIB : PAGE_SIZE;
	gpa = ALIGN_DOWN(gpa, align);
	size = MIN(size, MODEL_BASE + MODEL_PAGES * PAGE_SIZE - gpa);
	if (random() % 3 == 0) {
		assert_int_equal(nested_table_unmap(t, gpa, size), 0);
		model_set(gpa, size, 0, 0);
	} else {
		hpa = ALIGN_DOWN((uint64_t)random() << 14, align);
		assert_int_equal(nested_table_map(t, gpa, hpa, size, access), 0);
		model_set(gpa, size, hpa, access);
	}
}

static void test_random_against_model(void **state)
{
	struct nested_table *t = *state;

	model = calloc(MODEL_PAGES, sizeof(*model));
	srandom(3);
	for (int n = 0; n < 400; n++) {
		random_step(t);
		if (random() % 4 == 0)
			nested_table_reap(t, t->epoch);
		for (int i = 0; i < 2000; i++) {
			uint64_t page = (uint64_t)random() % MODEL_PAGES;

			assert_page(t, MODEL_BASE + page * PAGE_SIZE, model[page]);
		}
	}
	for (uint64_t page = 0; page < MODEL_PAGES; page++)
		assert_page(t, MODEL_BASE + page * PAGE_SIZE, model[page]);
	free(model);
	/* All unmapped: nothing but the root is left. */
	assert_int_equal(nested_table_unmap(t, 0, NESTED_TABLE_GPA_END), 0);
	nested_table_reap(t, t->epoch);
	assert_int_equal(owner.pages, 1);
}

static void assert_size(const struct nested_table *t, gpa_t gpa, uint64_t want)
{
	uint64_t size;

	assert_true(nested_table_lookup(t, gpa, &size) != 0);
	assert_int_equal(size, want);
}

static void test_largest_pages(void **state)
{
	struct nested_table *t = *state;

	/* From 2 MiB - 4 KiB to 3 GiB + 2 MiB + 4 KiB: small, large, huge, and back. */
	assert_int_equal(nested_table_map(t, 2 * MIB - PAGE_SIZE, 5 * GIB + 2 * MIB - PAGE_SIZE,
					  3 * GIB + 2 * PAGE_SIZE, ACCESS_READ),
			 0);
	assert_size(t, 2 * MIB - PAGE_SIZE, PAGE_SIZE);
	assert_size(t, 2 * MIB, 2 * MIB);
	assert_size(t, GIB, GIB);
	assert_size(t, 3 * GIB - 1, GIB);
	assert_size(t, 3 * GIB, 2 * MIB);
	assert_size(t, 3 * GIB + 2 * MIB, PAGE_SIZE);

	/* Host addresses that do not fit make them smaller. */
	assert_int_equal(nested_table_map(t, 8 * GIB, 4 * GIB + 2 * MIB, GIB, ACCESS_READ), 0);
	assert_size(t, 8 * GIB, 2 * MIB);
	assert_int_equal(nested_table_map(t, 10 * GIB, PAGE_SIZE, 2 * MIB, ACCESS_READ), 0);
	assert_size(t, 10 * GIB, PAGE_SIZE);

	/* One page out of the middle of 1 GiB: its neighbours stay as large as they can. */
	assert_int_equal(nested_table_unmap(t, GIB + 6 * MIB, PAGE_SIZE), 0);
	assert_size(t, GIB, 2 * MIB);
	assert_size(t, GIB + 6 * MIB + PAGE_SIZE, PAGE_SIZE);
	assert_page(t, GIB + 6 * MIB, 0);
	assert_page(t, GIB + 6 * MIB + PAGE_SIZE, (6 * GIB + 6 * MIB + PAGE_SIZE) | ACCESS_READ);
}

static void test_no_huge_pages_without_the_feature(void **state)
{
	struct nested_table *t = *state;

	t->format.page_1g = false;
	assert_int_equal(nested_table_map(t, 0, 0, GIB, ACCESS_READ), 0);
	assert_size(t, 0, 2 * MIB);
}

static void test_tables_wait_for_the_flush(void **state)
{
	struct nested_table *t = *state;
	uint64_t pages, before;

	assert_int_equal(nested_table_map(t, GIB, GIB, PAGE_SIZE, ACCESS_READ), 0);
	pages = owner.pages;
	assert_int_equal(pages, 4);
	before = t->epoch;
	assert_int_equal(nested_table_unmap(t, GIB, PAGE_SIZE), 0);
	nested_table_reap(t, before);
	assert_int_equal(owner.pages, pages);
	assert_true(t->epoch > before);
	nested_table_reap(t, t->epoch);
	assert_int_equal(owner.pages, 1);
}

/* A walk that a CPU began before may still go through a table that was taken out. */
static void test_retired_tables_are_empty(void **state)
{
	struct nested_table *t = *state;
	const uint64_t *pd, *pt;

	assert_int_equal(nested_table_map(t, 0, GIB, PAGE_SIZE, ACCESS_READ), 0);
	pd = paging_direct(*(uint64_t *)paging_direct(t->root[0] & PTE_ADDR) & PTE_ADDR);
	pt = paging_direct(pd[0] & PTE_ADDR);
	assert_true(pt[0] & t->format.present);
	assert_int_equal(nested_table_unmap(t, 0, GIB), 0);
	for (int i = 0; i < 512; i++) {
		assert_false(pt[i] & t->format.present);
		assert_false(pd[i] & t->format.present);
	}
}

static void test_wrong_ranges(void **state)
{
	struct nested_table *t = *state;

	assert_int_equal(nested_table_map(t, 1, 0, PAGE_SIZE, ACCESS_READ), -EINVAL);
	assert_int_equal(nested_table_map(t, 0, 1, PAGE_SIZE, ACCESS_READ), -EINVAL);
	assert_int_equal(nested_table_map(t, 0, 0, 1, ACCESS_READ), -EINVAL);
	assert_int_equal(nested_table_map(t, 0, 0, PAGE_SIZE, 0), -EINVAL);
	assert_int_equal(nested_table_map(t, 0, 0, PAGE_SIZE, ACCESS_UNCACHED), -EINVAL);
	assert_int_equal(nested_table_map(t, 0, 0, PAGE_SIZE, NESTED_LEAFS | ACCESS_READ), -EINVAL);
	assert_int_equal(nested_table_map(t, NESTED_TABLE_GPA_END, 0, PAGE_SIZE, ACCESS_READ),
			 -EINVAL);
	assert_int_equal(nested_table_unmap(t, PAGE_SIZE, NESTED_TABLE_GPA_END), -EINVAL);
	assert_int_equal(
		nested_table_map(t, NESTED_TABLE_GPA_END - PAGE_SIZE, 0, PAGE_SIZE, ACCESS_READ),
		0);
	assert_page(t, NESTED_TABLE_GPA_END - PAGE_SIZE, ACCESS_READ);
}

/* Whatever allocation fails: an error, and teardown() finds nothing lost. */
static void test_out_of_memory(void **state)
{
	struct nested_table *t = *state;

	for (unsigned n = 0; n < 3; n++) {
		allocations_left = n;
		assert_int_equal(nested_table_map(t, n * 600 * GIB, 0, PAGE_SIZE, ACCESS_READ),
				 -ENOMEM);
	}
	allocations_left = 1;
	assert_int_equal(nested_table_map(t, 0, 0, GIB, ACCESS_READ), 0);
	allocations_left = 1;
	assert_int_equal(nested_table_unmap(t, 0, PAGE_SIZE), -ENOMEM);
	/* The 2 MiB page that could not be split is as it was. */
	assert_page(t, 0, ACCESS_READ);
}

/* The flags are given only where the CPU has them; huge pages likewise. */
static void test_ept_follows_the_cpu(void **state)
{
	struct vmx_machine m = {.ept_vpid = VMX_EPT_ACCESSED_DIRTY};
	struct nested_format format;

	(void)state;
	assert_int_equal(vmx_ept_pointer(0x12345000, &m), 0x1234505e);
	vmx_ept_format(&format, &m);
	assert_false(format.page_1g);
	m.ept_vpid = VMX_EPT_PAGE_1G;
	assert_int_equal(vmx_ept_pointer(0x12345000, &m), 0x1234501e);
	vmx_ept_format(&format, &m);
	assert_true(format.page_1g);
	/* Bits 7:3 of an entry for a table are reserved (28.2.2, table 28-2). */
	assert_int_equal(format.table & 0xff, 7);
}

int main(void)
{
#define NESTED_TEST(name)                                           \
	cmocka_unit_test_setup_teardown(name, setup_npt, teardown), \
		cmocka_unit_test_setup_teardown(name, setup_ept, teardown)
	const struct CMUnitTest tests[] = {
		NESTED_TEST(test_random_against_model),
		NESTED_TEST(test_largest_pages),
		NESTED_TEST(test_no_huge_pages_without_the_feature),
		NESTED_TEST(test_tables_wait_for_the_flush),
		NESTED_TEST(test_retired_tables_are_empty),
		NESTED_TEST(test_wrong_ranges),
		NESTED_TEST(test_out_of_memory),
		cmocka_unit_test(test_ept_follows_the_cpu),
	};

	fake_memory_init(POOL_SIZE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
