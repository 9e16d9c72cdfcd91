/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a panic said, kept in memory over a warm reset: the next start prints it
 * again. The place is the same at each start, between what the firmware and
 * GRUB use at 1 MiB and the image at 2 MiB.
 */
#ifndef KERNEL_PANIC_CARD_H
#define KERNEL_PANIC_CARD_H

#include <stddef.h>
#include <stdint.h>

#define PANIC_CARD_PHYS UINT64_C(0x1e0000)
#define PANIC_CARD_SIZE UINT64_C(8192)

/*
 * Boot, once: @memory, PANIC_CARD_SIZE bytes at PANIC_CARD_PHYS, is ours alone.
 * Logs what lies there from the machine's last run, once, and keeps the next
 * panic there. Any bytes may lie there: what is damaged is not shown.
 */
void panic_card_open(void *memory);

/* In a panic: keeps @len bytes of text more, as far as they fit. No lock; valid after each call. */
void panic_card_add(const char *text, size_t len);

#endif
