/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spec: D. J. Bernstein, "Fast-key-erasure random-number generators", 2017; RFC 8439.
 *
 * Each request takes one block of the key's stream: one half is the next key,
 * the other is a key of the request's own, for as many bytes as it wants. So
 * the lock is held for one block, and no key is used twice.
 */
#include "kernel/random.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/entropy.h"
#include "kernel/log.h"
#include "kernel/spinlock.h"
#include "lib/chacha20.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define JITTER_ROUNDS	256  /* of four samples each */
#define JITTER_BYTES	4096 /* that are touched in between */
#define REQUESTS_A_SEED 64   /* until the CPU is asked again */
#define CPU_TRIES	10   /* as Intel recommends it (SDM vol. 1, 7.3.17.1) */

union random_block {
	uint8_t bytes[CHACHA20_BLOCK];
	uint64_t words[CHACHA20_BLOCK / 8];
	struct {
		uint8_t next[CHACHA20_KEY], once[CHACHA20_KEY];
	};
};

static struct {
	struct spinlock lock;
	struct entropy_source source;
	bool seeded;
	unsigned requests; /* since the CPU was asked */
	union {
		uint8_t bytes[CHACHA20_KEY];
		uint64_t words[CHACHA20_KEY / 8];
	} key;
} generator = {.lock = SPINLOCK_INIT};

static void random_wipe(void *buf, size_t len)
{
	memset(buf, 0, len);
	__asm__ volatile("" : : "r"(buf) : "memory");
}

/* Some CPUs of AMD's have all ones after a reset, and say that this is random. */
static bool random_is_sane(uint64_t value)
{
	return value != 0 && value != UINT64_MAX;
}

/* 64 bits of the best source that answers. False: none does. */
static bool random_cpu_word(uint64_t *value)
{
	unsigned i;

	for (i = 0; generator.source.rdseed && i < CPU_TRIES; i++)
		if (entropy_rdseed(value) && random_is_sane(*value))
			return true;
	for (i = 0; generator.source.rdrand && i < CPU_TRIES; i++)
		if (entropy_rdrand(value) && random_is_sane(*value))
			return true;
	*value = 0;
	return false;
}

/* The key goes on, and a second one comes out. Under the lock. */
static void random_step(uint8_t once[CHACHA20_KEY])
{
	static const uint8_t nonce[CHACHA20_NONCE];
	union random_block block;

	chacha20_stream(generator.key.bytes, nonce, 0, block.bytes, sizeof(block.bytes));
	memcpy(generator.key.bytes, block.next, CHACHA20_KEY);
	memcpy(once, block.once, CHACHA20_KEY);
	random_wipe(&block, sizeof(block));
}

/* Whatever @words are, the key is no easier to guess than it was. Under the lock. */
static void random_mix(const uint64_t words[4])
{
	uint8_t unused[CHACHA20_KEY];
	unsigned i;

	for (i = 0; i < 4; i++)
		generator.key.words[i] ^= words[i];
	random_step(unused);
	random_wipe(unused, sizeof(unused));
}

/* False: the CPU gave nothing. Under the lock. */
static bool random_ask_cpu(void)
{
	uint64_t words[4] = {cpu_rdtsc()};
	bool all = true;
	unsigned i;

	for (i = 0; i < 4; i++) {
		uint64_t word;

		all &= random_cpu_word(&word);
		words[i] ^= word;
	}
	random_mix(words);
	random_wipe(words, sizeof(words));
	generator.requests = 0;
	return all;
}

/* How long memory accesses take that depend on each other. Under the lock. */
static void random_jitter(void)
{
	static uint8_t memory[JITTER_BYTES];
	uint64_t words[4], tsc;
	unsigned round, i, at = 0;

	for (round = 0; round < JITTER_ROUNDS; round++) {
		for (i = 0; i < 4; i++) {
			tsc = cpu_rdtsc();
			at = (at + (unsigned)tsc) % JITTER_BYTES;
			memory[at] += (uint8_t)tsc;
			at = (at + 64u * memory[at]) % JITTER_BYTES;
			words[i] = tsc ^ (cpu_rdtsc() << 32) ^ memory[at];
		}
		random_mix(words);
	}
}

void random_init(void)
{
	bool by_cpu = true, fresh;

	spin_lock(&generator.lock);
	fresh = !generator.seeded;
	if (fresh) {
		generator.source = entropy_source();
		random_jitter();
		by_cpu = random_ask_cpu();
		generator.seeded = true;
	}
	spin_unlock(&generator.lock);
	if (!by_cpu)
		log_warn("random: this CPU has neither RDSEED nor RDRAND that works: seeded by the "
			 "TSC's jitter alone, which may be guessed");
	else if (fresh)
		log_debug("random: seeded by %s and the TSC's jitter",
			  generator.source.rdseed ? "RDSEED" : "RDRAND");
}

void random_bytes(void *buf, uint32_t len)
{
	static const uint8_t nonce[CHACHA20_NONCE];
	uint8_t once[CHACHA20_KEY];

	spin_lock(&generator.lock);
	if (++generator.requests >= REQUESTS_A_SEED)
		(void)random_ask_cpu();
	random_step(once);
	spin_unlock(&generator.lock);
	chacha20_stream(once, nonce, 0, buf, len);
	random_wipe(once, sizeof(once));
}
