/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/devices/fake.h"

#include "arch/x86_64/percpu.h"
#include "kernel/grace.h"
#include "kernel/slab.h"
#include "tests/host/devices/fake_devices.h"
#include "vmm/cpu_model.h"
#include "vmm/guest_memory.h"
#include "vmm/hv_ops.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct vm fake_vm;
uint8_t fake_ram[FAKE_RAM_SIZE];
uint64_t fake_now; /* moved by fake_time.c */
uint32_t fake_requests;
uint64_t fake_cr8[VM_MAX_VCPUS];
bool fake_virtual_apic;
struct fake_apic fake_apics[VM_MAX_VCPUS];
unsigned fake_tpr_threshold[VM_MAX_VCPUS];
char fake_last_log[256];
unsigned fake_errors;
unsigned fake_unlimited;

static struct guest_memory fake_guest_memory = {
	.size = FAKE_RAM_SIZE,
	.low_end = FAKE_RAM_SIZE,
	.high_end = GUEST_HIGH_BASE,
};
/* For what leaves a wish there. */
static struct cpu cpu;
__thread struct cpu *fake_cpu = &cpu;
static struct vcpu fake_vcpus[VM_MAX_VCPUS];
static bool fake_levels[IRQ_LINES];

static void fake_sink_set(void *opaque __unused, unsigned line, bool level)
{
	fake_levels[line] = level;
}

static struct irq_sink fake_sink = {.set = fake_sink_set};

bool fake_line(unsigned gsi)
{
	return fake_levels[gsi];
}

/* Logging. */

static void fake_vlog(enum log_level level, const char *fmt, va_list args)
{
	vsnprintf(fake_last_log, sizeof(fake_last_log), fmt, args);
	if (level == LOG_ERROR)
		fake_errors++;
	if (getenv("FAKE_VERBOSE"))
		fprintf(stderr, "%d %s\n", level, fake_last_log);
}

#define FAKE_LOG(level, fmt)                  \
	do {                                  \
		va_list args_;                \
		va_start(args_, fmt);         \
		fake_vlog(level, fmt, args_); \
		va_end(args_);                \
	} while (0)

void log_msg(enum log_level level, const char *fmt, ...)
{
	FAKE_LOG(level, fmt);
}

void vm_log(const struct vm *vm __unused, enum log_level level, const char *fmt, ...)
{
	fake_unlimited++;
	FAKE_LOG(level, fmt);
}

void vm_log_guest(struct vm *vm __unused, enum log_level level, const char *fmt, ...)
{
	FAKE_LOG(level, fmt);
}

void device_log(const struct device *dev __unused, enum log_level level, const char *fmt, ...)
{
	fake_unlimited++;
	FAKE_LOG(level, fmt);
}

/* Memory. */

void *kmalloc(size_t size)
{
	return malloc(size);
}

void *kzalloc(size_t size)
{
	return calloc(1, size);
}

void *kcalloc(size_t n, size_t size)
{
	return calloc(n, size);
}

char *kstrdup(const char *s)
{
	return strdup(s);
}

void kfree(const void *p)
{
	free((void *)p);
}

int guest_write(struct vm *vm __unused, gpa_t gpa, const void *buf, size_t len)
{
	if (gpa >= FAKE_RAM_SIZE || len > FAKE_RAM_SIZE - gpa)
		return -EFAULT;
	memcpy(fake_ram + gpa, buf, len);
	return 0;
}

int guest_read(struct vm *vm __unused, gpa_t gpa, void *buf, size_t len)
{
	if (gpa >= FAKE_RAM_SIZE || len > FAKE_RAM_SIZE - gpa)
		return -EFAULT;
	memcpy(buf, fake_ram + gpa, len);
	return 0;
}

int guest_fill(struct vm *vm __unused, gpa_t gpa, uint8_t value, size_t len)
{
	if (gpa >= FAKE_RAM_SIZE || len > FAKE_RAM_SIZE - gpa)
		return -EFAULT;
	memset(fake_ram + gpa, value, len);
	return 0;
}

/* Nobody else runs. */
void grace_synchronize(void)
{
}

unsigned cpu_model_phys_bits(const struct vm *vm)
{
	(void)vm;
	return 40;
}

/* vCPUs. */

