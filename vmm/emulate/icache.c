/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/emulate/icache.h"

#include <string.h>

#include "vmm/emulate/decode.h"

#define ICACHE_WINDOW 16 /* bytes that a proof compares */

/* What unused places of a proof point at. */
static const uint64_t icache_nothing[ICACHE_WINDOW / 8];

/* An instruction being fetched: at most two pages. */
struct icache_fetch {
	uint8_t bytes[X86_MAX_INSN_BYTES];
	unsigned int len;	  /* valid in bytes */
	unsigned int pages;	  /* that they are from */
	unsigned int first;	  /* bytes from the first page */
	const uint8_t *window[2]; /* ICACHE_WINDOW bytes of host memory around them … */
	unsigned int skip[2];	  /* … which start so many bytes later */
	struct gva_walk walk[2];
};

void icache_flush(struct icache *icache)
{
	for (unsigned int i = 0; i < ICACHE_ENTRIES; i++)
		icache->entries[i].mode = 0;
}

/* Adds the bytes of the page that @linear is in. EMULATE_DONE, or why there are none. */
static enum emulate_result icache_fetch_page(struct emulate_ctx *ctx, struct icache_fetch *f,
					     uint64_t linear)
{
	unsigned int offset = linear & X86_PAGE_MASK;
	unsigned int start = MIN(offset, (unsigned int)X86_PAGE_SIZE - ICACHE_WINDOW);
	unsigned int room = MIN(X86_MAX_INSN_BYTES - f->len, (unsigned int)X86_PAGE_SIZE - offset);
	struct gva_walk *walk = &f->walk[f->pages];
	int err = gva_translate(ctx, linear, GVA_FETCH, walk);

	if (err)
		return insn_failed(err);
	f->window[f->pages] = ctx->ops->ram(ctx->opaque, (walk->gpa & ~X86_PAGE_MASK) + start,
					    ICACHE_WINDOW, false);
	if (!f->window[f->pages])
		return EMULATE_UNHANDLED;
	f->skip[f->pages] = offset - start;
	for (unsigned int i = 0; i < room; i++)
		f->bytes[f->len + i] = READ_ONCE(f->window[f->pages][offset - start + i]);
	f->len += room;
	if (!f->pages++)
		f->first = room;
	return EMULATE_DONE;
}

/* Notes what the bytes [@from, @from + @len) of the instruction in page @page rest on. */
static void icache_prove(struct icache_proof *p, const struct icache_fetch *f, unsigned int page,
			 unsigned int from, unsigned int len)
{
	const struct gva_walk *walk = &f->walk[page];
	uint8_t bytes[ICACHE_WINDOW] = {0};
	uint8_t mask[ICACHE_WINDOW] = {0};

	for (unsigned int i = 0; i < GVA_MAX_LEVELS; i++) {
		bool used = i < walk->nr_entries;

		p->table[i] = used ? walk->where[i] : icache_nothing;
		p->seen[i] = used ? walk->seen[i] : 0;
	}
	for (unsigned int i = 0; i < len; i++) {
		bytes[f->skip[page] + i] = f->bytes[from + i];
		mask[f->skip[page] + i] = 0xff;
	}
	p->code = f->window[page];
	memcpy(p->bytes, bytes, sizeof(bytes));
	memcpy(p->mask, mask, sizeof(mask));
}

void icache_prove_nothing(struct icache_proof *proof)
{
	*proof = (struct icache_proof){.code = (const uint8_t *)icache_nothing};
	for (unsigned int i = 0; i < GVA_MAX_LEVELS; i++)
		proof->table[i] = icache_nothing;
}

/* A walk through entries outside RAM, which are nothing to compare with. */
static bool icache_provable(const struct icache_fetch *f)
{
	for (unsigned int page = 0; page < f->pages; page++)
		for (unsigned int i = 0; i < f->walk[page].nr_entries; i++)
			if (!f->walk[page].where[i])
				return false;
	return true;
}

static enum emulate_result icache_undecodable(struct emulate_ctx *ctx, enum decode_result result)
{
	switch (result) {
	case DECODE_UNDEFINED:
		emulate_raise(ctx, X86_VECTOR_UD);
		return EMULATE_FAULT;
	case DECODE_TOO_LONG:
		emulate_raise_error(ctx, X86_VECTOR_GP, 0);
		return EMULATE_FAULT;
	default:
		return EMULATE_UNHANDLED;
	}
}

