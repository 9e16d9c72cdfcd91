/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

struct item {
	int value;
	struct list_head link;
};

/* The list's values as decimal digits, read forwards; backwards must agree. */
static int list_digits(struct list_head *head)
{
	int forward = 0, backward = 0, place = 1;
	struct item *item;

	list_for_each_entry (item, head, link)
		forward = forward * 10 + item->value;
	for (struct list_head *at = head->prev; at != head; at = at->prev) {
		backward += container_of(at, struct item, link)->value * place;
		place *= 10;
	}
	assert_int_equal(forward, backward);
	return forward;
}

static void test_order(void **state)
{
	struct item items[4] = {{.value = 1}, {.value = 2}, {.value = 3}, {.value = 4}};
	struct list_head head;

	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	list_add_tail(&items[1].link, &head);
	list_add_tail(&items[2].link, &head);
	list_add(&items[0].link, &head);
	list_add_tail(&items[3].link, &head);
	assert_int_equal(list_digits(&head), 1234);
	assert_int_equal(list_first_entry(&head, struct item, link)->value, 1);
	assert_int_equal(list_last_entry(&head, struct item, link)->value, 4);
	list_del(&items[2].link);
	assert_int_equal(list_digits(&head), 124);
	list_del(&items[2].link);
	assert_int_equal(list_digits(&head), 124);
	list_add(&items[2].link, &head);
	assert_int_equal(list_digits(&head), 3124);
}

static void test_delete_while_walking(void **state)
{
	struct item items[6], *item, *tmp;
	struct list_head head = LIST_HEAD_INIT(head);

	(void)state;
	for (int i = 0; i < 6; i++) {
		items[i].value = i + 1;
		list_add_tail(&items[i].link, &head);
	}
	list_for_each_entry_safe (item, tmp, &head, link)
		if (item->value % 2)
			list_del(&item->link);
	assert_int_equal(list_digits(&head), 246);
	list_for_each_entry_safe (item, tmp, &head, link)
		list_del(&item->link);
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_delete_while_walking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
