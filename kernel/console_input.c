/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/console.h"
#include "kernel/spinlock.h"
#include "lib/ring.h"

#define CONSOLE_INPUT_SIZE 4096

/* The input and the count of what was lost. */
static struct spinlock input_lock = SPINLOCK_INIT;
static char input_data[CONSOLE_INPUT_SIZE];
static struct ring input_ring = {.data = input_data, .size = CONSOLE_INPUT_SIZE};
static uint64_t input_dropped;

void console_input(const char *s, size_t len)
{
	spin_lock(&input_lock);
	input_dropped += len - ring_put(&input_ring, s, len);
	spin_unlock(&input_lock);
}

uint64_t console_input_dropped(void)
{
	return READ_ONCE(input_dropped);
}
