/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/crash_card.c admin/trace_format.c vmm/flight.c vmm/post_mortem.c */
/* test-sources: kernel/time.c tests/host/vmm/fake.c */
/* test-sources: tests/host/vmm/fake_page_alloc.c */
/* What is told of a crashed VM, and of the vCPU that ran where we have panicked. */
#include "arch/x86_64/percpu.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/slab.h"
#include "tests/host/vmm/fake.h"
#include "vmm/emulate/vcpu_emulate.h"
#include "vmm/flight.h"
#include "vmm/hv_ops.h"
#include "vmm/post_mortem.h"
#include "vmm/vm.h"
#include "vmm/vm_console.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct cpu cpu0;
__thread struct cpu *fake_cpu = &cpu0;
const struct hv_ops *hv_ops;
static struct vm vm = {.name = "a", .vcpu_count = 2};
static struct vcpu vcpus[2] = {{.vm = &vm, .index = 0}, {.vm = &vm, .index = 1}};
static char said[1 << 16];
static const char *const *log_lines;
static const char *words;

const char *const exit_names[VM_EXIT_KINDS] = {[VM_EXIT_HLT] = "hlt"};

/* What is not of this test. */

uint64_t vcpu_gpr(struct vcpu *vcpu, unsigned n)
{
	return vcpu->gpr[n];
}

unsigned vcpu_emulate_fetch(struct vcpu *vcpu, uint8_t bytes[15])
{
	(void)vcpu;
	(void)bytes;
	return 0;
}

uint64_t log_time_us(uint64_t tsc)
{
	return time_tsc_to_ns(tsc) / NSEC_PER_USEC;
}

void log_for_each(void (*line)(void *opaque, const char *text), void *opaque)
{
	for (const char *const *text = log_lines; *text; text++)
		line(opaque, *text);
}

size_t vm_console_last(struct vm *v, char *buf, size_t max)
{
	size_t len = strlen(words), skip = len > max ? len - max : 0;

	assert_ptr_equal(v, &vm);
	memcpy(buf, words + skip, len - skip);
	return len - skip;
}

static void say(const char *fmt, va_list args)
{
	size_t at = strlen(said);

	vsnprintf(said + at, sizeof(said) - at - 1, fmt, args);
	strcat(said, "\n");
}

void vm_log(const struct vm *v, enum log_level level, const char *fmt, ...)
{
	va_list args;

	assert_ptr_equal(v, &vm);
	assert_int_equal(level, LOG_ERROR);
	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
}

static void panic_says(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
}

static int setup(void **state)
{
	static const char *const none[] = {NULL};

	(void)state;
	said[0] = '\0';
	words = "";
	log_lines = none;
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
	assert_int_equal(fake_objects, 0);
	return 0;
}

static void leave_guest(struct vcpu *vcpu, unsigned times)
{
	const struct vm_exit exit = {.kind = VM_EXIT_HLT};

	while (times--)
		vcpu->flight_at =
			flight_end(vcpu->flight, flight_begin(vcpu->flight, vcpu->flight_at, vcpu,
							      &exit, exit.kind));
}

static unsigned count(const char *what)
{
	unsigned n = 0;

	for (const char *at = said; (at = strstr(at, what)); at++)
		n++;
	return n;
}

static void test_exits_of_all_vcpus(void **state)
{
	(void)state;
	leave_guest(&vcpus[1], 20);
	post_mortem_vm(&vm);
	assert_int_equal(count("vcpu 0: "), 0);
	assert_int_equal(count("vcpu 1: last exits:"), 1);
	assert_int_equal(count("  hlt\n"), 16);
	assert_int_equal(count("what to try: `trace a 1024`"), 1);
}

static void test_log_of_that_vm(void **state)
{
	static const char *const lines[] = {
		"[    0.000001] vm a: line 0",
		"[    0.000001] vm b: of another",
		"[    0.000001] vm a: line 1",
		"[    0.000001] warning: vm a: line 2",
		"[    0.000001] vm a: line 3",
		"[    0.000001] vm a: line 4",
		"[    0.000001] vm a: line 5",
		"[    0.000001] vm a: line 6",
		"[    0.000001] vm a: com1: line 7",
		"[    0.000001] vm a: line 8",
		"[    0.000001] smp: 2 CPUs run",
		"[    0.000001] error: vm a: vcpu 0: of this card",
		"[    0.000001] error: vm a: log | of an older card",
		"[    0.000001] error: vm a: said | of an older card",
		"[    0.000001] error: vm a: what to try: of an older card",
		NULL,
	};

	(void)state;
	log_lines = lines;
	post_mortem_vm(&vm);
	assert_int_equal(count("log | "), 8);
	assert_int_equal(count("line 0"), 0);
	assert_non_null(strstr(said, "log | [    0.000001] vm a: line 1\n"
				     "log | [    0.000001] warning: vm a: line 2\n"));
	assert_non_null(strstr(said, "line 7\nlog | [    0.000001] vm a: line 8\nwhat to try"));
	assert_int_equal(count("card"), 0);
}

/* Not of a life that has ended: neither its lines nor its end. */
static void test_log_of_that_life(void **state)
{
	static const char *const lines[] = {
		"[    0.000001] vm a: line 0",
		"[    0.000001] error: vm a: crashed; `reset` or `destroy` it",
		"[    0.000001] vm a: line 1",
		"[    0.000001] vm a: stopped",
		"[    0.000001] vm a: line 2",
		"[    0.000001] vm b: stopped",
		"[    0.000001] vm a: line 3",
		NULL,
	};

	(void)state;
	log_lines = lines;
	post_mortem_vm(&vm);
	assert_int_equal(count("log | "), 2);
	assert_non_null(strstr(said, "log | [    0.000001] vm a: line 2\n"
				     "log | [    0.000001] vm a: line 3\n"));
}

static void test_last_words(void **state)
{
	static char many[4096];

	(void)state;
	words = "only this";
	post_mortem_vm(&vm);
	assert_non_null(strstr(said, "said | only this\nwhat"));
	said[0] = '\0';
	words = "1\r\n2\r\n\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9\r\n\r\n";
	post_mortem_vm(&vm);
	/* An empty line is one of the eight. */
	assert_non_null(strstr(said, "said | 3\nsaid | 4\n"));
	assert_int_equal(count("said | "), 7);
	assert_int_equal(count("said | 2\n"), 0);
	said[0] = '\0';
	memset(many, 'x', sizeof(many) - 1);
	words = many;
	post_mortem_vm(&vm);
	assert_int_equal(count("said | xx"), 1);
}

static void test_panic(void **state)
{
	const panic_report_fn *report = TABLE_START(panic_reports);

	(void)state;
	assert_ptr_equal(report + 1, TABLE_END(panic_reports));
	(*report)(panic_says, NULL);
	assert_string_equal(said, "");
	leave_guest(&vcpus[1], 20);
	/* Within its run loop, on this CPU: what it does now is not done. */
	vcpus[1].in_loop = true;
	(*report)(panic_says, &vcpus[1]);
	vcpus[1].in_loop = false;
	assert_non_null(strstr(said, "vm a, vcpu 1 ran last on this CPU:"));
	assert_int_equal(count("  hlt\n"), 8);
	assert_string_equal(said + strlen(said) - strlen("?  hlt\n"), "?  hlt\n");
	assert_int_equal(count("?"), 1);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_exits_of_all_vcpus),
		TEST(test_log_of_that_vm),
		TEST(test_log_of_that_life),
		TEST(test_last_words),
		TEST(test_panic),
	};

	time_init(1000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
