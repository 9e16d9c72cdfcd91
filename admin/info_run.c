/* SPDX-License-Identifier: BSD-2-Clause */
/* `info` about what runs: exits of a VM, CPUs, the vendor's virtualization. */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "vmm/exit.h"
#include "vmm/hv_ops.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vm_life.h"

/* How often @vm's vCPUs left guest mode for @kind (VM_EXIT_KINDS: were given an interrupt). */
static uint64_t info_count(const struct vm *vm, unsigned kind)
{
	const struct vcpu *vcpu;
	uint64_t count = 0;
	unsigned i;

	for (i = 0; i < vm->vcpu_count; i++) {
		vcpu = vm->vcpus[i];
		count += kind < VM_EXIT_KINDS ? vcpu->stats.exits[kind] : vcpu->stats.injected;
	}
	return count;
}

static void info_exits(char **argv)
{
	struct vm *vm = vm_arg(argv[1]);
	uint64_t count, total = 0;
	enum vm_state state;
	unsigned kind;

	if (!vm)
		return;
	/* Its vCPUs do not go meanwhile. */
	state = vm_life_begin(vm);
	for (kind = 0; kind < VM_EXIT_KINDS; kind++) {
		count = info_count(vm, kind);
		total += count;
		if (count)
			console_printf("%-16s %12lu\n", exit_names[kind], count);
	}
	console_printf("%-16s %12lu\n%-16s %12lu\n", "all", total, "injected",
		       info_count(vm, VM_EXIT_KINDS));
	vm_life_end(vm, state);
}

INFO_TOPIC(info_exits_topic, .name = "exits", .args = "VM",
	   .help = "why a VM's vCPUs left guest mode, and how often", .min = 1, .max = 1,
	   .run = info_exits);

static void info_cpus(char **argv)
{
	uint32_t cpu, n = sched_cpu_count();
	uint64_t now = time_tsc();
	struct sched_stats stats;

	(void)argv;
	console_printf("%4s %9s %6s %10s %6s %6s %4s\n", "CPU", "ENTITIES", "READY", "SWITCHES",
		       "IDLE", "STRAYS", "NMIS");
	for (cpu = 0; cpu < n; cpu++) {
		sched_get_stats(cpu, &stats);
		console_printf("%4u %9u %6u %10lu %5lu%% %6u %4u\n", cpu, stats.entities,
			       stats.ready, stats.switches, stats.idle / (now / 100 + 1),
			       stats.strays, stats.nmis);
	}
}

INFO_TOPIC(info_cpus_topic, .name = "cpus", .args = "", .help = "what the machine's CPUs do",
	   .run = info_cpus);

static void info_hv(char **argv)
{
	(void)argv;
	if (hv_ops)
		hv_ops->report(console_printf);
	else
		console_printf("No virtualization: the log (`dmesg`) says why.\n");
}

INFO_TOPIC(info_hv_topic, .name = "hv", .args = "",
	   .help = "the CPU's virtualization: what it has and what is used", .run = info_hv);
