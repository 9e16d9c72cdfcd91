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

#define GVA_ADDR_MASK UINT64_C(0x000ffffffffff000)
/*
 * PAE: SDM vol. 3A, table 4-8, but for bit 5, which QEMU's CPUs set as A of
 * lower levels. On others an entry with it would have been refused before.
 */
#define GVA_PDPTE_RSVD	 UINT64_C(0x80000000000001c6)
#define GVA_RSVD_1G	 UINT64_C(0x3fffe000)
#define GVA_RSVD_2M	 UINT64_C(0x001fe000)
#define GVA_PAE_HIGH	 UINT64_C(0x7ff0000000000000)
#define GVA_PSE_RSVD	 BIT(21)
#define GVA_PSE_HIGH_POS 13 /* where address bits 39:32 of a 4 MiB page are */

/* One kind of table tree, and a walk through it. */
struct gva_state {
	unsigned int levels, index_bits, entry_size;
	unsigned int large; /* bit n: entries of level n can map large pages */
	bool pae;	    /* the root's entries have neither rights nor A */
	uint64_t root;
	uint64_t table_mask;	/* of an entry: where the next table is */
	uint64_t reserved;	/* bits of every entry … */
	uint64_t reserved_root; /* … of the root's entries, too … */
	uint64_t reserved_leaf; /* … and of those that map large pages, at level 2 */
	uint64_t rights;	/* W and U of all levels so far, NX of any */
	uint64_t unmarked;	/* A and D bits that are missing somewhere */
	uint64_t entry;
	uint64_t gpa[GVA_MAX_LEVELS]; /* of the entries */
};

static uint64_t gva_bits(unsigned int from, unsigned int below)
{
	return from < below ? BIT(below) - BIT(from) : 0;
}

/* SDM vol. 3A, 4.5.4. */
static void gva_begin_long(const struct emulate_ctx *ctx, struct gva_state *s)
{
	s->levels = 4;
	s->index_bits = 9;
	s->entry_size = 8;
	s->large = ctx->pages_1g ? BIT(2) | BIT(3) : BIT(2);
	s->pae = false;
	s->root = ctx->cr3 & GVA_ADDR_MASK;
	s->table_mask = GVA_ADDR_MASK;
	s->reserved = gva_bits(ctx->phys_bits, 52);
	if (!(ctx->efer & X86_EFER_NXE))
		s->reserved |= X86_PTE_NX;
	s->reserved_root = 0;
	s->reserved_leaf = GVA_RSVD_2M;
}

/* SDM vol. 3A, 4.4.2. */
static void gva_begin_pae(const struct emulate_ctx *ctx, struct gva_state *s)
{
	gva_begin_long(ctx, s);
	s->levels = 3;
	s->large = BIT(2);
	s->pae = true;
	s->root = ctx->cr3 & 0xffffffe0;
	s->reserved |= GVA_PAE_HIGH;
	s->reserved_root = GVA_PDPTE_RSVD;
}

