/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/irq.c tests/host/vmm/fake.c */
/* Lines are wire-ORed, chips come and go, EOIs reach those who want them. */
#include "vmm/irq.h"

#include "tests/host/vmm/fake.h"
#include "vmm/vcpu.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct vm vm = {.name = "v"};
static struct vcpu vcpu0 = {.vm = &vm}, vcpu1 = {.vm = &vm, .index = 1};

struct chip {
	struct irq_sink sink;
	bool levels[IRQ_LINES];
	unsigned changes, rises;
	int ended; /* vector */
};

static void chip_set(void *opaque, unsigned line, bool level)
{
	struct chip *chip = opaque;

	chip->rises += level && !chip->levels[line];
	chip->levels[line] = level;
	chip->changes++;
}

static void chip_eoi(void *opaque, uint8_t vector)
{
	((struct chip *)opaque)->ended = vector;
}

#define CHIP(c)                                                 \
	{                                                       \
		.sink = {chip_set, chip_eoi, &(c)}, .ended = -1 \
	}

static int setup(void **state)
{
	(void)state;
	vm.vcpus[0] = &vcpu0;
	vcpu0.requests = 0;
	return irq_create(&vm);
}

static int teardown(void **state)
{
	(void)state;
	irq_destroy(&vm);
	assert_int_equal(fake_objects, 0);
	return 0;
}

static void test_wire_or(void **state)
{
	struct chip chip = CHIP(chip);
	struct irq_line a = {0}, b = {0}, other = {0};
	unsigned asserting;

	(void)state;
	assert_int_equal(irq_add_sink(&vm, &chip.sink), 0);
	assert_int_equal(irq_line_users(&vm, 5, &asserting), 0);
	assert_int_equal(irq_line_attach(&vm, &a, 5), 0);
	assert_int_equal(irq_line_attach(&vm, &b, 5), 0);
	assert_int_equal(irq_line_attach(&vm, &other, 6), 0);
	irq_line_set(&a, true);
	irq_line_set(&a, true);
	irq_line_set(&b, true);
	assert_true(chip.levels[5] && !chip.levels[6]);
	assert_int_equal(chip.changes, 1);
	assert_int_equal(irq_line_users(&vm, 5, &asserting), 2);
	assert_int_equal(asserting, 2);
	assert_int_equal(irq_line_users(&vm, 6, &asserting), 1);
	assert_int_equal(asserting, 0);
	irq_line_set(&a, false);
	assert_true(chip.levels[5]);
	irq_line_set(&b, false);
	assert_false(chip.levels[5]);
	irq_line_pulse(&other);
	assert_int_equal(chip.changes, 4);
	irq_line_set(&b, true);
	irq_line_detach(&b);
	assert_false(chip.levels[5]);
	irq_line_detach(&a);
	irq_line_detach(&other);
}

static void test_bounds(void **state)
{
	struct irq_line lines[IRQ_LINE_USERS_MAX + 1] = {0};
	struct irq_sink sinks[IRQ_SINKS_MAX + 1];
	unsigned i;

	(void)state;
	assert_int_equal(irq_line_attach(&vm, &lines[0], IRQ_LINES), -EINVAL);
	for (i = 0; i < IRQ_LINE_USERS_MAX; i++)
		assert_int_equal(irq_line_attach(&vm, &lines[i], 0), 0);
	assert_int_equal(irq_line_attach(&vm, &lines[i], 0), -ENOSPC);
	while (i--)
		irq_line_detach(&lines[i]);
	for (i = 0; i < IRQ_SINKS_MAX; i++)
		assert_int_equal(irq_add_sink(&vm, &sinks[i]), 0);
	assert_int_equal(irq_add_sink(&vm, &sinks[i]), -ENOSPC);
}

static void test_a_late_chip_sees_high_lines(void **state)
{
	struct chip chip = CHIP(chip);
	struct irq_line line = {0};

	(void)state;
	assert_int_equal(irq_line_attach(&vm, &line, 3), 0);
	irq_line_set(&line, true);
	assert_int_equal(irq_add_sink(&vm, &chip.sink), 0);
	assert_true(chip.levels[3]);
	assert_int_equal(chip.changes, 1);
	irq_remove_sink(&vm, &chip.sink);
	irq_line_set(&line, false);
	assert_true(chip.levels[3]);
}

static void count_eoi(void *opaque)
{
	++*(unsigned *)opaque;
}

static void lower_on_eoi(void *opaque)
{
	irq_line_set(opaque, false);
}

static void test_eoi(void **state)
{
	struct chip chip = CHIP(chip);
	struct irq_line a = {0}, b = {0}, c = {0};
	unsigned eois = 0;

	(void)state;
	assert_int_equal(irq_add_sink(&vm, &chip.sink), 0);
	assert_int_equal(irq_line_attach(&vm, &a, 9), 0);
	assert_int_equal(irq_line_attach(&vm, &b, 9), 0);
	assert_int_equal(irq_line_attach(&vm, &c, 9), 0);
	a.eoi = count_eoi;
	a.opaque = &eois;
	b.eoi = lower_on_eoi; /* takes the line's lock */
	b.opaque = &b;
	irq_line_set(&b, true);
	irq_line_eoi(&vm, 9);
	assert_int_equal(eois, 1);
	assert_false(chip.levels[9]);
	irq_broadcast_eoi(&vm, 0x31);
	assert_int_equal(chip.ended, 0x31);
}

