/* SPDX-License-Identifier: BSD-2-Clause */
/* Two CPUs, of which the second spins with interrupts off and never exits by itself. */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"

static volatile bool spinning;

static void spin(void *arg)
{
	(void)arg;
	irq_off();
	spinning = true;
	for (;;)
		__asm__ volatile("");
}

GUEST_TEST(spin)
{
	guest_start_cpu(1, spin, NULL);
	while (!spinning)
		__builtin_ia32_pause();
	guest_printf("# spinning\n");
	for (;;)
		irq_wait();
}