/* SDM vol. 3A, 4.3. */
static void gva_begin_legacy(const struct emulate_ctx *ctx, struct gva_state *s)
{
	unsigned int high = ctx->phys_bits > 32 ? ctx->phys_bits - 32 : 0;

	s->levels = 2;
	s->index_bits = 10;
	s->entry_size = 4;
	s->large = ctx->cr4 & X86_CR4_PSE ? BIT(2) : 0;
	s->pae = false;
	s->root = ctx->cr3 & 0xfffff000;
	s->table_mask = 0xfffff000;
	s->reserved = 0;
	s->reserved_root = 0;
	s->reserved_leaf = GVA_PSE_RSVD | gva_bits(GVA_PSE_HIGH_POS + high, 21);
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
	if (s->entry_size == 4)
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

/*
 * Takes the present entry of @level into account. Returns its reserved bits
 * that are set; *@leaf: it maps a page.
 */
static uint64_t gva_use_entry(struct gva_state *s, unsigned int level, bool *leaf)
{
	uint64_t entry = s->entry;
	uint64_t reserved = s->reserved;

	*leaf = level == 1;
	if (unlikely(level > 1 && (entry & X86_PTE_LARGE))) {
		*leaf = s->large >> level & 1;
		if (*leaf)
			reserved |= level == 2 ? s->reserved_leaf : GVA_RSVD_1G;
		else if (s->entry_size == 8) /* without PSE, 32-bit tables ignore it */
			reserved |= X86_PTE_LARGE;
	}
	if (level == s->levels) {
		reserved |= s->reserved_root;
		if (s->pae)
			return entry & reserved;
	}
	s->rights = (s->rights & (entry | X86_PTE_NX)) | (entry & X86_PTE_NX);
	s->unmarked |= ~entry & X86_PTE_ACCESSED;
	return entry & reserved;
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
	for (unsigned int i = s->pae ? 1 : 0; i < walk->nr_entries; i++) {
		unsigned int shift = s->entry_size == 4 ? (s->gpa[i] & 4) * 8 : 0;
		uint64_t bits = X86_PTE_ACCESSED;
		void *host;

		if (i + 1 == walk->nr_entries && (access & GVA_WRITE))
			bits |= X86_PTE_DIRTY;
		if (!walk->where[i] || !(~(walk->seen[i] >> shift) & bits))
			continue;
		/* Tables in ROM, or whose writes are watched, stay as they are. */
		host = ctx->ops->ram(ctx->opaque, s->gpa[i], s->entry_size, true);
		if (!host)
			continue;
		if (!gva_mark_entry(host, s->entry_size, walk->seen[i] >> shift, bits))
			return false;
		walk->seen[i] |= bits << shift;
	}
	return true;
}

/* The address that the leaf @s->entry of @level gives to @gva. */
static uint64_t gva_page_address(const struct gva_state *s, unsigned int level, uint64_t gva)
{
	uint64_t offset = BIT(12 + s->index_bits * (level - 1)) - 1;
	uint64_t page = s->entry & s->table_mask & ~offset;

	if (s->entry_size == 4 && level == 2)
		page |= ((s->entry >> GVA_PSE_HIGH_POS) & 0xff) << 32;
	return page | (gva & offset);
}

/* One walk from the root: 0 or -EFAULT. */
static int gva_descend(struct emulate_ctx *ctx, struct gva_state *s, struct gva_walk *walk,
		       uint64_t gva, unsigned int access)
{
	uint64_t table = s->root;
	unsigned int level = s->levels;
	unsigned int shift = 12 + s->index_bits * (level - 1);
	bool leaf;

	s->rights = X86_PTE_WRITE | X86_PTE_USER;
	s->unmarked = 0;
	walk->nr_entries = 0;
	for (;; level--, shift -= s->index_bits) {
		uint64_t index = (gva >> shift) & (BIT(s->index_bits) - 1);

		gva_read_entry(ctx, s, walk, table + index * s->entry_size);
		if (!(s->entry & X86_PTE_PRESENT))
			return gva_fault(ctx, gva, access, 0);
		if (gva_use_entry(s, level, &leaf))
			return gva_fault(ctx, gva, access, X86_PF_PRESENT | X86_PF_RESERVED);
		if (leaf)
			break;
		table = s->entry & s->table_mask;
	}
	if (!gva_allowed(ctx, s->rights, access))
		return gva_fault(ctx, gva, access, X86_PF_PRESENT);
	if (access & GVA_WRITE)
		s->unmarked |= ~s->entry & X86_PTE_DIRTY;
	walk->gpa = gva_page_address(s, level, gva);
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
	if (likely(ctx->efer & X86_EFER_LMA)) {
		gva_begin_long(ctx, &s);
	} else {
		gva &= 0xffffffff;
		if (ctx->cr4 & X86_CR4_PAE)
			gva_begin_pae(ctx, &s);
		else
			gva_begin_legacy(ctx, &s);
	}
	for (unsigned int races = 0; races < GVA_MAX_RACES; races++) {
		int err = gva_descend(ctx, &s, walk, gva, access);

		if (err || likely(!s.unmarked) || gva_mark(ctx, &s, walk, access))
			return err;
	}
	return -EAGAIN;
}
