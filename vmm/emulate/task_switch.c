/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of SDM vol. 3A, 7.3, in its order; offsets: figures 7-2 and 7-10. */
#include "vmm/emulate/task_switch.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/exceptions.h"
#include "vmm/emulate/gva.h"
#include "vmm/emulate/linear.h"
#include "vmm/emulate/task_segments.h"
#include "vmm/emulate/vcpu_emulate_frame.h"
#include "vmm/hv_ops.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define TSS_LINK 0x00
#define TSS_CR3	 0x1c
#define TSS_TRAP 0x64
#define TSS_SIZE 0x68
#define GPRS	 8
#define SEGMENTS 6

#define DESCRIPTOR_BUSY BIT(9) /* of a descriptor's upper half */
#define SYSTEM_WRITE	(GVA_SYSTEM | GVA_WRITE)
#define TSS_TYPES	0x5u /* what of the type is the same in all four kinds of TSS: 1 */
#define TSS_TYPE	0x1u
#define FLAGS_KNOWN	0x3f7fd5u
#define DR7_LOCAL	0x155u /* L0-L3, LE */
#define DR6_BT		BIT(15)
#define UPPER_HALF	0xffff0000u /* of what a 16-bit TSS loads; nobody says, CPUs do so */

struct layout {
	uint8_t width; /* of IP, FLAGS (behind it) and registers; selectors lie so far apart, too */
	uint8_t ip, gpr, es, segments, ldt, size;
};

static const struct layout layout_16 = {2, 0x0e, 0x12, 0x22, 4, 0x2a, 0x2c};
static const struct layout layout_32 = {4, 0x20, 0x28, 0x48, SEGMENTS, 0x60, TSS_SIZE};

struct change {
	struct task task;
	enum vm_exit_task_source source;
	bool nested; /* the new task returns to the old one */
	bool committed;
	uint32_t next_ip; /* of the old task */
	struct vcpu_segment from, to;
	uint64_t from_descriptor, to_descriptor; /* linear addresses */
	uint8_t tss[TSS_SIZE];			 /* the new task's */
};

static const struct layout *layout_of(const struct vcpu_segment *tss)
{
	return tss->attrib & TASK_TSS_32 ? &layout_32 : &layout_16;
}

static uint32_t field(const struct change *c, unsigned offset, unsigned width)
{
	uint32_t value = 0;

	memcpy(&value, c->tss + offset, width);
	return value;
}

static bool leaves_for_good(const struct change *c)
{
	return c->source == TASK_BY_JMP || c->source == TASK_BY_IRET;
}

static int check_new(struct change *c, uint16_t selector)
{
	unsigned vector = c->source == TASK_BY_IRET ? EXCEPTION_TS : EXCEPTION_GP;
	struct task *t = &c->task;
	bool busy;
	int err;

	if (selector & 4u) /* in an LDT */
		return task_raise(t, vector, selector);
	err = task_find(t, selector, vector, &c->to_descriptor, &c->to);
	if (err)
		return err;
	busy = c->to.attrib & TASK_TSS_BUSY;
	if ((c->to.attrib & (SEG_ATTR_S | TSS_TYPES)) != TSS_TYPE ||
	    busy != (c->source == TASK_BY_IRET))
		return task_raise(t, vector, selector);
	if (!(c->to.attrib & SEG_ATTR_P))
		return task_raise(t, EXCEPTION_NP, selector);
	if (c->to.limit < layout_of(&c->to)->size - 1u)
		return task_raise(t, EXCEPTION_TS, selector);
	return task_probe(t, c->to_descriptor, 8);
}

static int check_old(struct change *c)
{
	const struct layout *l = layout_of(&c->from);
	unsigned end = l->es + l->segments * l->width;
	struct vcpu_segment ignored;
	int err;

	if (c->from.limit < end - 1)
		return task_raise(&c->task, EXCEPTION_TS, c->from.selector);
	err = task_probe(&c->task, c->from.base + l->ip, end - l->ip);
	if (err || !leaves_for_good(c))
		return err;
	err = task_find(&c->task, c->from.selector, EXCEPTION_TS, &c->from_descriptor, &ignored);
	return err ? err : task_probe(&c->task, c->from_descriptor, 8);
}