void vcpu_request(struct vcpu *vcpu, uint32_t bits)
{
	__atomic_fetch_or(&vcpu->requests, bits, __ATOMIC_SEQ_CST);
}

uint32_t fake_take_requests(unsigned cpu)
{
	return __atomic_exchange_n(&fake_vcpus[cpu].requests, 0, __ATOMIC_SEQ_CST);
}

static uint64_t fake_get_reg(struct vcpu *vcpu, enum vcpu_reg reg)
{
	return reg == VCPU_CR8 ? fake_cr8[vcpu->index] : 0;
}

static void fake_set_reg(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value)
{
	if (reg == VCPU_CR8)
		fake_cr8[vcpu->index] = value;
}

static void fake_set_tpr_threshold(struct vcpu *vcpu, unsigned priority)
{
	fake_tpr_threshold[vcpu->index] = priority;
}

static uint32_t *fake_virtualize_apic(struct vcpu *vcpu, bool on)
{
	struct fake_apic *apic = &fake_apics[vcpu->index];

	apic->on = on && fake_virtual_apic;
	return apic->on ? apic->page : NULL;
}

static void fake_update_apic(struct vcpu *vcpu, uint8_t requested, uint8_t in_service,
			     const uint64_t level[4])
{
	struct fake_apic *apic = &fake_apics[vcpu->index];

	apic->requested = requested;
	apic->in_service = in_service;
	memcpy(apic->level, level, sizeof(apic->level));
}

static const struct hv_ops fake_hv_ops = {
	.virtualize_apic = fake_virtualize_apic,
	.update_apic = fake_update_apic,
	.name = "fake",
	.set_tpr_threshold = fake_set_tpr_threshold,
	.get_reg = fake_get_reg,
	.set_reg = fake_set_reg,
};
const struct hv_ops *hv_ops = &fake_hv_ops;

void vm_request(struct vm *vm __unused, enum vm_request request, const char *why)
{
	fake_requests |= 1u << request;
	snprintf(fake_last_log, sizeof(fake_last_log), "%s", why);
}

/* The start and end of it all. */

void fake_start(unsigned vcpus)
{
	unsigned i;

	memset(&fake_vm, 0, sizeof(fake_vm));
	memset(fake_vcpus, 0, sizeof(fake_vcpus));
	memset(fake_cr8, 0, sizeof(fake_cr8));
	memset(fake_apics, 0, sizeof(fake_apics));
	fake_virtual_apic = false;
	memset(fake_tpr_threshold, 0, sizeof(fake_tpr_threshold));
	memset(fake_levels, 0, sizeof(fake_levels));
	snprintf(fake_vm.name, sizeof(fake_vm.name), "fake");
	fake_vm.vcpu_count = vcpus;
	fake_vm.state = VM_RUNNING;
	fake_vm.memory = &fake_guest_memory;
	for (i = 0; i < vcpus; i++) {
		fake_vcpus[i].vm = &fake_vm;
		fake_vcpus[i].index = i;
		fake_vcpus[i].state = VCPU_RUNNABLE;
		fake_vm.vcpus[i] = &fake_vcpus[i];
	}
	fake_time_start();
	fake_requests = 0;
	fake_errors = 0;
	fake_last_log[0] = 0;
	memset(fake_ram, 0, sizeof(fake_ram));
	if (irq_create(&fake_vm) || irq_add_sink(&fake_vm, &fake_sink))
		abort();
	fake_devices_start();
}

void fake_end(void)
{
	fake_devices_end();
	irq_destroy(&fake_vm);
}

int fake_interrupt(unsigned cpu)
{
	int vector;

	if (fake_take_requests(cpu) & VCPU_REQ_TIMER)
		irq_timer(&fake_vcpus[cpu]);
	vector = irq_pending(&fake_vcpus[cpu]);
	if (vector >= 0)
		irq_accept(&fake_vcpus[cpu], (uint8_t)vector);
	return vector;
}

/* The guest's side. */

static FAKE_UNTRACED struct fake_hook *fake_find(struct fake_map *map, uint64_t key)
{
	unsigned i;

	for (i = 0; i < map->count; i++)
		if (key >= map->hooks[i].first && key <= map->hooks[i].last)
			return &map->hooks[i];
	return NULL;
}

/* Who answers an access of @width bytes as a whole. */
static struct fake_hook *fake_find_whole(struct fake_map *map, uint64_t key, unsigned width)
{
	struct fake_hook *hook = fake_find(map, key);

