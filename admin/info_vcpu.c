/* SPDX-License-Identifier: BSD-2-Clause */
/* `info vcpu`: what a vCPU is, in the same words whichever vendor's CPU runs it. */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "vmm/vcpu_saved.h"

static const char *const gpr_names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
					  "r8",	 "r9",	"r10", "r11", "r12", "r13", "r14", "r15"};

static void print_value(unsigned n, const char *name, uint64_t value)
{
	console_printf("%-12s %016lx%s", name, value, n % 3 == 2 ? "\n" : "  ");
}

static void print_event(const char *what, const struct vcpu_event *event)
{
	static const char *const types[] = {"none", "interrupt", "NMI", "exception", "INT n"};

	if (event->type != EVENT_NONE && event->type < ARRAY_SIZE(types))
		console_printf("%s: %s %u, error code %x\n", what, types[event->type],
			       event->vector, event->error);
}

static void print_state(const struct vcpu_saved *s)
{
	static const char *const states[] = {"waits for SIPI", "runnable", "halted", "stopped"};
	unsigned n = 0;

	console_printf("%s%s\n", states[s->state], s->nmi_pending ? ", an NMI is pending" : "");
	print_event("to be delivered", &s->event);
	print_event("to be delivered later", &s->deferred);
	print_value(n++, "rip", s->rip);
	for (unsigned i = 0; i < ARRAY_SIZE(gpr_names); i++)
		print_value(n++, gpr_names[i], s->gpr[i]);
	for (unsigned i = VCPU_RFLAGS; i < VCPU_REGS; i++)
		print_value(n++, vcpu_reg_names[i], s->regs[i]);
	print_value(n++, "dr0", s->dr[0]);
	print_value(n++, "dr1", s->dr[1]);
	print_value(n++, "dr2", s->dr[2]);
	print_value(n++, "dr3", s->dr[3]);
	print_value(n++, "tsc-adjust", s->tsc_adjust);
	print_value(n++, "tsc-aux", s->tsc_aux);
	print_value(n++, "xcr0", s->fpu.xcr0);
	print_value(n++, "fpu-used", s->fpu.used);
	console_printf(n % 3 ? "\n" : "");
	for (unsigned i = 0; i < VCPU_SEGS; i++)
		console_printf("%-4s %04x base %016lx limit %08x attributes %04x\n",
			       vcpu_seg_names[i], s->segs[i].selector, s->segs[i].base,
			       s->segs[i].limit, s->segs[i].attrib);
}

static void info_vcpu(char **argv)
{
	struct vcpu_saved *s = kmalloc(sizeof(*s));
	enum vm_state state;
	struct vcpu *vcpu;

	if (!s) {
		console_printf("out of memory\n");
		return;
	}
	vcpu = vcpu_arg_begin(argv[1], &state);
	if (vcpu) {
		vcpu_saved_get(vcpu, s);
		vcpu_arg_end(vcpu, state);
		print_state(s);
	}
	kfree(s);
}

INFO_TOPIC(info_vcpu_topic, .name = "vcpu", .args = "VM.VCPU",
	   .help = "the registers of a vCPU that stands still, and what it waits for", .min = 1,
	   .max = 1, .run = info_vcpu);
