/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/io.h"

#include <stdint.h>

void boot_main(uint32_t magic, uint64_t mbi_phys);

void boot_main(uint32_t magic, uint64_t mbi_phys)
{
	static const char hello[] = "alcazar: hello\r\n";

	(void)magic;
	(void)mbi_phys;
	for (const char *s = hello; *s; s++)
		io_out8(0x3f8, *s);
	for (;;)
		__asm__ volatile("hlt");
}
