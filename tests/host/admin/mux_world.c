/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/admin/mux_world.h"

#include "kernel/task.h"
#include "kernel/time.h"
#include "tests/host/vmm/fake.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void line_write(struct console_sink *sink, const char *s, size_t len);

struct console_sink world_line = {.name = "com1", .write = line_write, .interactive = true};
char world_typed[WORLD_KEPT];
size_t world_typed_len, world_shell_space;
char world_guest[WORLD_VMS][WORLD_KEPT];
size_t world_guest_len[WORLD_VMS], world_guest_takes[WORLD_VMS];
struct world_end world_end;
struct time_scale time_scale;
uint64_t fake_tsc;

static struct mux_decoder decoder;
static uint16_t control_pos;

static const size_t indexes[WORLD_VMS] = {0, 1, 2};
static struct vm vms[WORLD_VMS] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
static struct vm_console *consoles[WORLD_VMS];

static void check(bool good)
{
	if (!good)
		abort();
}

/* The other end. */

static void end_open(const uint8_t *message, size_t len)
{
	if (world_end.open[message[1]]) /* told again behind a pong */
		return;
	world_end.open[message[1]] = true;
	world_end.kind[message[1]] = message[2];
	check(len - 3 < WORLD_NAME);
	memcpy(world_end.name[message[1]], message + 3, len - 3);
	world_end.name[message[1]][len - 3] = '\0';
	world_end.pos[message[1]] = 0;
	world_end.limit[message[1]] = 0;
	world_end.len[message[1]] = 0;
	if (message[2] != MUX_KIND_CONSOLE)
		return;
	check(len >= 3 + sizeof("a.com1") - 1 && !memcmp(message + 4, ".com1", 5));
	check(message[1] >= MUX_FIRST_CONSOLE && message[1] <= MUX_LAST_CONSOLE);
	world_end.vm_channel[message[3] - 'a'] = message[1];
}

static void end_message(const uint8_t *message, size_t len)
{
	switch (message[0]) {
	case MUX_HELLO:
		check(len == 3 && message[1] == MUX_VERSION);
		memset(world_end.open, 0, sizeof(world_end.open));
		memset(world_end.pos, 0, sizeof(world_end.pos));
		memset(world_end.errors, 0, sizeof(world_end.errors));
		world_end.pos[MUX_CONTROL] = 3;
		control_pos = 0;
		world_end.hellos++;
		break;
	case MUX_OPEN:
		end_open(message, len);
		break;
	case MUX_CLOSE:
		check(len == 2 && world_end.open[message[1]]);
		world_end.open[message[1]] = false;
		world_end.closed++;
		break;
	case MUX_CREDIT:
		check(len == 4 && world_end.open[message[1]]);
		world_end.credit[message[1]] = (uint16_t)(message[2] | message[3] << 8);
		break;
	case MUX_ERROR:
		check(len == 7 && message[1] < MUX_ERRORS);
		world_end.errors[message[1]] = (uint32_t)(message[3] | message[4] << 8);
		break;
	case MUX_PONG:
		world_end.pongs++;
		break;
	default:
		check(message[0] == MUX_BYE && len == 1);
		world_end.byes++;
		break;
	}
}

static void end_frame(const struct mux_frame *frame)
{
	uint8_t c = frame->channel;
	bool hello = c == MUX_CONTROL && frame->data[0] == MUX_HELLO;

	check(frame->len && (hello || frame->pos == world_end.pos[c]));
	world_end.pos[c] = (uint16_t)(frame->pos + frame->len);
	if (c == MUX_CONTROL) {
		end_message(frame->data, frame->len);
		return;
	}
	check(world_end.open[c]);
	if (world_end.kind[c] == MUX_KIND_CONSOLE)
		check((uint16_t)(world_end.limit[c] - world_end.pos[c]) < 0x8000);
	if (world_end.len[c] + frame->len >= WORLD_KEPT)
		world_end.len[c] = 0;
	memcpy(world_end.said[c] + world_end.len[c], frame->data, frame->len);
	world_end.len[c] += frame->len;
	world_end.said[c][world_end.len[c]] = '\0';
}

static void line_write(struct console_sink *sink, const char *s, size_t len)
{
	struct mux_frame frame;

	if (!sink->framing && s[0]) {
		strncat(world_end.text, s, MIN(len, WORLD_KEPT - 1 - strlen(world_end.text)));
		return;
	}
	for (size_t i = 0; i < len; i++) {
		enum mux_event event = mux_frame_decode(&decoder, (uint8_t)s[i], &frame);

		check(event == MUX_NOTHING || event == MUX_FRAME);
		if (event == MUX_FRAME)
			end_frame(&frame);
	}
}

