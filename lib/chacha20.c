/* SPDX-License-Identifier: BSD-2-Clause */
/* D. J. Bernstein's own, as newlib has it: its counter of 64 bits is RFC 8439's of 32 and the
 * first word of the nonce. */
#include "lib/chacha20.h"

#include <stddef.h>
#include <string.h>
#include <sys/types.h>

#include <chacha_private.h>

void chacha20_stream(const uint8_t key[CHACHA20_KEY], const uint8_t nonce[CHACHA20_NONCE],
		     uint32_t counter, uint8_t *out, uint32_t len)
{
	chacha_ctx ctx;

	chacha_keysetup(&ctx, key, 8 * CHACHA20_KEY, 0);
	chacha_ivsetup(&ctx, nonce + 4);
	ctx.input[12] = counter;
	memcpy(&ctx.input[13], nonce, sizeof(ctx.input[13]));
	memset(out, 0, len);
	chacha_encrypt_bytes(&ctx, out, out, len);
	memset(&ctx, 0, sizeof(ctx));
	/* It had the key in it: the compiler may not find that nobody reads it again. */
	__asm__ volatile("" : : "r"(&ctx) : "memory");
}
