/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine-check architecture of a processor without banks: errors of the
 * hardware are the hypervisor's.
 *
 * Spec: SDM vol. 3B, 15.3.1; APM vol. 2, 9.3.1. Keys: none.
 */
#include "devices/cpu/stored_msr.h"
#include "vmm/vm_config.h"

#define MSR_MCG_CAP    0x179
#define MSR_MCG_STATUS 0x17a

#define MCG_STATUS_KNOWN 7u /* RIPV, EIPV, MCIP */

static const struct stored_msr machine_check_msrs[] = {
	MSR_READ_ONLY(MSR_MCG_CAP, 0),
	{.index = MSR_MCG_STATUS, .known = MCG_STATUS_KNOWN},
};

static int machine_check_create(struct device *dev, const struct device_config *config __unused)
{
	return stored_msr_create(dev, machine_check_msrs, ARRAY_SIZE(machine_check_msrs));
}

MACHINE_PART(machine_check_pc, .machine = "pc",
	     .text = "[device \"mca0\"]\ntype = machine-check\n");
MACHINE_PART(machine_check_none, .machine = "none",
	     .text = "[device \"mca0\"]\ntype = machine-check\n");

DEVICE_TYPE(machine_check_type, .name = "machine-check",
	    .help = "the processors' machine-check MSRs, without banks", .fixed = true,
	    .create = machine_check_create, .destroy = stored_msr_destroy,
	    .reset = stored_msr_reset, .saved = STORED_MSR_SAVED("machine-check"));
