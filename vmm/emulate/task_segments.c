/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/emulate/task_segments.h"

#include "arch/x86_64/exceptions.h"
#include "vmm/emulate/gva.h"
#include "vmm/emulate/span.h"
#include "vmm/hv_ops.h"

#include <errno.h>

#define SELECTOR_RPL 3u
#define SELECTOR_TI  4u
#define SELECTOR_NR  0xfff8u

#define TYPE_ACCESSED	0x1u
#define TYPE_WRITABLE	0x2u /* of data; of code: readable */
#define TYPE_CONFORMING 0x4u /* of code */
#define TYPE_CODE	0x8u
#define TYPE_LDT	0x2u
#define TYPE_MASK	0xfu
#define DPL(attrib)	((attrib) >> SEG_ATTR_DPL_SHIFT & 3u)

#define DESCRIPTOR_ACCESSED BIT(8) /* of its upper half */

#define V86_ATTRIB   0xf3u /* SDM vol. 3C, 26.3.1.2 */
#define PLACE_ATTRIB (SEG_ATTR_P | SEG_ATTR_S | SEG_ATTR_DB | TYPE_CODE | TYPE_WRITABLE)

static int open_span(struct task *t, uint64_t linear, unsigned width, unsigned access,
		     struct span *span)
{
	int err = span_open(&t->ctx, (uint32_t)linear, width, access, span);

	if (err)
		return err;
	t->bad = span->host[0] ? span->gpa[1] : span->gpa[0];
	return span->host[0] && (span->first == width || span->host[1]) ? 0 : -EIO;
}

int task_read(struct task *t, uint64_t linear, unsigned width, uint64_t *value)
{
	struct span span = {0};
	int err = open_span(t, linear, width, GVA_SYSTEM, &span);

	if (!err)
		*value = span_load(&t->ctx, &span);
	return err;
}

int task_write(struct task *t, uint64_t linear, unsigned width, unsigned access, uint64_t value)
{
	struct span span = {0};
	int err = open_span(t, linear, width, access, &span);

	if (!err)
		span_store(&t->ctx, &span, value);
	return err;
}

int task_probe(struct task *t, uint64_t linear, unsigned len)
{
	struct span span = {0};
	int err = open_span(t, linear, 1, GVA_SYSTEM | GVA_WRITE, &span);

	return err ? err : open_span(t, linear + len - 1, 1, GVA_SYSTEM | GVA_WRITE, &span);
}

int task_raise(struct task *t, unsigned vector, uint16_t selector)
{
	return emulate_raise_error(&t->ctx, vector,
				   (selector & ~SELECTOR_RPL) | (t->external ? 1u : 0u));
}

int task_find(struct task *t, uint16_t selector, unsigned vector, uint64_t *linear,
	      struct vcpu_segment *segment)
{
	bool local = selector & SELECTOR_TI;
	struct vcpu_segment table;
	uint64_t d;
	int err;

	hv_ops->get_seg(t->vcpu, local ? SEG_LDTR : SEG_GDTR, &table);
	if ((local && !(table.attrib & SEG_ATTR_P)) || (selector | 7u) > table.limit)
		return task_raise(t, vector, selector);
	*linear = table.base + (selector & SELECTOR_NR);
	err = task_read(t, *linear, sizeof(d), &d);
	if (err)
		return err;
	*segment = (struct vcpu_segment){
		.selector = selector,
		.attrib = (d >> 40 & 0xff) | (d >> 52 & 0xf) << 8,
		.limit = (d & 0xffff) | (d >> 32 & 0xf0000),
		.base = (d >> 16 & 0xffffff) | d >> 56 << 24,
	};
	if (segment->attrib & SEG_ATTR_G)
		segment->limit = segment->limit << 12 | 0xfff;
	return 0;
}

static bool is_null(uint16_t selector)
{
	return !(selector & ~SELECTOR_RPL);
}

