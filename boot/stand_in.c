/* SPDX-License-Identifier: BSD-2-Clause */
/* Goes away when kernel/sched.c comes: weak, so that it then is in nobody's way. */
#include "arch/x86_64/cpu.h"
#include "kernel/sched.h"

__attribute__((weak)) int sched_cpu_init(void)
{
	return 0;
}

__attribute__((weak)) void sched_loop(void)
{
	cpu_stop();
}

__attribute__((weak)) void sched_leave_world(void)
{
}
