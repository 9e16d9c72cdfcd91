/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: drivers/serial_claim.c */
/* A UART is one owner's at a time, whichever of its ports is wanted. */
#include "drivers/serial_claim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COM1 0x3f8
#define COM2 0x2f8

static char us[] = "us", them[] = "them";

static void test_one_owner(void **state)
{
	(void)state;
	assert_null(serial_claim(COM2, 8, us, us));
	us[0] = 'U'; /* the name is kept */
	assert_string_equal(serial_user(COM2, 1), "us");
	assert_string_equal(serial_user(COM2 + 7, 1), "us");
	assert_string_equal(serial_user(0, 0x10000), "us");
	assert_null(serial_user(0, COM2));
	assert_null(serial_user(COM2 + 8, 0x100));
	assert_null(serial_user(COM1, 8));
	assert_string_equal(serial_claim(COM2, 8, them, "them"), "us");
	assert_string_equal(serial_claim(COM2 + 5, 1, them, "them"), "us");
	serial_release(COM2, 8, them);
	assert_string_equal(serial_user(COM2, 8), "us");
	/* As often as it likes. */
	assert_null(serial_claim(COM2 + 1, 2, us, "again"));
	serial_release(COM2, 8, us);
	assert_string_equal(serial_claim(COM2, 8, them, "them"), "us");
	serial_release(COM2 + 1, 2, us);
	assert_null(serial_claim(COM2, 8, them, "them"));
	assert_string_equal(serial_user(COM2, 8), "them");
	serial_release(COM2, 8, them);
	serial_release(COM2, 8, them);
	assert_null(serial_user(COM2, 8));
}

static void test_all_or_nothing(void **state)
{
	char name[200] = "";

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	assert_null(serial_claim(COM1, 1, us, name));
	assert_int_equal(strlen(serial_user(COM1, 8)), SERIAL_USER_MAX);
	assert_non_null(serial_claim(COM2, COM1 - COM2 + 1, them, "them"));
	assert_null(serial_user(COM2, 8));
	assert_null(serial_claim(0x300, COM1 - 0x300, them, "them"));
	serial_release(COM1, 1, us);
	assert_null(serial_claim(COM2, COM1 - COM2 + 1, them, "them"));
	assert_string_equal(serial_user(COM1, 1), "them");
	serial_release(COM2, COM1 - COM2 + 1, them);
	assert_null(serial_user(0, 0x10000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_owner),
		cmocka_unit_test(test_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
