/* SPDX-License-Identifier: BSD-2-Clause */
/* `x` and `xp`: a guest's memory, by its own addresses or by guest-physical ones. */
#include "admin/command.h"
#include "admin/disassemble.h"
#include "admin/examine_format.h"
#include "admin/guest_walk.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "lib/compiler.h"
#include "lib/parse.h"
#include "vmm/guest_memory.h"
#include "vmm/hv_ops.h"
#include "vmm/vm.h"

#include <stdio.h>
#include <string.h>

#define EXAMINE_LINE   16  /* bytes in a line */
#define EXAMINE_STRING 256 /* characters of a string that are looked at */
#define EXAMINE_TEXT   256
#define EXAMINE_PAGE   UINT64_C(4096)
#define EXAMINE_HEX    24 /* columns for the bytes of most instructions */

struct examine {
	struct vm *vm;
	struct guest_walk walk;
	struct vcpu_mode mode;
	bool virtual;
};

/* Bytes at @at, which stand in two pages at most. What cannot be read is said. */
static bool examine_read(const struct examine *e, uint64_t at, uint8_t *buf, size_t len)
{
	for (size_t n; len; at += n, buf += n, len -= n) {
		struct guest_page page = {.gva = at, .gpa = at};

		n = MIN(len, EXAMINE_PAGE - at % EXAMINE_PAGE);
		if (e->virtual && !guest_walk_find(&e->walk, at, &page)) {
			command_error("0x%lx: no page there\n", at);
			return false;
		}
		if (guest_read(e->vm, page.gpa + (at - page.gva), buf, n)) {
			command_error("0x%lx: no RAM of the VM there\n",
				      page.gpa + (at - page.gva));
			return false;
		}
	}
	return true;
}

static bool examine_values(const struct examine *e, const struct examine_format *f, uint64_t at)
{
	unsigned per_line = EXAMINE_LINE / (f->size == 1 && f->letter != 'x' ? 2 : f->size);
	char text[EXAMINE_TEXT];

	for (unsigned n = 0; n < f->count; at += f->size) {
		uint64_t value = 0;

		if (!examine_read(e, at, (uint8_t *)&value, f->size)) /* little endian, as we are */
			return false;
		examine_format_value(f, value, text, sizeof(text));
		if (n % per_line == 0)
			console_printf("%016lx:", at);
		console_printf("%s%s", text, ++n % per_line && n < f->count ? "" : "\n");
	}
	return true;
}

/* One string; *@at is moved behind it. */
static bool examine_string(const struct examine *e, uint64_t *at)
{
	char text[4 * EXAMINE_STRING + 1] = "";
	uint64_t begin = *at;
	uint8_t byte = 1;
	size_t len = 0;

	while (byte && *at - begin < EXAMINE_STRING) {
		if (!examine_read(e, (*at)++, &byte, 1))
			return false;
		if (!byte)
			break;
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					byte >= ' ' && byte < 0x7f ? "%c" : "\\x%02x", byte);
	}
	console_printf("%016lx: \"", begin);
	console_write(text, len);
	console_printf("\"%s\n", byte ? "…" : "");
	return true;
}

static void examine_strings(const struct examine *e, unsigned count, uint64_t at)
{
	for (unsigned n = 0; n < count && examine_string(e, &at); n++)
		;
}

/* One instruction; *@at is moved behind it. What lies behind its page may not be there. */
static bool examine_insn(const struct examine *e, uint64_t *at)
{
	size_t len = MIN((uint64_t)DISASSEMBLE_BYTES, EXAMINE_PAGE - *at % EXAMINE_PAGE), size = 0;
	char text[DISASSEMBLE_TEXT], hex[3 * DISASSEMBLE_BYTES + 1] = "";
	uint8_t bytes[DISASSEMBLE_BYTES];

	if (!examine_read(e, *at, bytes, len))
		return false;
	size = disassemble(&e->mode, *at, bytes, len, text);
	if (!size) {
		if (!examine_read(e, *at + len, bytes + len, sizeof(bytes) - len))
			return false;
		size = disassemble(&e->mode, *at, bytes, sizeof(bytes), text);
	}
	for (size_t i = 0; i < size; i++)
		snprintf(hex + 3 * i, 4, " %02x", bytes[i]);
	console_printf("%016lx:%-*s %s\n", *at, EXAMINE_HEX, hex, text);
	*at += size;
	return true;
}

static void examine_insns(const struct examine *e, unsigned count, uint64_t at)
{
	for (unsigned n = 0; n < count && examine_insn(e, &at); n++)
		;
}

/* [VM.VCPU] ADDRESS */
static void examine_run(char **argv, bool virtual)
{
	const char *slash = strchr(argv[0], '/'), *address = argv[argv[2] ? 2 : 1];
	struct examine e = {.virtual = virtual};
	struct examine_format format;
	enum vm_state state;
	struct vcpu *vcpu;
	uint64_t at;

	if (!examine_format_parse(slash ? slash + 1 : "", &format)) {
		command_error("%s: expected /COUNT (to %u), one of xduocsi and one of "
			      "bhwg\n",
			      argv[0], EXAMINE_COUNT_MAX);
		return;
	}
	if (!parse_uint(address, &at)) {
		command_error("%s: %s: expected an address, as in 0x100000\n", argv[0], address);
		return;
	}
	vcpu = vcpu_still_begin(argv[2] ? argv[1] : NULL, &state);
	if (!vcpu)
		return;
	e.vm = vcpu->vm;
	hv_ops->get_mode(vcpu, &e.mode);
	guest_walk_init(&e.walk, e.vm, &e.mode);
	if (format.letter == 's')
		examine_strings(&e, format.count, at);
	else if (format.letter == 'i')
		examine_insns(&e, format.count, at);
	else
		(void)examine_values(&e, &format, at);
	vcpu_still_end(vcpu, state);
}

static void command_x(char **argv)
{
	examine_run(argv, true);
}

static void command_xp(char **argv)
{
	examine_run(argv, false);
}

COMMAND(x_entry, .name = "x", .args = "[VM.VCPU] ADDRESS",
	.help = "x/FORMAT: a guest's memory by its own addresses; COUNT, xduocsi, bhwg",
	.example = "x/8xg linux.0 0xffffffff81000000", .min = 1, .max = 2, .run = command_x,
	.format = true);
COMMAND(xp_entry, .name = "xp", .args = "[VM.VCPU] ADDRESS",
	.help = "as x, by guest-physical addresses", .example = "xp/16xb linux 0x7c00", .min = 1,
	.max = 2, .run = command_xp, .format = true);
