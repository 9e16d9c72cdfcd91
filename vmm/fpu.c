/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/fpu.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/msr.h"
#include "kernel/log.h"
#include "kernel/page_alloc.h"
#include "vmm/hv_ops.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define MSR_TSC_AUX 0xc0000103
/* SDM vol. 4, table 2-2; AMD's "Indirect Branch Control Extension". */
#define MSR_PRED_CMD  0x49
#define PRED_CMD_IBPB BIT(0)

/* The legacy region of the XSAVE area, also FXSAVE's (SDM vol. 1, 10.5.1 and 13.4.1). */
#define FXSAVE_FCW	  0
#define FXSAVE_FTW	  4 /* abridged: a bit per register that is not empty */
#define FXSAVE_MXCSR	  24
#define FXSAVE_MXCSR_MASK 28
#define FXSAVE_SIZE	  512u
#define MXCSR_MASK_OLD	  0xffbfu /* where the CPU says 0 */
#define XSAVE_BV	  512	  /* header */
#define XSAVE_SIZE_MIN	  (512u + 64u)
#define FCW_RESET	  0x0040
#define FTW_RESET	  0xff
#define MXCSR_RESET	  0x1f80
#define XCR0_KNOWN	  (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512)
#define XSAVE_BITS_MAX	  63
#define XSAVE_ALIGNED	  BIT(1) /* CPUID 0xd, ECX of a component */
#define XSAVE_ALIGNMENT	  64u

static struct {
	uint64_t mask;	/* XCR0 while we save and load; 0: the CPU has no XSAVE */
	unsigned order; /* pages of an area */
	bool tsc_aux;
	bool ibpb;	     /* indirect branch predictions can be forgotten */
	uint32_t mxcsr_mask; /* bits of MXCSR that the CPU has */
	bool pointers_leak;  /* XRSTOR keeps FOP, FIP and FDP where no exception is pending */
} fpu;

/* Of an area with the components of @xcr0, where each has its place, or @packed. */
static uint32_t area_size(uint64_t xcr0, bool packed)
{
	uint32_t size = XSAVE_SIZE_MIN;

	for (unsigned bit = 2; bit < XSAVE_BITS_MAX; bit++) {
		struct cpuid r;

		if (!(xcr0 & BIT(bit)))
			continue;
		r = cpuid_sub(0xd, bit);
		if (!packed)
			size = MAX(size, r.ebx + r.eax);
		else if (r.ecx & XSAVE_ALIGNED)
			size = ALIGN_UP(size, XSAVE_ALIGNMENT) + r.eax;
		else
			size += r.eax;
	}
	return size;
}

uint32_t fpu_xsave_size(uint64_t xcr0)
{
	return area_size(xcr0, false);
}

uint32_t fpu_xsavec_size(uint64_t xcr0)
{
	return area_size(xcr0, true);
}

uint64_t fpu_xcr0(struct vcpu *vcpu)
{
	return fpu.mask && this_cpu()->fpu_owner == vcpu ? cpu_xgetbv(0) : vcpu->xcr0;
}

/* SDM vol. 1, 11.6.6. */
static uint32_t read_mxcsr_mask(void)
{
	static uint8_t area[FXSAVE_SIZE] __aligned(16);
	uint32_t mask;

	__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
	memcpy(&mask, area + FXSAVE_MXCSR_MASK, sizeof(mask));
	return mask ? mask : MXCSR_MASK_OLD;
}

void fpu_init(void)
{
	struct cpuid basic = cpuid_checked(1);
	uint32_t size = FXSAVE_SIZE;

	if (basic.ecx & CPUID_1_ECX_OSXSAVE) { /* cpu_init() has decided */
		fpu.mask = cpuid_checked(0xd).eax & XCR0_KNOWN;
		if ((fpu.mask & XCR0_AVX512) != XCR0_AVX512)
			fpu.mask &= ~XCR0_AVX512;
		size = fpu_xsave_size(fpu.mask);
	}
	while (PAGE_SIZE << fpu.order < size)
		fpu.order++;
	fpu.tsc_aux = (cpuid_checked(0x80000001).edx & BIT(27)) || /* RDTSCP */
		      (cpuid_checked(7).ecx & BIT(22));		   /* RDPID */
	fpu.ibpb = (cpuid_checked(0x80000008).ebx & BIT(12)) ||	   /* AMD */
		   (cpuid_checked(7).edx & BIT(26));		   /* Intel */
	log_info("vmm: branch predictions %s",
		 fpu.ibpb ? "are forgotten between VMs (IBPB)"
			  : "pass from VM to VM: this CPU has no IBPB");
	fpu.mxcsr_mask = read_mxcsr_mask();
	fpu.pointers_leak = hv_ops->cpu->keeps_x87_pointers();
}

void fpu_cpu_init(void)
{
	if (fpu.mask)
		cpu_xsetbv(0, fpu.mask);
}

uint64_t fpu_xcr0_mask(void)
{
	return fpu.mask;
}

bool fpu_has_tsc_aux(void)
{
	return fpu.tsc_aux;
}

