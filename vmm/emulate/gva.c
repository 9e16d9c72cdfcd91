/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks a guest's page tables as the CPU does: SDM vol. 3A, chapter 4; APM
 * vol. 2, chapter 5. Entries outside the guest's RAM read all ones, like any
 * address that nobody answers.
 */
#include "vmm/emulate/gva.h"

#include <errno.h>

/* Entries changed by other vCPUs between reading them and setting A or D. */
#define GVA_MAX_RACES 64

#define GVA_ADDR_MASK	 UINT64_C(0x000ffffffffff000)
#define GVA_PDPTE_RSVD	 UINT64_C(0x80000000000001e6) /* PAE: SDM vol. 3A, table 4-8 */
#define GVA_RSVD_1G	 UINT64_C(0x3fffe000)
#define GVA_RSVD_2M	 UINT64_C(0x001fe000)
#define GVA_PAE_HIGH	 UINT64_C(0x7ff0000000000000)
#define GVA_PSE_RSVD	 BIT(21)
#define GVA_PSE_HIGH_POS 13 /* where address bits 39:32 of a 4 MiB page are */

/* One kind of table tree. */
struct gva_format {
	uint8_t levels;
	uint8_t index_bits;
	uint8_t entry_size;
	uint64_t root_mask; /* of CR3 */
	uint64_t (*reserved)(const struct emulate_ctx *ctx, unsigned int level, bool leaf);
	uint64_t (*leaf_base)(uint64_t entry, unsigned int level);
};

/* A walk on its way. */
struct gva_state {
	const struct gva_format *format;
	uint64_t rights; /* W and U of all levels so far, NX of any */
	uint64_t entry;
	bool leaf;
	uint64_t gpa[GVA_MAX_LEVELS]; /* of the entries */
};

static uint64_t gva_bits(unsigned int from, unsigned int below)
{
	return from < below ? BIT(below) - BIT(from) : 0;
}

static uint64_t gva_long_reserved(const struct emulate_ctx *ctx, unsigned int level, bool leaf)
{
	uint64_t mask = gva_bits(ctx->phys_bits, 52);

	if (!(ctx->efer & X86_EFER_NXE))
		mask |= X86_PTE_NX;
	if (level == 4 || (level == 3 && !ctx->pages_1g))
		mask |= X86_PTE_LARGE;
	if (leaf && level == 3)
		mask |= GVA_RSVD_1G;
	if (leaf && level == 2)
		mask |= GVA_RSVD_2M;
	return mask;
}

static uint64_t gva_pae_reserved(const struct emulate_ctx *ctx, unsigned int level, bool leaf)
{
	uint64_t mask = GVA_PAE_HIGH | gva_bits(ctx->phys_bits, 52);

	if (level == 3)
		return mask | GVA_PDPTE_RSVD;
	if (!(ctx->efer & X86_EFER_NXE))
		mask |= X86_PTE_NX;
	return leaf && level == 2 ? mask | GVA_RSVD_2M : mask;
}

static uint64_t gva_legacy_reserved(const struct emulate_ctx *ctx, unsigned int level, bool leaf)
{
	unsigned int high = ctx->phys_bits > 32 ? ctx->phys_bits - 32 : 0;

	if (!leaf || level != 2)
		return 0;
	return GVA_PSE_RSVD | gva_bits(GVA_PSE_HIGH_POS + high, 21);
}

static uint64_t gva_wide_base(uint64_t entry, unsigned int level)
{
	return ALIGN_DOWN(entry & GVA_ADDR_MASK, BIT(12 + 9 * (level - 1)));
}

static uint64_t gva_legacy_base(uint64_t entry, unsigned int level)
{
	if (level == 1)
		return entry & 0xfffff000;
	return (entry & 0xffc00000) | ((entry >> GVA_PSE_HIGH_POS) & 0xff) << 32;
}

static const struct gva_format gva_long = {
	.levels = 4,
	.index_bits = 9,
	.entry_size = 8,
	.root_mask = GVA_ADDR_MASK,
	.reserved = gva_long_reserved,
	.leaf_base = gva_wide_base,
};

