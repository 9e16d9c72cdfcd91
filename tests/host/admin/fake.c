/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/admin/fake.h"

#include "admin/admin.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/power.h"
#include "kernel/task.h"
#include "tests/host/vmm/fake.h"
#include "vmm/device.h"
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

char fake_screen[65536];
char fake_guest_heard[8192];
bool fake_guest_deaf;
int fake_start_error;

/* The terminal. */

static const char *keys_left;
static jmp_buf shell_waits;
static const char last_keys[] = "\x1d\x03";
static unsigned last_key;
static bool woken;

const char *fake_terminal;
bool fake_person;
static const char *answer = "";
static void (*taker)(const char *s, size_t len);

void console_write(const char *s, size_t len)
{
	size_t at = strlen(fake_screen);

	if (taker) {
		taker(s, len);
		return;
	}
	if (fake_terminal && len >= 6 && !memcmp(s + len - 6, "\x1b[6n", 4))
		answer = fake_terminal;

	if (len < sizeof(fake_screen) - at) {
		memcpy(fake_screen + at, s, len);
		fake_screen[at + len] = '\0';
	}
}

static void line_write(struct console_sink *sink, const char *s, size_t len)
{
	(void)sink;
	console_write(s, len);
}

/* The line, which brings what is typed. */
static struct console_sink line = {.name = "com1", .write = line_write};

void console_input_is_command(void)
{
}

struct console_sink *console_input_sink(void)
{
	return &line;
}

void console_set_framing(struct console_sink *sink, const struct console_framing *framing)
{
	sink->framing = framing;
}

void console_write_stream(struct console_sink *sink, unsigned stream, const char *s, size_t len)
{
	sink->framing->output(sink, stream, s, len);
}

void console_input(struct console_sink *sink, const char *s, size_t len)
{
	(void)sink;
	(void)s;
	(void)len;
	abort();
}

void console_write_guest(const char *s, size_t len)
{
	console_write(s, len);
}

void console_redirect(void (*take)(const char *s, size_t len))
{
	taker = take;
}

unsigned fake_losses;

unsigned console_losses(void)
{
	return fake_losses;
}

void console_pace(void)
{
}

void console_mute(bool mute)
{
	(void)mute;
}

