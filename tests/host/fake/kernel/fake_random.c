/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers that everybody can guess. */
#include "kernel/random.h"

#include <string.h>

void random_init(void)
{
}

void random_bytes(void *buf, uint32_t len)
{
	memset(buf, 4, len);
}