/* The console. */

void console_set_framing(struct console_sink *sink, const struct console_framing *framing)
{
	if (sink->framing)
		sink->framing->end(sink);
	sink->framing = framing;
	if (framing)
		framing->begin(sink);
}

void console_write_stream(struct console_sink *sink, unsigned stream, const char *s, size_t len)
{
	check(sink->framing);
	sink->framing->output(sink, stream, s, len);
}

struct console_sink *console_input_sink(void)
{
	return &world_line;
}

void console_pace(void)
{
}

size_t console_input_space(void)
{
	return world_shell_space;
}

void console_input(struct console_sink *sink, const char *s, size_t len)
{
	check(sink == &world_line);
	check(len <= world_shell_space);
	world_shell_space -= len;
	if (world_typed_len + len > WORLD_KEPT)
		world_typed_len = 0;
	memcpy(world_typed + world_typed_len, s, len);
	world_typed_len += len;
}

/* Tasks: the test takes their turns. */

struct task *task_create(const char *name, task_fn fn, void *arg, uint32_t cpu)
{
	(void)name;
	(void)fn;
	(void)arg;
	(void)cpu;
	return (struct task *)&world_end;
}

struct task *task_current(void)
{
	return (struct task *)&world_end;
}

void task_wake(struct task *task)
{
	check(task);
}

void task_sleep(void)
{
}

void task_sleep_until(uint64_t deadline)
{
	(void)deadline;
}

void task_yield(void)
{
}

/* The VMs. */

static size_t guest_input(void *opaque, const uint8_t *data, size_t len)
{
	size_t vm = *(const size_t *)opaque;

	len = MIN(len, world_guest_takes[vm]);
	world_guest_takes[vm] -= len;
	if (world_guest_len[vm] + len > WORLD_KEPT)
		world_guest_len[vm] = 0;
	memcpy(world_guest[vm] + world_guest_len[vm], data, len);
	world_guest_len[vm] += len;
	return len;
}

static void guest_nothing(void *opaque)
{
	(void)opaque;
}

static const struct vm_console_backend backend = {
	.input = guest_input,
	.input_break = guest_nothing,
	.output_ready = guest_nothing,
};

void vm_for_each(void (*fn)(void *opaque, struct vm *vm), void *opaque)
{
	for (unsigned i = 0; i < WORLD_VMS; i++)
		fn(opaque, &vms[i]);
}

void world_start(unsigned vm)
{
	if (!consoles[vm])
		consoles[vm] = vm_console_register(&vms[vm], "console0", "com1", &backend,
						   (void *)&indexes[vm]);
}

void world_stop(unsigned vm)
{
	if (consoles[vm])
		vm_console_unregister(consoles[vm]);
	consoles[vm] = NULL;
}

void world_says(unsigned vm, const char *text, size_t len)
{
	if (consoles[vm])
		(void)!vm_console_output(consoles[vm], (const uint8_t *)text, len);
}

void world_run(void)
{
	for (unsigned turns = 0; mux && mux->sink && turns < 10000 && mux_step(); turns++)
		;
}

void world_send(const void *data, size_t len)
{
	const char *s = data;

	for (size_t n; len; s += n, len -= n) {
		n = MIN(len, (size_t)16);
		if (world_line.framing)
			world_line.framing->input(&world_line, s, n);
		world_run();
	}
}

void world_frame(uint8_t channel, uint16_t pos, const void *data, size_t len)
{
	uint8_t wire[MUX_WIRE_MAX];

	world_send(wire, mux_frame_encode(wire, channel, pos, data, len));
}

void world_credit(uint8_t channel, uint16_t limit)
{
	const uint8_t message[] = {MUX_CREDIT, channel, (uint8_t)limit, (uint8_t)(limit >> 8)};

	world_end.limit[channel] = limit;
	world_frame(MUX_CONTROL, control_pos, message, sizeof(message));
	control_pos = (uint16_t)(control_pos + sizeof(message));
}

void world_reset(void)
{
	if (mux && mux->sink)
		mux_stop();
	for (unsigned i = 0; i < WORLD_VMS; i++) {
		world_stop(i);
		vm_console_forget(&vms[i]);
		world_guest_takes[i] = SIZE_MAX;
	}
	memset(world_guest_len, 0, sizeof(world_guest_len));
	memset(&decoder, 0, sizeof(decoder));
	memset(&world_end, 0, sizeof(world_end));
	world_typed_len = 0;
	world_shell_space = SIZE_MAX;
}
