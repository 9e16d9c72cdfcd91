/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/device_state.c vmm/device_state_load.c vmm/device_state_print.c */
/* test-sources: tests/host/vmm/state_card.c */
/*
 * What a device saves it loads, whole or not at all: each bit of it that is
 * turned, and each length that it is cut to, is refused by name, or loads what
 * it says.
 */
#include "tests/host/vmm/state_card.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t buf[2048];
static char why[256];

static size_t save(struct world *w)
{
	size_t len = device_state_save(&card_saved, &w->card, NULL, 0);

	assert_true(len <= sizeof(buf));
	assert_int_equal(device_state_save(&card_saved, &w->card, buf, sizeof(buf)), len);
	return len;
}

static void test_round_trip(void **state)
{
	static struct world from, to;
	uint8_t first[sizeof(buf)];
	size_t len;

	(void)state;
	world_make(&from);
	world_use(&from);
	device_state_pre_save(&card_saved, &from.card);
	assert_string_equal(from.card.story, "p");
	len = save(&from);
	memcpy(first, buf, len);
	world_make(&to);
	assert_int_equal(device_state_check(&card_saved, &to.card, buf, len, why, sizeof(why)), 0);
	assert_int_equal(world_objects, 0);
	assert_int_equal(to.card.reg, 0); /* it only looks */
	assert_int_equal(to.timer.ns, UINT64_MAX);
	assert_int_equal(device_state_load(&card_saved, &to.card, buf, len, why, sizeof(why)), 0);
	assert_null(device_state_post_load(&card_saved, &to.card));
	assert_string_equal(to.card.story, "ol");
	assert_int_equal(to.card.date, -5);
	assert_int_equal(to.many[2].next, 7);
	assert_int_equal(to.many[2].size, 8);
	assert_int_equal(to.other.value, 998);
	assert_int_equal(to.timer.ns, 123456);
	assert_true(to.line.level);
	assert_memory_equal(to.card.queue, "abc", 3);
	assert_int_equal(save(&to), len);
	assert_memory_equal(buf, first, len);
}

/* A buffer that is too small is not written beyond, and the length is told. */
static void test_short_buffer(void **state)
{
	static struct world w;
	size_t len, size;

	(void)state;
	world_make(&w);
	world_use(&w);
	len = save(&w);
	for (size = 0; size < len; size++) {
		uint8_t *small = malloc(size ? size : 1);

		assert_int_equal(device_state_save(&card_saved, &w.card, small, size), len);
		free(small);
	}
}

static void test_cut(void **state)
{
	static struct world from, to;
	size_t len, cut;

	(void)state;
	world_make(&from);
	world_use(&from);
	len = save(&from);
	for (cut = 0; cut < len; cut++) {
		uint8_t *small = malloc(cut ? cut : 1);

		memcpy(small, buf, cut);
		world_make(&to);
		assert_int_equal(
			device_state_check(&card_saved, &to.card, small, cut, why, sizeof(why)),
			-EINVAL);
		free(small);
	}
	buf[len] = 0;
	assert_int_equal(device_state_check(&card_saved, &to.card, buf, len + 1, why, sizeof(why)),
			 -EINVAL);
	assert_non_null(strstr(why, "1 bytes behind"));
	assert_int_equal(world_objects, 0);
}

/* What passes the check is loaded and says the same when it is saved again, with our versions. */
static void test_each_byte(void **state)
{
	static struct world from, to;
	static uint8_t good[sizeof(buf)], bad[sizeof(buf)];
	unsigned loaded = 0;
	size_t len, at;

	(void)state;
	world_make(&from);
	world_use(&from);
	len = save(&from);
	memcpy(good, buf, len);
	memcpy(bad, buf, len);
	for (at = 0; at < 8 * len; at++) {
		bad[at / 8] ^= 1u << at % 8;
		world_make(&to);
		if (!device_state_check(&card_saved, &to.card, bad, len, why, sizeof(why))) {
			assert_int_equal(device_state_load(&card_saved, &to.card, bad, len, why,
							   sizeof(why)),
					 0);
			assert_int_equal(save(&to), len);
			assert_true(!memcmp(buf, bad, len) || !memcmp(buf, good, len));
			loaded++;
		}
		bad[at / 8] ^= 1u << at % 8;
	}
	assert_true(loaded > 100 && loaded < 8 * len / 2); /* values, and not what they are of */
	assert_int_equal(world_objects, 0);
}

static void refused(struct world *from, const char *what)
{
	static struct world to;
	size_t len = save(from);

	world_make(&to);
	assert_int_equal(device_state_check(&card_saved, &to.card, buf, len, why, sizeof(why)),
			 -EINVAL);
	if (!strstr(why, what))
		fail_msg("%s: %s", what, why);
}

static void test_values(void **state)
{
	static struct world w;
	struct device_timer timer = {.ns = 5};

	(void)state;
	world_make(&w);
	w.card.reg = 0xf1;
	refused(&w, "reg: 0xf1 is above 0xf0");
	world_make(&w);
	w.card.two[1].next = 8;
	refused(&w, "two[1]: next has a value");
	world_make(&w);
	w.many[1].next = 9;
	refused(&w, "many[1]: next has a value");
	world_make(&w);
	w.many[2].next = 7;
	refused(&w, "on has a value");
	world_make(&w);
	w.card.many_count = 2;
	refused(&w, "many: 2 elements, not 3");
	world_make(&w);
	w.card.handle = NULL;
	refused(&w, "handle: 0 elements, not 1");
	world_make(&w);
	w.other.value = 1001;
	refused(&w, "handle.state.value: 0x3e9 is above 0x3e8");
	world_make(&w);
	w.handle.type = &ring_saved;
	refused(&w, "handle.state: is of type ring, not other");
	world_make(&w);
	w.card.no_timer = &timer;
	refused(&w, "no_timer: there is none");
}

