/* SPDX-License-Identifier: BSD-2-Clause */
/* From bytes to struct insn, by way of Zydis. */
#ifndef VMM_EMULATE_DECODE_H
#define VMM_EMULATE_DECODE_H

#include "vmm/emulate/insn.h"

enum decode_result {
	DECODE_OK,	  /* insn->handler may be NULL: not emulated */
	DECODE_MORE,	  /* the instruction goes on behind @bytes */
	DECODE_UNDEFINED, /* #UD: a LOCK that is not allowed */
	DECODE_TOO_LONG,  /* #GP: more than 15 bytes */
	DECODE_UNKNOWN,	  /* not an instruction, or none that the decoder knows */
};

/* Decodes @len bytes, which stand at RIP, for the mode that @ctx is in. Touches no guest state. */
enum decode_result __must_check decode_insn(const struct emulate_ctx *ctx, const uint8_t *bytes,
					    unsigned int len, struct insn *insn);

#endif
