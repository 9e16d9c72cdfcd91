/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that go on until a key is pressed. */
#include "admin/command.h"
#include "admin/input.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "lib/compiler.h"
#include "lib/parse.h"
#include "vmm/vcpu.h"
#include "vmm/vm_life.h"

#include <stdio.h>
#include <string.h>

#define TOP_VMS	       32 /* that are told apart */
#define TOP_PERIOD_NS  NSEC_PER_SEC
#define WATCH_SECONDS  3600u
#define LIVE_COUNT_MAX 1000000u

/* Waits @ns, or for a key, which is taken. Whether there was one. */
static bool live_key(uint64_t ns)
{
	uint64_t deadline = time_tsc() + time_ns_to_tsc(ns);
	size_t len;

	for (;;) {
		uint64_t now = time_tsc();

		(void)input_peek(&len);
		if (len || now >= deadline)
			break;
		input_wait_ns(time_tsc_to_ns(deadline - now));
	}
	if (len)
		input_taken(1);
	return len;
}

/* What a VM has used, ever. */
struct top_vm {
	char name[VM_NAME_MAX + 1];
	uint64_t runtime, exits; /* TSC ticks */
};

struct top {
	struct top_vm vms[TOP_VMS];
	unsigned count;
	uint64_t tsc;
};

static void top_look(struct top *top)
{
	struct vm *vm;

	memset(top, 0, sizeof(*top));
	for (; top->count < TOP_VMS && (vm = vm_nth(top->count)); top->count++) {
		struct top_vm *t = &top->vms[top->count];
		enum vm_state state = vm_life_begin(vm);

		snprintf(t->name, sizeof(t->name), "%s", vm->name);
		for (uint32_t i = 0; i < vm->vcpu_count; i++) {
			const struct vcpu *vcpu = vm->vcpus[i];

			t->runtime += sched_runtime(&vcpu->entity);
			for (unsigned kind = 0; kind < VM_EXIT_KINDS; kind++)
				t->exits += vcpu->stats.exits[kind];
		}
		vm_life_end(vm, state);
	}
	top->tsc = time_tsc();
}

/* A VM that was started again meanwhile begins at 0. */
static uint64_t top_rate(uint64_t now, uint64_t before, uint64_t per, uint64_t ticks)
{
	return now < before ? 0 : (now - before) * per / ticks;
}

static void top_show(const struct top *now, const struct top *before)
{
	uint64_t ticks = MAX(now->tsc - before->tsc, UINT64_C(1));

	console_printf("%-20s %8s %14s\n", "NAME", "CPU", "EXITS/S");
	for (unsigned i = 0; i < now->count; i++) {
		const struct top_vm *n = &now->vms[i], *b = &before->vms[i];
		uint64_t permille;

		if (strcmp(n->name, b->name))
			continue; /* one has gone: all moved up */
		permille = top_rate(n->runtime, b->runtime, 1000, ticks);
		console_printf("%-20s %5lu.%lu%% %14lu\n", n->name, permille / 10, permille % 10,
			       top_rate(n->exits, b->exits, time_scale.tsc_khz * 1000, ticks));
	}
}

/* The next look takes the place of the last where a person looks on. */
static void live_clear(bool first)
{
	static const char clear[] = "\x1b[H\x1b[J";

	if (!first)
		console_write(clear, sizeof(clear) - 1);
}

/* @text as a number from 1 on, or @otherwise where it is NULL; 0 with a message. */
static uint64_t live_number(const char *command, const char *text, uint64_t max, uint64_t otherwise)
{
	uint64_t number = otherwise;

	if (text && (!parse_uint(text, &number) || !number || number > max)) {
		command_error("%s: %s: expected a number from 1 to %lu\n", command, text, max);
		return 0;
	}
	return number;
}

static void command_top(char **argv)
{
	static struct top looks[2]; /* the shell's task alone */
	uint64_t count = live_number("top", argv[1], LIVE_COUNT_MAX, UINT64_MAX);

	top_look(&looks[0]);
	for (uint64_t n = 0; n < count && !live_key(TOP_PERIOD_NS); n++) {
		top_look(&looks[1]);
		live_clear(argv[1] || !n);
		top_show(&looks[1], &looks[0]);
		looks[0] = looks[1];
	}
}

static void command_watch(char **argv)
{
	uint64_t seconds = live_number("watch", argv[1], WATCH_SECONDS, 0);
	const struct command *command =
		command_find(TABLE_START(commands), TABLE_END(commands), argv[2]);

	if (!seconds)
		return;
	if (!command || command->live) {
		command_error("watch: %s: expected a command that ends by itself\n", argv[2]);
		return;
	}
	do {
		command_run(command, "", argv + 2);
		console_printf("-- every %lu s; a key ends it --\n", seconds);
	} while (!live_key(seconds * NSEC_PER_SEC));
}

COMMAND(top_entry, .name = "top", .args = "[COUNT]",
	.help = "what CPU time VMs take and how often they exit; a key ends it", .example = "top",
	.max = 1, .run = command_top, .live = true);
COMMAND(watch_entry, .name = "watch", .args = "SECONDS COMMAND [WORDS]",
	.help = "run a command again and again; a key ends it",
	.example = "watch 5 info exits linux", .min = 2, .max = 31, .run = command_watch,
	.live = true);