static void test_versions(void **state)
{
	static struct world from, to;
	size_t len;

	(void)state;
	world_make(&from);
	world_use(&from);
	len = device_state_save(&card_saved_1, &from.card, buf, sizeof(buf));
	world_make(&to);
	to.card.newer = 7;
	assert_int_equal(device_state_check(&card_saved, &to.card, buf, len, why, sizeof(why)), 0);
	assert_int_equal(device_state_load(&card_saved, &to.card, buf, len, why, sizeof(why)), 0);
	assert_int_equal(to.card.newer, 7);
	assert_int_equal(to.card.dword, 0xdeadbeef);
	len = save(&from);
	assert_int_equal(device_state_check(&card_saved_1, &to.card, buf, len, why, sizeof(why)),
			 -EINVAL);
	assert_non_null(strstr(why, "version 2 of card, and 1 is the last"));
}

static void test_lacks(void **state)
{
	static struct world w;

	(void)state;
	world_make(&w);
	assert_null(device_state_lacks(&card_saved, &w.card));
	w.handle.type = NULL;
	assert_string_equal(device_state_lacks(&card_saved, &w.card), "none:");
	assert_null(device_state_lacks(DEVICE_STATE_NONE("nothing"), NULL));
	assert_int_equal(device_state_save(DEVICE_STATE_NONE("nothing"), NULL, buf, sizeof(buf)),
			 1 + 7 + 1 + 1);
	assert_int_equal(
		device_state_check(DEVICE_STATE_NONE("nothing"), NULL, buf, 10, why, sizeof(why)),
		0);
}

static void test_no_memory(void **state)
{
	static struct world w;
	size_t len;

	(void)state;
	world_make(&w);
	len = save(&w);
	world_no_memory = true;
	assert_int_equal(device_state_check(&card_saved, &w.card, buf, len, why, sizeof(why)),
			 -ENOMEM);
	world_no_memory = false;
	assert_int_equal(world_objects, 0);
}

static void test_post_load_fails(void **state)
{
	static struct world w;

	(void)state;
	world_make(&w);
	w.other.value = 999;
	assert_string_equal(device_state_post_load(&card_saved, &w.card), "999");
	assert_string_equal(w.card.story, "");
}

/* What ends with as many rings as it was made for. */
struct tailed {
	uint8_t count;
	struct ring rings[];
};

static size_t tailed_count(const void *state)
{
	return ((const struct tailed *)state)->count;
}

static const struct device_ref tailed_ref = {.type = &ring_saved, .count = tailed_count};
static const struct device_field tailed_fields[] = {
	DEVICE_FIELD_TAIL(struct tailed, rings, &tailed_ref),
	{},
};
static const struct device_state tailed_saved = {
	.name = "tailed", .version = 1, .size = sizeof(struct tailed), .fields = tailed_fields};

static struct tailed *tailed_make(uint8_t count)
{
	struct tailed *t = calloc(1, sizeof(*t) + count * sizeof(t->rings[0]));

	t->count = count;
	for (unsigned i = 0; i < count; i++)
		t->rings[i].size = 8;
	return t;
}

static void test_tail(void **state)
{
	struct tailed *from = tailed_make(3), *to = tailed_make(3), *other = tailed_make(2);
	size_t len;

	(void)state;
	from->rings[2].next = 3;
	len = device_state_save(&tailed_saved, from, buf, sizeof(buf));
	assert_int_equal(device_state_check(&tailed_saved, to, buf, len, why, sizeof(why)), 0);
	assert_int_equal(to->rings[2].next, 0);
	assert_int_equal(device_state_load(&tailed_saved, to, buf, len, why, sizeof(why)), 0);
	assert_int_equal(to->rings[2].next, 3);
	assert_int_equal(device_state_check(&tailed_saved, other, buf, len, why, sizeof(why)),
			 -EINVAL);
	assert_string_equal(why, "rings: 3 elements, not 2");
	from->rings[2].next = 9;
	len = device_state_save(&tailed_saved, from, buf, sizeof(buf));
	assert_int_equal(device_state_check(&tailed_saved, to, buf, len, why, sizeof(why)),
			 -EINVAL);
	assert_non_null(strstr(why, "rings[2]: next has a value"));
	free(from);
	free(to);
	free(other);
}

static char printed[8192];

static void print(const char *fmt, ...)
{
	size_t at = strlen(printed);
	va_list args;

	va_start(args, fmt);
	vsnprintf(printed + at, sizeof(printed) - at, fmt, args);
	va_end(args);
}

static void test_print(void **state)
{
	static struct world w;
	size_t len, cut;

	(void)state;
	world_make(&w);
	world_use(&w);
	len = save(&w);
	device_state_print(buf, len, print);
	assert_non_null(strstr(printed, "card version 2\n"));
	assert_non_null(strstr(printed, "  bytes 68 65 6c 6c 6f\n"));
	assert_non_null(strstr(printed, "  words 0x0 0xffff\n"));
	assert_non_null(strstr(printed, "  timer at 123456 ns\n  no_timer off\n"));
	assert_non_null(strstr(printed, "  two ring version 1\n"));
	assert_non_null(strstr(printed, "  queue 61 62 63\n"));
	assert_null(strstr(printed, "ends early"));
	for (cut = 0; cut < len; cut++) {
		printed[0] = 0;
		device_state_print(buf, cut, print);
		assert_non_null(strstr(printed, "ends early"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_short_buffer),
		cmocka_unit_test(test_cut),	   cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_values),	   cmocka_unit_test(test_versions),
		cmocka_unit_test(test_lacks),	   cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_print),	   cmocka_unit_test(test_post_load_fails),
		cmocka_unit_test(test_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
