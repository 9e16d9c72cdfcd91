/* SPDX-License-Identifier: BSD-2-Clause */
/* Checkpoints leave and enter the machine, by YMODEM over the line. */
#include "admin/command.h"
#include "admin/transfer.h"
#include "kernel/slab.h"
#include "vmm/checkpoint/checkpoint.h"
#include "vmm/checkpoint/place.h"
#include "vmm/checkpoint/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct sending {
	struct transfer transfer;
	struct ymodem ymodem;
	char name[CHECKPOINT_NAME_MAX + sizeof(".ckpt")];
	struct checkpoint_source source;
};

static void send_part(void *opaque, uint64_t at, void *data, size_t len)
{
	const struct checkpoint_source *source = opaque;

	source->read(source->opaque, at, data, len);
}

static int send(struct sending *s, const char *name)
{
	int err = transfer_begin(&s->transfer, "YMODEM", "rb", true);

	if (err)
		return err;
	snprintf(s->name, sizeof(s->name), "%s.ckpt", name);
	s->ymodem.get = send_part;
	s->ymodem.opaque = &s->source;
	s->ymodem.name = s->name;
	s->ymodem.size = s->source.size;
	err = transfer_send(&s->transfer, &s->ymodem);
	transfer_end(&s->transfer);
	return err;
}

static void command_send(char **argv)
{
	const char *name = argv[1];
	const struct checkpoint_place *place = checkpoint_place_of(&name);
	struct sending *s = kzalloc(sizeof(*s));
	char why[CHECKPOINT_WHY_MAX] = "";
	int err = -ENOMEM;

	if (s)
		err = place->open(name, &s->source, why);
	if (!err) {
		err = send(s, name);
		if (place->close)
			place->close(&s->source, why);
	}
	if (*why)
		command_error("send: %s: %s\n", argv[1], why);
	else if (err)
		command_error("send: %s: %s\n", argv[1], transfer_why(err) ?: "out of memory");
	else
		console_printf("%s is sent as %s\n", argv[1], s->name);
	kfree(s);
}

struct receiving {
	struct transfer transfer;
	struct xmodem xmodem;
	struct snapshot *snapshot;
	struct checkpoint_source source;
	char why[CHECKPOINT_WHY_MAX]; /* it is none */
};

static int receive_header(void *opaque, uint64_t size)
{
	struct receiving *r = opaque;
	uint64_t taken, room = snapshot_room(&taken);

	r->transfer.total = size;
	return size > room - taken ? -ENOSPC : 0;
}

/* What is no checkpoint of this version is refused when its first block is here. */
static int receive_block(void *opaque, const uint8_t *data, size_t len)
{
	struct receiving *r = opaque;
	struct transfer *t = &r->transfer;
	bool first = !t->done;
	int err;

	len = MIN(len, t->total - t->done);
	if (!len)
		return -EFBIG;
	err = snapshot_append(r->snapshot, data, len);
	t->done += len;
	if (err || !first)
		return err;
	snapshot_source(r->snapshot, &r->source);
	return checkpoint_verify_header(&r->source, r->why);
}

static int receive(struct receiving *r)
{
	int err = transfer_begin(&r->transfer, "YMODEM", "sb -k FILE", false);

	if (err)
		return err;
	r->xmodem.put = receive_block;
	r->xmodem.header = receive_header;
	r->xmodem.opaque = r;
	err = transfer_receive(&r->transfer, &r->xmodem);
	transfer_end(&r->transfer);
	if (!err && r->transfer.done < r->transfer.total)
		err = -EMSGSIZE;
	if (err)
		return err;
	snapshot_source(r->snapshot, &r->source);
	return checkpoint_verify(&r->source, r->why);
}

static const char *receive_why(const struct receiving *r, int err)
{
	switch (err) {
	case -EEXIST:
		return "there is a snapshot of that name";
	case -EINVAL:
		return *r->why ? r->why : "expected a name of 1 to 31 letters, digits and . _ -";
	case -ENOSPC:
		return "snapshots may not take so much: `snapshot-delete` forgets one";
	case -EFBIG:
		return "more came than its size";
	case -EMSGSIZE:
		return "less came than its size";
	default:
		return transfer_why(err) ?: "no memory is left: see `info memory`";
	}
}

static void command_receive(char **argv)
{
	struct receiving *r = kzalloc(sizeof(*r));
	int err = -ENOMEM;

	if (r)
		err = snapshot_create(argv[1], &r->snapshot);
	if (!err) {
		err = receive(r);
		if (err)
			snapshot_delete(r->snapshot);
		else
			snapshot_publish(r->snapshot);
	}
	if (err)
		command_error("receive: %s: %s; nothing is kept\n", argv[1],
			      r ? receive_why(r, err) : "no memory is left");
	else
		console_printf("%s is here, and whole: `restore %s`\n", argv[1], argv[1]);
	kfree(r);
}

COMMAND(send_entry, .name = "send", .args = "NAME",
	.help = "a saved VM over this line to a file at the other end (YMODEM: rb)",
	.example = "send before-upgrade", .min = 1, .max = 1, .run = command_send, .live = true,
	.words = command_add_snapshots);
COMMAND(receive_entry, .name = "receive", .args = "NAME",
	.help = "a file of `send`'s over this line (YMODEM: sb), for `restore NAME`",
	.example = "receive before-upgrade", .min = 1, .max = 1, .run = command_receive,
	.live = true);
