/* SPDX-License-Identifier: BSD-2-Clause */
/* The handlers that the decoder's table names. */
#ifndef VMM_EMULATE_HANDLERS_H
#define VMM_EMULATE_HANDLERS_H

#include "vmm/emulate/insn.h"

/* move.c */
enum emulate_result move_plain(struct emulate_ctx *ctx, const struct insn *insn);
enum emulate_result move_zero_extend(struct emulate_ctx *ctx, const struct insn *insn);
enum emulate_result move_sign_extend(struct emulate_ctx *ctx, const struct insn *insn);
enum emulate_result move_swap_bytes(struct emulate_ctx *ctx, const struct insn *insn);
enum emulate_result move_from_segment(struct emulate_ctx *ctx, const struct insn *insn);

/* arith.c; op: enum alu_op */
enum emulate_result arith_alu(struct emulate_ctx *ctx, const struct insn *insn);
enum emulate_result arith_xchg(struct emulate_ctx *ctx, const struct insn *insn);
enum emulate_result arith_xadd(struct emulate_ctx *ctx, const struct insn *insn);

/* cmpxchg.c */
enum emulate_result cmpxchg_plain(struct emulate_ctx *ctx, const struct insn *insn);
enum emulate_result cmpxchg_8b(struct emulate_ctx *ctx, const struct insn *insn);
enum emulate_result cmpxchg_16b(struct emulate_ctx *ctx, const struct insn *insn);

/* bits.c; op: enum bits_op */
enum bits_op { BITS_TEST, BITS_SET, BITS_RESET, BITS_COMPLEMENT };
enum emulate_result bits_test(struct emulate_ctx *ctx, const struct insn *insn);

/* stack.c */
enum emulate_result stack_push(struct emulate_ctx *ctx, const struct insn *insn);
enum emulate_result stack_pop(struct emulate_ctx *ctx, const struct insn *insn);

/* string.c; op: enum string_op */
enum string_op { STRING_MOVS, STRING_STOS, STRING_LODS, STRING_CMPS, STRING_SCAS };
enum emulate_result string_run(struct emulate_ctx *ctx, const struct insn *insn);

#endif
