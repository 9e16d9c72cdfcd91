/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/guest_memory.h"

#include "arch/x86_64/paging.h"
#include "kernel/panic.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "vmm/hv_ops.h"
#include "vmm/vm.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define MIB		    (UINT64_C(1) << 20)
#define GRANULES(bytes)	    (((bytes) + GUEST_GRANULE - 1) / GUEST_GRANULE)
#define GRANULE_PAGES_ORDER PAGE_ORDER_2M
#define ORDER_NONE	    0xff /* of a granule that no block begins at */
#define GRANULES_1G	    (UINT64_C(1) << (PAGE_ORDER_1G - PAGE_ORDER_2M))
#define ACCESS_ALL	    (ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC)

/*
 * By the string instruction: one instruction of a CPU moves a whole cache
 * line and more at a time where memset()'s loop does not.
 */
static void zero(void *p, uint64_t bytes)
{
	uint64_t quads = bytes / 8;

	__asm__ volatile("rep stosq" : "+D"(p), "+c"(quads) : "a"(0) : "memory");
}

/* The end of the RAM that @gpa lies in, or would. */
static gpa_t ram_end(const struct guest_memory *m, gpa_t gpa)
{
	return gpa < GUEST_HIGH_BASE ? m->low_end : m->high_end;
}

/* The order of the block for RAM from granule @index on: as large as it and the RAM allow. */
static unsigned first_order(const struct guest_memory *m, uint64_t index)
{
	gpa_t gpa = index * GUEST_GRANULE;
	uint64_t left = ram_end(m, gpa) - gpa;
	unsigned order = GRANULE_PAGES_ORDER;

	if (index % GRANULES_1G == 0 && left >= PAGE_SIZE << PAGE_ORDER_1G)
		return PAGE_ORDER_1G;
	while (order > 0 && left <= PAGE_SIZE << (order - 1))
		order--;
	return order;
}

/* Backs RAM from granule @index on with one block; the number of granules that it fills, or 0. */
static uint64_t back(struct vm *vm, struct guest_memory *m, uint64_t index)
{
	unsigned order = first_order(m, index);
	uint8_t *block = page_alloc(&vm->memory_owner, order);
	uint64_t count;

	if (!block && order == PAGE_ORDER_1G) {
		order = PAGE_ORDER_2M;
		block = page_alloc(&vm->memory_owner, order);
	}
	if (!block)
		return 0;
	m->orders[index] = (uint8_t)order;
	count = order == PAGE_ORDER_1G ? GRANULES_1G : 1;
	for (uint64_t i = 0; i < count; i++) {
		m->granules[index + i] = block + i * GUEST_GRANULE;
		zero(m->granules[index + i], MIN(GUEST_GRANULE, PAGE_SIZE << order));
		task_share(); /* a GiB takes a while */
	}
	return count;
}

static int back_all(struct vm *vm, struct guest_memory *m)
{
	struct page_stats stats;
	uint64_t index = 0;

	page_alloc_stats(&stats);
	if (stats.free < m->size / PAGE_SIZE) {
		uint64_t missing = m->size - stats.free * PAGE_SIZE;

		vm_log(vm, LOG_ERROR,
		       "not enough memory: %" PRIu64 " MiB wanted, %" PRIu64 " MiB free, %" PRIu64
		       " MiB missing: lower its `memory`, or `destroy` another VM",
		       m->size / MIB, stats.free * PAGE_SIZE / MIB, ALIGN_UP(missing, MIB) / MIB);
		return -ENOMEM;
	}
	while (index < m->granule_count) {
		uint64_t count = 1;

		if (index * GUEST_GRANULE < m->low_end || index * GUEST_GRANULE >= GUEST_HIGH_BASE)
			count = back(vm, m, index);
		if (!count) {
			vm_log(vm, LOG_ERROR,
			       "not enough memory: no block of 2 MiB is free any more, %" PRIu64
			       " MiB of %" PRIu64 " MiB are missing",
			       (m->size - vm->memory_owner.pages * PAGE_SIZE) / MIB, m->size / MIB);
			return -ENOMEM;
		}
		index += count;
	}
	return 0;
}

/* Maps the RAM in [@gpa, @end), which has nothing else in it, block by contiguous block. */
static int set_access(struct vm *vm, gpa_t gpa, gpa_t end, unsigned access)
{
	struct guest_memory *m = vm->memory;
	int err = 0;

	while (!err && gpa < end) {
		uint8_t *p = guest_memory_ptr(m, gpa, PAGE_SIZE);
		gpa_t next = MIN(ALIGN_DOWN(gpa, GUEST_GRANULE) + GUEST_GRANULE, end);

		while (next < end && m->granules[next / GUEST_GRANULE] == p + (next - gpa))
			next = MIN(next + GUEST_GRANULE, end);
		if (access)
			err = hv_ops->map(vm, gpa, paging_phys(p), next - gpa, access);
		else
			err = hv_ops->unmap(vm, gpa, next - gpa);
		gpa = next;
	}
	return err;
}

/* A granule that was kept has all its rights, and is not written to behind our back from then on.
 */
static void keep_all(struct guest_memory *m, gpa_t gpa, gpa_t end)
{
	for (gpa = ALIGN_DOWN(gpa, GUEST_GRANULE); m->keeper && gpa < end; gpa += GUEST_GRANULE)
		if (gpa / GUEST_GRANULE < m->granule_count)
			m->keeper->keep(m->keeper, gpa / GUEST_GRANULE);
}

