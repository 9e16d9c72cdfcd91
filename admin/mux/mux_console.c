/* SPDX-License-Identifier: BSD-2-Clause */
/* A channel for each serial console of a VM that nobody else looks at. */
#include "admin/mux/mux.h"

#include "kernel/slab.h"
#include "kernel/task.h"

#include <stdio.h>
#include <string.h>

/* As admin/attach.c's, and for its reason: what goes out between two looks at the others. */
#define MUX_PIECE 64

static void mux_console_wake(void *task)
{
	task_wake(task);
}

struct mux_channel *mux_channel(uint8_t id)
{
	for (unsigned i = 0; i < MUX_CONSOLES; i++)
		if (mux->channels[i] && mux->channels[i]->id == id)
			return mux->channels[i];
	return NULL;
}

/* Not one that was used just now: bytes for it may be on their way. */
static uint8_t mux_console_id(void)
{
	uint8_t id = mux->last_id;

	do
		id = id < MUX_FIRST_CONSOLE || id >= MUX_LAST_CONSOLE ? MUX_FIRST_CONSOLE : id + 1;
	while (mux_channel(id));
	mux->last_id = id;
	return id;
}

/* With the list of VMs locked: a name that goes cannot be read later. */
static void mux_console_attach(void *unused, struct vm *vm)
{
	struct mux_channel *c = mux->spare;

	(void)unused;
	if (c->console)
		return;
	c->viewer = (struct vm_console_viewer){mux_console_wake, mux->task};
	c->console = vm_console_attach_free(vm, &c->viewer);
	if (c->console)
		snprintf(c->name, sizeof(c->name), "%s.%s", vm->name, c->console->port);
}

struct mux_channel **mux_channel_slot(void)
{
	struct mux_channel **slot = mux->channels;

	while (*slot)
		if (++slot == mux->channels + MUX_CONSOLES)
			return NULL;
	return slot;
}

static bool mux_name_is_used(const char *name)
{
	for (unsigned i = 0; i < MUX_CONSOLES; i++)
		if (mux->channels[i] && !strcmp(mux->channels[i]->name, name))
			return true;
	return false;
}

/* The other end tells channels by their names. Those with a dot may be alike: a VM's port may be
 * called gdb, and a VM's name or a port's may have a dot itself. */
static void mux_channel_name(struct mux_channel *c)
{
	size_t len = strlen(c->name);

	for (unsigned n = 2; mux_name_is_used(c->name); n++)
		snprintf(c->name + len, sizeof(c->name) - len, "-%u", n);
}

void mux_channel_open(struct mux_channel **slot, struct mux_channel *c)
{
	mux_channel_name(c);
	c->id = mux_console_id();
	ring_init(&c->pending, c->pending_data, sizeof(c->pending_data));
	*slot = c;
	mux->out_pos[c->id] = 0;
	mux_console_tell(c);
}

/* The next console without a viewer becomes a channel; whether there was one. */
static bool mux_console_open(void)
{
	struct mux_channel *c, **slot = mux_channel_slot();

	if (!slot)
		return false;
	if (!mux->spare)
		mux->spare = kzalloc(sizeof(*mux->spare));
	c = mux->spare;
	if (!c)
		return false;
	vm_for_each(mux_console_attach, NULL);
	if (!c->console)
		return false;
	mux->spare = NULL;
	mux_channel_open(slot, c);
	return true;
}

void mux_console_tell(struct mux_channel *c)
{
	mux_tell_open(c->id, c->console ? MUX_KIND_CONSOLE : MUX_KIND_GDB, c->name);
	mux_console_credit(c, true);
}

static void mux_console_close(struct mux_channel **slot)
{
	struct mux_channel *c = *slot;

	*slot = NULL;
	mux_tell((const uint8_t[]){MUX_CLOSE, c->id}, 2);
	if (!c->console) {
		mux_pipe_end(c);
		return;
	}
	vm_console_detach(c->console);
	kfree(c);
}

void mux_consoles_close(void)
{
	for (unsigned i = 0; i < MUX_CONSOLES; i++)
		if (mux->channels[i])
			mux_console_close(&mux->channels[i]);
}

/* What has come goes to the guest, as far as that takes it. */
static void mux_console_pass(struct mux_channel *c)
{
	uint8_t piece[256];
	size_t len, n;

	if (!c->console) {
		task_wake(c->reader);
		return;
	}
	do {
		len = ring_peek(&c->pending, c->pending.tail, piece, sizeof(piece));
		if (!len)
			break;
		n = vm_console_input(c->console, piece, len);
		c->pending.tail += n;
	} while (n == len);
	mux_console_credit(c, false);
}

void mux_console_input(struct mux_channel *c, const struct mux_frame *frame)
{
	c->in_pos = mux_count_gap(c->id, c->in_pos, frame);
	if (ring_put(&c->pending, frame->data, frame->len) < frame->len)
		mux_count_error(MUX_ERROR_OVERRUN, c->id);
	mux_console_pass(c);
}

void mux_console_credit(struct mux_channel *c, bool again)
{
	uint16_t limit = (uint16_t)(c->in_pos + ring_space(&c->pending));

	/* Not for each byte. */
	if (!again && (uint16_t)(limit - c->in_limit) < MUX_WINDOW / 2)
		return;
	c->in_limit = limit;
	mux_tell_credit(c->id, limit);
}

static bool mux_console_show(struct mux_channel *c)
{
	uint16_t room = (uint16_t)(c->out_limit - mux->out_pos[c->id]);
	uint8_t piece[MUX_PIECE];
	size_t n;

	/* Half of all positions lie ahead. */
	if (room > INT16_MAX)
		return false;
	n = vm_console_read(c->console, piece, MIN(sizeof(piece), (size_t)room));
	if (n)
		console_write_stream(mux->sink, c->id, (const char *)piece, n);
	return n;
}

bool mux_consoles_step(void)
{
	bool shown = false;

	while (mux_console_open())
		;
	for (unsigned i = 0; i < MUX_CONSOLES; i++) {
		struct mux_channel *c = mux->channels[i];

		if (!c || !c->console)
			continue;
		mux_console_pass(c);
		if (mux_console_show(c))
			shown = true;
		else if (vm_console_over(c->console))
			mux_console_close(&mux->channels[i]);
	}
	return shown;
}