static const struct gva_format gva_pae = {
	.levels = 3,
	.index_bits = 9,
	.entry_size = 8,
	.root_mask = 0xffffffe0,
	.reserved = gva_pae_reserved,
	.leaf_base = gva_wide_base,
};

static const struct gva_format gva_legacy = {
	.levels = 2,
	.index_bits = 10,
	.entry_size = 4,
	.root_mask = 0xfffff000,
	.reserved = gva_legacy_reserved,
	.leaf_base = gva_legacy_base,
};

static const struct gva_format *gva_format(const struct emulate_ctx *ctx)
{
	if (ctx->efer & X86_EFER_LMA)
		return &gva_long;
	return ctx->cr4 & X86_CR4_PAE ? &gva_pae : &gva_legacy;
}

/* Reads the entry at @gpa and notes it in @walk. */
static void gva_read_entry(struct emulate_ctx *ctx, struct gva_state *s, struct gva_walk *walk,
			   uint64_t gpa)
{
	unsigned int nr = walk->nr_entries++;
	const uint64_t *where;
	uint64_t seen = ~UINT64_C(0);

	/* Tables are page-aligned but for PAE's root, and that has eight-byte entries. */
	where = ctx->ops->ram(ctx->opaque, ALIGN_DOWN(gpa, 8), 8, false);
	if (where)
		seen = READ_ONCE(*where);
	walk->where[nr] = where;
	walk->seen[nr] = seen;
	s->gpa[nr] = gpa;
	if (s->format->entry_size == 4)
		seen = (uint32_t)(seen >> (gpa & 4) * 8);
	s->entry = seen;
}

static int gva_fault(struct emulate_ctx *ctx, uint64_t gva, unsigned int access, uint64_t error)
{
	if (access & GVA_WRITE)
		error |= X86_PF_WRITE;
	if (ctx->cpl == 3 && !(access & GVA_SYSTEM))
		error |= X86_PF_USER;
	/* SDM vol. 3A, 4.7: the I/D flag exists with NXE (and PAE) or SMEP only. */
	if ((access & GVA_FETCH) &&
	    ((ctx->cr4 & X86_CR4_SMEP) || ((ctx->cr4 & X86_CR4_PAE) && (ctx->efer & X86_EFER_NXE))))
		error |= X86_PF_FETCH;
	ctx->fault.cr2 = gva;
	return emulate_raise_error(ctx, X86_VECTOR_PF, (uint32_t)error);
}

/* SDM vol. 3A, 4.6.1: may this access use a page of these combined rights? */
static bool gva_allowed(const struct emulate_ctx *ctx, uint64_t rights, unsigned int access)
{
	bool user_page = rights & X86_PTE_USER;

	if ((access & GVA_FETCH) && (rights & X86_PTE_NX))
		return false;
	if (ctx->cpl == 3 && !(access & GVA_SYSTEM))
		return user_page && (!(access & GVA_WRITE) || (rights & X86_PTE_WRITE));
	if (user_page && (access & GVA_FETCH) && (ctx->cr4 & X86_CR4_SMEP))
		return false;
	if (user_page && !(access & GVA_FETCH) && (ctx->cr4 & X86_CR4_SMAP) &&
	    ((access & GVA_SYSTEM) || !(ctx->rflags & X86_FLAGS_AC)))
		return false;
	return !(access & GVA_WRITE) || (rights & X86_PTE_WRITE) || !(ctx->cr0 & X86_CR0_WP);
}

static bool gva_is_leaf(const struct emulate_ctx *ctx, const struct gva_state *s,
			unsigned int level)
{
	if (level == 1)
		return true;
	if (!(s->entry & X86_PTE_LARGE))
		return false;
	if (s->format == &gva_legacy)
		return ctx->cr4 & X86_CR4_PSE;
	if (s->format == &gva_pae)
		return level == 2;
	return level == 2 || level == 3;
}

/* Adds an entry's rights to those of the levels above. */
static void gva_add_rights(struct gva_state *s, unsigned int level)
{
	/* A PAE root entry has no rights of its own. */
	if (level == 3 && s->format == &gva_pae)
		return;
	s->rights = (s->rights & (s->entry | X86_PTE_NX)) | (s->entry & X86_PTE_NX);
}

