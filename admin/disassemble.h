/* SPDX-License-Identifier: BSD-2-Clause */
/* An instruction in words: AT&T's, as gdb and QEMU's monitor have them. By Zydis. */
#ifndef ADMIN_DISASSEMBLE_H
#define ADMIN_DISASSEMBLE_H

#include <stddef.h>
#include <stdint.h>

#define DISASSEMBLE_BYTES 15 /* that an instruction has at most */
#define DISASSEMBLE_TEXT  128

struct vcpu_mode;

/*
 * The instruction that begins with @bytes, which lie at @at: into @text, DISASSEMBLE_TEXT bytes.
 * Returns its length; 0: it has more than @len bytes. One that is none is "(bad)", of one byte.
 */
size_t disassemble(const struct vcpu_mode *mode, uint64_t at, const uint8_t *bytes, size_t len,
		   char *text);

#endif
