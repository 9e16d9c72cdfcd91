/* SPDX-License-Identifier: BSD-2-Clause */
/* Every MSR answers with a value or #GP; those that systems rely on behave, and so does CR4. */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"

#define MSR_TSC	   0x10
#define MSR_PAT	   0x277
#define MSR_EFER   0xc0000080
#define MSR_STAR   0xc0000081
#define MSR_LSTAR  0xc0000082
#define MSR_SFMASK 0xc0000084
#define MSR_GS	   0xc0000101
#define MSR_KGS	   0xc0000102
#define EFER_SCE   0x1ull
#define EFER_LME   0x100ull
#define EFER_LMA   0x400ull
#define EFER_NXE   0x800ull

#define NO_EXECUTE 0x2000000ul /* a page of 2 MiB that nobody uses */

extern const char msrs_behind_syscall[];
extern uint64_t guest_pd[];

static const struct {
	uint32_t first, last;
} ranges[] = {
	{0, 0x1fff},
	{0x40000000, 0x400001ff},
	{0x4b564d00, 0x4b564dff},
	{0xc0000000, 0xc0001fff},
	{0xc0010000, 0xc0011fff},
	{0xfffffff0, 0xfffffffe},
};

/* What this guest itself runs on. */
static bool is_vital(uint32_t index)
{
	return index == APIC_BASE_MSR || index == MSR_EFER || index == MSR_GS ||
	       index == 0xc0000100 || (index >= X2APIC_MSR && index < X2APIC_MSR + 0x100);
}

GUEST_TEST(every_msr_can_be_read)
{
	unsigned r, present = 0;
	uint32_t i;
	uint64_t v;

	for (r = 0; r < ARRAY_SIZE(ranges); r++)
		for (i = ranges[r].first; i <= ranges[r].last; i++)
			present += guest_rdmsr(i, &v);
	guest_printf("# %u MSRs can be read\n", present);
	CHECK(present > 20 && present < 2000, "%u", present);
}

GUEST_TEST(every_msr_can_be_written)
{
	unsigned r;
	uint32_t i;
	uint64_t v;

	for (r = 0; r < ARRAY_SIZE(ranges); r++)
		for (i = ranges[r].first; i <= ranges[r].last; i++) {
			if (is_vital(i))
				continue;
			if (!guest_rdmsr(i, &v))
				v = 0;
			(void)guest_wrmsr(i, UINT64_MAX);
			(void)guest_wrmsr(i, 0x5555555555555555);
			(void)guest_wrmsr(i, v);
		}
}

GUEST_TEST(absent_msrs_fault)
{
	uint64_t v;

	CHECK(!guest_rdmsr(0x1234, &v), "0x1234 reads 0x%llx", (unsigned long long)v);
	CHECK(!guest_wrmsr(0x1234, 0), "0x1234 takes a write");
	CHECK(!guest_rdmsr(0xc0010117, &v), "VM_HSAVE_PA is there");
}

static void check_keeps(uint32_t index, uint64_t v)
{
	uint64_t old = rdmsr(index), got;

	wrmsr(index, v);
	got = rdmsr(index);
	wrmsr(index, old);
	CHECK(got == v, "MSR 0x%x: 0x%llx", index, (unsigned long long)got);
}

GUEST_TEST(state_msrs_keep_values)
{
	check_keeps(MSR_PAT, 0x0007010600070106);
	check_keeps(MSR_STAR, 0x0023001000000000);
	check_keeps(MSR_LSTAR, 0xffffffff81000000);
	check_keeps(MSR_GS, 0xffff888012345000);
	check_keeps(MSR_KGS, 0x00007fff12345000);
	check_keeps(0x174, 0x10);
	check_keeps(0x175, 0xffff888000000000);
	check_keeps(0x176, 0xffffffff81000000);
}

GUEST_TEST(bad_values_fault)
{
	uint64_t efer = rdmsr(MSR_EFER);

	CHECK(!guest_wrmsr(MSR_EFER, efer | 1ull << 63), "EFER takes a reserved bit");
	CHECK(!guest_wrmsr(MSR_EFER, efer & ~0x100ull), "LME can be cleared while paging");
	CHECK(!guest_wrmsr(MSR_PAT, 0x0207010600070106), "PAT takes type 2");
	CHECK(!guest_wrmsr(MSR_LSTAR, 0x0000800000000000), "LSTAR takes a non-canonical address");
	CHECK(guest_wrmsr(MSR_EFER, efer | EFER_SCE) && (rdmsr(MSR_EFER) & EFER_SCE), "no SCE");
	wrmsr(MSR_EFER, efer);
}

/* Behind itself, at the same privilege: LSTAR is there, and SS as it was again after. */
static void do_syscall(void *arg)
{
	(void)arg;
	__asm__ volatile("syscall\n"
			 "	.globl msrs_behind_syscall\n"
			 "msrs_behind_syscall:\n"
			 "	mov %0, %%ss"
			 :
			 : "r"(0x10)
			 : "rcx", "r11", "memory");
}

static void do_read(void *address)
{
	(void)*(volatile uint8_t *)address;
}

static void set_efer(uint64_t efer)
{
	wrmsr(MSR_EFER, efer);
	__asm__ volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" ::: "rax", "memory");
}

