/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/load/load_blob.c tests/host/vmm/fake.c */
/* Kernels and their modules stay where Multiboot's 32 bits reach. */
#include "vmm/load/load_blob.h"

#include "kernel/boot_info.h"
#include "tests/host/vmm/fake.h"
#include "vmm/guest_memory.h"
#include "vmm/load/entry_state.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct guest_memory memory = {.low_end = 0xc0000000, .high_end = 0x180000000};
static struct vcpu vcpu;
static struct vm vm = {.name = "test", .memory = &memory, .vcpus = {&vcpu}};
static struct load_extent extent;
static struct load_placed placed_module;
static gpa_t entered;

bool guest_is_ram(const struct guest_memory *m, gpa_t gpa, uint64_t len)
{
	if (gpa >= 0x100000000)
		return gpa <= m->high_end && len <= m->high_end - gpa;
	return gpa <= m->low_end && len <= m->low_end - gpa;
}

int guest_write(struct vm *v, gpa_t gpa, const void *buf, size_t len)
{
	(void)buf;
	return guest_is_ram(v->memory, gpa, len) ? 0 : -EFAULT;
}

int entry_state_protected(struct vm *v, gpa_t entry)
{
	(void)v;
	entered = entry;
	return 0;
}

void vcpu_set_gpr(struct vcpu *v, unsigned n, uint64_t value)
{
	v->gpr[n] = value;
}

static int load_kernel(struct vm *v, const struct boot_module *kernel, struct load_extent *out)
{
	(void)v;
	(void)kernel;
	*out = extent;
	return 0;
}

static void put_info(struct vm *v, const struct load_request *req, struct load_blob *blob,
		     const struct load_placed *placed, size_t count)
{
	(void)v;
	(void)req;
	assert_int_equal(count, 1);
	placed_module = placed[0];
	(void)load_blob_put(blob, "info", 4, 1);
}

static int load(gpa_t entry, gpa_t end)
{
	static const struct load_multiboot how = {0x2badb002, load_kernel, put_info};
	static const struct boot_module kernel = {.name = "k"}, initrd = {.name = "i", .size = 1};
	const struct load_request req = {.kernel = &kernel, .initrd = &initrd, .cmdline = ""};

	fake_log_clear();
	entered = 0;
	extent = (struct load_extent){entry, end};
	return load_multiboot(&vm, &req, &how);
}

static void test_low(void **state)
{
	(void)state;
	assert_int_equal(load(0x100000, 0x123456), 0);
	assert_int_equal(entered, 0x100000);
	assert_int_equal(placed_module.start, 0x124000);
	assert_int_equal(vcpu.gpr[GPR_RAX], 0x2badb002);
	assert_int_equal(vcpu.gpr[GPR_RBX], 0x125000);
	assert_int_equal(load(0x100000, 0xbfffe000), 0);
}

static void test_beyond_4g(void **state)
{
	(void)state;
	assert_int_equal(load(0x100000000, 0x100010000), -ENOEXEC);
	assert_true(
		fake_logged("kernel k: it reaches up to 0x100010000: expected all of it below"));
	assert_int_equal(load(0x100000, 0x100000001), -ENOEXEC);
	assert_int_equal(entered, 0);
}

/* A kernel up to the end of low RAM: what follows does not go on above 4 GiB. */
static void test_no_room_behind(void **state)
{
	(void)state;
	assert_int_equal(load(0x100000, 0xc0000000), -ENOMEM);
	assert_true(fake_logged("module i (0 KiB) does not fit behind the kernel"));
	assert_int_equal(entered, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_low),
		cmocka_unit_test(test_beyond_4g),
		cmocka_unit_test(test_no_room_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
