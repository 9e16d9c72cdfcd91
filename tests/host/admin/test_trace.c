/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/trace.c admin/trace_format.c vmm/flight.c lib/parse.c kernel/time.c */
/* test-sources: tests/host/vmm/fake.c */
/* test-sources: tests/host/vmm/fake_page_alloc.c */
/* `trace VM[.VCPU] [N]`: whose exits, how many, and how each reads. */
#include "admin/command.h"
#include "admin/trace_format.h"
#include "admin/vm_arg.h"
#include "arch/x86_64/percpu.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "tests/host/vmm/fake.h"
#include "vmm/vm.h"
#include "vmm/vm_life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char screen[1 << 18];
static struct cpu cpu0;
__thread struct cpu *fake_cpu = &cpu0;
static struct vm vm = {.name = "a.1", .vcpu_count = 2};
static struct vcpu vcpus[2] = {{.vm = &vm, .index = 0}, {.vm = &vm, .index = 1}};
static unsigned begun, ended;

const char *const exit_names[VM_EXIT_KINDS] = {
	[VM_EXIT_IO] = "io",
	[VM_EXIT_MSR] = "msr",
	[VM_EXIT_CPUID] = "cpuid",
	[VM_EXIT_HYPERCALL] = "hypercall",
	[VM_EXIT_MEMORY] = "memory",
	[VM_EXIT_HLT] = "hlt",
	[VM_EXIT_CR] = "cr",
	[VM_EXIT_APIC] = "apic",
	[VM_EXIT_EXCEPTION] = "exception",
	[VM_EXIT_TASK_SWITCH] = "task-switch",
	[VM_EXIT_UNKNOWN] = "unknown",
};

void console_printf(const char *fmt, ...)
{
	size_t at = strlen(screen);
	va_list args;

	va_start(args, fmt);
	vsnprintf(screen + at, sizeof(screen) - at, fmt, args);
	va_end(args);
}

uint64_t log_time_us(uint64_t tsc)
{
	return time_tsc_to_ns(tsc) / NSEC_PER_USEC;
}

void command_error(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	console_printf("%s", text);
}

struct vm *vm_find(const char *name)
{
	return strcmp(name, vm.name) ? NULL : &vm;
}

struct vm *vm_arg(const char *name)
{
	if (!vm_find(name))
		console_printf("%s: no such VM\n", name);
	return vm_find(name);
}