/* Not only what RDMSR says of it: the CPU runs by it. */
GUEST_TEST(efer_counts)
{
	uint64_t efer = rdmsr(MSR_EFER), *pde = &guest_pd[NO_EXECUTE >> 21];
	struct guest_fault fault = {0};

	CHECK((efer & (EFER_LME | EFER_LMA)) == (EFER_LME | EFER_LMA), "0x%llx",
	      (unsigned long long)efer);
	wrmsr(MSR_STAR, (uint64_t)0x18 << 32);
	wrmsr(MSR_LSTAR, (uint64_t)(uintptr_t)msrs_behind_syscall);
	wrmsr(MSR_SFMASK, 0x300);
	wrmsr(MSR_EFER, efer & ~EFER_SCE);
	CHECK(guest_faults(do_syscall, NULL, &fault) && fault.vector == 6, "SYSCALL without SCE");
	wrmsr(MSR_EFER, efer | EFER_SCE);
	CHECK(!guest_faults(do_syscall, NULL, &fault), "vector %u with SCE", fault.vector);
	*pde |= 1ull << 63;
	set_efer(efer & ~EFER_NXE);
	CHECK(guest_faults(do_read, (void *)NO_EXECUTE, &fault) && fault.vector == 14 &&
		      (fault.error & 8),
	      "bit 63 counts without NXE: vector %u, error 0x%llx", fault.vector,
	      (unsigned long long)fault.error);
	set_efer(efer | EFER_NXE);
	CHECK(!guest_faults(do_read, (void *)NO_EXECUTE, &fault), "vector %u with NXE",
	      fault.vector);
	*pde &= ~(1ull << 63);
	set_efer(efer);
}

GUEST_TEST(tsc_can_be_set)
{
	uint64_t tsc;

	wrmsr(MSR_TSC, 1000);
	tsc = rdtsc();
	CHECK(tsc >= 1000 && tsc < 100000000, "%llu", (unsigned long long)tsc);
}

/* CPUID's bit for each of CR4 that may be hidden; none for those that must be. */
static const struct {
	unsigned bit;
	uint32_t leaf;
	unsigned reg, cpuid_bit; /* reg: 0 EAX … 3 EDX */
} cr4_bits[] = {
	{12, 7, 2, 16}, /* LA57 */
	{13, 1, 2, 5},	/* VMXE */
	{14, 1, 2, 6},	/* SMXE */
	{17, 1, 2, 17}, /* PCIDE */
	{22, 7, 2, 3},	/* PKE */
	{23, 7, 2, 7},	/* CET */
};

static uint64_t read_cr4(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static void do_write_cr4(void *arg)
{
	__asm__ volatile("mov %0, %%cr4" ::"r"(*(uint64_t *)arg) : "memory");
}

GUEST_TEST(cr4_has_what_cpuid_says)
{
	uint64_t old = read_cr4(), value;
	struct guest_fault fault;
	uint32_t r[4];
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(cr4_bits); i++) {
		cpuid(cr4_bits[i].leaf, 0, r);
		if (r[cr4_bits[i].reg] & 1u << cr4_bits[i].cpuid_bit)
			continue;
		value = old | 1ull << cr4_bits[i].bit;
		CHECK(guest_faults(do_write_cr4, &value, &fault), "bit %u can be set",
		      cr4_bits[i].bit);
		CHECK(fault.vector == 13 && fault.error == 0, "bit %u: vector %u", cr4_bits[i].bit,
		      fault.vector);
		CHECK(read_cr4() == old, "CR4 is 0x%llx", (unsigned long long)read_cr4());
	}
	for (i = 32; i < 64; i += 31) {
		value = old | 1ull << i;
		CHECK(guest_faults(do_write_cr4, &value, &fault), "bit %u can be set", i);
	}
	value = old & ~0x20ull;
	CHECK(guest_faults(do_write_cr4, &value, &fault), "PAE can be cleared in long mode");
	for (i = 0; i < 2; i++) {
		value = old ^ (i ? 0 : 0x80); /* PGE */
		CHECK(!guest_faults(do_write_cr4, &value, &fault) && read_cr4() == value, "0x%llx",
		      (unsigned long long)read_cr4());
	}
}

/* The local APIC's, with what a guest in its senses would not write; the last test, for it is
 * what is left of it is not fit for use. */
GUEST_TEST(every_x2apic_register_can_be_written)
{
	static const uint64_t values[] = {UINT64_MAX, 0x5555555555555555, 0xffffffff, 0xff, 0x10,
					  0};
	unsigned present = 0, taken = 0;
	uint64_t v;

	apic_enter_x2();
	for (uint32_t i = X2APIC_MSR; i < X2APIC_MSR + 0x100; i++) {
		present += guest_rdmsr(i, &v);
		/* What would send an interrupt is refused for its reserved bits alone: all others
		 * would end this guest. */
		for (unsigned n = 0; n < ARRAY_SIZE(values); n++)
			if ((i != X2APIC_MSR + (APIC_ICR >> 4) &&
			     i != X2APIC_MSR + (APIC_SELF_IPI >> 4)) ||
			    values[n] > UINT32_MAX)
				taken += guest_wrmsr(i, values[n]);
	}
	CHECK(present > 30 && present < 64, "%u can be read", present);
	CHECK(taken > 10 && taken < 64 * ARRAY_SIZE(values), "%u writes are taken", taken);
	CHECK(apic_read(APIC_ID) == 0, "id %u", apic_read(APIC_ID));
	CHECK(!(apic_read(APIC_TPR) & ~0xffu), "TPR 0x%x", apic_read(APIC_TPR));
	CHECK(!(apic_read(APIC_LVT_TIMER) & ~0x710ffu), "LVT 0x%x", apic_read(APIC_LVT_TIMER));
	/* And back: x2APIC mode is left by way of off. */
	wrmsr(APIC_BASE_MSR, rdmsr(APIC_BASE_MSR) & ~0xc00ull);
	wrmsr(APIC_BASE_MSR, rdmsr(APIC_BASE_MSR) | 0x800);
	CHECK(!apic_is_x2() && apic_read(APIC_ID) == 0, "no way back to xAPIC mode");
}