/* All that can be refused in the old task. */
static int prepare(struct change *c, uint16_t selector)
{
	int err = check_new(c, selector);

	if (!err)
		err = check_old(c);
	if (!err && c->nested)
		err = task_probe(&c->task, c->to.base + TSS_LINK, 2);
	for (unsigned i = 0; !err && i < layout_of(&c->to)->size; i += 4) {
		uint64_t value;

		err = task_read(&c->task, c->to.base + i, 4, &value);
		if (!err)
			memcpy(c->tss + i, &value, 4);
	}
	return err;
}

static int save_old(struct change *c)
{
	const struct layout *l = layout_of(&c->from);
	uint64_t at = c->from.base, flags = c->task.ctx.rflags;
	struct task *t = &c->task;
	struct vcpu_segment s;
	int err;

	if (c->source == TASK_BY_IRET)
		flags &= ~(uint64_t)RFLAGS_NT;
	err = task_write(t, at + l->ip, l->width, SYSTEM_WRITE, c->next_ip);
	if (!err)
		err = task_write(t, at + l->ip + l->width, l->width, SYSTEM_WRITE, flags);
	for (unsigned i = 0; !err && i < GPRS; i++)
		err = task_write(t, at + l->gpr + i * l->width, l->width, SYSTEM_WRITE,
				 vcpu_gpr(t->vcpu, i));
	for (unsigned i = 0; !err && i < l->segments; i++) {
		hv_ops->get_seg(t->vcpu, (enum vcpu_seg)i, &s);
		err = task_write(t, at + l->es + i * l->width, 2, SYSTEM_WRITE, s.selector);
	}
	return err;
}

static int set_busy(struct task *t, uint64_t descriptor, bool busy)
{
	uint64_t high;
	int err = task_read(t, descriptor + TASK_DESCRIPTOR_HIGH, 4, &high);

	if (err)
		return err;
	high = busy ? high | DESCRIPTOR_BUSY : high & ~DESCRIPTOR_BUSY;
	return task_write(t, descriptor + TASK_DESCRIPTOR_HIGH, 4, SYSTEM_WRITE, high);
}

static int link_tasks(struct change *c)
{
	int err = 0;

	if (leaves_for_good(c))
		err = set_busy(&c->task, c->from_descriptor, false);
	if (!err && c->source != TASK_BY_IRET)
		err = set_busy(&c->task, c->to_descriptor, true);
	if (!err && c->nested)
		err = task_write(&c->task, c->to.base + TSS_LINK, 2, SYSTEM_WRITE,
				 c->from.selector);
	return err;
}

/* TR, CR3, CR0.TS, DR7, flags and general registers: none of these faults. */
static void load_registers(struct change *c)
{
	const struct layout *l = layout_of(&c->to);
	uint32_t upper = l->width == 2 ? UPPER_HALF : 0;
	struct emulate_ctx *ctx = &c->task.ctx;
	struct vcpu *vcpu = c->task.vcpu;

	c->to.attrib |= TASK_TSS_BUSY;
	hv_ops->set_seg(vcpu, SEG_TR, &c->to);
	if (l->width == 4 && (ctx->cr0 & X86_CR0_PG)) {
		ctx->cr3 = field(c, TSS_CR3, 4);
		hv_ops->set_reg(vcpu, VCPU_CR3, ctx->cr3);
	}
	ctx->cr0 |= CR0_TS;
	hv_ops->set_reg(vcpu, VCPU_CR0, ctx->cr0);
	hv_ops->set_reg(vcpu, VCPU_DR7, hv_ops->get_reg(vcpu, VCPU_DR7) & ~(uint64_t)DR7_LOCAL);
	hv_ops->set_reg(vcpu, VCPU_INTR_SHADOW, 0);
	ctx->rflags = (field(c, l->ip + l->width, l->width) & FLAGS_KNOWN) | RFLAGS_FIXED;
	if (c->nested)
		ctx->rflags |= RFLAGS_NT;
	hv_ops->set_reg(vcpu, VCPU_RFLAGS, ctx->rflags);
	vcpu->rip = field(c, l->ip, l->width);
	for (unsigned i = 0; i < GPRS; i++)
		vcpu_set_gpr(vcpu, i, upper | field(c, l->gpr + i * l->width, l->width));
}

