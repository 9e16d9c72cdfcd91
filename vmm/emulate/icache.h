/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoded instructions of one vCPU, so that an exit which comes again costs
 * neither a walk of the guest's page tables nor a decode.
 *
 * An entry is found by the instruction's linear address, CR3 and the mode bits
 * that fetching and decoding depend on. It carries the proof that it still
 * holds: where in host memory each page-table entry of the fetch and the
 * instruction's bytes are, and what was there. A hit compares them again, so a
 * guest that rewrites code or remaps a page never runs a stale instruction,
 * and nobody has to tell the cache.
 *
 * Owned by the vCPU: used on its CPU only, no lock. Pure.
 */
#ifndef VMM_EMULATE_ICACHE_H
#define VMM_EMULATE_ICACHE_H

#include "vmm/emulate/gva.h"
#include "vmm/emulate/insn.h"

#define ICACHE_ENTRIES 128

/* One page of an instruction. Unused places point at a zero, seen as zero. */
struct icache_proof {
	const uint64_t *table[GVA_MAX_LEVELS];
	uint64_t seen[GVA_MAX_LEVELS];
	/* Sixteen bytes in the page, of which the masked ones are the instruction's. */
	const uint8_t *code;
	uint64_t bytes[2];
	uint64_t mask[2];
};

struct icache_entry {
	uint64_t linear;
	uint64_t cr3;
	uint64_t mode; /* 0: empty */
	bool crosses;  /* the second proof counts too */
	struct insn insn;
	struct icache_proof proof[2];
};

struct icache {
	uint64_t generation; /* the owner's, to know when to flush */
	struct icache_entry entries[ICACHE_ENTRIES];
};

/* A proof that holds of anything and points at nothing that goes away. */
void icache_prove_nothing(struct icache_proof *proof);

/* Forgets everything: at creation, and when host addresses of guest memory change. */
void icache_flush(struct icache *icache);

/*
 * Fetches and decodes the instruction at RIP and caches it, unless its page
 * tables are not in RAM. For misses: see icache_insn(). Same results.
 */
enum emulate_result icache_fill(struct emulate_ctx *ctx, const struct insn **insn);

/* Puts the bytes of an instruction that icache_insn() gave into ctx->bytes, for the log. */
void icache_bytes(struct emulate_ctx *ctx, const struct insn *insn);

/* All that decides between two decodings of the same bytes, or two fetches by the same tables. */
static __always_inline uint64_t icache_mode(uint64_t cr0, uint64_t cr4, uint64_t efer,
					    uint64_t rflags, uint16_t cs_attr, uint8_t cpl)
{
	return (cr0 & (X86_CR0_PE | X86_CR0_PG)) |
	       (cr4 & (X86_CR4_PSE | X86_CR4_PAE | X86_CR4_SMEP)) |
	       (efer & (X86_EFER_LMA | X86_EFER_NXE)) | (rflags & X86_FLAGS_VM) |
	       (uint64_t)(cs_attr & (EMULATE_SEG_LONG | EMULATE_SEG_BIG)) << 32 |
	       (uint64_t)cpl << 32 | BIT(63);
}

static __always_inline uint64_t icache_mode_of(const struct emulate_ctx *ctx)
{
	return icache_mode(ctx->cr0, ctx->cr4, ctx->efer, ctx->rflags, ctx->cs.attr, ctx->cpl);
}

static inline uint64_t icache_linear(const struct emulate_ctx *ctx)
{
	return emulate_long64(ctx) ? ctx->rip : (uint32_t)(ctx->cs.base + ctx->rip);
}

static inline struct icache_entry *icache_slot(struct icache *icache, uint64_t linear)
{
	return &icache->entries[(linear ^ linear >> 7) % ICACHE_ENTRIES];
}

/* Guest memory changes under us: every read is one access. */
static __always_inline uint64_t icache_word(const void *where)
{
	struct word {
		uint64_t value;
	} __packed __attribute__((may_alias));

	return READ_ONCE(((const struct word *)where)->value);
}

static __always_inline bool icache_proven(const struct icache_proof *p)
{
	uint64_t differ;

	differ = READ_ONCE(*p->table[0]) ^ p->seen[0];
	differ |= READ_ONCE(*p->table[1]) ^ p->seen[1];
	differ |= READ_ONCE(*p->table[2]) ^ p->seen[2];
	differ |= READ_ONCE(*p->table[3]) ^ p->seen[3];
	differ |= (icache_word(p->code) & p->mask[0]) ^ p->bytes[0];
	differ |= (icache_word(p->code + 8) & p->mask[1]) ^ p->bytes[1];
	return !differ;
}

/* What the cache has for that place and can prove, or NULL. */
static __always_inline const struct insn *icache_find(struct icache *icache, uint64_t linear,
						      uint64_t cr3, uint64_t mode)
{
	struct icache_entry *entry = icache_slot(icache, linear);

	if (likely(entry->linear == linear && entry->cr3 == cr3 && entry->mode == mode &&
		   icache_proven(&entry->proof[0]) &&
		   (!entry->crosses || icache_proven(&entry->proof[1]))))
		return &entry->insn;
	return NULL;
}

/*
 * The instruction at RIP, from the cache or decoded now.
 *
 * EMULATE_DONE: *@insn is it, valid until the next call; its handler may be
 * NULL. Otherwise a fault, a lost race or bytes that cannot be decoded.
 */
static __always_inline enum emulate_result __must_check icache_insn(struct emulate_ctx *ctx,
								    const struct insn **insn)
{
	*insn = icache_find(ctx->icache, icache_linear(ctx), ctx->cr3, icache_mode_of(ctx));
	return likely(*insn) ? EMULATE_DONE : icache_fill(ctx, insn);
}

#endif
