/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that comes over the console's line, as far as it has come. */
#ifndef ADMIN_LOADMOD_H
#define ADMIN_LOADMOD_H

#include "admin/base64.h"
#include "admin/paste.h"
#include "admin/transfer.h"
#include "lib/compiler.h"

#include <stddef.h>
#include <stdint.h>

#define LOADMOD_MAX (UINT64_C(256) << 20)

struct loadmod {
	const char *name;
	uint8_t *data; /* of 2^order pages; NULL: none yet */
	unsigned order;
	size_t len;
	uint64_t size; /* that it has, as the person or YMODEM says; 0: as comes */
	union {	       /* how it comes */
		struct {
			char line[PASTE_LINE_MAX + 1];
			uint8_t bytes[PASTE_LINE_MAX];
			struct base64 base64;
		};
		struct {
			struct transfer transfer;
			struct xmodem xmodem;
		};
	};
};

/* @n bytes more, of PASTE_LINE_MAX at most. -ENOMEM; -EFBIG. */
int loadmod_put(struct loadmod *l, const uint8_t *bytes, size_t n) __must_check;
/*
 * Takes it by XMODEM, or YMODEM (@batch). Errors of transfer.h's and loadmod_put()'s; -EMSGSIZE: it
 * is shorter than it is said to be.
 */
int loadmod_xmodem(struct loadmod *l, bool batch) __must_check;

#endif
