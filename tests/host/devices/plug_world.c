/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/devices/plug_world.h"

#include "kernel/console.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "kernel/wall_time.h"
#include "lib/range_map.h"
#include "tests/host/devices/plug_bars.h"
#include "tests/host/fake/kernel/fake_work.h"
#include "vmm/cpu_model.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_maps.h"
#include "vmm/hook/hook_table.h"
#include "vmm/hv_ops.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"
#include "vmm/vm_console.h"
#include "vmm/vm_life.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RAM_SIZE 0x200000u

static struct vm vm = {.name = "plug"};
struct vm *const plug_vm = &vm;
static struct vcpu vcpus[2];
static uint8_t ram[RAM_SIZE];
static uint8_t *granules[1] = {ram};
static struct guest_memory memory = {
	.size = RAM_SIZE,
	.low_end = RAM_SIZE,
	.high_end = GUEST_HIGH_BASE,
	.granules = granules,
	.granule_count = 1,
};
static struct vm_config *extra; /* the section of a device that is added */

/* What the machine would do. */

int guest_write(struct vm *v, gpa_t gpa, const void *buf, size_t len)
{
	uint8_t *to = guest_memory_ptr_to_write(v->memory, gpa, len);

	if (to)
		memcpy(to, buf, len);
	return to ? 0 : -EFAULT;
}

int guest_read(struct vm *v, gpa_t gpa, void *buf, size_t len)
{
	const uint8_t *from = guest_memory_ptr(v->memory, gpa, len);

	if (from)
		memcpy(buf, from, len);
	return from ? 0 : -EFAULT;
}

int guest_fill(struct vm *v, gpa_t gpa, uint8_t value, size_t len)
{
	uint8_t *to = guest_memory_ptr(v->memory, gpa, len);

	if (to)
		memset(to, value, len);
	return to ? 0 : -EFAULT;
}

void vm_flush(struct vm *v)
{
	(void)v;
	plug_bars_flushed();
}

/* The vCPU whose exit this is goes on behind it; others may run on till they are waited for. */
void vm_flush_soon(struct vm *v)
{
	(void)v;
	plug_flushes++;
}

void vm_request(struct vm *v, enum vm_request request, const char *why)
{
	(void)v;
	(void)request;
	(void)why;
}

void vm_log_guest(struct vm *v, enum log_level level, const char *fmt, ...)
{
	(void)v;
	(void)level;
	(void)fmt;
}

struct vm *vm_find(const char *name)
{
	return strcmp(name, vm.name) ? NULL : &vm;
}

enum vm_state vm_life_begin(struct vm *v)
{
	return v->state;
}

void vm_life_end(struct vm *v, enum vm_state state)
{
	v->state = state;
}

/* Other tasks have the CPU: the worker. */
void task_yield(void)
{
	while (fake_work_yield())
		;
}

void task_share(void)
{
	task_yield();
}

void console_printf(const char *fmt, ...)
{
	(void)fmt;
}

const struct cpu_vendor *cpu_model_vendor(const struct vm *vm)
{
	static const struct cpu_vendor vendor;

	(void)vm;
	return &vendor;
}

enum cpu_line cpu_model_line(const struct vm *vm)
{
	(void)vm;
	return CPU_LINE_AMD;
}

unsigned cpu_model_phys_bits(const struct vm *vm)
{
	(void)vm;
	return 40;
}

int64_t wall_time(void)
{
	return 0;
}

static uint64_t get_reg(struct vcpu *vcpu, enum vcpu_reg reg)
{
	(void)vcpu;
	(void)reg;
	return 0;
}

static void set_reg(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value)
{
	(void)vcpu;
	(void)reg;
	(void)value;
}

static void set_tpr_threshold(struct vcpu *vcpu, unsigned priority)
{
	(void)vcpu;
	(void)priority;
}

static void intercept_io(struct vm *v, uint16_t port, uint32_t count, bool on)
{
	(void)v;
	(void)port;
	plug_mapped += on ? -(uint64_t)count : count;
}

