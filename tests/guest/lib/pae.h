/* SPDX-License-Identifier: BSD-2-Clause */
/* 32-bit code of a guest, in PAE paging, as what the 64-bit guest calls and comes back from. */
#ifndef TESTS_GUEST_LIB_PAE_H
#define TESTS_GUEST_LIB_PAE_H

#include <stddef.h>
#include <stdint.h>

#define PAE_FLAT_CODE 0x08
#define PAE_FLAT_DATA 0x10
#define PAE_TSS	      0x30 /* TR while the code runs */
#define PAE_ENTRIES   6	   /* of the GDT, before that: the library's own */

extern uint64_t guest_gdt[PAE_ENTRIES];
/* The four directories that map the first 4 GiB as they are, for supervisors, by 2 MiB. */
extern uint8_t guest_pd[];

/* 32-bit addresses of what is ours: all is below 4 GiB. */
static inline uint32_t pae_low(const void *p)
{
	return (uint32_t)(uintptr_t)p;
}

/*
 * Calls @code with flat segments, CR3 = @pdpt, and these tables, of @gdt_size
 * and @idt_size bytes. The GDT begins with guest_gdt's entries. It ends by RET
 * in the same task and paging, and may change every register but ESP.
 */
void guest_pae_call(const void *code, const uint64_t pdpt[4], const uint64_t *gdt, size_t gdt_size,
		    const uint64_t *idt, size_t idt_size);

#endif
