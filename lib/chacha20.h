/* SPDX-License-Identifier: BSD-2-Clause */
/* The key stream of ChaCha20 (RFC 8439, 2.4). */
#ifndef LIB_CHACHA20_H
#define LIB_CHACHA20_H

#include <stdint.h>

#define CHACHA20_KEY   32
#define CHACHA20_NONCE 12
#define CHACHA20_BLOCK 64

/* @len bytes of it from the start of block @counter on. */
void chacha20_stream(const uint8_t key[CHACHA20_KEY], const uint8_t nonce[CHACHA20_NONCE],
		     uint32_t counter, uint8_t *out, uint32_t len);

#endif