/* No page: the CPU does not virtualize it. */
static uint32_t *virtualize_apic(struct vcpu *vcpu, bool on)
{
	(void)vcpu;
	(void)on;
	return NULL;
}

static const struct hv_ops ops = {.name = "fake",
				  .virtualize_apic = virtualize_apic,
				  .intercept_io = intercept_io,
				  .get_reg = get_reg,
				  .set_reg = set_reg,
				  .set_tpr_threshold = set_tpr_threshold};
const struct hv_ops *hv_ops = &ops;

/* Steps. */

int plug_init(void)
{
	int err = device_types_init();

	time_init(1000000);
	fake_objects = 0; /* the index stays */
	return err;
}

static int parse(const char *devices, struct vm_config **config)
{
	char text[2048];

	snprintf(text, sizeof(text), "[vm \"plug\"]\nmemory = 2M\nmachine = none\n%s", devices);
	if (vm_config_parse("plug.cfg", text, strlen(text), config))
		return -EINVAL;
	/* None of the machine's own devices. */
	for (struct vm_config_section *s = (*config)->sections; s; s = s->next)
		if (strcmp(s->file, (*config)->file))
			s->kind[0] = 'x';
	return 0;
}

static void serve(struct work *work)
{
	(void)work;
	device_run_deferred(&vm);
}

void plug_start(const char *config, bool runs)
{
	fake_log_clear();
	work_init_waiting(&vm.request_work, serve);
	plug_bars_flushed();
	vm.state = runs ? VM_RUNNING : VM_CRASHED;
	vm.memory = &memory;
	vm.vcpu_count = ARRAY_SIZE(vcpus);
	for (unsigned i = 0; i < vm.vcpu_count; i++) {
		vcpus[i] = (struct vcpu){.vm = &vm, .index = i};
		vm.vcpus[i] = &vcpus[i];
	}
	assert_int_equal(parse(config, &vm.config), 0);
	assert_int_equal(hook_maps_create(&vm), 0);
	assert_int_equal(irq_create(&vm), 0);
	assert_int_equal(device_manager_create(&vm), 0);
	if (device_create_all(&vm))
		fail_msg("%s", fake_log);
	vm.hooks->live = runs;
}

void plug_end(void)
{
	vm.hooks->live = false;
	device_manager_destroy(&vm);
	irq_destroy(&vm);
	hook_maps_destroy(&vm);
	vm_config_free(vm.config);
	plug_use();
	assert_int_equal(plug_mapped + plug_bars_pages(), 0);
	assert_null(vm.consoles);
	assert_int_equal(plug_objects(), 0);
}

int plug_add(const char *type, const char *id, const char *keys)
{
	long left = fake_memory_left;
	struct device *dev;
	char text[512];
	int err;

	/* The shell's part takes no memory. */
	fake_memory_left = -1;
	snprintf(text, sizeof(text), "[device \"%s\"]\ntype = %s\n%s", id, type, keys);
	assert_int_equal(parse(text, &extra), 0);
	fake_memory_left = left;
	err = device_create(&vm, type, id, vm_config_section(extra, "device", id), &dev);
	vm_config_free(extra);
	return err;
}

void plug_remove(const char *id)
{
	assert_non_null(device_find(&vm, id));
	assert_int_equal(device_destroy(device_find(&vm, id)), 0);
	assert_null(device_find(&vm, id));
}

void plug_use(void)
{
	task_yield();
	fake_run_until(fake_tsc + 1000 * 1000 * 1000);
}

size_t plug_objects(void)
{
	/* What a console said is kept for people to read. */
	vm_console_forget(&vm);
	return fake_objects;
}

/* What there is. Each sum is over owners and places, so that moving one shows. */

static uint64_t mix(uint64_t sum, uint64_t key, const void *what)
{
	return sum + (key + 1) * UINT64_C(0x9e3779b97f4a7c15) * ((uintptr_t)what | 1);
}

