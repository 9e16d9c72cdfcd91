/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/emulate/vcpu_emulate.h"

#include "kernel/grace.h"
#include "kernel/log.h"
#include "kernel/slab.h"
#include "vmm/emulate/emulate.h"
#include "vmm/emulate/fast.h"
#include "vmm/emulate/icache.h"
#include "vmm/emulate/vcpu_emulate_frame.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/hv_ops.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CPUID_FEATURES	0x80000001u
#define CPUID_PAGES_1G	BIT(26) /* of EDX */
#define CPUID_ADDRESSES 0x80000008u
#define CPUID_PHYS_BITS 0xffu /* of EAX */

#define KNOWN 64

/*
 * An instruction that exits again and again. The same proof as the instruction
 * cache's, without the way through the emulator: these exits have a handful of
 * instructions to spend.
 */
struct vcpu_emulate_known {
	uint64_t rip;
	struct vcpu_mode mode;	   /* CR0 0, which no CPU has (ET is fixed): unused */
	struct icache_proof proof; /* what it points at can always be read */
	struct insn insn;
	bool direct; /* a move that fast.h does with the registers as they stand */
} __aligned(256);    /* a shift finds its place */
_Static_assert(sizeof(struct vcpu_emulate_known) == 256, "a shift finds its place");

/* What a vCPU keeps for us: vcpu->icache points at the member. */
struct vcpu_emulate {
	struct icache icache;
	uint8_t phys_bits; /* from the guest's CPUID */
	bool pages_1g;
	uint32_t unhandled; /* instructions that could not be emulated */
	struct vcpu_emulate_known known[KNOWN];
};

/* The emulator's own terms are the vCPU's. */
_Static_assert((int)EMULATE_ES == SEG_ES && (int)EMULATE_GS == SEG_GS, "order of segments");
_Static_assert(EMULATE_SEG_PRESENT == SEG_ATTR_P && EMULATE_SEG_LONG == SEG_ATTR_L &&
		       EMULATE_SEG_BIG == SEG_ATTR_DB,
	       "segment attributes");
_Static_assert((int)X86_RSP == GPR_RSP && (int)X86_RDI == GPR_RDI, "order of registers");

static void vcpu_emulate_copy_segment(struct emulate_segment *to, const struct vcpu_segment *from)
{
	to->base = from->base;
	to->limit = from->limit;
	to->attr = from->attrib;
	to->selector = from->selector;
}

static void vcpu_emulate_segment(void *opaque, enum emulate_seg seg, struct emulate_segment *out)
{
	struct vcpu_segment segment;

	hv_ops->get_seg(opaque, (enum vcpu_seg)seg, &segment);
	vcpu_emulate_copy_segment(out, &segment);
}

/* RAM in pages of which a hook has a part is not plain for the accesses that exit there. */
static void *vcpu_emulate_ram(void *opaque, uint64_t gpa, uint64_t len, bool write)
{
	const struct vcpu *vcpu = opaque;
	struct guest_memory *m = vcpu->vm->memory;
	uint8_t *host = guest_memory_ptr(m, gpa, len);

	if (!host || hook_memory_covers(grace_read(vcpu->vm->hooks->memory), gpa, len, write))
		return NULL;
	return write ? guest_memory_ptr_to_write(m, gpa, len) : host;
}

static uint64_t vcpu_emulate_read(void *opaque, uint64_t gpa, unsigned int width)
{
	return hook_memory_read(opaque, gpa, width);
}

static void vcpu_emulate_write(void *opaque, uint64_t gpa, unsigned int width, uint64_t value)
{
	hook_memory_write(opaque, gpa, width, value);
}

static const struct emulate_ops vcpu_emulate_ops = {
	.segment = vcpu_emulate_segment,
	.ram = vcpu_emulate_ram,
	.device_read = vcpu_emulate_read,
	.device_write = vcpu_emulate_write,
};

static void vcpu_emulate_forget(struct vcpu_emulate *e)
{
	for (unsigned i = 0; i < KNOWN; i++) {
		e->known[i].mode.cr0 = 0;
		icache_prove_nothing(&e->known[i].proof);
	}
}

