/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/emulate/vcpu_emulate.c */
/* test-sources: vmm/emulate/alu.c vmm/emulate/arith.c vmm/emulate/bits.c vmm/emulate/cmpxchg.c */
/* test-sources: vmm/emulate/decode.c vmm/emulate/decode_table.c vmm/emulate/emulate.c */
/* test-sources: vmm/emulate/gva.c vmm/emulate/icache.c vmm/emulate/linear.c vmm/emulate/move.c */
/* test-sources: vmm/emulate/operand.c vmm/emulate/span.c vmm/emulate/stack.c */
/* test-sources: vmm/emulate/string.c */
/* An event whose delivery meets memory that is a device's, or was until just now. */
#include "vmm/emulate/vcpu_emulate.h"

#include "kernel/slab.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/hv_ops.h"
#include "vmm/vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RAM_SIZE 0x2000u
#define NO_RAM	 0xd0000000u

static uint8_t ram[RAM_SIZE];
static uint8_t *granules[1] = {ram};
static struct guest_memory memory = {.size = RAM_SIZE,
				     .low_end = RAM_SIZE,
				     .high_end = GUEST_HIGH_BASE,
				     .granules = granules,
				     .granule_count = 1};
static struct hook_maps hooks;
static struct vm vm = {.memory = &memory, .hooks = &hooks};
static struct vcpu vcpu = {.vm = &vm};
static bool hooked, hooked_writes;
static unsigned failures;

static bool mode_is(struct vcpu *v __unused, const struct vcpu_mode *mode __unused)
{
	return false;
}

static const struct hv_ops ops = {.mode_is = mode_is};
const struct hv_ops *hv_ops = &ops;

bool hook_memory_covers(const struct range_map *map __unused, gpa_t gpa __unused,
			uint64_t len __unused, bool write)
{
	return hooked || (hooked_writes && write);
}

void vcpu_fail(struct vcpu *v __unused, const char *fmt __unused, ...)
{
	failures++;
}

void *kzalloc(size_t size)
{
	return calloc(1, size);
}

void kfree(const void *p)
{
	free((void *)p);
}

/* No instruction is looked at. */

uint64_t hook_memory_read(struct vcpu *v __unused, gpa_t gpa __unused, unsigned width __unused)
{
	fail();
	return 0;
}

void hook_memory_write(struct vcpu *v __unused, gpa_t gpa __unused, unsigned width __unused,
		       uint64_t value __unused)
{
	fail();
}

void hook_cpuid_query(struct vcpu *v __unused, uint32_t leaf __unused, uint32_t subleaf __unused,
		      struct cpuid_regs *regs __unused)
{
	fail();
}

void vcpu_inject_exception(struct vcpu *v __unused, uint8_t vector __unused,
			   bool has_error __unused, uint32_t error __unused)
{
	fail();
}

void vcpu_inject_page_fault(struct vcpu *v __unused, gva_t address __unused,
			    uint32_t error __unused)
{
	fail();
}

void vcpu_inject_ud(struct vcpu *v __unused)
{
	fail();
}

void vm_log(const struct vm *v __unused, enum log_level level __unused, const char *fmt __unused,
	    ...)
{
	fail();
}

static enum exit_action deliver(gpa_t gpa, unsigned access, bool table_walk)
{
	struct vm_exit exit = {.kind = VM_EXIT_MEMORY};
	enum exit_action action;

	exit.u.memory.gpa = gpa;
	exit.u.memory.access = access;
	exit.u.memory.table_walk = table_walk;
	vcpu.event = (struct vcpu_event){.type = EVENT_EXT_INT, .vector = 0x31};
	failures = 0;
	action = vcpu_emulate_memory(&vcpu, &exit);
	/* What is delivered again, or what the post-mortem tells of. */
	assert_int_equal(vcpu.event.type, EVENT_EXT_INT);
	assert_int_equal(failures, action == EXIT_STOP);
	return action;
}

static int setup(void **state)
{
	(void)state;
	hooked = hooked_writes = false;
	return vcpu_emulate_create(&vcpu);
}

static int teardown(void **state)
{
	(void)state;
	vcpu_emulate_destroy(&vcpu);
	return 0;
}

static void test_no_ram(void **state)
{
	(void)state;
	assert_int_equal(deliver(NO_RAM, ACCESS_WRITE, false), EXIT_STOP);
	assert_int_equal(deliver(NO_RAM, ACCESS_READ, true), EXIT_STOP);
}

static void test_hooked_ram(void **state)
{
	(void)state;
	hooked = true;
	assert_int_equal(deliver(0x1ff8, ACCESS_READ, false), EXIT_STOP);
	assert_int_equal(deliver(0x1ff8, ACCESS_WRITE, false), EXIT_STOP);
	hooked = false;
	hooked_writes = true;
	assert_int_equal(deliver(0x1ff8, ACCESS_WRITE, false), EXIT_STOP);
}

/* The hook went while this vCPU was on its way out: nothing is lost. */
static void test_ram_again(void **state)
{
	(void)state;
	assert_int_equal(deliver(0x1fff, ACCESS_WRITE, false), EXIT_RESUME);
	assert_int_equal(deliver(0x1000, ACCESS_READ, true), EXIT_RESUME);
	hooked_writes = true;
	assert_int_equal(deliver(0x1000, ACCESS_READ, false), EXIT_RESUME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_ram, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hooked_ram, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ram_again, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
