/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker and the waiter of one CPU, played on the test's stack. A world's
 * task_yield() is fake_work_yield() and what else gets the CPU there.
 */
#ifndef TESTS_HOST_FAKE_KERNEL_FAKE_WORK_H
#define TESTS_HOST_FAKE_KERNEL_FAKE_WORK_H

#include <stdbool.h>

/*
 * Runs the oldest item, as a task of its own would; false: there is none that can run. While an
 * item runs no other one of its list does: within one that may wait, only those that may not.
 */
bool fake_work_one(void);
/*
 * As fake_work_one(), for task_yield(): aborts where the image would panic (an item that may not
 * wait does), or would wait for good.
 */
bool fake_work_yield(void);

#endif
