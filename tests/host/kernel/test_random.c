/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: lib/chacha20.c */
/* The key stream, by RFC 8439's vectors, and the generator on CPUs of all kinds. */
#include "lib/chacha20.h"
#include "tests/host/fake/arch/x86_64/entropy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One generator a machine: each test has a new one. */
#include "kernel/random.c"

static struct entropy_source cpu;
static uint64_t seed_value, rand_value; /* 0: the instruction fails */
static unsigned seeds, rands;
static char said[256];

struct entropy_source entropy_source(void)
{
	return cpu;
}

bool entropy_rdseed(uint64_t *value)
{
	assert_true(cpu.rdseed);
	seeds++;
	*value = seed_value;
	return seed_value;
}

bool entropy_rdrand(uint64_t *value)
{
	assert_true(cpu.rdrand);
	rands++;
	*value = rand_value;
	return rand_value;
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	va_list args;

	(void)level;
	va_start(args, fmt);
	vsnprintf(said, sizeof(said), fmt, args);
	va_end(args);
}

static void start(bool rdseed, uint64_t seed, bool rdrand, uint64_t rand)
{
	memset(&generator, 0, sizeof(generator));
	cpu = (struct entropy_source){rdseed, rdrand};
	seed_value = seed;
	rand_value = rand;
	seeds = rands = 0;
	said[0] = '\0';
	random_init();
}

/* RFC 8439, A.1 (1, 2) and 2.3.2. */
static const struct vector {
	uint8_t key[32], nonce[12];
	uint32_t counter;
	const char *stream;
} vectors[] = {
	{{0},
	 {0},
	 0,
	 "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
	 "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"},
	{{0},
	 {0},
	 1,
	 "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
	 "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"},
	{{0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
	  16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31},
	 {0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0},
	 1,
	 "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
	 "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"},
};

static void test_vectors(void **state)
{
	uint8_t out[128];
	char text[129];
	unsigned v, i;

	(void)state;
	for (v = 0; v < ARRAY_SIZE(vectors); v++) {
		chacha20_stream(vectors[v].key, vectors[v].nonce, vectors[v].counter, out, 64);
		for (i = 0; i < 64; i++)
			sprintf(text + 2 * i, "%02x", out[i]);
		assert_string_equal(text, vectors[v].stream);
	}
	/* Blocks follow each other, and any length will do. */
	chacha20_stream(vectors[0].key, vectors[0].nonce, 0, out, 127);
	for (i = 64; i < 127; i++)
		sprintf(text + 2 * (i - 64), "%02x", out[i]);
	assert_memory_equal(text, vectors[1].stream, 126);
}

static void test_best_source(void **state)
{
	(void)state;
	start(true, 0x1234, true, 0x5678);
	assert_int_equal(seeds, 4);
	assert_int_equal(rands, 0);
	assert_non_null(strstr(said, "seeded by RDSEED"));
	/* It has none at the moment. */
	start(true, 0, true, 0x5678);
	assert_int_equal(seeds, 4 * CPU_TRIES);
	assert_int_equal(rands, 4);
	start(false, 0, true, 0x5678);
	assert_non_null(strstr(said, "seeded by RDRAND"));
	/* All ones: it is broken. */
	start(true, UINT64_MAX, true, UINT64_MAX);
	assert_non_null(strstr(said, "neither RDSEED nor RDRAND that works"));
	start(false, 0, false, 0);
	assert_non_null(strstr(said, "neither RDSEED nor RDRAND that works"));
	/* Once. */
	said[0] = '\0';
	random_init();
	assert_string_equal(said, "");
}

static void test_seed_counts(void **state)
{
	uint8_t a[64], b[64];

	(void)state;
	/* What the CPU gave is in it. */
	start(true, 1, false, 0);
	memset(&generator.key, 0, sizeof(generator.key));
	(void)random_ask_cpu();
	random_bytes(a, sizeof(a));
	memset(&generator.key, 0, sizeof(generator.key));
	seed_value = 2;
	(void)random_ask_cpu();
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	/* So is the jitter. */
	start(false, 0, false, 0);
	random_bytes(a, sizeof(a));
	start(false, 0, false, 0);
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

/* From what is kept, what was given out is not to be had. */
static void test_erasure(void **state)
{
	uint8_t key[32], a[100] = {0}, b[100] = {0};
	unsigned i;

	(void)state;
	start(true, 3, false, 0);
	memcpy(key, generator.key.bytes, sizeof(key));
	random_bytes(a, 99);
	assert_int_equal(a[99], 0);
	assert_memory_not_equal(key, generator.key.bytes, sizeof(key));
	random_bytes(b, 99);
	assert_memory_not_equal(a, b, 99);
	/* The same key gives the same: nothing else is in it. */
	memcpy(generator.key.bytes, key, sizeof(key));
	random_bytes(b, 99);
	assert_memory_equal(a, b, 99);
	/* The CPU is asked now and then. */
	seeds = 0;
	for (i = 0; i < 10 * REQUESTS_A_SEED; i++)
		random_bytes(a, 1);
	assert_int_equal(seeds, 4 * 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_best_source),
		cmocka_unit_test(test_seed_counts),
		cmocka_unit_test(test_erasure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