void console_printf(const char *fmt, ...)
{
	char buf[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	console_write(buf, strlen(buf));
}

void console_edit(const char *text, size_t cursor)
{
	assert_true(!text || (cursor <= strlen(text) && strlen(text) <= CONSOLE_EDIT_MAX));
	console_printf("%s\n", text ? text : "");
}

static size_t take(const char **from, char *buf, size_t max)
{
	size_t n = strnlen(*from, max);

	memcpy(buf, *from, n);
	*from += n;
	return n;
}

size_t console_read_timeout(char *buf, size_t max, uint64_t ns)
{
	size_t n = *answer ? take(&answer, buf, max) : fake_person ? 0 : take(&keys_left, buf, max);

	if (!n)
		fake_tsc += ns;
	return n;
}

size_t console_read(char *buf, size_t max)
{
	if (*answer)
		return take(&answer, buf, max);
	if (*keys_left || woken) {
		woken = false;
		return take(&keys_left, buf, fake_person ? 1 : max);
	}
	/* A shell that is left in the middle of an attachment, or of what is pasted, would hold it
	 * for ever; at the prompt the keys mean little. */
	if (!last_keys[last_key])
		longjmp(shell_waits, 1);
	*buf = last_keys[last_key++];
	return 1;
}

bool console_input_skip(char byte)
{
	const char *at = strchr(keys_left, byte);

	if (at)
		keys_left = at + 1;
	return at;
}

void log_for_each(void (*line)(void *opaque, const char *text), void *opaque)
{
	line(opaque, "[    0.000001] first line");
}

/* Tasks: only the shell's. */

struct task *task_create(const char *name, task_fn fn, void *arg, uint32_t cpu)
{
	(void)name;
	(void)cpu;
	fn(arg);
	return NULL;
}

struct task *task_current(void)
{
	return NULL;
}

void task_yield(void)
{
}

void task_share(void)
{
	task_yield();
}

void task_sleep_until(uint64_t deadline)
{
	fake_tsc = deadline;
}

void task_wake(struct task *task)
{
	(void)task;
	woken = true;
}

void power_reset(void)
{
}

void power_off(void)
{
}

/* The VM. */

static struct vm_config demo_config = {
	.file = "demo.cfg", .cpus = 1, .memory = 256 << 20, .autostart = true, .console = true};
static struct vm demo = {.name = "demo", .config = &demo_config};
static struct vm_console *console;
static const char *guest_says = "";
static char guest_ends_at;
static bool guest_crashes;

static size_t guest_input(void *opaque, const uint8_t *data, size_t len)
{
	size_t at = strlen(fake_guest_heard);

	(void)opaque;
	if (fake_guest_deaf)
		return 0;
	len = MIN(len, (size_t)16);
	len = MIN(len, sizeof(fake_guest_heard) - 1 - at);
	memcpy(fake_guest_heard + at, data, len);
	fake_guest_heard[at + len] = '\0';
	vm_console_input_ready(console);
	if (guest_ends_at && memchr(data, guest_ends_at, len)) {
		vm_console_output(console, (const uint8_t *)"Power down", 10);
		if (guest_crashes) {
			demo.state = VM_CRASHED;
			vm_console_vm_crashed(&demo);
		} else {
			(void)!vm_destroy(&demo);
		}
	}
	return len;
}

static void guest_nothing(void *opaque)
{
	(void)opaque;
}

unsigned fake_guest_columns, fake_guest_rows;

static void guest_size(void *opaque, unsigned columns, unsigned rows)
{
	(void)opaque;
	fake_guest_columns = columns;
	fake_guest_rows = rows;
}

static const struct vm_console_backend guest_backend = {
	.input = guest_input,
	.input_size = guest_size,
	.input_break = guest_nothing,
	.output_ready = guest_nothing,
};

int vm_start(struct vm *vm)
{
	if (fake_start_error || vm->state == VM_RUNNING)
		return fake_start_error ? fake_start_error : -EBUSY;
	console = vm_console_register(vm, "console0", "com1", &guest_backend, NULL);
	assert_non_null(console);
	vm->state = VM_RUNNING;
	vm_console_output(console, (const uint8_t *)guest_says, strlen(guest_says));
	return 0;
}

int vm_destroy(struct vm *vm)
{
	if (console)
		vm_console_unregister(console);
	console = NULL;
	vm->state = VM_STOPPED;
	return 0;
}

int vm_undefine(struct vm *vm)
{
	return vm->state == VM_RUNNING ? -EBUSY : 0;
}

int vm_reset(struct vm *vm)
{
	return vm->state == VM_RUNNING ? 0 : -EINVAL;
}

int vm_pause(struct vm *vm)
{
	return vm_reset(vm);
}

int vm_resume(struct vm *vm)
{
	return vm_reset(vm);
}

const char *vm_state_name(enum vm_state state)
{
	return (const char *const[]){"defined", "running", "paused", "stopped", "crashed"}[state];
}

struct vm *vm_find(const char *name)
{
	return strcmp(name, demo.name) ? NULL : &demo;
}

void vm_for_each(void (*fn)(void *opaque, struct vm *vm), void *opaque)
{
	fn(opaque, &demo);
}

/* Types of devices, for help. */

static const struct device_key uart_keys[] = {
	{.name = "io", .kind = KEY_UINT, .def = "0x3f8", .help = "first port"}, {}};
bool fake_guest_listens;

static bool uart_unplug(struct device *dev)
{
	(void)dev;
	return fake_guest_listens;
}

static const struct device_type uart = {
	.name = "uart", .help = "a port", .keys = uart_keys, .unplug = uart_unplug};

const struct device_type *device_type_find(const char *name)
{
	return strcmp(name, uart.name) ? NULL : &uart;
}

void device_type_for_each(void (*fn)(void *opaque, const struct device_type *type), void *opaque)
{
	fn(opaque, &uart);
}

/* Devices that come and go: one at a time. */

static struct device_manager *const some_manager = (void *)&demo;
static struct device plugged;
char fake_plugged[512];

enum vm_state vm_life_begin(struct vm *vm)
{
	vm->devices = vm->state == VM_RUNNING ? some_manager : NULL;
	return vm->state;
}

void vm_life_end(struct vm *vm, enum vm_state state)
{
	vm->state = state;
}

int device_create(struct vm *vm, const char *type, const char *id,
		  const struct vm_config_section *section, struct device **out)
{
	const struct vm_config_key *key;
	size_t at = snprintf(fake_plugged, sizeof(fake_plugged), "%s %s", type, id);

	(void)vm;
	if (strcmp(type, uart.name))
		return -ENOENT;
	for (key = section->keys; key; key = key->next)
		at += snprintf(fake_plugged + at, sizeof(fake_plugged) - at, " %s:%u:%s=<%s>",
			       section->file, key->line, key->name, key->value);
	plugged.type = &uart;
	snprintf(plugged.id, sizeof(plugged.id), "%s", id);
	plugged.type = &uart;
	plugged.asked = false;
	*out = &plugged;
	return 0;
}

struct device *device_find(struct vm *vm, const char *id)
{
	(void)vm;
	return *plugged.id && !strcmp(plugged.id, id) ? &plugged : NULL;
}

int device_destroy(struct device *dev)
{
	if (!strcmp(dev->id, "busy"))
		return -EBUSY;
	dev->id[0] = '\0';
	return 0;
}

void device_for_each(struct vm *vm, void (*fn)(void *opaque, struct device *dev), void *opaque)
{
	(void)vm;
	if (*plugged.id)
		fn(opaque, &plugged);
}

/* Steps of a test. */

int fake_setup(void **state)
{
	(void)state;
	demo.state = VM_DEFINED;
	fake_guest_listens = false;
	fake_guest_heard[0] = '\0';
	fake_pressed[0] = '\0';
	guest_says = "";
	guest_ends_at = 0;
	guest_crashes = false;
	fake_start_error = 0;
	return 0;
}

int fake_teardown(void **state)
{
	(void)state;
	(void)!vm_destroy(&demo);
	vm_console_forget(&demo);
	fake_bare = false;
	fake_keyboard_error = 0;
	fake_terminal = NULL;
	fake_guest_columns = fake_guest_rows = 0;
	fake_person = false;
	assert_int_equal(fake_objects, 0);
	return 0;
}

void fake_guest_says(const char *text)
{
	guest_says = text;
}

void fake_guest_crashes_when_it_hears(char key)
{
	guest_crashes = true;
	guest_ends_at = key;
}

void fake_guest_ends_when_it_hears(char key)
{
	guest_ends_at = key;
}

void fake_shell(bool autostart, const char *keys)
{
	fake_screen[0] = '\0';
	taker = NULL;
	answer = "";
	keys_left = keys;
	last_key = 0;
	woken = false;
	if (!setjmp(shell_waits))
		(void)!admin_start(autostart);
}
