/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: kernel/boot_info.c */
/* Modules that come after the boot loader's. */
#include "kernel/boot_info.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_modules_are_added(void **state)
{
	char name[BOOT_MAX_STRING + 1];
	const struct boot_module *module;

	(void)state;
	assert_int_equal(boot_module_add("a", "text", 4), 0);
	module = boot_module_find("a");
	assert_non_null(module);
	assert_int_equal(module->size, 4);
	assert_string_equal(module->data, "text");
	assert_int_equal(boot_module_add("a", "other", 5), -EEXIST);
	assert_string_equal(boot_module_find("a")->data, "text");
	memset(name, 'x', sizeof(name));
	name[BOOT_MAX_STRING] = '\0';
	assert_int_equal(boot_module_add(name, "", 0), -ENAMETOOLONG);
	name[BOOT_MAX_STRING - 1] = '\0';
	assert_int_equal(boot_module_add(name, "", 0), 0);
	while (boot_info.module_count < BOOT_MAX_MODULES) {
		snprintf(name, sizeof(name), "m%zu", boot_info.module_count);
		assert_int_equal(boot_module_add(name, "", 0), 0);
	}
	assert_int_equal(boot_module_add("b", "", 0), -ENOSPC);
	assert_null(boot_module_find("b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modules_are_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
