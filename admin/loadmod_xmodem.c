/* SPDX-License-Identifier: BSD-2-Clause */
/* `loadmod NAME xmodem` and `ymodem`: the line is the sender's until it is done. */
#include "admin/loadmod.h"

#include <errno.h>

/* The last block is padded: more than that is another file than the person speaks of. */
static int loadmod_block(void *opaque, const uint8_t *data, size_t len)
{
	struct loadmod *l = opaque;
	int err;

	if (l->size && l->len + len >= l->size + XMODEM_BLOCK_MAX)
		return -EFBIG;
	err = loadmod_put(l, data, len);
	l->transfer.done = l->len;
	return err;
}

static int loadmod_header(void *opaque, uint64_t size)
{
	struct loadmod *l = opaque;

	l->size = l->transfer.total = size;
	return size > LOADMOD_MAX ? -EFBIG : 0;
}

int loadmod_xmodem(struct loadmod *l, bool batch)
{
	struct xmodem *x = &l->xmodem;
	int err = transfer_begin(&l->transfer, batch ? "YMODEM" : "XMODEM",
				 batch ? "sb -k FILE" : "sx -k FILE", false);

	if (err)
		return err;
	x->put = loadmod_block;
	x->header = batch ? loadmod_header : NULL;
	x->opaque = l;
	err = transfer_receive(&l->transfer, x);
	transfer_end(&l->transfer);
	if (err || !l->size)
		return err;
	if (l->len < l->size)
		return -EMSGSIZE;
	l->len = l->size;
	return 0;
}
