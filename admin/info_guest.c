/* SPDX-License-Identifier: BSD-2-Clause */
/* `info` about the inside of a VM: registers, page tables, interrupt lines, timers. */
#include "admin/command.h"
#include "admin/guest_walk.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/time.h"
#include "lib/compiler.h"
#include "vmm/device.h"
#include "vmm/hv_ops.h"
#include "vmm/irq.h"
#include "vmm/vm.h"
#include "vmm/vm_life.h"

#define TLB_TABLES 16384u /* that are read … */
#define TLB_LINES  1000u  /* … and ranges that are printed at most */

static void registers_general(struct vcpu *vcpu)
{
	static const char *const names[] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
					    "R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15"};

	for (unsigned n = 0; n < ARRAY_SIZE(names); n++)
		console_printf("%-3s %016lx%s", names[n], vcpu_gpr(vcpu, n),
			       n % 4 == 3 ? "\n" : "  ");
	console_printf("RIP %016lx  RFLAGS %08lx  CPL %u\n", vcpu->rip,
		       hv_ops->get_reg(vcpu, VCPU_RFLAGS), hv_ops->get_cpl(vcpu));
}

static void registers_segments(struct vcpu *vcpu)
{
	static const char *const names[] = {"ES", "CS",	 "SS", "DS",  "FS",
					    "GS", "LDT", "TR", "GDT", "IDT"};
	struct vcpu_segment s;

	_Static_assert(ARRAY_SIZE(names) == VCPU_SEGS, "a name for each");
	for (unsigned n = 0; n < VCPU_SEGS; n++) {
		hv_ops->get_seg(vcpu, (enum vcpu_seg)n, &s);
		console_printf("%-3s %04x %016lx %08x %03x\n", names[n], s.selector, s.base,
			       s.limit, s.attrib);
	}
}

static void registers_system(struct vcpu *vcpu)
{
	static const struct {
		const char *name;
		enum vcpu_reg reg;
	} regs[] = {
		{"CR0", VCPU_CR0},   {"CR2", VCPU_CR2},	    {"CR3", VCPU_CR3},
		{"CR4", VCPU_CR4},   {"CR8", VCPU_CR8},	    {"DR6", VCPU_DR6},
		{"DR7", VCPU_DR7},   {"EFER", VCPU_EFER},   {"PAT", VCPU_PAT},
		{"STAR", VCPU_STAR}, {"LSTAR", VCPU_LSTAR}, {"KGS", VCPU_KERNEL_GS_BASE},
	};

	for (size_t n = 0; n < ARRAY_SIZE(regs); n++)
		console_printf("%-5s %016lx%s", regs[n].name, hv_ops->get_reg(vcpu, regs[n].reg),
			       n % 3 == 2 ? "\n" : "  ");
}

static void info_registers(char **argv)
{
	enum vm_state state;
	struct vcpu *vcpu = vcpu_still_begin(argv[1], &state);

	if (!vcpu)
		return;
	registers_general(vcpu);
	registers_segments(vcpu);
	registers_system(vcpu);
	vcpu_still_end(vcpu, state);
}

INFO_TOPIC(info_registers_topic, .name = "registers", .args = "[VM.VCPU]",
	   .help = "a vCPU's registers, now; a VM that runs stands still for a moment",
	   .example = "info registers linux.0", .max = 1, .run = info_registers);

/* Pages that lie behind each other in both address spaces, with the same rights, as one line. */
struct tlb {
	struct guest_page range; /* size 0: none yet */
	unsigned lines;
};

static void tlb_print(struct tlb *t)
{
	const struct guest_page *p = &t->range;

	if (!p->size)
		return;
	t->lines++;
	console_printf("%016lx-%016lx -> %012lx %c%c%c\n", p->gva, p->gva + p->size - 1, p->gpa,
		       p->rights & GUEST_WALK_USER ? 'u' : '-',
		       p->rights & GUEST_WALK_WRITE ? 'w' : '-',
		       p->rights & GUEST_WALK_NX ? '-' : 'x');
}

static bool tlb_page(void *opaque, const struct guest_page *page)
{
	struct tlb *t = opaque;
	struct guest_page *p = &t->range;

	if (p->size && p->gva + p->size == page->gva && p->gpa + p->size == page->gpa &&
	    p->rights == page->rights) {
		p->size += page->size;
		return true;
	}
	tlb_print(t);
	*p = *page;
	return t->lines < TLB_LINES;
}

static void info_tlb(char **argv)
{
	enum vm_state state;
	struct vcpu *vcpu = vcpu_still_begin(argv[1], &state);
	struct tlb t = {.lines = 0};
	struct guest_walk walk;
	struct vcpu_mode mode;
	bool all;

	if (!vcpu)
		return;
	hv_ops->get_mode(vcpu, &mode);
	guest_walk_init(&walk, vcpu->vm, &mode);
	all = guest_walk_all(&walk, TLB_TABLES, tlb_page, &t);
	if (all)
		tlb_print(&t);
	if (!walk.levels)
		console_printf("no paging: addresses are guest-physical\n");
	else if (!all)
		console_printf("… and more than %u lines, or %u tables, have\n", TLB_LINES,
			       TLB_TABLES);
	vcpu_still_end(vcpu, state);
}

INFO_TOPIC(info_tlb_topic, .name = "tlb", .args = "[VM.VCPU]",
	   .help = "what a guest's page tables map: to where, and user, write, execute",
	   .example = "info tlb linux.0", .max = 1, .run = info_tlb);

static void info_irqs(char **argv)
{
	enum vm_state state;
	struct vm *vm = vm_arg_begin(argv[1], &state);

	if (!vm)
		return;
	console_printf("%4s %6s %6s\n", "LINE", "USERS", "LEVEL");
	for (unsigned gsi = 0; gsi < IRQ_LINES; gsi++) {
		unsigned asserting, users = irq_line_users(vm, gsi, &asserting);

		if (users)
			console_printf("%4u %6u %6s\n", gsi, users, asserting ? "high" : "low");
	}
	vm_life_end(vm, state);
}

INFO_TOPIC(info_irqs_topic, .name = "irqs", .args = "VM",
	   .help = "a VM's interrupt lines that devices use", .example = "info irqs linux",
	   .min = 1, .max = 1, .run = info_irqs);

static void timer_print(void *opaque, const struct device *dev, uint64_t ns)
{
	uint64_t now = *(const uint64_t *)opaque;

	if (ns == UINT64_MAX)
		console_printf("%-16s off\n", dev->id);
	else if (ns <= now)
		console_printf("%-16s due\n", dev->id);
	else
		console_printf("%-16s in %lu us\n", dev->id, (ns - now) / NSEC_PER_USEC);
}

static void info_timers(char **argv)
{
	enum vm_state state;
	struct vm *vm = vm_arg_begin(argv[1], &state);
	uint64_t now;

	if (!vm)
		return;
	now = vm_time_ns(vm);
	console_printf("the guest's clock: %lu us\n", now / NSEC_PER_USEC);
	device_timer_for_each(vm, timer_print, &now);
	vm_life_end(vm, state);
}

INFO_TOPIC(info_timers_topic, .name = "timers", .args = "VM",
	   .help = "the timers of a VM's devices and when they fire",
	   .example = "info timers linux", .min = 1, .max = 1, .run = info_timers);
