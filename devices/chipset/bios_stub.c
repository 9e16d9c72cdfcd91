/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vectors and what their handlers return: Ralf Brown's Interrupt List, INT 11h, 12h and 15h (an
 * unknown function: carry, AH = 86h). The interrupts of the two 8259s are those that an IBM AT's
 * BIOS programs, 08h and 70h.
 */
#include "devices/chipset/bios_stub.h"

#include "vmm/guest_memory.h"
#include "vmm/vm.h"

#define BIOS_SEGMENT  0xf000u
#define BIOS_GPA      (UINT64_C(16) * BIOS_SEGMENT)
#define BIOS_HANDLERS 0xfe00u /* a slot for each */
#define BIOS_SLOT     32u
#define BIOS_RESET    0xfff0u /* the first instruction of a CPU, which kernels jump to */
#define BIOS_VECTORS  256u
#define BIOS_MEMORY   (BIOS_HANDLERS + BIOS_SLOT + 6) /* where the second handler has it */
#define BIOS_1M	      UINT64_C(0x100000)

/* Each for the vectors [first, first + count), less those of a later one. */
static const struct {
	uint16_t first, count;
	uint8_t code[BIOS_SLOT];
} bios_handlers[] = {
	/* push bp; mov bp, sp; or byte [bp + 6], 41h (carry, zero); mov ah, 86h; pop bp; iret */
	{0x00, BIOS_VECTORS, "\x55\x89\xe5\x80\x4e\x06\x41\xb4\x86\x5d\xcf"},
	/* cmp ah, 88h; jne to the first; mov ax, KiB from 1 MiB up; push bp; mov bp, sp;
	 * and byte [bp + 6], feh (no carry); pop bp; iret */
	{0x15, 1, "\x80\xfc\x88\x75\xdb\xb8\0\0\x55\x89\xe5\x80\x66\x06\xfe\x5d\xcf"},
	/* mov ax, 22h (a numeric coprocessor, text of 80x25 in colour); iret */
	{0x11, 1, "\xb8\x22\0\xcf"},
	/* mov ax, 639 (KiB below the extended data area); iret */
	{0x12, 1, "\xb8\x7f\x02\xcf"},
	/* An exception that would come again. cli; hlt; jmp to the hlt */
	{0x00, 8, "\xfa\xf4\xeb\xfd"},
	/* Single step, NMI, breakpoint, overflow, print screen. iret */
	{0x01, 5, "\xcf"},
	/* push ax; mov al, 20h (end of interrupt); out 20h, al; pop ax; iret */
	{0x08, 8, "\x50\xb0\x20\xe6\x20\x58\xcf"},
	/* push ax; mov al, 20h; out a0h, al; out 20h, al; pop ax; iret */
	{0x70, 8, "\x50\xb0\x20\xe6\xa0\xe6\x20\x58\xcf"},
};

/* mov al, feh (pulse the reset line); out 64h, al; hlt; jmp to the hlt */
static const uint8_t bios_reset[] = {0xb0, 0xfe, 0xe6, 0x64, 0xf4, 0xeb, 0xfd};

static int bios_write(struct vm *vm, uint32_t at, const void *code, size_t size)
{
	return guest_write(vm, BIOS_GPA + at, code, size);
}

int bios_stub_write(struct vm *vm)
{
	const uint16_t kb = (uint16_t)MIN((vm->memory->low_end - BIOS_1M) >> 10, 0xfc00u);
	uint32_t vectors[BIOS_VECTORS], at;
	unsigned i, vector;
	int err = bios_write(vm, BIOS_RESET, bios_reset, sizeof(bios_reset));

	for (i = 0; i < ARRAY_SIZE(bios_handlers) && !err; i++) {
		at = BIOS_HANDLERS + i * BIOS_SLOT;
		for (vector = 0; vector < bios_handlers[i].count; vector++)
			vectors[bios_handlers[i].first + vector] = BIOS_SEGMENT << 16 | at;
		err = bios_write(vm, at, bios_handlers[i].code, BIOS_SLOT);
	}
	if (!err)
		err = bios_write(vm, BIOS_MEMORY, &kb, sizeof(kb));
	return err ? err : guest_write(vm, 0, vectors, sizeof(vectors));
}
