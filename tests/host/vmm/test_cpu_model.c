/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/cpu_model.c vmm/cpu_model_table.c vmm/cpu_model_dynamic.c vmm/cpu_common.c */
/* test-sources: vmm/svm/svm_cpu_model.c vmm/vmx/vmx_cpu_model.c arch/x86_64/cpu_valid.c */
/* What guests are told of the CPU: the same with both vendors, but for what is each one's own. It
 * is built of the CPUID of the machine that the test runs on, whoever made that. */
#include "vmm/cpu_model.h"

#include "arch/x86_64/cpuid.h"
#include "kernel/log.h"
#include "kernel/time.h"
#include "vmm/fpu.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/hv_ops.h"
#include "vmm/svm/svm_cpu_model.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"
#include "vmm/vmx/vmx_cpu_model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ANSWERS	   200
#define SVM_FAMILY 0x800f12u /* 17h */

struct answer {
	uint32_t leaf, subleaf;
	struct cpuid_regs regs;
};

struct table {
	struct answer answers[ANSWERS];
	unsigned count;
	uint32_t beyond;
};

static uint64_t get_reg(struct vcpu *vcpu, enum vcpu_reg reg)
{
	(void)vcpu;
	(void)reg;
	return 0;
}

struct time_scale time_scale = {.tsc_khz = 1000000};
static const struct hv_ops svm_ops = {.cpu = &svm_cpu_vendor, .get_reg = get_reg},
			   vmx_ops = {.cpu = &vmx_cpu_vendor, .get_reg = get_reg};
const struct hv_ops *hv_ops;
static struct vm_config config;
static struct vm vm = {.config = &config};
static struct table *table; /* that is made */
static const struct hook_cpuid *hooked[8];
static unsigned hooks;
static bool has_apic;
static int refuse; /* the answer whose place there is no memory for, from 1; 0: none */

static struct answer *find(const struct table *t, uint32_t leaf, uint32_t subleaf)
{
	for (unsigned i = 0; i < t->count; i++) {
		const struct answer *a = &t->answers[i];

		if (a->leaf == leaf && a->subleaf == subleaf)
			return (struct answer *)a;
	}
	return NULL;
}

static struct cpuid_regs query(const struct table *t, uint32_t leaf, uint32_t subleaf)
{
	const struct answer *a = find(t, leaf, subleaf);

	if (!a)
		a = find(t, leaf, CPU_MODEL_ANY);
	return a ? a->regs : (struct cpuid_regs){0};
}

int hook_cpuid_set(struct vm *v, uint32_t leaf, uint32_t subleaf, const struct cpuid_regs *regs)
{
	struct answer *a = find(table, leaf, subleaf);

	assert_ptr_equal(v, &vm);
	if (refuse && !--refuse)
		return -ENOMEM;
	if (!a) {
		assert_true(table->count < ANSWERS);
		a = &table->answers[table->count++];
	}
	*a = (struct answer){leaf, subleaf, *regs};
	return 0;
}

int hook_cpuid_set_beyond(struct vm *v, uint32_t leaf)
{
	(void)v;
	table->beyond = leaf;
	return 0;
}

int hook_cpuid_add(struct vm *v, const struct hook_cpuid *hook)
{
	(void)v;
	assert_true(hooks < ARRAY_SIZE(hooked));
	hooked[hooks++] = hook;
	return 0;
}

static void dynamic(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *regs)
{
	for (unsigned i = 0; i < hooks; i++)
		if (hooked[i]->first == leaf)
			hooked[i]->fn(hooked[i]->opaque, vcpu, leaf, subleaf, regs);
}

void hook_cpuid_remove(struct vm *v, const struct hook_cpuid *hook)
{
	(void)v;
	(void)hook;
}