/* What came meanwhile is told afterwards: levels, and edges that are over. */
static void test_frozen(void **state)
{
	struct chip chip = CHIP(chip);
	struct irq_line a = {0}, b = {0}, c = {0};

	(void)state;
	assert_int_equal(irq_add_sink(&vm, &chip.sink), 0);
	assert_int_equal(irq_line_attach(&vm, &a, 3), 0);
	assert_int_equal(irq_line_attach(&vm, &b, 4), 0);
	assert_int_equal(irq_line_attach(&vm, &c, 5), 0);
	irq_line_set(&b, true);
	irq_lines_freeze(&vm);
	chip.rises = chip.changes = 0;
	irq_line_set(&a, true);
	irq_line_set(&b, false);
	irq_line_pulse(&c);
	assert_int_equal(chip.changes, 0);
	irq_lines_tell(&vm);
	assert_true(chip.levels[3]);
	assert_false(chip.levels[4] || chip.levels[5]);
	assert_int_equal(chip.rises, 2);
	irq_line_set(&a, false);
	assert_false(chip.levels[3]);
	/* A restored line is told without having been frozen. */
	irq_line_restore(&b, true);
	assert_false(chip.levels[4]);
	irq_lines_tell(&vm);
	assert_true(chip.levels[4]);
	irq_line_detach(&a);
	irq_line_detach(&b);
	irq_line_detach(&c);
}

/* Controllers. */

static int pending_vector;
static uint64_t message_address;
static bool ext_level;

static int ctl_pending(void *opaque, struct vcpu *vcpu)
{
	(void)opaque;
	return pending_vector + (int)vcpu->index;
}

static void ctl_accept(void *opaque, struct vcpu *vcpu, uint8_t vector)
{
	(void)opaque;
	(void)vcpu;
	pending_vector = -(int)vector;
}

static void ctl_message(void *opaque, uint64_t address, uint32_t data)
{
	(void)opaque;
	(void)data;
	message_address = address;
}

static void ctl_ext(void *opaque, bool level)
{
	(void)opaque;
	ext_level = level;
}

static const struct irq_controller_ops controller = {
	.pending = ctl_pending, .accept = ctl_accept, .message = ctl_message, .ext = ctl_ext};

static int ext_peek(void *opaque)
{
	return *(int *)opaque;
}

static void ext_ack(void *opaque, uint8_t vector)
{
	*(int *)opaque = -(int)vector;
}

static const struct irq_ext_ops ext = {ext_peek, ext_ack};

static void test_controller(void **state)
{
	(void)state;
	irq_message(&vm, 0xfee00000, 1);
	assert_int_equal(message_address, 0);
	assert_int_equal(irq_pending(&vcpu0), -1);
	assert_int_equal(irq_set_controller(&vm, &controller, NULL), 0);
	assert_int_equal(irq_set_controller(&vm, &controller, NULL), -EBUSY);
	pending_vector = 0x40;
	assert_int_equal(irq_pending(&vcpu1), 0x41);
	irq_accept(&vcpu1, 0x41);
	assert_int_equal(pending_vector, -0x41);
	irq_message(&vm, 0xfee00000, 1);
	assert_int_equal(message_address, 0xfee00000);
	irq_ext_changed(&vm, true);
	assert_true(ext_level);
	irq_clear_controller(&vm);
	assert_int_equal(irq_pending(&vcpu1), -1);
}

static void test_8259_alone(void **state)
{
	int vector = 0x20;

	(void)state;
	assert_int_equal(irq_ext_peek(&vm), -1);
	assert_int_equal(irq_set_ext(&vm, &ext, &vector), 0);
	assert_int_equal(irq_set_ext(&vm, &ext, &vector), -EBUSY);
	irq_ext_changed(&vm, true);
	assert_int_equal(vcpu0.requests, VCPU_REQ_IRQ);
	assert_int_equal(irq_pending(&vcpu0), 0x20);
	assert_int_equal(irq_pending(&vcpu1), -1);
	irq_accept(&vcpu0, 0x20);
	assert_int_equal(vector, -0x20);
	irq_clear_ext(&vm);
	assert_int_equal(irq_pending(&vcpu0), -1);
}

/* A handler on another CPU may come too late with a line that its device has given back. */
static void test_a_detached_line_stays_low(void **state)
{
	struct chip chip = CHIP(chip);
	struct irq_line gone = {0}, user = {0};

	(void)state;
	assert_int_equal(irq_add_sink(&vm, &chip.sink), 0);
	assert_int_equal(irq_line_attach(&vm, &gone, 5), 0);
	irq_line_set(&gone, true);
	irq_line_detach(&gone);
	irq_line_set(&gone, true);
	assert_false(chip.levels[5]);
	assert_int_equal(irq_line_attach(&vm, &user, 5), 0);
	irq_line_pulse(&user);
	assert_false(chip.levels[5]);
	assert_int_equal(chip.changes, 4);
	irq_line_detach(&user);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_wire_or, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_late_chip_sees_high_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_eoi, setup, teardown),
		cmocka_unit_test_setup_teardown(test_frozen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_controller, setup, teardown),
		cmocka_unit_test_setup_teardown(test_8259_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_detached_line_stays_low, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