/* Sets @bits in the entry at @host. False when it is not @seen any more. */
static bool gva_mark_entry(void *host, unsigned int size, uint64_t seen, uint64_t bits)
{
	uint32_t seen32 = (uint32_t)seen;

	if (size == 4)
		return __atomic_compare_exchange_n((uint32_t *)host, &seen32,
						   seen32 | (uint32_t)bits, false, __ATOMIC_SEQ_CST,
						   __ATOMIC_SEQ_CST);
	return __atomic_compare_exchange_n((uint64_t *)host, &seen, seen | bits, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Sets A on the way and D at the leaf. False when another vCPU was quicker. */
static bool gva_mark(struct emulate_ctx *ctx, const struct gva_state *s, struct gva_walk *walk,
		     unsigned int access)
{
	unsigned int size = s->format->entry_size;
	unsigned int i = s->format == &gva_pae ? 1 : 0; /* PAE's root entries have no A */

	for (; i < walk->nr_entries; i++) {
		unsigned int shift = size == 4 ? (s->gpa[i] & 4) * 8 : 0;
		uint64_t bits = X86_PTE_ACCESSED;
		void *host;

		if (i + 1 == walk->nr_entries && (access & GVA_WRITE))
			bits |= X86_PTE_DIRTY;
		if (!walk->where[i] || !(~(walk->seen[i] >> shift) & bits))
			continue;
		/* Tables in ROM, or whose writes are watched, stay as they are. */
		host = ctx->ops->ram(ctx->opaque, s->gpa[i], size, true);
		if (!host)
			continue;
		if (!gva_mark_entry(host, size, walk->seen[i] >> shift, bits))
			return false;
		walk->seen[i] |= bits << shift;
	}
	return true;
}

/* One walk from the root. 0 and the page's base in walk->gpa, or -EFAULT. */
static int gva_descend(struct emulate_ctx *ctx, struct gva_state *s, struct gva_walk *walk,
		       uint64_t gva, unsigned int access)
{
	const struct gva_format *f = s->format;
	uint64_t table = ctx->cr3 & f->root_mask;
	unsigned int level = f->levels;
	unsigned int shift;

	s->rights = X86_PTE_WRITE | X86_PTE_USER;
	walk->nr_entries = 0;
	for (;; level--) {
		shift = 12 + f->index_bits * (level - 1);
		gva_read_entry(ctx, s, walk,
			       table + ((gva >> shift) & (BIT(f->index_bits) - 1)) * f->entry_size);
		if (!(s->entry & X86_PTE_PRESENT))
			return gva_fault(ctx, gva, access, 0);
		s->leaf = gva_is_leaf(ctx, s, level);
		if (s->entry & f->reserved(ctx, level, s->leaf))
			return gva_fault(ctx, gva, access, X86_PF_PRESENT | X86_PF_RESERVED);
		gva_add_rights(s, level);
		if (s->leaf)
			break;
		table = s->entry & (f->entry_size == 8 ? GVA_ADDR_MASK : 0xfffff000);
	}
	if (!gva_allowed(ctx, s->rights, access))
		return gva_fault(ctx, gva, access, X86_PF_PRESENT);
	walk->gpa = f->leaf_base(s->entry, level) | (gva & (BIT(shift) - 1));
	return 0;
}

int gva_translate(struct emulate_ctx *ctx, uint64_t gva, unsigned int access, struct gva_walk *walk)
{
	struct gva_state s;

	if (!(ctx->cr0 & X86_CR0_PG)) {
		walk->gpa = gva & 0xffffffff;
		walk->nr_entries = 0;
		return 0;
	}
	s.format = gva_format(ctx);
	/* 32-bit tables and PAE index by bits of a 32-bit address. */
	if (s.format->levels < 4)
		gva &= 0xffffffff;
	for (unsigned int races = 0; races < GVA_MAX_RACES; races++) {
		int err = gva_descend(ctx, &s, walk, gva, access);

		if (err || gva_mark(ctx, &s, walk, access))
			return err;
	}
	return -EAGAIN;
}