int fpu_create(struct vcpu *vcpu)
{
	vcpu->fpu = page_alloc(&vcpu->vm->owner, fpu.order);
	return vcpu->fpu ? 0 : -ENOMEM;
}

void fpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->fpu)
		page_free(&vcpu->vm->owner, vcpu->fpu, fpu.order);
	vcpu->fpu = NULL;
}

static void put(uint8_t *area, unsigned offset, uint64_t value, size_t size)
{
	memcpy(area + offset, &value, size);
}

void fpu_reset(struct vcpu *vcpu)
{
	memset(vcpu->fpu, 0, PAGE_SIZE << fpu.order);
	put(vcpu->fpu, FXSAVE_FCW, FCW_RESET, 2);
	put(vcpu->fpu, FXSAVE_FTW, FTW_RESET, 1);
	put(vcpu->fpu, FXSAVE_MXCSR, MXCSR_RESET, 4);
	if (fpu.mask)
		put(vcpu->fpu, XSAVE_BV, XCR0_X87 | XCR0_SSE, 8);
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	vcpu->xcr0 = XCR0_X87;
	vcpu->tsc_aux = 0;
}

static void save(struct vcpu *vcpu)
{
	vcpu->dr[0] = cpu_read_dr0();
	vcpu->dr[1] = cpu_read_dr1();
	vcpu->dr[2] = cpu_read_dr2();
	vcpu->dr[3] = cpu_read_dr3();
	if (!fpu.mask) {
		__asm__ volatile("fxsave64 (%0)" : : "r"(vcpu->fpu) : "memory");
		return;
	}
	/* Not every CPU lets us intercept XSETBV: what the guest has set is in the register. And
	 * what it has switched off there is still in the registers that it will find again. */
	vcpu->xcr0 = cpu_xgetbv(0);
	cpu_xsetbv(0, fpu.mask);
	/* Not XSAVEOPT: a guest's own XRSTOR could make it believe that nothing has changed. */
	__asm__ volatile("xsave64 (%0)"
			 :
			 : "r"(vcpu->fpu), "a"((uint32_t)fpu.mask), "d"((uint32_t)(fpu.mask >> 32))
			 : "memory");
}

/* Another guest's last instruction and operand addresses must not be left to this one. */
static void clear_pointers(void)
{
	static const uint32_t any_value;

	__asm__ volatile("fnclex\n\temms\n\tfildl %0" : : "m"(any_value));
}

static void load(const struct vcpu *vcpu)
{
	cpu_write_dr0(vcpu->dr[0]);
	cpu_write_dr1(vcpu->dr[1]);
	cpu_write_dr2(vcpu->dr[2]);
	cpu_write_dr3(vcpu->dr[3]);
	if (fpu.tsc_aux)
		msr_write(MSR_TSC_AUX, vcpu->tsc_aux);
	if (fpu.pointers_leak)
		clear_pointers();
	if (!fpu.mask) {
		__asm__ volatile("fxrstor64 (%0)" : : "r"(vcpu->fpu) : "memory");
		return;
	}
	cpu_xsetbv(0, fpu.mask);
	__asm__ volatile("xrstor64 (%0)"
			 :
			 : "r"(vcpu->fpu), "a"((uint32_t)fpu.mask), "d"((uint32_t)(fpu.mask >> 32))
			 : "memory");
	cpu_xsetbv(0, vcpu->xcr0);
}

void fpu_switch(struct vcpu *vcpu)
{
	struct cpu *cpu = this_cpu();

	/* What one VM trained must not steer another one's branches. */
	if (fpu.ibpb && (!cpu->fpu_owner || cpu->fpu_owner->vm != vcpu->vm))
		msr_write(MSR_PRED_CMD, PRED_CMD_IBPB);
	if (cpu->fpu_owner)
		save(cpu->fpu_owner);
	load(vcpu);
	cpu->fpu_owner = vcpu;
}

void fpu_save(struct vcpu *vcpu)
{
	struct cpu *cpu = this_cpu();

	if (cpu->fpu_owner != vcpu)
		return;
	save(vcpu);
	cpu->fpu_owner = NULL;
}

int fpu_xcr0_check(uint64_t value)
{
	uint64_t avx512 = value & XCR0_AVX512;

	/* Without XSAVE nobody sets it: it stays as after a reset. */
	return (value & ~(fpu.mask | XCR0_X87)) || !(value & XCR0_X87) ||
			       ((value & XCR0_AVX) && !(value & XCR0_SSE)) ||
			       (avx512 && (avx512 != XCR0_AVX512 || !(value & XCR0_AVX)))
		       ? -EINVAL
		       : 0;
}

uint32_t fpu_mxcsr_mask(void)
{
	return fpu.mxcsr_mask;
}

int fpu_set_xcr0(struct vcpu *vcpu, uint64_t value)
{
	if (fpu_xcr0_check(value))
		return -EINVAL;
	vcpu->xcr0 = value;
	cpu_xsetbv(0, value);
	return 0;
}

void fpu_set_tsc_aux(struct vcpu *vcpu, uint32_t value)
{
	vcpu->tsc_aux = value;
	msr_write(MSR_TSC_AUX, value);
}
