/* SPDX-License-Identifier: BSD-2-Clause */
/* `info vmcs`: what the vendor's control structure holds of a vCPU, and whether it could enter. */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "vmm/hv_ops.h"

static void info_vmcs(char **argv)
{
	enum vm_state state;
	struct vcpu *vcpu = vcpu_arg_begin(argv[1], &state);

	if (!vcpu)
		return;
	hv_ops->dump(vcpu, console_printf);
	vcpu_arg_end(vcpu, state);
}

INFO_TOPIC(info_vmcs_topic, .name = "vmcs", .args = "VM.VCPU",
	   .help = "the VMCS or VMCB of a vCPU that stands still, and which rules it breaks",
	   .min = 1, .max = 1, .run = info_vmcs);