int hook_msr_read(struct vcpu *vcpu, uint32_t index, uint64_t *value)
{
	(void)vcpu;
	(void)index;
	*value = has_apic ? 0xfee00900 : 0;
	return has_apic ? 0 : -ENOENT;
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

uint64_t fpu_xcr0_mask(void)
{
	return 7;
}

uint64_t fpu_xcr0(struct vcpu *vcpu)
{
	(void)vcpu;
	return 7;
}

uint32_t fpu_xsave_size(uint64_t xcr0)
{
	return xcr0 ? 0x340 : 0;
}

uint32_t fpu_xsavec_size(uint64_t xcr0)
{
	return fpu_xsave_size(xcr0);
}

bool fpu_has_tsc_aux(void)
{
	return true;
}

static void build(struct table *t, const struct hv_ops *ops, uint32_t cpus)
{
	memset(t, 0, sizeof(*t));
	table = t;
	hooks = 0;
	hv_ops = ops;
	config.cpus = cpus;
	assert_int_equal(cpu_model_create(&vm), 0);
}

/* Leaves that one of them has for itself, and what it says otherwise of a common one. */
static bool is_own(uint32_t leaf)
{
	return leaf == 2 || leaf == 4 || leaf == 0x80000000 || leaf == 0x80000019 ||
	       leaf == 0x8000001a || leaf == 0x8000001d;
}

static void both_say(const struct table *a, const struct table *b)
{
	for (unsigned i = 0; i < a->count; i++) {
		const struct answer *one = &a->answers[i];
		struct cpuid_regs mine = one->regs, theirs = query(b, one->leaf, one->subleaf);

		if (is_own(one->leaf))
			continue;
		if (one->leaf == 1 || one->leaf == 0x80000001)
			mine.eax = theirs.eax = 0;
		if (one->leaf == 0x80000001)
			mine.ecx &= ~2u, theirs.ecx &= ~2u;
		if (one->leaf == 0x80000008)
			mine.ecx = theirs.ecx = 0;
		assert_memory_equal(&mine, &theirs, sizeof(mine));
	}
}

static void test_same_features(void **state)
{
	static struct table svm, vmx;

	(void)state;
	for (uint32_t cpus = 1; cpus <= 16; cpus++) {
		build(&svm, &svm_ops, cpus);
		build(&vmx, &vmx_ops, cpus);
		assert_true(svm.count > 15 && vmx.count > 15);
		both_say(&svm, &vmx);
		both_say(&vmx, &svm);
	}
}

static void test_own_leaves(void **state)
{
	static struct table svm, vmx;
	struct cpuid zero = cpuid(0);

	(void)state;
	build(&svm, &svm_ops, 3);
	build(&vmx, &vmx_ops, 3);
	/* Intel's: cache descriptors, caches with APIC ids, what is beyond. */
	assert_null(find(&svm, 2, CPU_MODEL_ANY));
	assert_null(find(&svm, 4, 0));
	assert_non_null(find(&vmx, 2, CPU_MODEL_ANY));
	assert_int_equal(query(&vmx, 4, 0).eax >> 26, cpuid_sub(4, 0).eax & 0x1f ? 3 : 0);
	assert_int_equal(svm.beyond, 0);
	assert_int_equal(vmx.beyond, 0xd);
	/* AMD's: its name, more than one core, how many. */
	assert_int_equal(query(&svm, 0x80000000, 0).ebx, zero.ebx);
	assert_int_equal(query(&svm, 0x80000001, 0).ecx & 2, 2);
	assert_int_equal(query(&svm, 0x80000008, 0).ecx, 2u << 12 | 2);
	assert_int_equal(query(&vmx, 0x80000000, 0).eax, 0x80000008);
	assert_int_equal(query(&vmx, 0x80000000, 0).ebx, 0);
	assert_int_equal(query(&vmx, 0x80000001, 0).ecx & 2, 0);
	assert_int_equal(query(&vmx, 0x80000008, 0).ecx, 0);
	build(&svm, &svm_ops, 1);
	assert_int_equal(query(&svm, 0x80000001, 0).ecx & 2, 0);
	assert_int_equal(query(&svm, 0x80000008, 0).ecx, 0);
}

/* The model that both vendors' machines can be: to the bit, and nobody's by name. */
static void test_common(void **state)
{
	static struct table svm, vmx;

	(void)state;
	config.cpu_common = true;
	for (uint32_t cpus = 1; cpus <= 16; cpus += 5) {
		build(&svm, &svm_ops, cpus);
		build(&vmx, &vmx_ops, cpus);
		assert_memory_equal(&svm, &vmx, sizeof(svm));
	}
	assert_int_equal(cpu_model_line(&vm), CPU_LINE_COMMON);
	assert_int_equal(cpu_model_phys_bits(&vm), 36);
	assert_int_equal(cpu_model_efer(&vm), 0x901);
	assert_false(cpu_model_has_topoext(&vm));
	assert_int_equal(vm.cr4_allowed & (1u << 16 | 1u << 18 | 1u << 20), 0);
	/* SSE4.2 is there; XSAVE, AVX and AES are not, and of XSAVE there is no leaf. */
	assert_int_equal(query(&svm, 1, 0).ecx & (1u << 20 | 1u << 25 | 1u << 26 | 1u << 28),
			 1u << 20);
	assert_null(find(&svm, 0xd, 0));
	assert_int_equal(query(&svm, 0x80000007, 0).edx, 0);
	assert_memory_equal(&(uint32_t){query(&svm, 0, 0).ebx}, "Alca", 4);
	assert_memory_equal(&(uint32_t){query(&svm, 0, 0).edx}, "zarG", 4);
	config.cpu_common = false;
}

/* What depends on what the guest has switched on does not bring back what the model has not. */
static void test_common_dynamic(void **state)
{
	static struct table t;
	struct cpuid_regs regs = {0};
	struct vcpu vcpu = {.vm = &vm};

	(void)state;
	has_apic = true;
	config.cpu_common = true;
	build(&t, &svm_ops, 1);
	dynamic(&vcpu, 1, 0, &regs);
	assert_int_equal(regs.ecx & (1u << 21 | 1u << 24), 1u << 21); /* no TSC deadlines */
	regs = (struct cpuid_regs){0};
	dynamic(&vcpu, 0xd, 0, &regs);
	assert_int_equal(regs.ebx, 0);
	config.cpu_common = false;
	regs = (struct cpuid_regs){0};
	build(&t, &svm_ops, 1);
	dynamic(&vcpu, 1, 0, &regs);
	assert_int_equal(regs.ecx & (1u << 21 | 1u << 24), 1u << 21 | 1u << 24);
	has_apic = false;
}

/* A machine that lacks one of its features is told of, and gets no such VM. */
static void test_common_refused(void **state)
{
	static const struct cpu_features none;
	struct cpu_features more = *cpu_common.features;
	uint32_t bits;

	(void)state;
	assert_null(cpu_model_missing(&more, &more, &bits));
	assert_string_equal(cpu_model_missing(&none, &more, &bits), "1, ECX");
	assert_int_equal(bits, more.leaf_1_ecx);
	more.leaf_80000001_edx |= 1u << 31;
	assert_string_equal(cpu_model_missing(cpu_common.features, &more, &bits), "80000001, EDX");
	assert_int_equal(bits, 1u << 31);
}

/* What no guest may see, whatever the machine has. */
static void test_hidden(void **state)
{
	static const struct hv_ops *const both[] = {&svm_ops, &vmx_ops};
	static struct table t;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(both); i++) {
		build(&t, both[i], 2);
		assert_int_equal(query(&t, 1, 0).ecx & (1u << 3 | 1u << 5 | 1u << 6 | 1u << 17), 0);
		assert_true(query(&t, 1, 0).ecx >> 31);
		assert_int_equal(query(&t, 7, 0).ecx & (1u << 3 | 1u << 16), 0);
		assert_int_equal(query(&t, 0x80000001, 0).ecx & 1u << 2, 0);
		assert_null(find(&t, 0x8000000a, CPU_MODEL_ANY));
		assert_null(find(&t, 0xa, CPU_MODEL_ANY));
		assert_int_equal(vm.cr4_allowed & (1u << 13 | 1u << 14 | 1u << 17 | 1u << 22), 0);
	}
}

