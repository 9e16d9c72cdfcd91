/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest for the emulator's tests: RAM, a device that notes what is done to
 * it, registers, and tools to build its page tables. One at a time.
 */
#ifndef TESTS_HOST_EMULATE_WORLD_H
#define TESTS_HOST_EMULATE_WORLD_H

#include "vmm/emulate/emulate.h"
#include "vmm/emulate/gva.h"
#include "vmm/emulate/icache.h"

/* Guest-physical layout; all else is nobody's. */
#define WORLD_RAM_SIZE	  UINT64_C(0xc0000)
#define WORLD_ROOT	  UINT64_C(0xb0000) /* top table; the others follow */
#define WORLD_DEVICE	  UINT64_C(0xf0000000)
#define WORLD_DEVICE_SIZE UINT64_C(0x2000)

#define WORLD_ACCESSES 8192

struct world_access {
	bool write;
	unsigned int width;
	uint64_t gpa, value;
};

struct world {
	uint8_t *ram; /* of its exact size on the heap, for the sanitizer to guard */
	uint8_t device[WORLD_DEVICE_SIZE];
	unsigned int nr_accesses; /* of the last run, kept in accesses */
	unsigned int nr_lookups;  /* calls of the ram op */
	uint64_t watched; /* the RAM page at this address is not plain for writes; ~0: none */
	uint64_t next_table;
	uint64_t gpr[16];
	struct emulate_segment segs[EMULATE_NR_SEGS];
	struct emulate_ctx ctx;
	/* Not cleared at a reset. */
	struct icache icache;
	struct world_access accesses[WORLD_ACCESSES];
};

enum world_mode {
	WORLD_REAL,
	WORLD_PROTECTED_16, /* no paging */
	WORLD_PROTECTED_32, /* no paging */
	WORLD_PAGED_32,	    /* 32-bit tables, PSE */
	WORLD_PAE,
	WORLD_COMPAT_32,
	WORLD_LONG,
};

extern struct world world;

/* A fresh guest in @mode: RAM zeroed, flat segments, RIP 0x1000 in segment base 0, no mappings. */
void world_reset(enum world_mode mode);
void world_free(void);

/* Maps a 4 KiB page in the mode's tables; @flags: X86_PTE_*. Tables get all rights. */
void world_map(uint64_t gva, uint64_t gpa, uint64_t flags);
/* The entry of level @level (1: of the page) for @gva, whose tables exist: in RAM. */
void *world_entry(uint64_t gva, unsigned int level);

/* Puts code at RIP through CS and the identity or the mapping; RIP must be in RAM. */
void world_code(const void *bytes, unsigned int len);

/* Runs one instruction at RIP. */
enum emulate_result world_run(void);

/* WORLD_RUN(bytes…): place and run. */
#define WORLD_RUN(...)                                        \
	({                                                    \
		const uint8_t world_bytes[] = {__VA_ARGS__};  \
		world_code(world_bytes, sizeof(world_bytes)); \
		world_run();                                  \
	})

#endif