/* The decode of the slot serves again where another CR3 shows the same bytes. */
static bool icache_same_bytes(const struct icache_entry *entry, const struct icache_fetch *f,
			      uint64_t linear, uint64_t mode)
{
	const struct icache_proof *p = &entry->proof[0];
	unsigned int len = entry->insn.length;
	uint8_t bytes[ICACHE_WINDOW];

	if (entry->linear != linear || entry->mode != mode || entry->crosses || f->first < len)
		return false;
	memcpy(bytes, p->bytes, sizeof(bytes));
	return !memcmp(bytes + f->skip[0], f->bytes, len);
}

/* Fetches the rest of an instruction that goes on in the next page, and decodes it whole. */
static enum emulate_result icache_decode(struct emulate_ctx *ctx, struct icache_fetch *f,
					 uint64_t linear, struct insn *insn)
{
	enum decode_result decoded = decode_insn(ctx, f->bytes, f->len, insn);
	enum emulate_result result;

	if (decoded == DECODE_MORE) {
		uint64_t next = linear + f->first;

		result = icache_fetch_page(ctx, f, emulate_long64(ctx) ? next : (uint32_t)next);
		if (result != EMULATE_DONE)
			return result;
		decoded = decode_insn(ctx, f->bytes, f->len, insn);
	}
	if (decoded != DECODE_OK)
		return icache_undecodable(ctx, decoded);
	/* Code ends at CS' limit; the CPU that sent us here has checked an older state. */
	if (!emulate_long64(ctx) && ctx->rip + insn->length - 1 > ctx->cs.limit) {
		emulate_raise_error(ctx, X86_VECTOR_GP, 0);
		return EMULATE_FAULT;
	}
	return EMULATE_DONE;
}

enum emulate_result icache_fill(struct emulate_ctx *ctx, const struct insn **insn)
{
	uint64_t linear = icache_linear(ctx);
	uint64_t mode = icache_mode_of(ctx);
	struct icache_entry *entry = icache_slot(ctx->icache, linear);
	struct icache_fetch f = {0};
	enum emulate_result result;
	bool same;

	ctx->nr_bytes = 0;
	result = icache_fetch_page(ctx, &f, linear);
	if (result != EMULATE_DONE)
		return result;
	same = icache_same_bytes(entry, &f, linear, mode);
	entry->mode = 0;
	if (!same) {
		result = icache_decode(ctx, &f, linear, &entry->insn);
		ctx->nr_bytes = (uint8_t)f.len;
		memcpy(ctx->bytes, f.bytes, f.len);
		if (result != EMULATE_DONE)
			return result;
	}
	*insn = &entry->insn;
	if (!icache_provable(&f))
		return EMULATE_DONE;
	entry->linear = linear;
	entry->cr3 = ctx->cr3;
	entry->crosses = entry->insn.length > f.first;
	icache_prove(&entry->proof[0], &f, 0, 0, MIN(entry->insn.length, f.first));
	if (entry->crosses)
		icache_prove(&entry->proof[1], &f, 1, f.first, entry->insn.length - f.first);
	entry->mode = mode;
	return EMULATE_DONE;
}

void icache_bytes(struct emulate_ctx *ctx, const struct insn *insn)
{
	const struct icache_entry *entry = container_of(insn, struct icache_entry, insn);
	unsigned int len = 0;

	/* Not cached: icache_fill() has just left them there. */
	if (!entry->mode)
		return;
	for (unsigned int page = 0; page < (entry->crosses ? 2 : 1); page++) {
		const struct icache_proof *p = &entry->proof[page];
		uint8_t bytes[ICACHE_WINDOW], mask[ICACHE_WINDOW];

		memcpy(bytes, p->bytes, sizeof(bytes));
		memcpy(mask, p->mask, sizeof(mask));
		for (unsigned int i = 0; i < ICACHE_WINDOW; i++)
			if (mask[i])
				ctx->bytes[len++] = bytes[i];
	}
	ctx->nr_bytes = (uint8_t)len;
}