/* Families with a northbridge of their own become 11h; no other changes. */
static void test_signature(void **state)
{
	static const struct {
		uint32_t cpu, told;
	} amd[] = {
		{0x00000f4a, 0x00200f4a}, /* 0Fh */
		{0x00100f23, 0x00200f23}, /* 10h */
		{0x00600f12, 0x00200f12}, /* 15h, model 1 */
		{0x00610f01, 0x00610f01}, /* 15h, model 10h */
		{0x00200f31, 0x00200f31}, /* 11h */
		{SVM_FAMILY, SVM_FAMILY}, {0x00000663, 0x00000663},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(amd); i++)
		assert_int_equal(svm_signature(amd[i].cpu), amd[i].told);
	hv_ops = &vmx_ops;
	assert_int_equal(cpu_model_signature(&vm), cpuid(1).eax);
	assert_int_equal(cpu_model_line(&vm), CPU_LINE_INTEL);
	hv_ops = &svm_ops;
	assert_int_equal(cpu_model_signature(&vm), svm_signature(cpuid(1).eax));
	assert_int_equal(cpu_model_line(&vm), CPU_LINE_AMD);
}

/* Each answer in turn finds no memory: that is told. */
static void test_without_memory(void **state)
{
	static const struct hv_ops *const both[] = {&svm_ops, &vmx_ops};
	static struct table t;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(both); i++) {
		int n = 0;

		do {
			memset(&t, 0, sizeof(t));
			table = &t;
			hv_ops = both[i];
			hooks = 0;
			refuse = ++n;
			if (cpu_model_create(&vm) == 0)
				break;
			assert_int_equal(refuse, 0);
		} while (n < ANSWERS);
		assert_true(n > 15 && n < ANSWERS);
		refuse = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_features),  cmocka_unit_test(test_own_leaves),
		cmocka_unit_test(test_hidden),	       cmocka_unit_test(test_signature),
		cmocka_unit_test(test_without_memory), cmocka_unit_test(test_common),
		cmocka_unit_test(test_common_dynamic), cmocka_unit_test(test_common_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