void command_add_vms(command_add_fn add, void *opaque)
{
	add(opaque, vm.name);
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

/* The line waits for nobody while the VM's life is held. */
void task_yield(void)
{
	assert_int_equal(begun, ended);
}

static int setup(void **state)
{
	(void)state;
	vm.vcpu_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		vm.vcpus[i] = &vcpus[i];
		vcpus[i].flight_at = 0;
		if (flight_create(&vcpus[i]))
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	flight_destroy(&vcpus[0]);
	flight_destroy(&vcpus[1]);
	assert_int_equal(begun, ended);
	assert_int_equal(fake_objects, 0);
	return 0;
}

static void leave_guest(struct vcpu *vcpu, const struct vm_exit *exit)
{
	uint64_t at = flight_begin(vcpu->flight, vcpu->flight_at, vcpu, exit, exit->kind);

	vcpu->flight_at = flight_end(vcpu->flight, at);
}

static const char *trace(const char *vm_name, const char *count)
{
	char words[3][32] = {"trace"};
	char *argv[] = {words[0], words[1], count ? words[2] : NULL, NULL};

	screen[0] = '\0';
	snprintf(words[1], sizeof(words[1]), "%s", vm_name);
	snprintf(words[2], sizeof(words[2]), "%s", count ? count : "");
	TABLE_START(commands)->run(argv);
	return screen;
}

static unsigned lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void test_whose(void **state)
{
	const struct vm_exit exit = {.kind = VM_EXIT_HLT};

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		leave_guest(&vcpus[1], &exit);
	/* Both; the first has made none. */
	assert_non_null(strstr(trace("a.1", NULL), "vm a.1, vcpu 0: 0 exits\nvm a.1, vcpu 1: 16 "));
	assert_int_equal(lines(screen), 1 + 2 + 16);
	assert_non_null(strstr(trace("a.1.1", "1024"), "vm a.1, vcpu 1: 40 exits\n"));
	assert_int_equal(lines(screen), 2 + 40);
	assert_null(strstr(screen, "vcpu 0"));
	assert_string_equal(trace("a.1.2", "3"), "vm a.1 has no vCPU 2 now\n");
	assert_string_equal(trace("a.1.99", "3"), "a.1.99: no such VM\n");
	assert_string_equal(trace("b", "3"), "b: no such VM\n");
	vm.vcpu_count = 0;
	assert_string_equal(trace("a.1", NULL), "vm a.1 is not started: it has made no exits\n");
	vm.vcpu_count = 2;
}

static void test_how_many(void **state)
{
	static const char *const wrong[] = {"0", "1025", "-1", "x", "99999999999999999999", ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_non_null(strstr(trace("a.1", wrong[i]), "expected a number of exits, 1 to"));
}

static void shows(struct vm_exit exit, uint64_t rax, uint64_t rcx, const char *text)
{
	struct flight_exit e;
	char line[TRACE_LINE_MAX];
	bool open;

	vcpus[0].gpr[GPR_RAX] = rax;
	vcpus[0].gpr[GPR_RCX] = rcx;
	leave_guest(&vcpus[0], &exit);
	assert_int_equal(flight_copy(&vcpus[0], &e, 1, &open), 1);
	trace_format(line, &e, open);
	assert_true(strlen(line) > strlen(text));
	assert_string_equal(line + strlen(line) - strlen(text), text);
}

static void test_reasons(void **state)
{
	const uint64_t rax = 0x123456789abcdef0, rcx = 0xffffffffc0000080;

	(void)state;
	shows((struct vm_exit){.kind = VM_EXIT_IO, .u.io = {.port = 0x3f8, .width = 1}}, rax, rcx,
	      "  io out 0x3f8, 1 bytes: 0xf0");
	shows((struct vm_exit){.kind = VM_EXIT_IO, .u.io = {.port = 0xcf8, .width = 4}}, rax, rcx,
	      "  io out 0xcf8, 4 bytes: 0x9abcdef0");
	shows((struct vm_exit){.kind = VM_EXIT_IO, .u.io = {.port = 0x60, .width = 1, .in = true}},
	      rax, rcx, "  io in 0x60, 1 bytes");
	shows((struct vm_exit){.kind = VM_EXIT_IO,
			       .u.io = {.port = 0x1f0,
					.width = 2,
					.in = true,
					.string = true,
					.rep = true}},
	      rax, rcx, "  io rep ins 0x1f0, 2 bytes");
	shows((struct vm_exit){.kind = VM_EXIT_MSR, .u.msr.write = true}, rax, rcx,
	      "  msr wrmsr 0xc0000080");
	shows((struct vm_exit){.kind = VM_EXIT_CPUID}, 0x80000008, rcx, "  cpuid 0x80000008");
	shows((struct vm_exit){.kind = VM_EXIT_MEMORY, .u.memory.gpa = 0xfee000b0}, rax, rcx,
	      "  memory at 0xfee000b0");
	shows((struct vm_exit){.kind = VM_EXIT_CR, .u.cr = {.cr = 4, .write = true}}, rax, rcx,
	      "  cr write of cr4");
	shows((struct vm_exit){.kind = VM_EXIT_APIC, .u.apic = {.reg = 0xb, .value = 0x30}}, rax,
	      rcx, "  apic register 0xb0: 0x30");
	shows((struct vm_exit){.kind = VM_EXIT_EXCEPTION,
			       .u.exception = {.vector = 14, .has_error = true, .error = 2}},
	      rax, rcx, "  exception vector 14, error 0x2");
	shows((struct vm_exit){.kind = VM_EXIT_TASK_SWITCH, .u.task.selector = 0x28}, rax, rcx,
	      "  task-switch to 0x28");
	shows((struct vm_exit){.kind = VM_EXIT_UNKNOWN, .u.failed.code = UINT64_MAX}, rax, rcx,
	      "  unknown 0xffffffffffffffff");
	shows((struct vm_exit){.kind = VM_EXIT_HLT}, rax, rcx, "  hlt");
}

static void test_times(void **state)
{
	struct flight_exit e = {.time_low = 0xfffffff0, .time_high = 1, .done = 0x10};
	char line[TRACE_LINE_MAX];

	(void)state;
	e.at.rip = 0xffffffff81000000;
	e.at.bytes[7] = VM_EXIT_HLT;
	/* A TSC of 1 GHz: the low half has gone through 0 meanwhile. */
	trace_format(line, &e, false);
	assert_string_equal(line, "[    8.589934] ffffffff81000000           32  hlt");
	trace_format(line, &e, true);
	assert_string_equal(line, "[    8.589934] ffffffff81000000            ?  hlt");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_whose),
		TEST(test_how_many),
		TEST(test_reasons),
		TEST(test_times),
	};

	time_init(1000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