/* What an event has done to the vCPU once it is delivered. */
static void settle_event(struct change *c)
{
	struct vcpu *vcpu = c->task.vcpu;

	if (c->source == TASK_BY_IRET)
		hv_ops->set_reg(vcpu, VCPU_NMI_MASKED, 0);
	else if (vcpu->event.type == EVENT_NMI)
		hv_ops->set_reg(vcpu, VCPU_NMI_MASKED, 1);
	/* An exception stays until the new task stands: a fault on the way makes it a double one.
	 */
	if (vcpu->event.type != EVENT_EXCEPTION)
		vcpu->event.type = EVENT_NONE;
}

static int push_error(struct change *c, uint32_t error)
{
	unsigned width = layout_of(&c->to)->width;
	struct vcpu *vcpu = c->task.vcpu;
	uint64_t rsp = vcpu_gpr(vcpu, GPR_RSP), linear;
	struct vcpu_segment ss;
	uint64_t mask;
	int err;

	hv_ops->get_seg(vcpu, SEG_SS, &ss);
	mask = ss.attrib & SEG_ATTR_DB ? 0xffffffff : 0xffff;
	rsp = (rsp & ~mask) | ((rsp - width) & mask);
	err = linear_address(&c->task.ctx, EMULATE_SS, rsp & mask, width, GVA_WRITE, &linear);
	if (!err)
		err = task_write(&c->task, linear, width, GVA_WRITE, error);
	if (!err)
		hv_ops->set_reg(vcpu, VCPU_RSP, rsp);
	return err;
}

static int commit(struct change *c)
{
	const struct layout *l = layout_of(&c->to);
	struct vcpu_event event = c->task.vcpu->event;
	uint16_t selectors[SEGMENTS] = {0};
	int err = save_old(c);

	if (!err)
		err = link_tasks(c);
	if (err)
		return err == -EFAULT ? -EAGAIN : err;
	load_registers(c);
	settle_event(c);
	for (unsigned i = 0; i < l->segments; i++)
		selectors[i] = (uint16_t)field(c, l->es + i * l->width, 2);
	err = task_load_segments(&c->task, selectors, (uint16_t)field(c, l->ldt, 2));
	if (!err && c->source == TASK_BY_GATE && event.has_error)
		err = push_error(c, event.error);
	if (err)
		return err;
	c->task.vcpu->event.type = EVENT_NONE;
	if (l->width == 4 && (c->tss[TSS_TRAP] & 1)) {
		hv_ops->set_reg(c->task.vcpu, VCPU_DR6,
				hv_ops->get_reg(c->task.vcpu, VCPU_DR6) | DR6_BT);
		vcpu_inject_exception(c->task.vcpu, EXCEPTION_DB, false, 0);
	}
	return 0;
}

static void begin(struct change *c, struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct vcpu_event *event = &vcpu->event;
	struct vcpu_mode mode;

	c->task.vcpu = vcpu;
	vcpu_emulate_enter(vcpu, &c->task.ctx, &mode);
	c->source = exit->u.task.source;
	c->nested = c->source == TASK_BY_CALL || c->source == TASK_BY_GATE;
	c->task.external =
		c->source == TASK_BY_GATE && event->type != EVENT_SOFT_INT && !event->insn_len;
	c->next_ip = (uint32_t)(vcpu->rip + exit->insn_len);
	hv_ops->get_seg(vcpu, SEG_TR, &c->from);
}

enum exit_action task_switch(struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct change c = {0};
	int err;

	begin(&c, vcpu, exit);
	err = prepare(&c, exit->u.task.selector);
	if (!err) {
		c.committed = true;
		err = commit(&c);
	}
	if (err == -EFAULT) {
		vcpu_emulate_inject(vcpu, &c.task.ctx.fault);
	} else if (err == -EIO) {
		vcpu_fail(vcpu, "task switch to TSS 0x%x: no RAM at 0x%" PRIx64,
			  exit->u.task.selector, c.task.bad);
		return EXIT_STOP;
	} else if (err && c.committed) {
		vcpu_fail(vcpu, "task switch to TSS 0x%x: its page tables changed meanwhile",
			  exit->u.task.selector);
		return EXIT_STOP;
	}
	return EXIT_RESUME;
}