static uint64_t table_sum(const struct hook_table *table)
{
	uint64_t sum = 0;

	for (uint32_t l = 0; l < table->slots / HOOK_LEAF_SLOTS; l++) {
		static struct hook_leaf *empty;
		static const struct hook_leaf nobody;

		/* Most leaves are one and the same, which nobody owns. */
		if (table->leaves[l] == empty)
			continue;
		if (!memcmp(table->leaves[l], &nobody, sizeof(nobody)))
			empty = table->leaves[l];
		for (uint32_t i = 0; i < HOOK_LEAF_SLOTS; i++)
			if (table->leaves[l]->owner[i])
				sum = mix(sum, l * HOOK_LEAF_SLOTS + i, "");
	}
	return sum;
}

static uint64_t range_sum(const struct range_map *map)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < map->count; i++)
		if (map->ranges[i].item)
			sum = mix(mix(sum, map->ranges[i].first, ""), ~map->ranges[i].last, "");
	return sum;
}

static void no_cpuid(void *opaque, struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf,
		     struct cpuid_regs *regs)
{
	(void)opaque;
	(void)vcpu;
	(void)leaf;
	(void)subleaf;
	(void)regs;
}

/* Which of the leaves that devices take can be hooked. */
static uint64_t cpuid_sum(void)
{
	uint64_t sum = 0;

	for (uint32_t leaf = 0x40000000; leaf < 0x40000020; leaf++) {
		struct hook_cpuid hook = {leaf, leaf, no_cpuid, NULL, "probe"};

		if (hook_cpuid_add(&vm, &hook))
			sum |= UINT64_C(1) << (leaf & 63);
		else
			hook_cpuid_remove(&vm, &hook);
	}
	return sum;
}

static void count_one(void *opaque, struct device *dev)
{
	uint64_t *count = opaque;

	(void)dev;
	++*count;
}

static void no_set(void *opaque, unsigned line, bool level)
{
	(void)opaque;
	(void)line;
	(void)level;
}

static uint64_t free_sinks(void)
{
	struct irq_sink sinks[IRQ_SINKS_MAX];
	unsigned n = 0, i;

	while (n < IRQ_SINKS_MAX) {
		sinks[n] = (struct irq_sink){.set = no_set};
		if (irq_add_sink(&vm, &sinks[n]))
			break;
		n++;
	}
	for (i = 0; i < n; i++)
		irq_remove_sink(&vm, &sinks[i]);
	return n;
}

static uint64_t free_users(unsigned gsi)
{
	static struct irq_line lines[IRQ_LINE_USERS_MAX];
	unsigned n = 0, i;

	while (n < IRQ_LINE_USERS_MAX && !irq_line_attach(&vm, &lines[n], gsi))
		n++;
	for (i = 0; i < n; i++)
		irq_line_detach(&lines[i]);
	return n;
}

void plug_take_state(struct plug_state *s)
{
	static const struct irq_controller_ops controller;
	static const struct irq_ext_ops ext;

	memset(s, 0, sizeof(*s));
	s->io = table_sum(vm.hooks->io);
	s->msr = table_sum(vm.hooks->msr);
	s->memory = range_sum(vm.hooks->memory);
	s->calls = range_sum(vm.hooks->call);
	s->cpuid = cpuid_sum();
	s->mapped = plug_mapped + plug_bars_pages();
	device_for_each(&vm, count_one, &s->devices);
	s->consoles = !!vm.consoles;
	s->sinks = free_sinks();
	for (unsigned i = 0; i < IRQ_LINES; i++)
		s->free_users[i] = free_users(i);
	s->controller = !irq_set_controller(&vm, &controller, NULL);
	if (s->controller)
		irq_clear_controller(&vm);
	s->ext = !irq_set_ext(&vm, &ext, NULL);
	if (s->ext)
		irq_clear_ext(&vm);
	/* The probes above leave tables of their own. */
	s->objects = plug_objects();
}

const char *plug_difference(const struct plug_state *a, const struct plug_state *b)
{
	static const char *const names[] = {"io",    "msr",	   "memory",   "calls",
					    "cpuid", "mapped",	   "devices",  "consoles",
					    "sinks", "controller", "8259 pair"};
	const uint64_t *x = &a->io, *y = &b->io;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (x[i] != y[i])
			return names[i];
	return a->objects != b->objects ? "memory in use" : "interrupt lines";
}
