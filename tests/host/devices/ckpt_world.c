/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/devices/ckpt_world.h"

#include "devices/serial/uart16550_line.h"
#include "kernel/page_alloc.h"
#include "kernel/time.h"
#include "tests/host/devices/plug_world.h"
#include "vmm/checkpoint/checkpoint.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/hook/hook_io.h"
#include "vmm/vcpu_saved.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"
#include "vmm/vm_life.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STREAM_MAX (4u << 20)

char *fake_direct_base;

/* There is always room for copies. */
void page_alloc_stats(struct page_stats *stats)
{
	*stats = (struct page_stats){.free = UINT64_MAX / 2};
}

void cpu_pause(void)
{
}

uint8_t *ckpt_stream;
size_t ckpt_stream_len;
char ckpt_why[CHECKPOINT_WHY_MAX];
unsigned ckpt_stills, ckpt_set_vcpus;
uint64_t ckpt_set_ahead; /* what the last one's TSC is ahead of the VM's clock */
uint32_t ckpt_cpuid_eax;
struct vm_config *ckpt_given;

/* vCPUs: numbers that are known again. */

void vcpu_saved_get(struct vcpu *vcpu, struct vcpu_saved *saved)
{
	memset(saved, 0, sizeof(*saved));
	saved->rip = 0x1000 + vcpu->index;
	saved->regs[VCPU_RSP] = 0x2000 + vcpu->index;
	saved->tsc_ahead = 5;
}

bool ckpt_bad_vcpu, ckpt_any_vcpu;

int vcpu_saved_check(const struct vcpu *vcpu, const struct vcpu_saved *saved, char *text,
		     size_t size)
{
	(void)saved;
	snprintf(text, size, "pat 0x2");
	return ckpt_bad_vcpu && vcpu->index ? -EINVAL : 0;
}

int vcpu_saved_set(struct vcpu *vcpu, const struct vcpu_saved *saved, char *text, size_t size)
{
	(void)text;
	(void)size;
	assert_true(ckpt_any_vcpu || saved->rip == 0x1000 + vcpu->index);
	assert_true(ckpt_any_vcpu || saved->regs[VCPU_RSP] == 0x2000 + vcpu->index);
	ckpt_set_ahead = saved->tsc_ahead;
	ckpt_set_vcpus++;
	return 0;
}

void vm_still_begin(struct vm *vm)
{
	(void)vm;
	ckpt_stills++;
}

void vm_still_end(struct vm *vm)
{
	(void)vm;
	ckpt_stills--;
}

const char *vm_state_name(enum vm_state state)
{
	(void)state;
	return "state";
}

/* VMs: there is one, which is made of what it is given. */

int vm_define(struct vm_config *config, struct vm **out)
{
	(void)config;
	(void)out;
	return -EEXIST;
}

int vm_undefine(struct vm *vm)
{
	(void)vm;
	return 0;
}

static void set_cpuid(void)
{
	struct cpuid_regs regs = {.eax = ckpt_cpuid_eax};

	assert_int_equal(hook_cpuid_set(plug_vm, 1, UINT32_MAX, &regs), 0);
}

void ckpt_start(const char *devices)
{
	plug_start(devices, true);
	set_cpuid();
}

static const char *made_of; /* instead of what the stream says */

/* What com2 takes of @bytes from outside. */
static size_t type(const char *bytes)
{
	struct uart *u = device_find(plug_vm, "com2")->state;

	return u->frontend.input(u->frontend.opaque, (const uint8_t *)bytes, strlen(bytes));
}

/* The log is counted for, and is refused a byte. */
bool ckpt_typed_early;
unsigned ckpt_asked_for_input;

static void count_asked(void *opaque)
{
	(void)opaque;
	ckpt_asked_for_input++;
}

static void type_early(void)
{
	static struct char_backend_ops counting;
	struct uart *u = device_find(plug_vm, "com2")->state;

	counting = *char_backend(&u->frontend);
	counting.input_ready = count_asked;
	u->frontend.base.backend = &counting.base;
	assert_int_equal(type("ab"), 1);
}

