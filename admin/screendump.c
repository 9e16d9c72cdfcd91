/* SPDX-License-Identifier: BSD-2-Clause */
/* `screendump`: what stands on a VM's text screen, as text. */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "vmm/console_frontend.h"
#include "vmm/device.h"
#include "vmm/vm.h"
#include "vmm/vm_life.h"

#include <string.h>

/* Code page 437 from 0xb0 on, shades, frames and blocks, by the nearest that ASCII has. */
static const char frames[] = "###|++++++|+++++++++-++++++++-+++++++++++++#####";

static char screendump_character(uint16_t cell)
{
	uint8_t c = (uint8_t)cell;

	if (c >= ' ' && c < 0x7f)
		return (char)c;
	if (!c || c == 0xff)
		return ' ';
	return c >= 0xb0 && c < 0xb0 + sizeof(frames) - 1 ? frames[c - 0xb0] : '?';
}

static void screendump_row(const uint16_t *cells, unsigned columns)
{
	while (columns && screendump_character(cells[columns - 1]) == ' ')
		columns--;
	for (unsigned x = 0; x < columns; x++)
		console_printf("%c", screendump_character(cells[x]));
	console_printf("\n");
}

static void screendump_print(const struct console_screen *screen, const uint16_t *cells)
{
	if (!screen->columns)
		console_printf("graphics, %u x %u pixels: not shown\n", screen->width,
			       screen->height);
	for (unsigned y = 0; y < screen->rows; y++)
		screendump_row(cells + y * screen->columns, screen->columns);
}

static void command_screendump(char **argv)
{
	uint16_t *cells = kmalloc(CONSOLE_CELLS_MAX * sizeof(*cells));
	struct console_frontend *frontend = NULL;
	struct console_screen screen;
	struct frontend *base;
	enum vm_state state;
	struct vm *vm = cells ? vm_arg_begin(argv[1], &state) : NULL;

	if (!cells)
		command_error("screendump: out of memory\n");
	if (vm) {
		base = device_iface(vm, argv[2], console_frontend_kind.name);
		if (base) {
			frontend = container_of(base, struct console_frontend, base);
			spin_lock(&base->lock);
			frontend->snapshot(frontend->opaque, &screen, cells);
			spin_unlock(&base->lock);
		}
		vm_life_end(vm, state);
	}
	if (frontend)
		screendump_print(&screen, cells);
	else if (vm)
		command_error("vm %s has no screen %s; `info devices %s` shows its devices\n",
			      vm->name, argv[2] ? argv[2] : "", vm->name);
	kfree(cells);
}

COMMAND(screendump_entry, .name = "screendump", .args = "VM [ID]",
	.help = "what stands on a VM's text screen", .example = "screendump linux", .min = 1,
	.max = 2, .run = command_screendump);