/* At first use, and when host addresses of guest memory are not what they were. */
static __noinline void vcpu_emulate_renew(struct vcpu *vcpu, struct vcpu_emulate *e)
{
	struct cpuid_regs regs = {0};

	icache_flush(&e->icache);
	vcpu_emulate_forget(e);
	e->icache.generation = vcpu->vm->memory->generation;
	hook_cpuid_query(vcpu, CPUID_FEATURES, 0, &regs);
	e->pages_1g = regs.edx & CPUID_PAGES_1G;
	hook_cpuid_query(vcpu, CPUID_ADDRESSES, 0, &regs);
	e->phys_bits = regs.eax & CPUID_PHYS_BITS;
	/* A model without the leaf has the 36 bits of the first such CPUs (SDM vol. 3A, 4.1.4). */
	if (e->phys_bits < 32 || e->phys_bits > GPA_BITS_MAX)
		e->phys_bits = 36;
}

void vcpu_emulate_enter(struct vcpu *vcpu, struct emulate_ctx *ctx, struct vcpu_mode *mode)
{
	struct vcpu_emulate *e = container_of(vcpu->icache, struct vcpu_emulate, icache);

	if (unlikely(!e->phys_bits || e->icache.generation != vcpu->vm->memory->generation))
		vcpu_emulate_renew(vcpu, e);
	hv_ops->get_mode(vcpu, mode);
	vcpu->gpr[GPR_RSP] = mode->rsp;
	ctx->ops = &vcpu_emulate_ops;
	ctx->opaque = vcpu;
	ctx->icache = &e->icache;
	ctx->gpr = vcpu->gpr;
	ctx->rip = vcpu->rip;
	ctx->rflags = mode->rflags;
	ctx->cr0 = mode->cr0;
	ctx->cr3 = mode->cr3;
	ctx->cr4 = mode->cr4;
	ctx->efer = mode->efer;
	vcpu_emulate_copy_segment(&ctx->cs, &mode->cs);
	ctx->cpl = mode->cpl;
	ctx->phys_bits = e->phys_bits;
	ctx->pages_1g = e->pages_1g;
	ctx->nr_bytes = 0;
}

/* What the emulator wrote that does not stand in vcpu->gpr. */
static void vcpu_emulate_leave(struct vcpu *vcpu, const struct emulate_ctx *ctx,
			       const struct vcpu_mode *mode)
{
	if (unlikely(vcpu->gpr[GPR_RSP] != mode->rsp))
		hv_ops->set_reg(vcpu, VCPU_RSP, vcpu->gpr[GPR_RSP]);
	if (ctx->rflags != mode->rflags)
		hv_ops->set_reg(vcpu, VCPU_RFLAGS, ctx->rflags);
}

void vcpu_emulate_inject(struct vcpu *vcpu, const struct emulate_fault *fault)
{
	if (fault->vector == X86_VECTOR_PF)
		vcpu_inject_page_fault(vcpu, fault->cr2, fault->error);
	else
		vcpu_inject_exception(vcpu, fault->vector, fault->has_error, fault->error);
}

/* The guest sees #UD. The log is told the first time, the second, the fourth and so on. */
static void vcpu_emulate_refuse(struct vcpu *vcpu, const struct emulate_ctx *ctx)
{
	struct vcpu_emulate *e = container_of(vcpu->icache, struct vcpu_emulate, icache);
	uint32_t count = ++e->unhandled;
	char text[3 * X86_MAX_INSN_BYTES + 1] = " none";

	vcpu_inject_ud(vcpu);
	if (count & (count - 1))
		return;
	for (unsigned i = 0; i < ctx->nr_bytes; i++)
		snprintf(text + 3 * i, 4, " %02x", ctx->bytes[i]);
	vm_log(vcpu->vm, LOG_WARN,
	       "vcpu %" PRIu32 ": instruction at 0x%" PRIx64
	       " is not emulated (bytes:%s); the guest gets #UD, the %" PRIu32 ". time",
	       vcpu->index, ctx->rip, text, count);
}

