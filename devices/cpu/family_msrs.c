/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs that belong to a CPU's family, which guests access because CPUID says
 * AMD or Intel. None has an effect. A CPU that is neither's has none of them.
 *
 * Spec: APM vol. 2, appendix A, and the processor programming references;
 * SDM vol. 4, table 2-2. Keys: none.
 */
#include "devices/cpu/stored_msr.h"
#include "vmm/cpu_model.h"
#include "vmm/guest_memory.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#define MSR_PERF_CTL(n)	   (0xc0010000 + (n)) /* four of each, on every CPU since the K7 */
#define MSR_PERF_CTR(n)	   (0xc0010004 + (n))
#define MSR_SYSCFG	   0xc0010010
#define MSR_HWCR	   0xc0010015
#define HWCR_TSC_FREQ_SEL  BIT(24) /* the TSC counts at a constant rate */
#define HWCR_KNOWN	   (HWCR_TSC_FREQ_SEL | BIT(3) | BIT(6) | BIT(8) | BIT(18) | BIT(27) | BIT(30))
#define MSR_TOP_MEM	   0xc001001a
#define MSR_TOP_MEM2	   0xc001001d
#define MSR_NB_CFG	   0xc001001f
#define MSR_PATCH_LOADER   0xc0010020
#define MSR_INT_PENDING	   0xc0010055
#define MSR_MMIO_CONF_BASE 0xc0010058
#define MSR_OSVW_LENGTH	   0xc0010140
#define MSR_OSVW_STATUS	   0xc0010141
#define MSR_LS_CFG	   0xc0011020
#define MSR_DC_CFG	   0xc0011022
#define MSR_BU_CFG	   0xc0011023
#define MSR_DE_CFG	   0xc0011029
#define DE_CFG_LFENCE	   BIT(1) /* LFENCE waits for all that is before it */
#define MSR_BU_CFG2	   0xc001102a

static const struct stored_msr family_amd[] = {
	/* Counters that count nothing: Xen clears them before it asks for anything. */
	MSR_CONSTANT(MSR_PERF_CTL(0), 0),
	MSR_CONSTANT(MSR_PERF_CTL(1), 0),
	MSR_CONSTANT(MSR_PERF_CTL(2), 0),
	MSR_CONSTANT(MSR_PERF_CTL(3), 0),
	MSR_CONSTANT(MSR_PERF_CTR(0), 0),
	MSR_CONSTANT(MSR_PERF_CTR(1), 0),
	MSR_CONSTANT(MSR_PERF_CTR(2), 0),
	MSR_CONSTANT(MSR_PERF_CTR(3), 0),
	MSR_KEPT(MSR_SYSCFG),
	{.index = MSR_HWCR,
	 .reset = HWCR_TSC_FREQ_SEL,
	 .known = HWCR_KNOWN,
	 .fixed = HWCR_TSC_FREQ_SEL},
	MSR_CONSTANT(MSR_TOP_MEM, 0), /* see reset */
	MSR_CONSTANT(MSR_TOP_MEM2, 0),
	MSR_KEPT(MSR_NB_CFG),
	MSR_CONSTANT(MSR_PATCH_LOADER, 0),
	MSR_CONSTANT(MSR_INT_PENDING, 0),
	MSR_KEPT(MSR_MMIO_CONF_BASE),
	MSR_CONSTANT(MSR_OSVW_LENGTH, 0),
	MSR_CONSTANT(MSR_OSVW_STATUS, 0),
	MSR_CONSTANT(MSR_LS_CFG, 0),
	MSR_CONSTANT(MSR_DC_CFG, 0),
	MSR_CONSTANT(MSR_BU_CFG, 0),
	MSR_CONSTANT(MSR_DE_CFG, DE_CFG_LFENCE),
	MSR_CONSTANT(MSR_BU_CFG2, 0),
};

#define MSR_PLATFORM_ID		0x17
#define MSR_FEATURE_CONTROL	0x3a
#define FEATURE_CONTROL_LOCKED	BIT(0)
#define MSR_UCODE_WRITE		0x79
#define MSR_PLATFORM_INFO	0xce
#define MSR_MISC_FEATURES	0x140
#define MSR_MISC_ENABLE		0x1a0
#define MISC_ENABLE_FAST_STRING BIT(0)
#define MISC_ENABLE_NO_BTS	BIT(11)
#define MISC_ENABLE_NO_PEBS	BIT(12)
#define MISC_ENABLE_LIMIT_CPUID BIT(22)
#define MISC_ENABLE_XD_DISABLE	BIT(34)

static const struct stored_msr family_intel[] = {
	MSR_READ_ONLY(MSR_PLATFORM_ID, 0),
	MSR_READ_ONLY(MSR_FEATURE_CONTROL, FEATURE_CONTROL_LOCKED),
	MSR_CONSTANT(MSR_UCODE_WRITE, 0),
	MSR_READ_ONLY(MSR_PLATFORM_INFO, 0),
	/* Linux writes 0, though none of the features is there; CPUID faulting stays off. */
	{.index = MSR_MISC_FEATURES, .known = BIT(0), .fixed = BIT(0)},
	/* Nothing takes features away that CPUID goes on to report. */
	{.index = MSR_MISC_ENABLE,
	 .reset = MISC_ENABLE_FAST_STRING | MISC_ENABLE_NO_BTS | MISC_ENABLE_NO_PEBS,
	 .known = STORED_MSR_ANY,
	 .fixed = MISC_ENABLE_NO_BTS | MISC_ENABLE_NO_PEBS | MISC_ENABLE_LIMIT_CPUID |
		  MISC_ENABLE_XD_DISABLE},
};

static const struct {
	const struct stored_msr *msrs;
	size_t count;
} families[CPU_LINES] = {
	[CPU_LINE_AMD] = {family_amd, ARRAY_SIZE(family_amd)},
	[CPU_LINE_INTEL] = {family_intel, ARRAY_SIZE(family_intel)},
};

static void family_reset(struct device *dev)
{
	stored_msr_reset(dev);
	stored_msr_set(dev, MSR_TOP_MEM, dev->vm->memory->low_end);
	stored_msr_set(dev, MSR_TOP_MEM2, dev->vm->memory->high_end);
}

static int family_create(struct device *dev, const struct device_config *config __unused)
{
	enum cpu_line line = cpu_model_line(dev->vm);
	int err = stored_msr_create(dev, families[line].msrs, families[line].count);

	if (!err)
		family_reset(dev);
	return err;
}

MACHINE_PART(family_pc, .machine = "pc", .text = "[device \"family0\"]\ntype = family-msrs\n");
MACHINE_PART(family_none, .machine = "none", .text = "[device \"family0\"]\ntype = family-msrs\n");

DEVICE_TYPE(family_type, .name = "family-msrs",
	    .help = "MSRs that the processors have because they are AMD's or Intel's",
	    .fixed = true, .create = family_create, .destroy = stored_msr_destroy,
	    .reset = family_reset, .saved = STORED_MSR_SAVED("family-msrs"));