int guest_memory_set_access(struct vm *vm, gpa_t gpa, uint64_t size, unsigned access)
{
	struct guest_memory *m = vm->memory;
	const gpa_t parts[][2] = {{0, MIN(m->low_end, GUEST_VGA_BASE)},
				  {GUEST_VGA_END, m->low_end},
				  {GUEST_HIGH_BASE, m->high_end}};
	int err = 0;

	keep_all(m, gpa, gpa + size);
	spin_lock(&m->lock);
	for (size_t i = 0; !err && i < ARRAY_SIZE(parts); i++)
		err = set_access(vm, MAX(gpa, parts[i][0]), MIN(gpa + size, parts[i][1]), access);
	__atomic_add_fetch(&m->generation, 1, __ATOMIC_RELEASE);
	spin_unlock(&m->lock);
	return err;
}

static int map_device(struct vm *vm, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned access)
{
	int err;

	spin_lock(&vm->memory->lock);
	err = hv_ops->map(vm, gpa, hpa, size, access);
	spin_unlock(&vm->memory->lock);
	return err;
}

int guest_memory_map_device(struct vm *vm, gpa_t gpa, void *pages, uint64_t size)
{
	return map_device(vm, gpa, paging_phys(pages), size, ACCESS_ALL);
}

int guest_memory_map_data(struct vm *vm, gpa_t gpa, void *pages, uint64_t size)
{
	return map_device(vm, gpa, paging_phys(pages), size, ACCESS_READ | ACCESS_WRITE);
}

int guest_memory_map_machine(struct vm *vm, gpa_t gpa, uint64_t size)
{
	return map_device(vm, gpa, gpa, size, ACCESS_ALL | ACCESS_UNCACHED);
}

void guest_memory_unmap_device(struct vm *vm, gpa_t gpa, uint64_t size)
{
	int err;

	spin_lock(&vm->memory->lock);
	err = hv_ops->unmap(vm, gpa, size);
	spin_unlock(&vm->memory->lock);
	/* It splits no large page: this is what was mapped. */
	BUG_ON(err);
}

void guest_memory_trim(struct vm *vm)
{
	guest_memory_unmap_device(vm, 0, 0); /* each change begins with that */
}

int guest_memory_create(struct vm *vm, uint64_t size)
{
	struct guest_memory *m = kzalloc(sizeof(*m));
	int err = -ENOMEM;

	if (!m)
		return -ENOMEM;
	vm->memory = m;
	spinlock_init(&m->lock);
	m->size = size;
	m->low_end = MIN(size, GUEST_LOW_LIMIT);
	m->high_end = GUEST_HIGH_BASE + (size - m->low_end);
	m->granule_count = GRANULES(m->high_end > GUEST_HIGH_BASE ? m->high_end : m->low_end);
	m->granules = kcalloc(m->granule_count, sizeof(*m->granules));
	m->orders = kmalloc(m->granule_count);
	if (!m->granules || !m->orders) {
		vm_log(vm, LOG_ERROR, "not enough memory for the map of the guest's memory");
		goto destroy;
	}
	memset(m->orders, ORDER_NONE, m->granule_count);
	err = back_all(vm, m);
	if (err)
		goto destroy;
	err = guest_memory_set_access(vm, 0, m->high_end, ACCESS_ALL);
	if (err) {
		vm_log(vm, LOG_ERROR, "not enough memory for nested page tables");
		goto destroy;
	}
	return 0;
destroy:
	guest_memory_destroy(vm);
	return err;
}

void guest_memory_destroy(struct vm *vm)
{
	struct guest_memory *m = vm->memory;

	if (!m)
		return;
	for (uint64_t i = 0; m->granules && m->orders && i < m->granule_count; i++) {
		if (m->granules[i] && m->orders[i] != ORDER_NONE)
			page_free(&vm->memory_owner, m->granules[i], m->orders[i]);
	}
	kfree(m->orders);
	kfree(m->granules);
	kfree(m);
	vm->memory = NULL;
}

bool guest_is_ram(const struct guest_memory *m, gpa_t gpa, uint64_t len)
{
	gpa_t end = gpa + len;

	if (end < gpa)
		return false;
	if (gpa >= GUEST_HIGH_BASE)
		return end <= m->high_end;
	return end <= m->low_end && (gpa >= GUEST_VGA_END || end <= GUEST_VGA_BASE);
}

/* The piece of [@gpa, @gpa + @len), which is RAM, up to its granule's end. */
static uint8_t *piece(struct vm *vm, gpa_t gpa, size_t len, size_t *size, bool write)
{
	*size = MIN(len, (size_t)(GUEST_GRANULE - gpa % GUEST_GRANULE));
	return write ? guest_memory_ptr_to_write(vm->memory, gpa, *size)
		     : guest_memory_ptr(vm->memory, gpa, *size);
}

int guest_read(struct vm *vm, gpa_t gpa, void *buf, size_t len)
{
	uint8_t *to = buf;
	size_t size;

	if (!guest_is_ram(vm->memory, gpa, len))
		return -EFAULT;
	for (; len > 0; gpa += size, to += size, len -= size) {
		const uint8_t *p = piece(vm, gpa, len, &size, false);

		memcpy(to, p, size);
	}
	return 0;
}

int guest_write(struct vm *vm, gpa_t gpa, const void *buf, size_t len)
{
	const uint8_t *from = buf;
	size_t size;

	if (!guest_is_ram(vm->memory, gpa, len))
		return -EFAULT;
	for (; len > 0; gpa += size, from += size, len -= size) {
		uint8_t *p = piece(vm, gpa, len, &size, true);

		memcpy(p, from, size);
	}
	return 0;
}

int guest_fill(struct vm *vm, gpa_t gpa, uint8_t value, size_t len)
{
	size_t size;

	if (!guest_is_ram(vm->memory, gpa, len))
		return -EFAULT;
	for (; len > 0; gpa += size, len -= size) {
		uint8_t *p = piece(vm, gpa, len, &size, true);

		memset(p, value, size);
	}
	return 0;
}
