/* SPDX-License-Identifier: BSD-2-Clause */
/* `info vmcs`: what the vendor's control structure holds of a vCPU, and whether it could enter. */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "lib/parse.h"
#include "vmm/hv_ops.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vm_life.h"

#include <string.h>

/* Of a vCPU that stands still: the others' state is in their CPUs. */
static void info_vmcs_vcpu(struct vm *vm, uint64_t index)
{
	enum vm_state state = vm_life_begin(vm);

	if (state != VM_PAUSED && state != VM_CRASHED)
		console_printf("vm %s is %s: `pause` it first\n", vm->name, vm_state_name(state));
	else if (index >= vm->vcpu_count)
		console_printf("vm %s has vCPUs 0 to %u\n", vm->name, vm->vcpu_count - 1);
	else
		hv_ops->dump(vm->vcpus[index], console_printf);
	vm_life_end(vm, state);
}

static void info_vmcs(char **argv)
{
	/* A VM's name may have dots. */
	char *dot = strrchr(argv[1], '.');
	struct vm *vm;
	uint64_t index;

	if (!hv_ops) {
		console_printf("No virtualization: the log (`dmesg`) says why.\n");
		return;
	}
	if (!dot || !parse_uint(dot + 1, &index)) {
		console_printf("info vmcs %s: expected VM.VCPU, as in `info vmcs linux.0`\n",
			       argv[1]);
		return;
	}
	*dot = '\0';
	vm = vm_arg(argv[1]);
	if (vm)
		info_vmcs_vcpu(vm, index);
}

INFO_TOPIC(info_vmcs_topic, .name = "vmcs", .args = "VM.VCPU",
	   .help = "the VMCS or VMCB of a vCPU that stands still, and which rules it breaks",
	   .min = 1, .max = 1, .run = info_vmcs);
