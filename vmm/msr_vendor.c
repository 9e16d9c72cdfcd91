/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs that belong to a CPU's family, which guests access because CPUID says
 * AMD or Intel: stored where a guest wants to find again what it wrote,
 * constant where it only asks. None has an effect.
 */
#include "vmm/msr.h"

#include "vmm/guest_memory.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>

/* APM vol. 2, appendix A, and the processor programming references. */
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

/* SDM vol. 4, table 2-2. */
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

/* What would take features away that CPUID goes on to report. */
static int set_misc_enable(struct vcpu *vcpu, uint64_t arg, uint64_t value)
{
	value &= ~(MISC_ENABLE_LIMIT_CPUID | MISC_ENABLE_XD_DISABLE);
	return msr_set_stored(vcpu, arg, value | MISC_ENABLE_NO_BTS | MISC_ENABLE_NO_PEBS);
}

static int set_hwcr(struct vcpu *vcpu, uint64_t arg, uint64_t value)
{
	if (value & ~HWCR_KNOWN)
		return -EINVAL;
	return msr_set_stored(vcpu, arg, value | HWCR_TSC_FREQ_SEL);
}

static uint64_t get_top_mem(struct vcpu *vcpu, uint64_t arg __unused)
{
	return vcpu->vm->memory->low_end;
}

static uint64_t get_top_mem2(struct vcpu *vcpu, uint64_t arg __unused)
{
	return vcpu->vm->memory->high_end;
}

void msr_vendor_reset(struct vcpu_msrs *msrs)
{
	msrs->stored[MSR_STORED_MISC_ENABLE] =
		MISC_ENABLE_FAST_STRING | MISC_ENABLE_NO_BTS | MISC_ENABLE_NO_PEBS;
	msrs->stored[MSR_STORED_HWCR] = HWCR_TSC_FREQ_SEL;
}

const struct hook msr_amd_table[] = {
	MSR(MSR_SYSCFG, msr_get_stored, msr_set_stored, MSR_STORED_SYSCFG),
	MSR(MSR_HWCR, msr_get_stored, set_hwcr, MSR_STORED_HWCR),
	MSR(MSR_TOP_MEM, get_top_mem, msr_set_ignored, 0),
	MSR(MSR_TOP_MEM2, get_top_mem2, msr_set_ignored, 0),
	MSR(MSR_NB_CFG, msr_get_stored, msr_set_stored, MSR_STORED_NB_CFG),
	MSR(MSR_PATCH_LOADER, msr_get_constant, msr_set_ignored, 0),
	MSR(MSR_INT_PENDING, msr_get_constant, msr_set_ignored, 0),
	MSR(MSR_MMIO_CONF_BASE, msr_get_stored, msr_set_stored, MSR_STORED_MMIO_CONF),
	MSR(MSR_OSVW_LENGTH, msr_get_constant, msr_set_ignored, 0),
	MSR(MSR_OSVW_STATUS, msr_get_constant, msr_set_ignored, 0),
	MSR(MSR_LS_CFG, msr_get_constant, msr_set_ignored, 0),
	MSR(MSR_DC_CFG, msr_get_constant, msr_set_ignored, 0),
	MSR(MSR_BU_CFG, msr_get_constant, msr_set_ignored, 0),
	MSR(MSR_DE_CFG, msr_get_constant, msr_set_ignored, DE_CFG_LFENCE),
	MSR(MSR_BU_CFG2, msr_get_constant, msr_set_ignored, 0),
	{0},
};

const struct hook msr_intel_table[] = {
	MSR(MSR_PLATFORM_ID, msr_get_constant, NULL, 0),
	MSR(MSR_FEATURE_CONTROL, msr_get_constant, NULL, FEATURE_CONTROL_LOCKED),
	MSR(MSR_UCODE_WRITE, msr_get_constant, msr_set_ignored, 0),
	MSR(MSR_PLATFORM_INFO, msr_get_constant, NULL, 0),
	MSR(MSR_MISC_FEATURES, msr_get_constant, NULL, 0),
	MSR(MSR_MISC_ENABLE, msr_get_stored, set_misc_enable, MSR_STORED_MISC_ENABLE),
	{0},
};
