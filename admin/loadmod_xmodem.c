/* SPDX-License-Identifier: BSD-2-Clause */
/* `loadmod NAME xmodem`: the console's line is the sender's until it is done. */
#include "admin/input.h"
#include "admin/loadmod.h"
#include "kernel/console.h"
#include "kernel/time.h"

#include <errno.h>

#define LOADMOD_QUIET_NS NSEC_PER_SEC	     /* without a byte: the sender has heard */
#define LOADMOD_DRAIN_NS (30 * NSEC_PER_SEC) /* that it gets for that */

/* The last block is padded: more than that is another file than the person speaks of. */
static int loadmod_block(void *opaque, const uint8_t *data, size_t len)
{
	struct loadmod *l = opaque;

	if (l->size && l->len + len >= l->size + XMODEM_BLOCK_MAX)
		return -EFBIG;
	return loadmod_put(l, data, len);
}

/* What the line has to say within @ns. */
static const uint8_t *loadmod_listen(uint64_t ns, size_t *len)
{
	const uint8_t *data = input_peek(len);

	if (*len)
		return data;
	input_wait_ns(ns);
	return input_peek(len);
}

static int loadmod_receive(struct xmodem *x)
{
	int err = XMODEM_MORE;

	xmodem_begin(x);
	while (err == XMODEM_MORE) {
		size_t len;
		const uint8_t *data = loadmod_listen(xmodem_patience_ms(x) * NSEC_PER_MSEC, &len);

		err = len ? xmodem_byte(x, *data) : xmodem_silence(x);
		input_taken(len ? 1 : 0);
	}
	return err;
}

/* What the sender has on its way must not become lines of the shell's. */
static void loadmod_give_up(const struct xmodem *x)
{
	uint64_t deadline = time_tsc() + time_ns_to_tsc(LOADMOD_DRAIN_NS);
	bool heard = true;

	while (heard && time_tsc() < deadline) {
		size_t len;

		xmodem_cancel(x);
		heard = false;
		while (loadmod_listen(LOADMOD_QUIET_NS, &len), len && time_tsc() < deadline) {
			input_taken(len);
			heard = true;
		}
	}
}

int loadmod_xmodem(struct loadmod *l)
{
	struct xmodem *x = &l->xmodem;
	int err;

	console_printf("Send the file by XMODEM within two minutes, with nothing else on the line: "
		       "sx -k FILE. Ctrl-C twice gives up.\n");
	x->put = loadmod_block;
	x->send = console_write;
	x->opaque = l;
	console_mute(true);
	err = loadmod_receive(x);
	if (err && err != -ECONNABORTED && err != -ENODATA)
		loadmod_give_up(x);
	console_write("\n", 1);
	console_mute(false);
	if (err || !l->size)
		return err;
	if (l->len < l->size)
		return -EMSGSIZE;
	l->len = l->size;
	return 0;
}