int vm_start_filled(struct vm *vm, struct vm_config *config, vm_fill_fn fill, void *opaque)
{
	size_t others = fake_objects; /* are none of the VM's */
	struct vm_config *own;
	int err;

	fake_objects = 0;
	ckpt_start(made_of);
	own = vm->config;
	vm->config = config;
	ckpt_asked_for_input = 0;
	if (ckpt_typed_early)
		type_early();
	err = fill(vm, opaque);
	vm->config = own;
	if (err)
		plug_end();
	else
		ckpt_given = config;
	fake_objects += others;
	return err;
}

bool ckpt_stream_full;
const char *ckpt_typed_between; /* the records of the 8259s and the UART */

void (*ckpt_meanwhile)(void);
bool (*ckpt_step)(struct checkpoint_writer *w, uint64_t done, uint64_t total);

static int append(void *opaque, const void *data, size_t len)
{
	if (ckpt_meanwhile && !ckpt_stills) {
		ckpt_meanwhile();
		ckpt_meanwhile = NULL;
	}
	if (ckpt_typed_between && len == 4 && !memcmp(data, "\3pit", 4)) {
		type(ckpt_typed_between);
		ckpt_typed_between = NULL;
	}
	(void)opaque;
	if (ckpt_stream_full || len > STREAM_MAX - ckpt_stream_len)
		return -ENOSPC;
	memcpy(ckpt_stream + ckpt_stream_len, data, len);
	ckpt_stream_len += len;
	return 0;
}

void ckpt_read_part(void *opaque, uint64_t at, void *buf, size_t len)
{
	assert_true(at + len <= ckpt_stream_len);
	memcpy(buf, (const uint8_t *)opaque + at, len);
}

int ckpt_save(void)
{
	struct checkpoint_writer w = {.write = append, .step = ckpt_step};

	ckpt_stream_len = 0;
	return checkpoint_save(plug_vm, &w, ckpt_why);
}

int ckpt_restore_from(const struct checkpoint_source *source, const char *devices, const char *name)
{
	made_of = devices;
	ckpt_set_vcpus = 0;
	return checkpoint_restore(source, name, ckpt_why);
}

int ckpt_restore_as(const char *devices, const char *name)
{
	struct checkpoint_source source = {
		.size = ckpt_stream_len, .read = ckpt_read_part, .opaque = ckpt_stream};

	return ckpt_restore_from(&source, devices, name);
}

int ckpt_restore(const char *devices)
{
	return ckpt_restore_as(devices, NULL);
}

void ckpt_poke(gpa_t gpa, uint64_t value)
{
	assert_int_equal(guest_write(plug_vm, gpa, &value, sizeof(value)), 0);
}

uint64_t ckpt_peek(gpa_t gpa)
{
	uint64_t value;

	assert_int_equal(guest_read(plug_vm, gpa, &value, sizeof(value)), 0);
	return value;
}

/* A VM in the middle of its work, saved and gone. */
void ckpt_make_stream(void)
{
	ckpt_start(DEVICES);
	plug_vm->state = VM_RUNNING;
	hook_io_write(plug_vm->vcpus[0], 0x2ff, 1, 0x5a);
	assert_int_equal(guest_fill(plug_vm, 0, 0, 0xa0000), 0);
	ckpt_poke(0x1000, 1);
	ckpt_poke(0x5ff8, 2);
	ckpt_poke(0x6000, 3);
	ckpt_poke(0x1ff000, 4);
	assert_int_equal(ckpt_save(), 0);
	assert_int_equal(ckpt_stills, 0);
	plug_end();
}

int ckpt_init(void)
{
	ckpt_stream = malloc(STREAM_MAX);
	return ckpt_stream ? plug_init() : -ENOMEM;
}

const struct device_pages *ckpt_disk_pages(void **state)
{
	struct device *dev = device_find(plug_vm, "disk");

	assert_non_null(dev);
	*state = dev->state;
	return dev->type->saved->pages;
}
