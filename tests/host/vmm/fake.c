/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/vmm/fake.h"

#include "arch/x86_64/percpu.h"
#include "kernel/boot_info.h"
#include "kernel/grace.h"
#include "kernel/log.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "kernel/timer.h"
#include "vmm/vcpu.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t fake_objects;
long fake_memory_left = -1;
char fake_log[16384];
uint64_t fake_vm_lag;
unsigned fake_grace_periods;
void (*fake_in_grace)(void);

/* For what leaves a wish there; a test of CPUs has its own. */
static struct cpu cpu;
__thread struct cpu *fake_cpu __attribute__((weak)) = &cpu;
static size_t log_len;

/* Memory. */

void *kzalloc(size_t size)
{
	void *p;

	if (fake_memory_left == 0)
		return NULL;
	if (fake_memory_left > 0)
		fake_memory_left--;
	/* Whole pages are aligned as such. */
	p = size && size % PAGE_SIZE == 0 ? aligned_alloc(PAGE_SIZE, size) : malloc(size);
	if (p)
		memset(p, 0, size);
	fake_objects += p ? 1 : 0;
	return p;
}

void *kmalloc(size_t size)
{
	void *p = kzalloc(size);

	if (p)
		memset(p, 0xa5, size);
	return p;
}

void *kcalloc(size_t n, size_t size)
{
	return kzalloc(n * size);
}

char *kstrdup(const char *s)
{
	char *copy = kmalloc(strlen(s) + 1);

	return copy ? strcpy(copy, s) : NULL;
}

void kfree(const void *p)
{
	fake_objects -= p ? 1 : 0;
	free((void *)p);
}

/* The log. */

void fake_log_clear(void)
{
	log_len = 0;
	fake_log[0] = '\0';
}

bool fake_logged(const char *text)
{
	return strstr(fake_log, text);
}

static void fake_log_text(const char *text)
{
	if (getenv("FAKE_VERBOSE"))
		fputs(text, stderr);
	log_len += snprintf(fake_log + log_len, sizeof(fake_log) - log_len, "%s", text);
	if (log_len >= sizeof(fake_log))
		fake_log_clear();
}

void log_vmsg(enum log_level level, const char *fmt, va_list args)
{
	char text[512];

	(void)level;
	vsnprintf(text, sizeof(text) - 1, fmt, args);
	strcat(text, "\n");
	fake_log_text(text);
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_vmsg(level, fmt, args);
	va_end(args);
}

static void fake_vm_log(const struct vm *vm, enum log_level level, const char *fmt, va_list args)
{
	fake_log_text("vm ");
	fake_log_text(vm->name);
	fake_log_text(": ");
	log_vmsg(level, fmt, args);
}

/* A test with vmm/vm.c has the real ones. */
__attribute__((weak)) void vm_log(const struct vm *vm, enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fake_vm_log(vm, level, fmt, args);
	va_end(args);
}

unsigned fake_guest_lines;

__attribute__((weak)) void vm_log_guest(struct vm *vm, enum log_level level, const char *fmt, ...)
{
	va_list args;

	fake_guest_lines++;
	va_start(args, fmt);
	fake_vm_log(vm, level, fmt, args);
	va_end(args);
}

/* Nor any VM, for a test that has no list of its own. */
__attribute__((weak)) void vm_for_each(void (*fn)(void *opaque, struct vm *vm), void *opaque)
{
	(void)fn;
	(void)opaque;
}

/* Modules. */

struct boot_info boot_info;

void fake_add_module(const char *name, const void *data, size_t size)
{
	struct boot_module *module = &boot_info.modules[boot_info.module_count++];

	module->data = data;
	module->size = size;
	module->use = 0;
	snprintf(module->name, sizeof(module->name), "%s", name);
}

void fake_clear_modules(void)
{
	boot_info.module_count = 0;
}

const struct boot_module *boot_module_find(const char *name)
{
	size_t i;

	for (i = 0; i < boot_info.module_count; i++)
		if (!strcmp(boot_info.modules[i].name, name))
			return &boot_info.modules[i];
	return NULL;
}

/* CPUs. */

void grace_synchronize(void)
{
	fake_grace_periods++;
	if (fake_in_grace)
		fake_in_grace();
}

/* A test with vmm/vcpu.c has the real one. */
__attribute__((weak)) void vcpu_request(struct vcpu *vcpu, uint32_t bits)
{
	vcpu->requests |= bits;
}
