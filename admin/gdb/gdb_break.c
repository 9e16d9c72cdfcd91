/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breakpoints, watchpoints, single steps. Nothing of that is a vendor's: #UD
 * and #DB exit always, and RFLAGS.TF and the debug registers are the guest's.
 * A guest that uses those itself loses them to the debugger.
 */
#include "admin/gdb/gdb.h"

#include "vmm/emulate/x86.h"
#include "vmm/hv_ops.h"

#include <errno.h>
#include <string.h>

#define DR6_HARD  0xfu
#define DR6_STEP  BIT(14)
#define DR7_FIXED BIT(10)
#define VECTOR_DB 1

/* PUSH ES, which 64-bit code does not have: one byte, so that the next instruction stays. */
static const uint8_t gdb_ud_64[] = {0x06};
static const uint8_t gdb_ud2[] = {0x0f, 0x0b};

static struct gdb_soft *gdb_soft_find(struct gdb *g, uint64_t address)
{
	for (size_t i = 0; i < GDB_SOFT_MAX; i++)
		if (g->soft[i].len && g->soft[i].address == address)
			return &g->soft[i];
	return NULL;
}

static bool gdb_long64(struct vcpu *vcpu)
{
	struct vcpu_segment cs;

	hv_ops->get_seg(vcpu, SEG_CS, &cs);
	return (cs.attrib & SEG_ATTR_L) && (hv_ops->get_reg(vcpu, VCPU_EFER) & X86_EFER_LMA);
}

static int gdb_soft_set(struct gdb *g, struct vcpu *vcpu, uint64_t address)
{
	bool long64 = gdb_long64(vcpu);
	struct gdb_soft *soft = g->soft;
	uint8_t len = long64 ? sizeof(gdb_ud_64) : sizeof(gdb_ud2);

	if (gdb_soft_find(g, address))
		return 0;
	while (soft < g->soft + GDB_SOFT_MAX && soft->len)
		soft++;
	if (soft == g->soft + GDB_SOFT_MAX)
		return -ENOSPC;
	if (!gdb_read_memory(vcpu, address, soft->old, len) ||
	    !gdb_write_memory(vcpu, address, long64 ? gdb_ud_64 : gdb_ud2, len))
		return -EFAULT;
	soft->address = address;
	soft->len = len;
	return 0;
}

/* Where another instruction stands now, by the guest or in another life of the VM, it stays. */
static int gdb_soft_clear(struct vcpu *vcpu, struct gdb_soft *soft)
{
	uint8_t now[sizeof(soft->old)], len;

	if (!soft)
		return 0;
	len = soft->len;
	soft->len = 0;
	if (!gdb_read_memory(vcpu, soft->address, now, len))
		return -EFAULT;
	if (memcmp(now, len == 1 ? gdb_ud_64 : gdb_ud2, len))
		return 0;
	return gdb_write_memory(vcpu, soft->address, soft->old, len) ? 0 : -EFAULT;
}

/* A debug register watches 1, 2, 4 or 8 bytes, aligned (SDM vol. 3B, 17.2.5). */
static int gdb_hard_set(struct gdb *g, unsigned type, uint64_t address, uint64_t len)
{
	struct gdb_hard *hard = g->hard;

	if (type == 1)
		len = 1;
	if ((len != 1 && len != 2 && len != 4 && len != 8) || address % len)
		return -EINVAL;
	while (hard < g->hard + GDB_HARD_MAX && hard->type)
		hard++;
	if (hard == g->hard + GDB_HARD_MAX)
		return -ENOSPC;
	*hard = (struct gdb_hard){.address = address, .type = (uint8_t)type, .len = (uint8_t)len};
	return 0;
}

/* There are none for reads alone (3). */
static bool gdb_is_hard(unsigned type)
{
	return type == 1 || type == 2 || type == 4;
}

int gdb_break_set(struct gdb *g, struct vcpu *vcpu, unsigned type, uint64_t address, uint64_t len)
{
	if (type == 0)
		return gdb_soft_set(g, vcpu, address);
	return gdb_is_hard(type) ? gdb_hard_set(g, type, address, len) : -ENOSYS;
}

int gdb_break_clear(struct gdb *g, struct vcpu *vcpu, unsigned type, uint64_t address)
{
	if (type == 0)
		return gdb_soft_clear(vcpu, gdb_soft_find(g, address));
	if (!gdb_is_hard(type))
		return -ENOSYS;
	for (size_t i = 0; i < GDB_HARD_MAX; i++)
		if (g->hard[i].type == type && g->hard[i].address == address)
			g->hard[i].type = 0;
	return 0;
}

