/* SPDX-License-Identifier: BSD-2-Clause */
/* A saved state for a person: it says itself what it is. */
#include "vmm/device_state.h"

#include "vmm/device_state_internal.h"
#include "vmm/state_bytes.h"

#include <inttypes.h>

#define BYTES_A_LINE 16

struct print {
	struct state_reader r;
	device_state_print_fn print;
	int depth;
};

static void print_bytes(struct print *p, size_t count)
{
	const uint8_t *data = state_get(&p->r, count);

	for (size_t i = 0; data && i < count; i++) {
		if (i % BYTES_A_LINE == 0 && count > BYTES_A_LINE)
			p->print("\n%*s", 2 * p->depth + 2, "");
		p->print(" %02x", data[i]);
	}
}

static void print_numbers(struct print *p, unsigned kind, size_t count)
{
	unsigned bytes = device_field_bytes(kind);

	for (size_t i = 0; i < count && !p->r.cut; i++) {
		uint64_t value = state_get_number(&p->r, bytes);

		if (kind == DEVICE_FIELD_TIMER_KIND && value == UINT64_MAX)
			p->print(" off");
		else if (kind == DEVICE_FIELD_TIMER_KIND)
			p->print(" at %" PRIu64 " ns", value);
		else
			p->print(" 0x%" PRIx64, value);
	}
}

static void print_fields(struct print *p);

static void print_structs(struct print *p, size_t count)
{
	struct state_name type = state_get_name(&p->r);
	unsigned version = (unsigned)state_get_number(&p->r, 1);

	p->print(" %.*s version %u\n", (int)type.len, type.text, version);
	p->depth++;
	for (size_t i = 0; i < count && !p->r.cut; i++) {
		if (count > 1)
			p->print("%*s[%zu]\n", 2 * p->depth - 1, "", i);
		print_fields(p);
	}
	p->depth--;
}

static void print_field(struct print *p, unsigned kind)
{
	struct state_name name = state_get_name(&p->r);
	size_t count = state_get_number(&p->r, 4);

	p->print("%*s%.*s", 2 * p->depth, "", (int)name.len, name.text);
	if (kind == DEVICE_FIELD_STRUCT_KIND) {
		print_structs(p, count);
		return;
	}
	if (kind == DEVICE_FIELD_BLOB_KIND || (kind == DEVICE_FIELD_U8_KIND && count > 1))
		print_bytes(p, count);
	else
		print_numbers(p, kind, count);
	p->print("\n");
}

static void print_fields(struct print *p)
{
	unsigned kind;

	while ((kind = (unsigned)state_get_number(&p->r, 1)) != DEVICE_FIELD_END_KIND)
		print_field(p, kind);
}

void device_state_print(const uint8_t *data, size_t len, device_state_print_fn print)
{
	struct print p = {.r = {.data = data, .len = len}, .print = print};
	struct state_name type = state_get_name(&p.r);
	unsigned version = (unsigned)state_get_number(&p.r, 1);

	print("%.*s version %u\n", (int)type.len, type.text, version);
	p.depth = 1;
	print_fields(&p);
	if (p.r.cut)
		print("… and it ends early\n");
}
