/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/transfer.h"

#include "admin/input.h"
#include "kernel/task.h"
#include "kernel/time.h"

#include <errno.h>
#include <inttypes.h>

#define TRANSFER_QUIET_NS NSEC_PER_SEC	      /* without a byte: the other end has heard */
#define TRANSFER_DRAIN_NS (30 * NSEC_PER_SEC) /* that it gets for that */
#define TRANSFER_LOOK_NS  (100 * NSEC_PER_MSEC)

/* The line as it is: bytes of the file's, none of the shell's or the log's but in a panic. */

enum { TRANSFER_STREAM = CONSOLE_STREAMS };

static void line_changes(struct console_sink *sink __unused)
{
}

static void line_output(struct console_sink *sink, unsigned stream, const char *s, size_t len)
{
	if (stream == TRANSFER_STREAM || sink->now)
		sink->write(sink, s, len);
}

static const struct console_framing transfer_line = {
	.begin = line_changes,
	.end = line_changes,
	.output = line_output,
	.input = console_input,
};

static void transfer_write(void *opaque, const uint8_t *s, size_t len)
{
	struct transfer *t = opaque;

	if (t->pipe) { /* which others write to as well: its ring may never be empty */
		t->pipe->framing->pipe_write(t->pipe, (const char *)s, len);
		return;
	}
	console_write_stream(t->sink, TRANSFER_STREAM, (const char *)s, len);
	while (len > 1 && READ_ONCE(t->sink->backlog))
		console_pace();
}

/* What the pipe has to say; the person may say something to the shell meanwhile: *@err. */
static const uint8_t *pipe_listen(struct transfer *t, uint64_t ns, size_t *len, int *err)
{
	uint64_t deadline = time_tsc() + time_ns_to_tsc(ns),
		 look = time_ns_to_tsc(TRANSFER_LOOK_NS);

	while (t->at == t->len && !*err) {
		t->at = 0;
		t->len = t->pipe->framing->pipe_read(t->pipe, (char *)t->piece, sizeof(t->piece));
		progress_update(&t->progress, t->done, t->total);
		if (progress_cancelled())
			*err = -ECANCELED;
		else if (!t->len && t->pipe->over)
			*err = -ENOTCONN;
		if (t->len || time_tsc() >= deadline)
			break;
		task_sleep_until(MIN(deadline, time_tsc() + look));
	}
	*len = t->len - t->at;
	return t->piece + t->at;
}

/* What the other end has to say within @ns; *@len is 0: nothing. */
static const uint8_t *transfer_listen(struct transfer *t, uint64_t ns, size_t *len, int *err)
{
	const uint8_t *data;

	if (t->pipe)
		return pipe_listen(t, ns, len, err);
	data = input_peek(len);
	if (*len)
		return data;
	input_wait_ns(ns);
	return input_peek(len);
}

static void transfer_taken(struct transfer *t, size_t len)
{
	if (t->pipe)
		t->at += len;
	else
		input_taken(len);
}

/* What the other end has on its way must not become lines of the shell's. */
static void transfer_give_up(struct transfer *t, struct xmodem *x)
{
	uint64_t deadline = time_tsc() + time_ns_to_tsc(TRANSFER_DRAIN_NS);
	bool heard = true;

	while (heard && time_tsc() < deadline) {
		size_t len;
		int err = 0;

		xmodem_cancel(x);
		heard = false;
		while (transfer_listen(t, TRANSFER_QUIET_NS, &len, &err),
		       len && time_tsc() < deadline) {
			transfer_taken(t, len);
			heard = true;
		}
	}
}

static bool is_told(int err)
{
	return err == -ECONNABORTED || err == -ENODATA || err == -ENOTCONN;
}

int transfer_receive(struct transfer *t, struct xmodem *x)
{
	int err = XMODEM_MORE, end = 0;

	x->send = transfer_write;
	x->line = t;
	xmodem_begin(x);
	while (err == XMODEM_MORE) {
		uint64_t ns = xmodem_patience_ms(x) * NSEC_PER_MSEC;
		const uint8_t *data;
		size_t len;

		data = transfer_listen(t, ns, &len, &end);
		if (end)
			err = end;
		else
			err = len ? xmodem_byte(x, *data) : xmodem_silence(x);
		transfer_taken(t, len ? 1 : 0);
	}
	if (err && !is_told(err))
		transfer_give_up(t, x);
	return err;
}

int transfer_send(struct transfer *t, struct ymodem *y)
{
	struct xmodem x = {.send = transfer_write, .line = t};
	int err = XMODEM_MORE, end = 0;

	y->send = transfer_write;
	y->line = t;
	t->total = y->size;
	while (err == XMODEM_MORE) {
		const uint8_t *data;
		size_t len;

		data = transfer_listen(t, YMODEM_PATIENCE_MS * NSEC_PER_MSEC, &len, &end);
		if (end)
			err = end;
		else
			err = len ? ymodem_heard(y, data, len) : ymodem_silence(y);
		transfer_taken(t, len);
		t->done = y->done;
	}
	if (err && !is_told(err))
		transfer_give_up(t, &x);
	return err;
}

int transfer_begin(struct transfer *t, const char *way, const char *program, bool from)
{
	const struct console_framing *framing;

	*t = (struct transfer){.sink = console_input_sink()};
	if (!t->sink)
		return -ENODEV;
	framing = READ_ONCE(t->sink->framing);
	if (framing) {
		t->pipe = framing->pipe_open("transfer");
		if (!t->pipe)
			return -EBUSY;
	}
	console_printf("%s the file by %s within two minutes, %s: %s%s. Ctrl-C%s gives up.\n",
		       from ? "Take" : "Send", way,
		       framing ? "in the folder of alcazar-mux" : "with nothing else on the line",
		       program, framing ? " < transfer > transfer" : "", framing ? "" : " twice");
	progress_begin(&t->progress, from ? "sent" : "taken");
	t->start = time_ns();
	if (!framing) {
		console_mute(true);
		console_set_framing(t->sink, &transfer_line);
	}
	return 0;
}

void transfer_end(struct transfer *t)
{
	uint64_t ms = (time_ns() - t->start) / NSEC_PER_MSEC;

	if (t->pipe) {
		progress_end(&t->progress);
		t->pipe->framing->pipe_close(t->pipe);
	} else {
		console_set_framing(t->sink, NULL);
		console_write("\n", 1);
		console_mute(false);
	}
	if (t->done)
		console_printf("%" PRIu64 " KiB in %" PRIu64 " s, %" PRIu64 " KiB/s\n",
			       t->done >> 10, ms / 1000,
			       t->done * 1000 / MAX(ms, UINT64_C(1)) >> 10);
}

const char *transfer_why(int err)
{
	switch (err) {
	case -ENODEV:
		return "no serial line brought this command";
	case -EBUSY:
		return "the line has no channel left, or no memory is";
	case -ECANCELED:
		return "given up";
	case -ETIMEDOUT:
		return "nobody began at the other end";
	case -ECONNABORTED:
		return "the other end gave up";
	case -ENOTCONN:
		return "the line's frames have ended";
	case -EIO:
		return "too many blocks were broken, or nothing came any more";
	case -EPROTO:
		return "a block is out of turn, or of XMODEM for YMODEM (sb), or of YMODEM for "
		       "XMODEM (sx)";
	case -ENODATA:
		return "the sender has nothing to send";
	case -EDOM:
		return "the sender does not tell the size";
	default:
		return NULL;
	}
}
