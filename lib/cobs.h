/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Consistent overhead byte stuffing: bytes without a 0 among them, so that a 0 can end them (S.
 * Cheshire and M. Baker, IEEE/ACM Transactions on Networking 7(2), 1999).
 */
#ifndef LIB_COBS_H
#define LIB_COBS_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that @len of them take at most. */
#define COBS_MAX(len) ((len) + (len) / 254 + 1)

/* @out has COBS_MAX(@len) bytes and is not @in. Returns how many were written. */
size_t cobs_encode(const uint8_t *in, size_t len, uint8_t *out);
/*
 * @out has @len bytes, and may be @in. Returns how many were written, fewer than @len;
 * SIZE_MAX: that is no encoding of anything.
 */
size_t cobs_decode(const uint8_t *in, size_t len, uint8_t *out);

#endif
