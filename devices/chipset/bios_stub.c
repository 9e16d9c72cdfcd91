/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where vectors of a PC's BIOS lead, and what an unknown function returns (carry, AH = 86h):
 * Ralf Brown's Interrupt List, INT 15h; the interrupts of the two 8259s are those that an
 * IBM AT's BIOS programs, 08h and 70h.
 */
#include "devices/chipset/bios_stub.h"

#include "vmm/guest_memory.h"
#include "vmm/vm.h"

#define BIOS_SEGMENT   0xf000u
#define BIOS_GPA       (UINT64_C(16) * BIOS_SEGMENT)
#define BIOS_VECTORS   256
#define BIOS_MASTER    0x08u
#define BIOS_SLAVE     0x70u
#define BIOS_IRQS      8u
#define BIOS_AT_CALL   0xff00u
#define BIOS_AT_MASTER 0xff10u
#define BIOS_AT_SLAVE  0xff20u
#define BIOS_AT_RESET  0xfff0u /* the first instruction of a CPU, which kernels jump to */

static const uint8_t bios_call[] = {
	0x55,			/* push bp */
	0x89, 0xe5,		/* mov bp, sp */
	0x80, 0x4e, 0x06, 0x01, /* or byte [bp + 6], 1: the caller's carry flag */
	0xb4, 0x86,		/* mov ah, 86h */
	0x5d,			/* pop bp */
	0xcf,			/* iret */
};

static const uint8_t bios_master[] = {
	0x50,	    /* push ax */
	0xb0, 0x20, /* mov al, 20h: end of interrupt */
	0xe6, 0x20, /* out 20h, al */
	0x58,	    /* pop ax */
	0xcf,	    /* iret */
};

static const uint8_t bios_slave[] = {
	0x50,	    /* push ax */
	0xb0, 0x20, /* mov al, 20h */
	0xe6, 0xa0, /* out a0h, al */
	0xe6, 0x20, /* out 20h, al */
	0x58,	    /* pop ax */
	0xcf,	    /* iret */
};

static const uint8_t bios_reset[] = {
	0xb0, 0xfe, /* mov al, feh: pulse the reset line */
	0xe6, 0x64, /* out 64h, al */
	0xf4,	    /* hlt */
	0xeb, 0xfd, /* jmp to the hlt */
};

static const struct {
	uint32_t at, size;
	const uint8_t *code;
} bios_parts[] = {
	{BIOS_AT_CALL, sizeof(bios_call), bios_call},
	{BIOS_AT_MASTER, sizeof(bios_master), bios_master},
	{BIOS_AT_SLAVE, sizeof(bios_slave), bios_slave},
	{BIOS_AT_RESET, sizeof(bios_reset), bios_reset},
};

static uint32_t bios_vector(unsigned vector)
{
	uint32_t at = BIOS_AT_CALL;

	if (vector - BIOS_MASTER < BIOS_IRQS)
		at = BIOS_AT_MASTER;
	else if (vector - BIOS_SLAVE < BIOS_IRQS)
		at = BIOS_AT_SLAVE;
	return BIOS_SEGMENT << 16 | at;
}

int bios_stub_write(struct vm *vm)
{
	uint32_t vectors[BIOS_VECTORS];
	unsigned i;
	int err;

	for (i = 0; i < BIOS_VECTORS; i++)
		vectors[i] = bios_vector(i);
	err = guest_write(vm, 0, vectors, sizeof(vectors));
	for (i = 0; i < ARRAY_SIZE(bios_parts) && !err; i++)
		err = guest_write(vm, BIOS_GPA + bios_parts[i].at, bios_parts[i].code,
				  bios_parts[i].size);
	return err;
}
