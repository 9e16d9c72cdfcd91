/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `poke`: a register of a vCPU that stands still gets any value, unchecked: to
 * see what a guest, or the CPU's entry to it, makes of that.
 */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "lib/parse.h"
#include "vmm/hv_ops.h"

#include <string.h>

static const struct {
	const char *name;
	enum vcpu_reg reg;
} poke_regs[] = {
	{"rsp", VCPU_RSP}, {"rflags", VCPU_RFLAGS}, {"cr0", VCPU_CR0},	 {"cr3", VCPU_CR3},
	{"cr4", VCPU_CR4}, {"dr7", VCPU_DR7},	    {"efer", VCPU_EFER}, {"pat", VCPU_PAT},
};

static bool poke_reg(const char *name, enum vcpu_reg *reg)
{
	for (size_t i = 0; i < ARRAY_SIZE(poke_regs); i++) {
		*reg = poke_regs[i].reg;
		if (!strcmp(poke_regs[i].name, name))
			return true;
	}
	command_error("%s: not one of", name);
	for (size_t i = 0; i < ARRAY_SIZE(poke_regs); i++)
		console_printf(" %s", poke_regs[i].name);
	console_printf("\n");
	return false;
}

static void command_poke(char **argv)
{
	enum vm_state state;
	struct vcpu *vcpu;
	enum vcpu_reg reg;
	uint64_t value;

	if (!poke_reg(argv[2], &reg))
		return;
	if (!parse_uint(argv[3], &value)) {
		command_error("%s: not a number\n", argv[3]);
		return;
	}
	vcpu = vcpu_arg_begin(argv[1], &state);
	if (!vcpu)
		return;
	hv_ops->set_reg(vcpu, reg, value);
	vcpu_arg_end(vcpu, state);
}

COMMAND(poke_entry, .name = "poke", .args = "VM.VCPU REGISTER VALUE",
	.help = "a register of a vCPU that stands still gets any value",
	.example = "poke linux.0 cr0 0x80000031", .min = 3, .max = 3, .run = command_poke);