	if (hook && hook->width)
		return hook->width == width ? hook : NULL;
	return hook && key + width - 1 <= hook->last ? hook : NULL;
}

static uint64_t fake_one(const struct fake_hook *hook, unsigned cpu, uint64_t addr, unsigned width,
			 bool write, uint64_t value)
{
	struct vcpu *vcpu = fake_vm.vcpus[cpu];
	uint64_t mask = width == 8 ? UINT64_MAX : BIT(8 * width) - 1, result = 0;

	value &= mask;
	if (hook)
		++*hook->accesses;
	if (!hook || (write ? !hook->ops->write : !hook->ops->read))
		return mask;
	if (write)
		return hook->ops->write(hook->opaque, vcpu, addr - hook->first, width, value), 0;
	if (hook->ops->read(hook->opaque, vcpu, addr - hook->first, width, &result))
		return mask;
	return result & mask;
}

/* What nobody has goes to the rest, byte by byte, or at once when all of it is so. */
static struct fake_hook *fake_rest(struct fake_map *map)
{
	struct fake_hook *rest = map == &fake_io ? &fake_io_rest : &fake_memory_rest;

	return (map == &fake_io || map == &fake_memory) && rest->ops ? rest : NULL;
}

static bool fake_is_free(struct fake_map *map, uint64_t addr, unsigned width)
{
	unsigned i;

	if (map == &fake_io && addr % width)
		return false; /* split, as aligned as can be */
	for (i = 0; i < width; i++)
		if (fake_find(map, addr + i) || (map == &fake_io && addr + i > UINT16_MAX))
			return false;
	return true;
}

/* One access, split in bytes where nobody answers all of it. */
static uint64_t fake_access(struct fake_map *map, unsigned cpu, uint64_t addr, unsigned width,
			    bool write, uint64_t value)
{
	struct fake_hook *hook = fake_find_whole(map, addr, width);
	uint64_t result = 0;
	unsigned i;

	if (!hook && fake_is_free(map, addr, width))
		hook = fake_rest(map);
	if (hook)
		return fake_one(hook, cpu, addr, width, write, value);
	for (i = 0; i < width; i++) {
		hook = fake_find(map, addr + i);
		if (hook && hook->width)
			hook = NULL; /* a register that this access passes by */
		if (!hook && fake_is_free(map, addr + i, 1))
			hook = fake_rest(map);
		result |= fake_one(hook, cpu, addr + i, 1, write, value >> (8 * i)) << (8 * i);
	}
	return result;
}

uint32_t fake_in(uint16_t port, unsigned width)
{
	return (uint32_t)fake_access(&fake_io, 0, port, width, false, 0);
}

void fake_out(uint16_t port, unsigned width, uint32_t value)
{
	fake_access(&fake_io, 0, port, width, true, value);
}

uint64_t fake_mmio_read(unsigned cpu, gpa_t gpa, unsigned width)
{
	return fake_access(&fake_memory, cpu, gpa, width, false, 0);
}

void fake_mmio_write(unsigned cpu, gpa_t gpa, unsigned width, uint64_t value)
{
	fake_access(&fake_memory, cpu, gpa, width, true, value);
}

int fake_rdmsr(unsigned cpu, uint32_t index, uint64_t *value)
{
	struct fake_hook *hook = fake_find(&fake_msr, index);

	if (!hook || !hook->ops->read)
		return -ENOENT;
	++*hook->accesses;
	return hook->ops->read(hook->opaque, fake_vm.vcpus[cpu], index - hook->first, 8, value);
}

int fake_wrmsr(unsigned cpu, uint32_t index, uint64_t value)
{
	struct fake_hook *hook = fake_find(&fake_msr, index);

	if (!hook || !hook->ops->write)
		return -ENOENT;
	++*hook->accesses;
	return hook->ops->write(hook->opaque, fake_vm.vcpus[cpu], index - hook->first, 8, value);
}

void fake_cpuid(unsigned cpu, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *regs)
{
	struct fake_hook *hook = fake_find(&fake_leaves, leaf);

	memset(regs, 0, sizeof(*regs));
	if (!hook)
		return;
	++*hook->accesses;
	hook->cpuid(hook->opaque, fake_vm.vcpus[cpu], leaf, subleaf, regs);
}
