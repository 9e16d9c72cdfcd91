/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/info_vmcs.c admin/vcpu_arg.c lib/parse.c */
/* A vCPU as an argument, of a VM that stands still or is made to: by `info vmcs VM.VCPU`. */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "vmm/hv_ops.h"
#include "vmm/vm.h"
#include "vmm/vm_life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char screen[512];
static struct vcpu vcpus[2] = {{.index = 0}, {.index = 1}};
static struct vm vm = {.name = "a.b", .vcpu_count = 2};
static unsigned begun, ended;

static unsigned pauses, resumes, requests;

void console_printf(const char *fmt, ...)
{
	size_t at = strlen(screen);
	va_list args;

	va_start(args, fmt);
	vsnprintf(screen + at, sizeof(screen) - at, fmt, args);
	va_end(args);
}

void command_error(const char *fmt, ...)
{
	size_t at = strlen(screen);
	va_list args;

	va_start(args, fmt);
	vsnprintf(screen + at, sizeof(screen) - at, fmt, args);
	va_end(args);
}

static void dump(struct vcpu *vcpu, hv_print_fn print)
{
	assert_int_equal(begun, ended + 1);
	print("vCPU %u", vcpu->index);
}

static const struct hv_ops ops = {.dump = dump};
const struct hv_ops *hv_ops = &ops;

struct vm *vm_find(const char *name)
{
	return strcmp(name, vm.name) ? NULL : &vm;
}

struct vm *vm_arg_or_only(const char *name)
{
	return name ? vm_arg(name) : &vm;
}

void vm_vcpus_pause(struct vm *v)
{
	assert_ptr_equal(v, &vm);
	pauses++;
}

void vm_vcpus_resume(struct vm *v)
{
	assert_ptr_equal(v, &vm);
	resumes++;
}

void vcpu_request(struct vcpu *vcpu, uint32_t bits)
{
	assert_ptr_equal(vcpu->vm, &vm);
	assert_int_equal(bits, VCPU_REQ_PAUSE);
	requests++;
}

struct vm *vm_arg(const char *name)
{
	if (!strcmp(name, vm.name))
		return &vm;
	console_printf("%s: no such VM", name);
	return NULL;
}

enum vm_state vm_life_begin(struct vm *v)
{
	begun++;
	return v->state;
}

void vm_life_end(struct vm *v, enum vm_state state)
{
	assert_int_equal(v->state, state);
	ended++;
}

const char *vm_state_name(enum vm_state state)
{
	return state == VM_RUNNING ? "running" : "?";
}

static void expect(enum vm_state state, const char *arg, const char *shown)
{
	char words[2][32] = {"vmcs"};
	char *argv[] = {words[0], words[1], NULL};

	vm.state = state;
	screen[0] = '\0';
	snprintf(words[1], sizeof(words[1]), "%s", arg);
	TABLE_START(info_topics)->run(argv);
	assert_non_null(strstr(screen, shown));
	assert_int_equal(begun, ended);
}

static void test_info_vmcs(void **state)
{
	(void)state;
	vcpus[0].vm = vcpus[1].vm = &vm;
	vm.vcpus[0] = &vcpus[0];
	vm.vcpus[1] = &vcpus[1];
	expect(VM_PAUSED, "a.b.0", "vCPU 0");
	expect(VM_CRASHED, "a.b.1", "vCPU 1");
	expect(VM_PAUSED, "a.b.2", "vm a.b has vCPUs 0 to 1");
	expect(VM_PAUSED, "a.b.18446744073709551615", "vm a.b has vCPUs 0 to 1");
	expect(VM_RUNNING, "a.b.0", "vm a.b is running: `pause` it first");
	expect(VM_PAUSED, "a.0", "a: no such VM");
	expect(VM_PAUSED, "ab", "expected VM.VCPU");
	expect(VM_PAUSED, "a.b.", "expected VM.VCPU");
	expect(VM_PAUSED, "a.b.x", "expected VM.VCPU");
}

/* vCPU @index of @arg (-1: none) while it stands still. */
static void expect_still(enum vm_state state, const char *arg, int index)
{
	bool runs = state == VM_RUNNING && index >= 0;
	enum vm_state was;
	struct vcpu *vcpu;

	vm.state = state;
	screen[0] = '\0';
	pauses = resumes = requests = 0;
	vcpu = vcpu_still_begin(arg, &was);
	assert_int_equal(pauses, runs);
	assert_int_equal(resumes, 0);
	if (index < 0) {
		assert_null(vcpu);
	} else {
		assert_ptr_equal(vcpu, &vcpus[index]);
		vcpu_still_end(vcpu, was);
	}
	assert_int_equal(resumes, runs);
	assert_int_equal(begun, ended);
}

static void test_still(void **state)
{
	(void)state;
	vcpus[0].vm = vcpus[1].vm = &vm;
	vm.vcpus[0] = &vcpus[0];
	vm.vcpus[1] = &vcpus[1];
	expect_still(VM_RUNNING, "a.b.1", 1);
	expect_still(VM_RUNNING, "a.b", 0);
	expect_still(VM_RUNNING, NULL, 0);
	assert_int_equal(requests, 0);
	/* What the guest asked for meanwhile finds the vCPUs on their way out again. */
	vm.requests = 1;
	expect_still(VM_RUNNING, NULL, 0);
	assert_int_equal(requests, 2);
	vm.requests = 0;
	expect_still(VM_PAUSED, "a.b.1", 1);
	expect_still(VM_CRASHED, "a.b", 0);
	expect_still(VM_RUNNING, "a.b.2", -1);
	assert_string_equal(screen, "vm a.b has vCPUs 0 to 1\n");
	expect_still(VM_RUNNING, "a.b.18446744073709551615", -1);
	expect_still(VM_RUNNING, "a.b.", -1);
	assert_non_null(strstr(screen, "a.b.: no such VM"));
	expect_still(VM_RUNNING, "nobody.0", -1);
	assert_non_null(strstr(screen, "nobody: no such VM"));
	expect_still(VM_RUNNING, "01234567890123456789012345678901234567890.0", -1);
	vm.vcpu_count = 0;
	expect_still(VM_STOPPED, "a.b", -1);
	assert_non_null(strstr(screen, "`start` it first"));
	vm.vcpu_count = 2;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_info_vmcs),
		cmocka_unit_test(test_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
