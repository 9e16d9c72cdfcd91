/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/info_vmcs.c admin/vcpu_arg.c lib/parse.c */
/* `info vmcs VM.VCPU`: whose state is shown, and what is said instead. */
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

void console_printf(const char *fmt, ...)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_info_vmcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
