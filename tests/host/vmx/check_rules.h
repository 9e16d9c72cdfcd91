/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules that are broken on purpose, one by one. */
#ifndef TESTS_HOST_VMX_CHECK_RULES_H
#define TESTS_HOST_VMX_CHECK_RULES_H

#include "tests/host/vmx/check_world.h"

/* @change, made to a valid state, must break no rule. */
#define GOOD(change)            \
	do {                    \
		world_valid();  \
		change;         \
		rules_expect(); \
	} while (0)

/* It must break one rule alone: that of @field whose text begins with @text. */
#define BROKEN(field, text, change)            \
	do {                                   \
		world_valid();                 \
		change;                        \
		rules_expect_one(field, text); \
	} while (0)

/* It cannot but break others, too. */
#define AMONG(field, text, change)               \
	do {                                     \
		world_valid();                   \
		change;                          \
		rules_expect_among(field, text); \
	} while (0)

void rules_expect(void);
void rules_expect_one(uint32_t field, const char *text);
void rules_expect_among(uint32_t field, const char *text);

/* The tests, by the files of vmm/vmx/vmx_check_*.c. */
void test_controls(void **state);
void test_lists(void **state);
void test_entry_event(void **state);
void test_host(void **state);
void test_guest_registers(void **state);
void test_guest_msrs(void **state);
void test_segments(void **state);
void test_segment_types(void **state);
void test_v86(void **state);
void test_system_segments(void **state);
void test_activity(void **state);
void test_link_and_msrs(void **state);
void test_refused_msr(void **state);

#endif
