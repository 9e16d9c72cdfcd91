/* SPDX-License-Identifier: BSD-2-Clause */
/* For test_image.py: what kernel/symbols.c says of each address of the standard input. */
#include "kernel/symbols.h"

#include <inttypes.h>
#include <stdio.h>

int main(void)
{
	char name[SYMBOL_NAME_MAX];
	uint64_t addr, offset;

	while (scanf("%" SCNx64, &addr) == 1)
		if (symbols_lookup(addr, &offset, name))
			printf("%s+%" PRIu64 "\n", name, offset);
		else
			printf("none\n");
	return 0;
}
