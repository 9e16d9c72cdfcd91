/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmm.h"

#include "arch/x86_64/percpu.h"
#include "kernel/log.h"
#include "kernel/power.h"
#include "kernel/sched.h"
#include "vmm/fpu.h"
#include "vmm/hv_ops.h"

#include <stdbool.h>

TABLE_DECLARE(hv_ops, hv_ops_entry);

const struct hv_ops *hv_ops;
struct vmm_options vmm_options = {.apicv = true};

/* The first vendor that this machine has all of; why not, of each, to the log if @tell. */
static const struct hv_ops *choose(bool tell)
{
	const hv_ops_entry *vendor;

	for (vendor = TABLE_START(hv_ops); vendor < TABLE_END(hv_ops); vendor++) {
		char reason[224] = "";

		if (!(*vendor)->probe(reason, sizeof(reason)))
			return *vendor;
		if (tell)
			log_error("vmm: no %s: %s", (*vendor)->name, reason);
	}
	return NULL;
}

void vmm_init(void)
{
	hv_ops = choose(false);
	if (!hv_ops) {
		choose(true);
		log_error("vmm: this machine cannot run VMs");
		return;
	}
	log_info("vmm: virtualization by %s", hv_ops->name);
	fpu_init();
	sched_set_world_leave(hv_ops->leave_world);
	power_set_cpu_leave(hv_ops->cpu_disable);
}

void vmm_cpu_init(void)
{
	int err;

	if (!hv_ops)
		return;
	fpu_cpu_init();
	err = hv_ops->cpu_enable();
	if (!err)
		return;
	log_error("vmm: cpu %u: %s cannot be turned on (error %d): no VM can run",
		  this_cpu()->index, hv_ops->name, err);
	hv_ops = NULL;
}
