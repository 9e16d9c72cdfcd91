/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is told of a crashed VM beside why, where and the registers, which the
 * vCPU that failed has logged (vmm/post_mortem.h): each vCPU's last exits, what
 * the log had to say of the VM before, the guest's last words, and what to try.
 */
#include "admin/trace_format.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/slab.h"
#include "vmm/post_mortem.h"
#include "vmm/vm.h"
#include "vmm/vm_console.h"

#include <stdio.h>
#include <string.h>

#define CARD_EXITS	 16
#define CARD_PANIC_EXITS 8
#define CARD_LINES	 8u
#define CARD_WORDS	 1024 /* bytes of a guest's console that are searched for its last lines */

#define LINE(vm, ...) vm_log(vm, LOG_ERROR, __VA_ARGS__)

static void card_exits(struct vm *vm, const struct vcpu *vcpu)
{
	struct flight_exit exits[CARD_EXITS];
	char line[TRACE_LINE_MAX];
	unsigned i, count;
	bool open;

	count = flight_copy(vcpu, exits, CARD_EXITS, &open);
	if (count)
		LINE(vm, "vcpu %u: last exits:  " TRACE_HEAD, vcpu->index);
	for (i = 0; i < count; i++) {
		trace_format(line, &exits[i], open && i == count - 1);
		LINE(vm, "vcpu %u:   %s", vcpu->index, line);
	}
}

/* Which of the log's lines are of the VM, but not of this card. */
struct card_log {
	struct vm *vm;
	unsigned found; /* so many … */
	unsigned life;	/* … of which these are of lives that are over … */
	unsigned skip;	/* … and these are not shown */
	bool show;
};

static bool card_own_line(const char *text)
{
	static const char *const own[] = {"vcpu ", "log | ", "said | ", "what to try: "};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (!strncmp(text, own[i], strlen(own[i])))
			return true;
	return false;
}

/* What comes before is of a life that is over. */
static bool card_ends_life(const char *text)
{
	return !strncmp(text, "crashed;", 8) || !strcmp(text, "stopped");
}

static void card_log_line(void *opaque, const char *text)
{
	struct card_log *log = opaque;
	char prefix[VM_NAME_MAX + 8];
	const char *at;

	snprintf(prefix, sizeof(prefix), "vm %s: ", log->vm->name);
	at = strstr(text, prefix);
	if (!at || card_own_line(at + strlen(prefix)))
		return;
	if (card_ends_life(at + strlen(prefix))) {
		log->life = log->found;
		return;
	}
	if (log->show && log->found >= log->skip)
		LINE(log->vm, "log | %s", text);
	log->found++;
}

/* Two rounds: which are the last ones is known at the end of the first. */
static void card_log(struct vm *vm)
{
	struct card_log log = {.vm = vm};

	log_for_each(card_log_line, &log);
	log.skip = MAX(log.life, log.found - MIN(log.found, CARD_LINES));
	log.found = 0;
	log.show = true;
	log_for_each(card_log_line, &log);
}

/* Where the last CARD_LINES lines begin; no newline ends the last one. */
static char *card_last_lines(char *text, size_t len)
{
	unsigned lines = 0;

	while (len && (text[len - 1] != '\n' || ++lines < CARD_LINES))
		len--;
	return text + len;
}

static void card_words(struct vm *vm)
{
	char *text = kmalloc(CARD_WORDS + 1), *line, *end;
	size_t len;

	if (!text)
		return;
	len = vm_console_last(vm, text, CARD_WORDS);
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	text[len] = '\0';
	for (line = card_last_lines(text, len); *line; line = end) {
		end = line + strcspn(line, "\r\n");
		if (end > line)
			LINE(vm, "said | %.*s", (int)(end - line), line);
		end += strspn(end, "\r\n");
	}
	kfree(text);
}

static void card(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		card_exits(vm, vm->vcpus[i]);
	card_log(vm);
	card_words(vm);
	LINE(vm,
	     "what to try: `trace %s 1024`, `info vmcs %s.0`, `console %s`; is the fault the "
	     "guest's own, on a real machine, too?",
	     vm->name, vm->name, vm->name);
}

CRASH_REPORT(card);

/* What the vCPU did that ran where we have panicked. */
static void card_panic(panic_line_fn line, struct vcpu *last)
{
	struct flight_exit exits[CARD_PANIC_EXITS];
	char text[TRACE_LINE_MAX];
	unsigned i, count;
	bool open;

	if (!last)
		return;
	line("vm %s, vcpu %u ran last on this CPU:  " TRACE_HEAD, last->vm->name, last->index);
	count = flight_copy(last, exits, CARD_PANIC_EXITS, &open);
	for (i = 0; i < count; i++) {
		trace_format(text, &exits[i], open && i == count - 1);
		line("  %s", text);
	}
}

PANIC_REPORT(card_panic);
