/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine around the shell, and what it has of VMs besides `demo`'s life. */
#include "tests/host/admin/fake.h"
#include "tests/host/vmm/fake.h"

#include "kernel/boot_info.h"
#include "kernel/log.h"
#include "kernel/page_alloc.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "vmm/device.h"
#include "vmm/hv_ops.h"
#include "vmm/keyboard.h"
#include "vmm/power_button.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tick a nanosecond. */
uint64_t fake_tsc;
struct time_scale time_scale = {
	.tsc_khz = 1000000, .ns_mult = UINT64_C(1) << 32, .tsc_mult = UINT64_C(1) << 32};
const struct hv_ops *hv_ops;

uint32_t sched_cpu_count(void)
{
	return 2;
}

uint64_t sched_runtime(const struct sched_entity *e)
{
	return e->runtime;
}

static enum log_level level = LOG_INFO;

void log_set_level(enum log_level wanted)
{
	level = wanted;
}

enum log_level log_get_level(void)
{
	return level;
}

/* Pages: those of modules, which stay. */

static void *blocks[16];

void page_owner_register(struct page_owner *owner, const char *name)
{
	owner->name = name;
}

void page_alloc_stats(struct page_stats *stats)
{
	*stats = (struct page_stats){.total = 512 << 8, .free = 256 << 8};
}

void *page_alloc(struct page_owner *owner, unsigned order)
{
	size_t size = PAGE_SIZE << order;

	(void)owner;
	for (unsigned i = 0; i < sizeof(blocks) / sizeof(blocks[0]) && order < 10; i++)
		if (!blocks[i])
			return blocks[i] = aligned_alloc(PAGE_SIZE, size);
	return NULL;
}

void page_free(struct page_owner *owner, void *pages, unsigned order)
{
	(void)owner;
	(void)order;
	for (unsigned i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (blocks[i] == pages)
			blocks[i] = NULL;
	free(pages);
}

int boot_module_add(const char *name, const void *data, uint64_t size)
{
	if (boot_info.module_count == 8)
		return -ENOSPC;
	fake_add_module(name, data, size);
	return 0;
}

/* What `define` was given. */

char fake_defined[8192];

int vm_config_define(const char *file, const char *text, size_t len)
{
	snprintf(fake_defined, sizeof(fake_defined), "%s: %.*s", file, (int)len, text);
	return strstr(fake_defined, "bad") ? -EINVAL : 0;
}

/* What devices provide: a power button and a keyboard, or nothing. */

char fake_pressed[256];
bool fake_bare;
int fake_keyboard_error;

static void press(void *opaque)
{
	strcat(opaque, "button ");
}

static int keys(void *opaque, const struct key_event *events, unsigned count)
{
	size_t at = strlen(opaque);

	if (fake_keyboard_error)
		return fake_keyboard_error;
	for (unsigned i = 0; i < count; i++)
		at += (size_t)snprintf((char *)opaque + at, sizeof(fake_pressed) - at, "%c%02x ",
				       events[i].down ? '+' : '-', events[i].key);
	return 0;
}

static struct power_button button = {.press = press, .opaque = fake_pressed};
static struct keyboard keyboard = {.keys = keys, .opaque = fake_pressed};

void *device_iface(struct vm *vm, const char *id, const char *kind)
{
	(void)vm;
	(void)id;
	if (fake_bare || strlen(fake_pressed) > sizeof(fake_pressed) / 2)
		return NULL;
	if (!strcmp(kind, POWER_BUTTON_KIND))
		return &button;
	return strcmp(kind, KEYBOARD_KIND) ? NULL : &keyboard;
}
