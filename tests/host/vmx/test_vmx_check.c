/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vmx/vmx_check.c vmm/vmx/vmx_check_controls.c vmm/vmx/vmx_check_host.c */
/* test-sources: vmm/vmx/vmx_check_guest.c vmm/vmx/vmx_check_segs.c vmm/vmx/vmx_check_state.c */
/* test-sources: vmm/vmx/vmx_check_msrs.c vmm/vmx/vmx_field.c tests/host/vmx/check_world.c */
/* test-sources: tests/host/vmx/check_rules_control.c tests/host/vmx/check_rules_guest.c */
/*
 * vmm/vmx/vmx_check.c: each rule of an entry is broken on purpose, and it alone must be named; at
 * the end none may be left that was never broken.
 */
#include "tests/host/vmx/check_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define RULES 512

static struct vmx_rule rules[RULES];
static bool exercised[RULES];
static unsigned rule_count;

static void note(void *opaque, const struct vmx_rule *rule)
{
	(void)opaque;
	assert_in_range(rule_count, 0, RULES - 1);
	rules[rule_count++] = *rule;
}

static unsigned check(void)
{
	unsigned broken, counted = 0;

	rule_count = 0;
	broken = vmx_check(&world_input, note, NULL);
	for (unsigned i = 0; i < rule_count; i++)
		counted += rules[i].broken;
	assert_int_equal(broken, counted);
	return broken;
}

static void print_broken(void)
{
	for (unsigned i = 0; i < rule_count; i++)
		if (rules[i].broken)
			print_error("broken: %s = %#lx: %s (%s)\n", vmx_field_name(rules[i].field),
				    rules[i].value, rules[i].text, rules[i].section);
}

void rules_expect(void)
{
	if (check()) {
		print_broken();
		fail();
	}
}

void rules_expect_among(uint32_t field, const char *text)
{
	check();
	for (unsigned i = 0; i < rule_count; i++) {
		const struct vmx_rule *r = &rules[i];

		if (!r->broken || r->field != field || strncmp(r->text, text, strlen(text)))
			continue;
		assert_int_equal(r->value, world_field[field]);
		exercised[i] = true;
		return;
	}
	print_error("not broken: %s: %s\n", vmx_field_name(field), text);
	print_broken();
	fail();
}

void rules_expect_one(uint32_t field, const char *text)
{
	rules_expect_among(field, text);
	if (check() != 1) {
		print_error("not alone: %s: %s\n", vmx_field_name(field), text);
		print_broken();
		fail();
	}
}

/* The number of a rule is the same whatever the state is, or the above means nothing. */
static void test_rules_are_the_same_in_every_state(void **state)
{
	struct vmx_rule valid[RULES];
	unsigned count;

	(void)state;
	world_valid();
	check();
	count = rule_count;
	memcpy(valid, rules, sizeof(valid));
	memset(world_field, 0xff, sizeof(world_field));
	check();
	assert_int_equal(rule_count, count);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(valid[i].field, rules[i].field);
		assert_string_equal(valid[i].text, rules[i].text);
		for (unsigned j = 0; j < i; j++)
			assert_false(valid[i].field == valid[j].field &&
				     !strcmp(valid[i].text, valid[j].text));
		assert_string_not_equal(vmx_field_name(rules[i].field), "?");
	}
}

static void test_every_rule_was_broken(void **state)
{
	unsigned missing = 0;

	(void)state;
	world_valid();
	check();
	for (unsigned i = 0; i < rule_count; i++) {
		if (exercised[i])
			continue;
		print_error("never broken: %s: %s (%s)\n", vmx_field_name(rules[i].field),
			    rules[i].text, rules[i].section);
		missing++;
	}
	assert_int_equal(missing, 0);
	print_message("%u rules\n", rule_count);
}

static void test_fields(void **state)
{
	(void)state;
	for (size_t i = 1; i < VMX_FIELD_COUNT; i++)
		assert_true(vmx_fields[i - 1].encoding < vmx_fields[i].encoding);
	assert_string_equal(vmx_field_name(VMCS_GUEST_TR_ACCESS_RIGHTS), "Guest TR access rights");
	assert_string_equal(vmx_field_name(0x6fff), "?");
	assert_int_equal(vmx_field_size(VMCS_VPID), 2);
	assert_int_equal(vmx_field_size(VMCS_EXIT_REASON), 4);
	assert_int_equal(vmx_field_size(VMCS_TSC_OFFSET), 8);
	assert_int_equal(vmx_field_size(VMCS_GUEST_RIP), 8);
	assert_int_equal(VMX_FIELD_TYPE(VMCS_HOST_RIP), VMX_FIELD_HOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_rules_are_the_same_in_every_state),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_entry_event),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_guest_registers),
		cmocka_unit_test(test_guest_msrs),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_segment_types),
		cmocka_unit_test(test_v86),
		cmocka_unit_test(test_system_segments),
		cmocka_unit_test(test_activity),
		cmocka_unit_test(test_link_and_msrs),
		cmocka_unit_test(test_refused_msr),
		cmocka_unit_test(test_every_rule_was_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
