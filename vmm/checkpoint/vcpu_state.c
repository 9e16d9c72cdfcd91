/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/checkpoint/state.h"
#include "vmm/vcpu_saved.h"

#define SEG(name_, seg_)                                                                          \
	{                                                                                         \
		.name = (name_), .offset = offsetof(struct vcpu_saved, segs[(seg_)]), .count = 1, \
		.kind = DEVICE_FIELD_STRUCT_KIND, .type = &segment_saved,                         \
	}
#define NUMBER(name_, member_)                                                               \
	{                                                                                    \
		.name = (name_), .offset = offsetof(struct vcpu_saved, member_), .count = 1, \
		.kind = DEVICE_FIELD_U64_KIND,                                               \
	}
#define REG(name_, reg_) NUMBER(name_, regs[(reg_)])

static const struct device_field segment_fields[] = {
	DEVICE_FIELD(struct vcpu_segment, selector),
	DEVICE_FIELD(struct vcpu_segment, attrib),
	DEVICE_FIELD(struct vcpu_segment, limit),
	DEVICE_FIELD(struct vcpu_segment, base),
	{},
};

static const struct device_state segment_saved = {
	.name = "segment",
	.version = 1,
	.size = sizeof(struct vcpu_segment),
	.fields = segment_fields,
};

static const struct device_field event_fields[] = {
	DEVICE_FIELD(struct vcpu_event, type, .max = EVENT_SOFT_INT),
	DEVICE_FIELD(struct vcpu_event, vector),
	DEVICE_FIELD(struct vcpu_event, has_error),
	DEVICE_FIELD(struct vcpu_event, insn_len),
	DEVICE_FIELD(struct vcpu_event, error),
	{},
};

static const struct device_state event_saved = {
	.name = "event",
	.version = 1,
	.size = sizeof(struct vcpu_event),
	.fields = event_fields,
};

static const struct device_field fpu_fields[] = {
	DEVICE_FIELD(struct fpu_state, xcr0),	   DEVICE_FIELD(struct fpu_state, used),
	DEVICE_FIELD(struct fpu_state, legacy),	   DEVICE_FIELD(struct fpu_state, ymm_high),
	DEVICE_FIELD(struct fpu_state, opmask),	   DEVICE_FIELD(struct fpu_state, zmm_high),
	DEVICE_FIELD(struct fpu_state, zmm_16_31), {},
};

static const struct device_state fpu_saved = {
	.name = "fpu",
	.version = 1,
	.size = sizeof(struct fpu_state),
	.fields = fpu_fields,
};

static const struct device_field vcpu_fields[] = {
	NUMBER("rax", gpr[0]),
	NUMBER("rcx", gpr[1]),
	NUMBER("rdx", gpr[2]),
	NUMBER("rbx", gpr[3]),
	REG("rsp", VCPU_RSP),
	NUMBER("rbp", gpr[5]),
	NUMBER("rsi", gpr[6]),
	NUMBER("rdi", gpr[7]),
	NUMBER("r8", gpr[8]),
	NUMBER("r9", gpr[9]),
	NUMBER("r10", gpr[10]),
	NUMBER("r11", gpr[11]),
	NUMBER("r12", gpr[12]),
	NUMBER("r13", gpr[13]),
	NUMBER("r14", gpr[14]),
	NUMBER("r15", gpr[15]),
	NUMBER("rip", rip),
	REG("rflags", VCPU_RFLAGS),
	REG("cr0", VCPU_CR0),
	REG("cr2", VCPU_CR2),
	REG("cr3", VCPU_CR3),
	REG("cr4", VCPU_CR4),
	REG("cr8", VCPU_CR8),
	NUMBER("dr0", dr[0]),
	NUMBER("dr1", dr[1]),
	NUMBER("dr2", dr[2]),
	NUMBER("dr3", dr[3]),
	REG("dr6", VCPU_DR6),
	REG("dr7", VCPU_DR7),
	REG("efer", VCPU_EFER),
	REG("pat", VCPU_PAT),
	REG("star", VCPU_STAR),
	REG("lstar", VCPU_LSTAR),
	REG("cstar", VCPU_CSTAR),
	REG("sfmask", VCPU_SFMASK),
	REG("kernel-gs-base", VCPU_KERNEL_GS_BASE),
	REG("sysenter-cs", VCPU_SYSENTER_CS),
	REG("sysenter-esp", VCPU_SYSENTER_ESP),
	REG("sysenter-eip", VCPU_SYSENTER_EIP),
	REG("debugctl", VCPU_DEBUGCTL),
	REG("interrupt-shadow", VCPU_INTR_SHADOW),
	REG("nmi-masked", VCPU_NMI_MASKED),
	SEG("es", SEG_ES),
	SEG("cs", SEG_CS),
	SEG("ss", SEG_SS),
	SEG("ds", SEG_DS),
	SEG("fs", SEG_FS),
	SEG("gs", SEG_GS),
	SEG("ldtr", SEG_LDTR),
	SEG("tr", SEG_TR),
	SEG("gdtr", SEG_GDTR),
	SEG("idtr", SEG_IDTR),
	DEVICE_FIELD_STRUCT(struct vcpu_saved, event, &event_saved),
	DEVICE_FIELD_STRUCT(struct vcpu_saved, deferred, &event_saved),
	DEVICE_FIELD(struct vcpu_saved, nmi_pending),
	DEVICE_FIELD(struct vcpu_saved, sipi_vector),
	DEVICE_FIELD(struct vcpu_saved, requests),
	DEVICE_FIELD(struct vcpu_saved, state, .max = VCPU_HALTED),
	DEVICE_FIELD(struct vcpu_saved, tsc_ahead),
	DEVICE_FIELD(struct vcpu_saved, tsc_adjust),
	DEVICE_FIELD(struct vcpu_saved, tsc_aux),
	DEVICE_FIELD_STRUCT(struct vcpu_saved, fpu, &fpu_saved),
	{},
};
_Static_assert(sizeof(((struct vcpu_saved *)0)->regs) == 22 * sizeof(uint64_t), "all are named");

const struct device_state checkpoint_vcpu_state = {
	.name = "vcpu",
	.version = 1,
	.size = sizeof(struct vcpu_saved),
	.fields = vcpu_fields,
};