enum exit_action vcpu_emulate_result(struct vcpu *vcpu, const struct emulate_ctx *ctx,
				     const struct vcpu_mode *mode, enum emulate_result result)
{
	if (unlikely(result == EMULATE_UNHANDLED)) {
		vcpu_emulate_refuse(vcpu, ctx);
		return EXIT_RESUME;
	}
	vcpu_emulate_leave(vcpu, ctx, mode);
	if (unlikely(result == EMULATE_FAULT)) {
		vcpu_emulate_inject(vcpu, &ctx->fault);
	} else if (likely(result == EMULATE_DONE)) {
		vcpu->rip = ctx->rip;
		hv_ops->insn_done(vcpu);
	} else if (ctx->rflags & X86_FLAGS_TF) {
		/* One round of a repeated instruction, which traps as well. */
		hv_ops->insn_done(vcpu);
	}
	return EXIT_RESUME;
}

static struct vcpu_emulate_known *vcpu_emulate_slot(struct vcpu *vcpu)
{
	struct vcpu_emulate *e = container_of(vcpu->icache, struct vcpu_emulate, icache);

	return &e->known[(vcpu->rip ^ vcpu->rip >> 6) % KNOWN];
}

/* Whether @k is the instruction at RIP. */
static __always_inline bool vcpu_emulate_is(struct vcpu *vcpu, const struct vcpu_emulate_known *k)
{
	return k->rip == vcpu->rip && icache_proven(&k->proof) && hv_ops->mode_is(vcpu, &k->mode);
}

/* For the next time, when all of it is in one page and rests on RAM alone. */
static void vcpu_emulate_keep(struct vcpu_emulate_known *k, const struct vcpu_mode *mode,
			      uint64_t rip, const struct insn *insn)
{
	const struct icache_entry *entry = container_of(insn, struct icache_entry, insn);

	k->mode.cr0 = 0;
	if (!entry->mode || entry->crosses)
		return;
	k->rip = rip;
	k->mode = *mode;
	k->proof = entry->proof[0];
	k->insn = *insn;
	/* RSP is the vendor's until vcpu_emulate_enter() asks for it. */
	k->direct = insn->fast && (insn->flags & INSN_FLAT) && insn->base != X86_RSP &&
		    insn->fast_reg != X86_RSP;
}

/* Not the access of an instruction: the CPU was looking for a handler, or pushing for it. */
static enum exit_action vcpu_emulate_delivery(struct vcpu *vcpu, const struct vm_exit *exit)
{
	gpa_t gpa = exit->u.memory.gpa;

	/* A hook that was there until just now: the page is RAM again, and the event goes there. */
	if (vcpu_emulate_ram(vcpu, gpa, 1, exit->u.memory.access & ACCESS_WRITE))
		return EXIT_RESUME;
	vcpu_fail(vcpu, "vector %u cannot be delivered: no RAM at 0x%" PRIx64, vcpu->event.vector,
		  gpa);
	return EXIT_STOP;
}

static __noinline enum exit_action vcpu_emulate_general(struct vcpu *vcpu,
							const struct vm_exit *exit)
{
	enum emulate_result result;
	const struct insn *insn;
	struct emulate_ctx ctx;
	struct vcpu_mode mode;

	/* A write that was to be told of first: now it may be done. */
	if (unlikely(READ_ONCE(vcpu->vm->memory->keeper)) &&
	    (exit->u.memory.access & ACCESS_WRITE) &&
	    vcpu_emulate_ram(vcpu, exit->u.memory.gpa, 1, true))
		return EXIT_RESUME;
	if (vcpu->event.type != EVENT_NONE)
		return vcpu_emulate_delivery(vcpu, exit);
	vcpu_emulate_enter(vcpu, &ctx, &mode);
	result = icache_insn(&ctx, &insn);
	if (result != EMULATE_DONE)
		return vcpu_emulate_result(vcpu, &ctx, &mode, result);
	if (exit->u.memory.table_walk || (exit->u.memory.access & ACCESS_EXEC)) {
		result = emulate_instruction(&ctx);
	} else {
		if (insn->fast)
			vcpu_emulate_keep(vcpu_emulate_slot(vcpu), &mode, vcpu->rip, insn);
		result = emulate_at(&ctx, insn, exit->u.memory.gpa);
	}
	return vcpu_emulate_result(vcpu, &ctx, &mode, result);
}

