/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory side of INS and OUTS: many elements for one exit. */
#ifndef VMM_EMULATE_STRING_IO_H
#define VMM_EMULATE_STRING_IO_H

#include "vmm/emulate/emulate.h"

/*
 * Reads (INS) or writes (OUTS) the port @count times, one element after the
 * other at @data, which may be the guest's own memory.
 */
typedef void (*string_io_transfer)(void *opaque, void *data, unsigned int count);

struct string_io {
	bool in; /* INS */
	bool rep;
	uint8_t width;	      /* of an element: 1, 2, 4 bytes */
	uint8_t addr_width;   /* 2, 4, 8 bytes */
	enum emulate_seg seg; /* of OUTS' source; INS writes to ES */
	string_io_transfer transfer;
	void *opaque; /* its first argument */
};

/*
 * Moves a bounded number of elements. An element's memory is checked and
 * translated before its port is touched.
 *
 * EMULATE_DONE: the instruction is finished, RIP is the caller's to advance.
 * EMULATE_AGAIN: elements are left. EMULATE_FAULT: so are they; ctx->fault.
 */
enum emulate_result __must_check string_io_run(struct emulate_ctx *ctx, const struct string_io *io);

#endif
