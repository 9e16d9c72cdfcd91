/* SPDX-License-Identifier: BSD-2-Clause */
/* What `info pci` asks for, kept as one text; and what BARs with pages would, which no test with
 * this file has. */
#include "tests/host/devices/pci_info_fake.h"

#include "kernel/console.h"
#include "tests/host/devices/fake.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/vm_life.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char fake_console[16384];

void console_printf(const char *fmt, ...)
{
	size_t at = strlen(fake_console);
	va_list args;

	va_start(args, fmt);
	vsnprintf(fake_console + at, sizeof(fake_console) - at, fmt, args);
	va_end(args);
}

struct vm *vm_find(const char *name)
{
	return strcmp(name, fake_vm.name) ? NULL : &fake_vm;
}

enum vm_state vm_life_begin(struct vm *vm)
{
	return vm->state;
}

void vm_life_end(struct vm *vm, enum vm_state state)
{
	vm->state = state;
}

bool hook_memory_is_rest(const struct vm *vm, gpa_t gpa, uint64_t size)
{
	(void)vm;
	(void)gpa;
	(void)size;
	abort();
}

int guest_memory_map_data(struct vm *vm, gpa_t gpa, void *pages, uint64_t size)
{
	(void)pages;
	return hook_memory_is_rest(vm, gpa, size);
}

void guest_memory_trim(struct vm *vm)
{
	(void)hook_memory_is_rest(vm, 0, 0);
}

void vm_flush_soon(struct vm *vm)
{
	guest_memory_trim(vm);
}

/* The fuzzer of all devices has its own. */
__attribute__((weak)) void guest_memory_unmap_device(struct vm *vm, gpa_t gpa, uint64_t size)
{
	(void)hook_memory_is_rest(vm, gpa, size);
}

__attribute__((weak)) void vm_flush(struct vm *vm)
{
	guest_memory_trim(vm);
}
