/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's own pair of 8259 interrupt controllers, which we only silence. */
#ifndef ARCH_X86_64_PIC_H
#define ARCH_X86_64_PIC_H

/*
 * Masks all lines, and moves them to IRQ_VECTOR_PIC: a spurious one may still
 * come and must not look like an exception. Boot CPU, once.
 */
void pic_silence(void);

#endif
