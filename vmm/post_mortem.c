/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/post_mortem.h"

#include "vmm/emulate/vcpu_emulate.h"
#include "vmm/hv_ops.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <inttypes.h>
#include <stdio.h>

#define LINE(vcpu, fmt, ...) \
	vm_log((vcpu)->vm, LOG_ERROR, "vcpu %u:   " fmt, (vcpu)->index, __VA_ARGS__)

static void general(struct vcpu *vcpu)
{
	static const char *const names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
					      "rsi", "rdi", "r8 ", "r9 ", "r10", "r11",
					      "r12", "r13", "r14", "r15"};

	for (unsigned i = 0; i < 16; i += 4)
		LINE(vcpu,
		     "%s %016" PRIx64 "  %s %016" PRIx64 "  %s %016" PRIx64 "  %s %016" PRIx64,
		     names[i], vcpu_gpr(vcpu, i), names[i + 1], vcpu_gpr(vcpu, i + 1), names[i + 2],
		     vcpu_gpr(vcpu, i + 2), names[i + 3], vcpu_gpr(vcpu, i + 3));
}

static void segment(struct vcpu *vcpu, const char *name, enum vcpu_seg seg)
{
	struct vcpu_segment s;

	hv_ops->get_seg(vcpu, seg, &s);
	LINE(vcpu, "%s %04x base %016" PRIx64 " limit %08" PRIx32 " attributes %04x", name,
	     s.selector, s.base, s.limit, s.attrib);
}

static void event(struct vcpu *vcpu)
{
	static const char *const types[] = {"none", "interrupt", "NMI", "exception", "INT n"};

	if (vcpu->event.type != EVENT_NONE && vcpu->event.type < ARRAY_SIZE(types))
		LINE(vcpu, "while delivering %s %u, error code %" PRIx32, types[vcpu->event.type],
		     vcpu->event.vector, vcpu->event.error);
}

static void code(struct vcpu *vcpu)
{
	char text[3 * 15 + 1] = "";
	uint8_t bytes[15];
	unsigned count = vcpu_emulate_fetch(vcpu, bytes);

	for (unsigned i = 0; i < count; i++)
		snprintf(text + 3 * (size_t)i, 4, " %02x", bytes[i]);
	LINE(vcpu, "code%s", count ? text : " cannot be read");
}

void post_mortem(struct vcpu *vcpu, const char *why)
{
	const struct hv_ops *hv = hv_ops;

	vm_log(vcpu->vm, LOG_ERROR, "vcpu %u: %s", vcpu->index, why);
	LINE(vcpu, "rip %016" PRIx64 "  rflags %016" PRIx64, vcpu->rip,
	     hv->get_reg(vcpu, VCPU_RFLAGS));
	general(vcpu);
	LINE(vcpu,
	     "cr0 %08" PRIx64 "  cr2 %016" PRIx64 "  cr3 %016" PRIx64 "  cr4 %08" PRIx64
	     "  efer %04" PRIx64,
	     hv->get_reg(vcpu, VCPU_CR0), hv->get_reg(vcpu, VCPU_CR2), hv->get_reg(vcpu, VCPU_CR3),
	     hv->get_reg(vcpu, VCPU_CR4), hv->get_reg(vcpu, VCPU_EFER));
	segment(vcpu, "cs  ", SEG_CS);
	segment(vcpu, "ss  ", SEG_SS);
	segment(vcpu, "ds  ", SEG_DS);
	segment(vcpu, "tr  ", SEG_TR);
	segment(vcpu, "gdtr", SEG_GDTR);
	segment(vcpu, "idtr", SEG_IDTR);
	event(vcpu);
	code(vcpu);
}

TABLE_DECLARE(crash_reports, crash_report_fn);

void post_mortem_vm(struct vm *vm)
{
	const crash_report_fn *report;

	for (report = TABLE_START(crash_reports); report < TABLE_END(crash_reports); report++)
		(*report)(vm);
}