static int load_ldtr(struct task *t, uint16_t selector)
{
	struct vcpu_segment s = {.selector = selector};
	uint64_t linear;
	int err;

	hv_ops->set_seg(t->vcpu, SEG_LDTR, &s);
	if (is_null(selector))
		return 0;
	if (selector & SELECTOR_TI)
		return task_raise(t, EXCEPTION_TS, selector);
	err = task_find(t, selector, EXCEPTION_TS, &linear, &s);
	if (err)
		return err;
	if ((s.attrib & (SEG_ATTR_S | SEG_ATTR_P | TYPE_MASK)) != (SEG_ATTR_P | TYPE_LDT))
		return task_raise(t, EXCEPTION_TS, selector);
	hv_ops->set_seg(t->vcpu, SEG_LDTR, &s);
	return 0;
}

/* SDM vol. 3A, table 7-1. The new task's CPL is the RPL of its CS. */
static bool may_load(enum vcpu_seg seg, const struct vcpu_segment *s, unsigned cpl)
{
	unsigned rpl = s->selector & SELECTOR_RPL, dpl = DPL(s->attrib);
	bool code = s->attrib & TYPE_CODE, conforming = code && (s->attrib & TYPE_CONFORMING);

	if (!(s->attrib & SEG_ATTR_S))
		return false;
	if (seg == SEG_CS)
		return code && (conforming ? dpl <= cpl : dpl == cpl);
	if (seg == SEG_SS)
		return !code && (s->attrib & TYPE_WRITABLE) && rpl == cpl && dpl == cpl;
	return (!code || (s->attrib & TYPE_WRITABLE)) && (conforming || (rpl <= dpl && cpl <= dpl));
}

static int load_segment(struct task *t, enum vcpu_seg seg, uint16_t selector, unsigned cpl)
{
	struct vcpu_segment s;
	uint64_t linear, high;
	int err;

	if (is_null(selector))
		return seg == SEG_CS || seg == SEG_SS ? task_raise(t, EXCEPTION_TS, selector) : 0;
	err = task_find(t, selector, EXCEPTION_TS, &linear, &s);
	if (err)
		return err;
	if (!may_load(seg, &s, cpl))
		return task_raise(t, EXCEPTION_TS, selector);
	if (!(s.attrib & SEG_ATTR_P))
		return task_raise(t, seg == SEG_SS ? EXCEPTION_SS : EXCEPTION_NP, selector);
	if (!(s.attrib & TYPE_ACCESSED)) {
		linear += TASK_DESCRIPTOR_HIGH;
		err = task_read(t, linear, 4, &high);
		if (!err)
			err = task_write(t, linear, 4, GVA_SYSTEM | GVA_WRITE,
					 high | DESCRIPTOR_ACCESSED);
		if (err)
			return err;
	}
	hv_ops->set_seg(t->vcpu, seg, &s);
	return 0;
}

static void load_v86(struct task *t, const uint16_t *selectors)
{
	for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
		struct vcpu_segment s = {.selector = selectors[i],
					 .attrib = V86_ATTRIB,
					 .limit = 0xffff,
					 .base = (uint64_t)selectors[i] << 4};

		hv_ops->set_seg(t->vcpu, (enum vcpu_seg)i, &s);
	}
}

/* Should one of them fault, its handler is entered from these: CPL is what it will be. */
static void hold_places(struct task *t, const uint16_t *selectors, unsigned cpl)
{
	for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
		struct vcpu_segment s = {.selector = selectors[i],
					 .attrib = (uint16_t)(cpl << SEG_ATTR_DPL_SHIFT)};

		if (i == SEG_CS)
			s.attrib |= PLACE_ATTRIB;
		hv_ops->set_seg(t->vcpu, (enum vcpu_seg)i, &s);
	}
}

int task_load_segments(struct task *t, const uint16_t *selectors, uint16_t ldt)
{
	static const uint8_t order[] = {SEG_CS, SEG_SS, SEG_DS, SEG_ES, SEG_FS, SEG_GS};
	bool v86 = t->ctx.rflags & X86_FLAGS_VM;
	unsigned cpl = v86 ? 3 : selectors[SEG_CS] & SELECTOR_RPL;
	int err;

	t->ctx.cpl = (uint8_t)cpl;
	if (v86)
		load_v86(t, selectors);
	else
		hold_places(t, selectors, cpl);
	err = load_ldtr(t, ldt);
	for (unsigned i = 0; !err && !v86 && i < ARRAY_SIZE(order); i++)
		err = load_segment(t, (enum vcpu_seg)order[i], selectors[order[i]], cpl);
	return err;
}