/* A plain move that comes again, as nearly all do, is done without an emulate_ctx. */
enum exit_action vcpu_emulate_memory(struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct vcpu_emulate_known *k = vcpu_emulate_slot(vcpu);
	gpa_t gpa = exit->u.memory.gpa;

	if (unlikely(!vcpu_emulate_is(vcpu, k) || !k->direct || exit->u.memory.table_walk ||
		     (exit->u.memory.access & ACCESS_EXEC) || vcpu->event.type != EVENT_NONE ||
		     !fast_is_operand(&k->insn, vcpu->gpr, 0, gpa)))
		return vcpu_emulate_general(vcpu, exit);
	if (k->insn.fast == INSN_FAST_STORE)
		hook_memory_write(vcpu, gpa, k->insn.mem_width, fast_value(&k->insn, vcpu->gpr));
	else
		fast_load(&k->insn, vcpu->gpr, hook_memory_read(vcpu, gpa, k->insn.mem_width));
	vcpu->rip += k->insn.length;
	hv_ops->insn_done(vcpu);
	return EXIT_RESUME;
}

static __noinline unsigned vcpu_emulate_find_length(struct vcpu *vcpu)
{
	struct vcpu_emulate_known *k = vcpu_emulate_slot(vcpu);
	const struct insn *insn;
	struct emulate_ctx ctx;
	struct vcpu_mode mode;
	enum emulate_result result;

	vcpu_emulate_enter(vcpu, &ctx, &mode);
	result = icache_insn(&ctx, &insn);
	if (likely(result == EMULATE_DONE)) {
		vcpu_emulate_keep(k, &mode, vcpu->rip, insn);
		return insn->length;
	}
	vcpu_emulate_result(vcpu, &ctx, &mode, result);
	return 0;
}

/* Written so that two values live across the call: on every exit where the CPU does not tell. */
uint64_t vcpu_emulate_length(struct vcpu *vcpu)
{
	const struct vcpu_emulate_known *k = vcpu_emulate_slot(vcpu);
	uint64_t length;

	opaque_to_compiler(k);
	length = k->insn.length;
	if (likely(vcpu_emulate_is(vcpu, k)))
		return length;
	return vcpu_emulate_find_length(vcpu);
}

unsigned vcpu_emulate_fetch(struct vcpu *vcpu, uint8_t bytes[15])
{
	struct emulate_ctx ctx;
	struct vcpu_mode mode;
	struct gva_walk walk;
	unsigned count = 0;

	vcpu_emulate_enter(vcpu, &ctx, &mode);
	for (; count < X86_MAX_INSN_BYTES; count++, ctx.rip++, walk.gpa++) {
		uint64_t linear = icache_linear(&ctx);
		const uint8_t *byte;

		if ((!count || !(linear & X86_PAGE_MASK)) &&
		    gva_translate(&ctx, linear, GVA_FETCH, &walk))
			break;
		byte = vcpu_emulate_ram(vcpu, walk.gpa, 1, false);
		if (!byte)
			break;
		bytes[count] = READ_ONCE(*byte);
	}
	return count;
}

bool vcpu_emulate_address(struct vcpu *vcpu, uint64_t linear, uint64_t *gpa)
{
	struct emulate_ctx ctx;
	struct vcpu_mode mode;
	struct gva_walk walk;

	vcpu_emulate_enter(vcpu, &ctx, &mode);
	ctx.cpl = 0;
	ctx.cr4 &= ~X86_CR4_SMAP;
	if (gva_translate(&ctx, linear, GVA_READ, &walk))
		return false;
	*gpa = walk.gpa;
	return true;
}

int vcpu_emulate_create(struct vcpu *vcpu)
{
	struct vcpu_emulate *e = kzalloc(sizeof(*e));

	if (!e)
		return -ENOMEM;
	vcpu_emulate_forget(e);
	vcpu->icache = &e->icache;
	return 0;
}

void vcpu_emulate_destroy(struct vcpu *vcpu)
{
	if (vcpu->icache)
		kfree(container_of(vcpu->icache, struct vcpu_emulate, icache));
	vcpu->icache = NULL;
}
