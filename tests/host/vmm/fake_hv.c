/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/vmm/fake_hv.h"

#include "arch/x86_64/percpu.h"
#include "vmm/emulate/task_switch.h"
#include "vmm/emulate/vcpu_emulate.h"
#include "vmm/irq.h"
#include "vmm/vm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct hv_ops *hv_ops = &fake_hv_ops;

uint64_t fake_regs[VCPU_REGS];
struct vcpu_segment fake_segs[VCPU_SEGS];
void (*fake_guest)(struct vcpu *vcpu, struct vm_exit *exit);
unsigned fake_entries;
char fake_story[1024];
bool fake_irq_allowed, fake_nmi_allowed;
unsigned fake_insn_length;
const char *fake_code;
size_t fake_code_len;
int fake_pending;
uint32_t fake_timer_requests;
unsigned fake_wakes;

static struct cpu cpu0 = {.online = true};
__thread struct cpu *fake_cpu = &cpu0;

void fake_hv_reset(void)
{
	memset(&cpu0, 0, sizeof(cpu0));
	memset(fake_regs, 0, sizeof(fake_regs));
	memset(fake_segs, 0, sizeof(fake_segs));
	fake_guest = NULL;
	fake_entries = fake_wakes = 0;
	fake_story[0] = '\0';
	fake_irq_allowed = fake_nmi_allowed = true;
	fake_insn_length = 3;
	fake_code = "";
	fake_code_len = 0;
	fake_pending = -1;
	fake_timer_requests = 0;
}

static void __printf(1, 2) tell(const char *fmt, ...)
{
	size_t at = strlen(fake_story);
	va_list args;

	va_start(args, fmt);
	vsnprintf(fake_story + at, sizeof(fake_story) - at, fmt, args);
	va_end(args);
}

static void run(struct vcpu *vcpu, struct vm_exit *exit)
{
	static const char types[] = "-INXS";

	fake_cpu->world = vcpu;
	fake_entries++;
	if (vcpu->event.type != EVENT_NONE) {
		tell("%c%u", types[vcpu->event.type], vcpu->event.vector);
		if (vcpu->event.has_error)
			tell("/%x", vcpu->event.error);
		tell(" ");
	}
	vcpu->event.type = EVENT_NONE;
	memset(exit, 0, sizeof(*exit));
	fake_guest(vcpu, exit);
}

static void leave_world(void)
{
	fake_cpu->world = NULL;
}

static uint64_t get_reg(struct vcpu *vcpu __unused, enum vcpu_reg reg)
{
	return fake_regs[reg];
}

static void set_reg(struct vcpu *vcpu __unused, enum vcpu_reg reg, uint64_t value)
{
	fake_regs[reg] = value;
}

static void get_seg(struct vcpu *vcpu __unused, enum vcpu_seg seg, struct vcpu_segment *value)
{
	*value = fake_segs[seg];
}

static void set_seg(struct vcpu *vcpu __unused, enum vcpu_seg seg, const struct vcpu_segment *value)
{
	fake_segs[seg] = *value;
}

static void get_mode(struct vcpu *vcpu __unused, struct vcpu_mode *mode)
{
	memset(mode, 0, sizeof(*mode));
	mode->cr0 = fake_regs[VCPU_CR0];
	mode->cr4 = fake_regs[VCPU_CR4];
	mode->efer = fake_regs[VCPU_EFER];
	mode->cs = fake_segs[SEG_CS];
	mode->cpl = fake_segs[SEG_SS].attrib >> SEG_ATTR_DPL_SHIFT & 3;
}

static unsigned get_cpl(struct vcpu *vcpu __unused)
{
	return fake_segs[SEG_SS].attrib >> SEG_ATTR_DPL_SHIFT & 3;
}

static bool irq_allowed(struct vcpu *vcpu)
{
	return fake_irq_allowed && vcpu->event.type == EVENT_NONE;
}

static bool nmi_allowed(struct vcpu *vcpu)
{
	return fake_nmi_allowed && vcpu->event.type == EVENT_NONE;
}

static void request_irq_window(struct vcpu *vcpu __unused)
{
	tell("irq-window ");
}

static void request_nmi_window(struct vcpu *vcpu __unused)
{
	tell("nmi-window ");
}

static void set_tpr_threshold(struct vcpu *vcpu __unused, unsigned priority __unused)
{
}

static void insn_done(struct vcpu *vcpu __unused)
{
	fake_regs[VCPU_INTR_SHADOW] = 0;
}

static void flush(struct vcpu *vcpu __unused)
{
	tell("flush ");
}

static void tsc_changed(struct vcpu *vcpu __unused)
{
	tell("tsc ");
}