void gdb_break_clear_all(struct gdb *g)
{
	struct vcpu *vcpu = g->vm->vcpus[g->thread < g->vm->vcpu_count ? g->thread : 0];

	for (size_t i = 0; i < GDB_SOFT_MAX; i++)
		/* What is not mapped any more is not there to be taken back. */
		if (g->soft[i].len && vcpu)
			(void)!gdb_soft_clear(vcpu, &g->soft[i]);
	memset(g->hard, 0, sizeof(g->hard));
	gdb_break_load(g);
}

/* DR7's fields of register @i (SDM vol. 3B, 17.2.4). */
static uint64_t gdb_dr7(const struct gdb_hard *hard, unsigned i)
{
	static const uint8_t lengths[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
	uint64_t access = hard->type == 1 ? 0 : hard->type == 2 ? 1 : 3;

	if (!hard->type)
		return 0;
	return BIT(2 * i + 1) | (access | (uint64_t)lengths[hard->len] << 2) << (16 + 4 * i);
}

void gdb_break_load(struct gdb *g)
{
	uint64_t dr7 = DR7_FIXED;

	for (unsigned i = 0; i < GDB_HARD_MAX; i++)
		dr7 |= gdb_dr7(&g->hard[i], i);
	for (uint32_t n = 0; n < g->vm->vcpu_count; n++) {
		struct vcpu *vcpu = g->vm->vcpus[n];

		/* The guest's own, where the debugger wants none. */
		if (dr7 == DR7_FIXED && !g->hard_used)
			continue;
		for (unsigned i = 0; i < GDB_HARD_MAX; i++)
			vcpu->dr[i] = g->hard[i].address;
		hv_ops->set_reg(vcpu, VCPU_DR7, dr7);
	}
	g->hard_used = dr7 != DR7_FIXED;
}

void gdb_step(struct vcpu *vcpu, bool on)
{
	uint64_t flags = hv_ops->get_reg(vcpu, VCPU_RFLAGS);

	hv_ops->set_reg(vcpu, VCPU_RFLAGS, on ? flags | X86_FLAGS_TF : flags & ~X86_FLAGS_TF);
}

/*
 * Which of g->hard it was by DR6, GDB_HARD_MAX: none. Where a CPU exits before
 * it writes DR6 (SVM in Bochs), what is executed at RIP, or else what is watched.
 */
static unsigned gdb_hard_met(const struct gdb *g, const struct vcpu *vcpu, uint64_t dr6)
{
	unsigned watch = GDB_HARD_MAX;

	for (unsigned i = 0; i < GDB_HARD_MAX; i++) {
		const struct gdb_hard *hard = &g->hard[i];

		if (hard->type &&
		    ((dr6 & BIT(i)) || (hard->type == 1 && hard->address == vcpu->rip)))
			return i;
		if (hard->type > 1 && !(dr6 & (DR6_HARD | DR6_STEP)))
			watch = i;
	}
	return g->step == vcpu->index + 1 ? GDB_HARD_MAX : watch;
}

/* True: it is the debugger's. */
static bool gdb_debug_exception(struct gdb *g, struct vcpu *vcpu, const char **why,
				uint64_t *address)
{
	static const char *const whys[] = {[1] = "hwbreak:;", [2] = "watch", [4] = "awatch"};
	uint64_t dr6 = hv_ops->get_reg(vcpu, VCPU_DR6);
	unsigned met = gdb_hard_met(g, vcpu, dr6);
	bool step = g->step == vcpu->index + 1 && ((dr6 & DR6_STEP) || !(dr6 & DR6_HARD));

	*why = "";
	if (met < GDB_HARD_MAX) {
		*why = whys[g->hard[met].type];
		*address = g->hard[met].address;
	} else if (!step) {
		return false;
	}
	hv_ops->set_reg(vcpu, VCPU_DR6, dr6 & ~(DR6_STEP | DR6_HARD));
	return true;
}

/*
 * Any vCPU, on its own CPU, while the shell's task waits: the tables stand
 * still. Who comes first is told; a breakpoint that another vCPU met at the
 * same time is met again when the VM goes on.
 */
bool gdb_exception(struct vm_debug *debug, struct vcpu *vcpu, uint8_t vector)
{
	struct gdb *g = container_of(debug, struct gdb, debug);
	const char *why = "swbreak:;";
	uint64_t address = 0;
	uint32_t none = 0;

	if (vector == VECTOR_DB ? !gdb_debug_exception(g, vcpu, &why, &address)
				: !gdb_soft_find(g, vcpu->rip))
		return false;
	if (__atomic_compare_exchange_n(&g->claimed, &none, 1, false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST)) {
		g->why = why;
		g->why_address = address;
		__atomic_store_n(&g->stopped, vcpu->index + 1, __ATOMIC_SEQ_CST);
	}
	return true;
}
