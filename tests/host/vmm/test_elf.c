/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/load/elf.c tests/host/vmm/fake.c */
#include "vmm/load/elf.h"

#include "kernel/boot_info.h"
#include "tests/host/vmm/fake.h"
#include "vmm/guest_memory.h"
#include "vmm/vm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RAM 0x200000

static uint8_t ram[RAM];
static struct guest_memory memory = {.size = RAM, .low_end = RAM};
static struct vm vm = {.name = "test", .memory = &memory};

bool guest_is_ram(const struct guest_memory *m, gpa_t gpa, uint64_t len)
{
	return gpa <= m->low_end && len <= m->low_end - gpa;
}

int guest_write(struct vm *v, gpa_t gpa, const void *buf, size_t len)
{
	if (!guest_is_ram(v->memory, gpa, len))
		return -EFAULT;
	memcpy(ram + gpa, buf, len);
	return 0;
}

int guest_fill(struct vm *v, gpa_t gpa, uint8_t value, size_t len)
{
	if (!guest_is_ram(v->memory, gpa, len))
		return -EFAULT;
	memset(ram + gpa, value, len);
	return 0;
}

/* An ELF32 executable of one segment: four bytes in the file, 16 in memory. */
static struct {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version, entry, phoff, shoff, flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
	uint32_t segment, offset, vaddr, paddr, filesz, memsz, perm, align;
	uint8_t code[4];
} file;

static const struct boot_module module = {.data = &file, .size = sizeof(file), .name = "k"};

static int setup(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	memcpy(file.ident, "\177ELF\1\1\1", 7);
	file.type = 2;
	file.machine = 3;
	file.phoff = 52;
	file.phentsize = 32;
	file.phnum = 1;
	file.segment = 1;
	file.offset = 84;
	file.vaddr = 0x80100000; /* high, as xv6 runs */
	file.paddr = 0x100000;
	file.filesz = 4;
	file.memsz = 16;
	memcpy(file.code, "code", 4);
	memset(ram, 0xee, sizeof(ram));
	return 0;
}

static void test_virtual_entry(void **state)
{
	struct load_extent extent;

	(void)state;
	file.entry = file.vaddr + 12;
	assert_int_equal(elf_load(&vm, &module, &extent), 0);
	assert_int_equal(extent.entry, 0x10000c);
	assert_int_equal(extent.end, 0x100010);
	assert_memory_equal(ram + 0x100000, "code\0\0\0\0\0\0\0\0\0\0\0\0\xee", 17);
}

static void test_physical_entry(void **state)
{
	struct load_extent extent;

	(void)state;
	file.entry = 0x10000c;
	assert_int_equal(elf_load(&vm, &module, &extent), 0);
	assert_int_equal(extent.entry, 0x10000c);
	file.entry = 0x100010; /* neither */
	assert_int_equal(elf_load(&vm, &module, &extent), -ENOEXEC);
}

static void test_refuses(void **state)
{
	struct load_extent extent;

	(void)state;
	file.entry = file.vaddr;
	file.paddr = RAM - 8;
	assert_int_equal(elf_load(&vm, &module, &extent), -ENOMEM);
	file.paddr = UINT32_MAX;
	assert_int_equal(elf_load(&vm, &module, &extent), -ENOMEM);
	file.paddr = 0x9000; /* where our own tables are */
	assert_int_equal(elf_load(&vm, &module, &extent), -ENOMEM);
	file.paddr = 0x100000;
	file.filesz = 5;
	assert_int_equal(elf_load(&vm, &module, &extent), -ENOEXEC);
	file.filesz = 4;
	file.phoff = UINT32_MAX;
	assert_int_equal(elf_load(&vm, &module, &extent), -ENOEXEC);
	file.phoff = 52;
	file.phnum = UINT16_MAX;
	assert_int_equal(elf_load(&vm, &module, &extent), -ENOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_virtual_entry, setup),
		cmocka_unit_test_setup(test_physical_entry, setup),
		cmocka_unit_test_setup(test_refuses, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