static void explain(struct vcpu *vcpu __unused)
{
	tell("explain ");
}

static void vcpu_reset_regs(struct vcpu *vcpu __unused)
{
	tell("reset ");
}

static int vcpu_create_hv(struct vcpu *vcpu)
{
	vcpu->hv = fake_regs;
	return 0;
}

static void vcpu_destroy_hv(struct vcpu *vcpu)
{
	vcpu->hv = NULL;
}

static int vm_create_hv(struct vm *vm)
{
	vm->hv = fake_regs;
	return 0;
}

static void vm_destroy_hv(struct vm *vm)
{
	vm->hv = NULL;
}

static int map(struct vm *vm __unused, gpa_t gpa __unused, hpa_t hpa __unused,
	       uint64_t size __unused, unsigned access __unused)
{
	return 0;
}

static int unmap(struct vm *vm __unused, gpa_t gpa __unused, uint64_t size __unused)
{
	return 0;
}

static uint32_t signature(void)
{
	return 0x6b1;
}

static int tell_nothing(struct cpu_model *m __unused)
{
	return 0;
}

static const struct cpu_vendor fake_cpu_vendor = {.signature = signature, .tell = tell_nothing};

const struct hv_ops fake_hv_ops = {
	.name = "fake",
	.cpu = &fake_cpu_vendor,
	.vm_create = vm_create_hv,
	.vm_destroy = vm_destroy_hv,
	.vcpu_create = vcpu_create_hv,
	.vcpu_destroy = vcpu_destroy_hv,
	.vcpu_reset = vcpu_reset_regs,
	.run = run,
	.leave_world = leave_world,
	.get_reg = get_reg,
	.set_reg = set_reg,
	.get_seg = get_seg,
	.set_seg = set_seg,
	.get_mode = get_mode,
	.get_cpl = get_cpl,
	.irq_allowed = irq_allowed,
	.nmi_allowed = nmi_allowed,
	.request_irq_window = request_irq_window,
	.request_nmi_window = request_nmi_window,
	.set_tpr_threshold = set_tpr_threshold,
	.insn_done = insn_done,
	.map = map,
	.unmap = unmap,
	.flush = flush,
	.tsc_changed = tsc_changed,
	.explain = explain,
};

/* The controller. */

int irq_pending(struct vcpu *vcpu __unused)
{
	return fake_pending;
}

void irq_accept(struct vcpu *vcpu __unused, uint8_t vector)
{
	tell("accept%u ", vector);
	fake_pending = -1;
}

void irq_timer(struct vcpu *vcpu)
{
	tell("timer ");
	if (fake_timer_requests)
		vcpu_request(vcpu, fake_timer_requests);
}

void irq_wrote(struct vcpu *vcpu __unused, unsigned reg, uint32_t value)
{
	tell("wrote%x:%x ", reg, value);
}

void irq_reset(struct vcpu *vcpu __unused)
{
	fake_pending = -1;
}

/* The emulator. */

int vcpu_emulate_create(struct vcpu *vcpu __unused)
{
	return 0;
}

void vcpu_emulate_destroy(struct vcpu *vcpu __unused)
{
}

enum exit_action vcpu_emulate_memory(struct vcpu *vcpu __unused, const struct vm_exit *exit)
{
	tell("mmio%lx ", exit->u.memory.gpa);
	return EXIT_RESUME;
}

enum exit_action task_switch(struct vcpu *vcpu __unused, const struct vm_exit *exit __unused)
{
	return EXIT_STOP;
}

enum exit_action vcpu_emulate_string_io(struct vcpu *vcpu __unused, const struct vm_exit *exit)
{
	tell("string%x ", exit->u.io.port);
	return EXIT_ADVANCE;
}

uint64_t vcpu_emulate_length(struct vcpu *vcpu)
{
	if (!fake_insn_length)
		vcpu_inject_page_fault(vcpu, vcpu->rip, 0x10);
	return fake_insn_length;
}

unsigned vcpu_emulate_fetch(struct vcpu *vcpu __unused, uint8_t bytes[15])
{
	memcpy(bytes, fake_code, fake_code_len);
	return (unsigned)fake_code_len;
}

/* The scheduler, of one CPU. */

void sched_leave_world(void)
{
	leave_world();
}

void irq_window(void)
{
	tell("window ");
	leave_world();
}

void fake_guest_spin(struct vcpu *vcpu, struct vm_exit *exit)
{
	(void)vcpu;
	exit->kind = VM_EXIT_INTERRUPT;
	this_cpu()->need_resched = true;
}

void fake_guest_crash(struct vcpu *vcpu, struct vm_exit *exit)
{
	(void)vcpu;
	exit->kind = VM_EXIT_TRIPLE_FAULT;
}
