/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/chipset/aml.h"

#include <string.h>

#define AML_ZERO	0x00
#define AML_ONE		0x01
#define AML_NAME	0x08
#define AML_BYTE	0x0a
#define AML_WORD	0x0b
#define AML_DWORD	0x0c
#define AML_STRING	0x0d
#define AML_QWORD	0x0e
#define AML_SCOPE	0x10
#define AML_BUFFER	0x11
#define AML_PACKAGE	0x12
#define AML_METHOD	0x14
#define AML_TWO_NAMES	0x2e
#define AML_MANY_NAMES	0x2f
#define AML_EXT		0x5b
#define AML_EXT_REGION	0x80
#define AML_EXT_FIELD	0x81
#define AML_EXT_DEVICE	0x82
#define AML_LOCAL0	0x60
#define AML_ARG0	0x68
#define AML_STORE	0x70
#define AML_AND		0x7b
#define AML_NOTIFY	0x86
#define AML_IF		0xa0
#define AML_RETURN	0xa4
#define AML_SYSTEM_IO	0x01
#define AML_FIELD_FLAGS 0x43 /* double words, no lock, other bits are written as zeroes */
#define AML_LENGTH_SIZE 3    /* lead byte and two more: lengths below 1 MiB (20.2.4) */

#define RESOURCE_IO	   0x47 /* 6.4.2.5 */
#define RESOURCE_IO_16	   0x01 /* decodes 16 bits */
#define RESOURCE_IRQ	   0x22 /* 6.4.2.1: edge, active high, exclusive */
#define RESOURCE_END	   0x79
#define RESOURCE_MEMORY	   0x86 /* 6.4.3.4: 32 bits, fixed */
#define RESOURCE_MEMORY_RW 0x01
#define AML_SEGMENT	   4

/* Address spaces, 6.4.3.5: by words, by double words. */
#define RESOURCE_WORD	    0x88
#define RESOURCE_DWORD	    0x87
#define RESOURCE_QWORD	    0x8a
#define WINDOW_FLAGS	    0x0c /* passed on, both ends fixed, positive decode */
#define WINDOW_RW	    0x01 /* memory, not cacheable */
#define WINDOW_PREFETCHABLE 0x06
#define WINDOW_ALL_IO	    0x03

void aml_bytes(struct aml *a, const void *bytes, size_t n)
{
	if (n > a->size - a->used) {
		a->overflow = true;
		return;
	}
	memcpy(a->buf + a->used, bytes, n);
	a->used += n;
}

static void aml_byte(struct aml *a, uint8_t byte)
{
	aml_bytes(a, &byte, 1);
}

void aml_integer(struct aml *a, uint64_t value)
{
	if (value <= 1) {
		aml_byte(a, value ? AML_ONE : AML_ZERO);
	} else if (value <= UINT8_MAX) {
		aml_byte(a, AML_BYTE);
		aml_bytes(a, &value, 1);
	} else if (value <= UINT16_MAX) {
		aml_byte(a, AML_WORD);
		aml_bytes(a, &value, 2);
	} else if (value <= UINT32_MAX) {
		aml_byte(a, AML_DWORD);
		aml_bytes(a, &value, 4);
	} else {
		aml_byte(a, AML_QWORD);
		aml_bytes(a, &value, 8);
	}
}

void aml_string(struct aml *a, const char *s)
{
	aml_byte(a, AML_STRING);
	aml_bytes(a, s, strlen(s) + 1);
}

static int aml_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Three letters of 5 bits each, four hexadecimal digits; most significant byte first. */
void aml_hid(struct aml *a, const char *id)
{
	uint32_t value = 0;
	unsigned i;

	if (strlen(id) != 7) {
		aml_string(a, id);
		return;
	}
	for (i = 0; i < 3; i++)
		value = value << 5 | ((uint32_t)(id[i] - 'A' + 1) & 0x1f);
	for (; i < 7; i++)
		value = value << 4 | ((uint32_t)aml_hex(id[i]) & 0xf);
	aml_integer(a, __builtin_bswap32(value));
}

void aml_path(struct aml *a, const char *path)
{
	unsigned segments = 1, i;
	const char *c;

	if (*path == '\\')
		aml_byte(a, (uint8_t)*path++);
	for (c = path; *c; c++)
		segments += *c == '.';
	if (segments == 2)
		aml_byte(a, AML_TWO_NAMES);
	if (segments > 2) {
		aml_byte(a, AML_MANY_NAMES);
		aml_byte(a, (uint8_t)segments);
	}
	for (i = 0; i < segments; i++)
		aml_bytes(a, path + i * (AML_SEGMENT + 1), AML_SEGMENT);
}

void aml_name(struct aml *a, const char *name)
{
	aml_byte(a, AML_NAME);
	aml_path(a, name);
}

static struct aml_block aml_begin(struct aml *a)
{
	static const uint8_t none[AML_LENGTH_SIZE];
	struct aml_block block = {a->used};

	aml_bytes(a, none, sizeof(none));
	return block;
}

/* The length counts itself; the lead byte has its lowest 4 bits (20.2.4). */
void aml_end(struct aml *a, struct aml_block block)
{
	size_t length = a->used - block.at;

	if (a->overflow)
		return;
	a->buf[block.at] = (uint8_t)((AML_LENGTH_SIZE - 1) << 6 | (length & 0xf));
	a->buf[block.at + 1] = (uint8_t)(length >> 4);
	a->buf[block.at + 2] = (uint8_t)(length >> 12);
}

struct aml_block aml_scope(struct aml *a, const char *name)
{
	struct aml_block block;

	aml_byte(a, AML_SCOPE);
	block = aml_begin(a);
	aml_path(a, name);
	return block;
}

struct aml_block aml_device(struct aml *a, const char *name)
{
	struct aml_block block;

	aml_byte(a, AML_EXT);
	aml_byte(a, AML_EXT_DEVICE);
	block = aml_begin(a);
	aml_path(a, name);
	return block;
}

struct aml_block aml_package(struct aml *a, uint8_t elements)
{
	struct aml_block block;

	aml_byte(a, AML_PACKAGE);
	block = aml_begin(a);
	aml_byte(a, elements);
	return block;
}

struct aml_block aml_method(struct aml *a, const char *name, uint8_t args)
{
	struct aml_block block;

	aml_byte(a, AML_METHOD);
	block = aml_begin(a);
	aml_path(a, name);
	aml_byte(a, args);
	return block;
}

void aml_region_io(struct aml *a, const char *name, uint16_t port, uint8_t bytes)
{
	aml_byte(a, AML_EXT);
	aml_byte(a, AML_EXT_REGION);
	aml_path(a, name);
	aml_byte(a, AML_SYSTEM_IO);
	aml_integer(a, port);
	aml_integer(a, bytes);
}

struct aml_block aml_field(struct aml *a, const char *region)
{
	struct aml_block block;

	aml_byte(a, AML_EXT);
	aml_byte(a, AML_EXT_FIELD);
	block = aml_begin(a);
	aml_path(a, region);
	aml_byte(a, AML_FIELD_FLAGS);
	return block;
}

/* Its length is in bits, and coded as that of a package. */
void aml_field_dword(struct aml *a, const char *name)
{
	aml_path(a, name);
	aml_byte(a, 32);
}

void aml_load_local(struct aml *a, const char *name)
{
	aml_byte(a, AML_STORE);
	aml_path(a, name);
	aml_byte(a, AML_LOCAL0);
}

void aml_store_local(struct aml *a, const char *name)
{
	aml_byte(a, AML_STORE);
	aml_byte(a, AML_LOCAL0);
	aml_path(a, name);
}

void aml_store(struct aml *a, uint64_t value, const char *name)
{
	aml_byte(a, AML_STORE);
	aml_integer(a, value);
	aml_path(a, name);
}

struct aml_block aml_if_local(struct aml *a, uint64_t mask)
{
	struct aml_block block;

	aml_byte(a, AML_IF);
	block = aml_begin(a);
	aml_byte(a, AML_AND);
	aml_byte(a, AML_LOCAL0);
	aml_integer(a, mask);
	aml_byte(a, AML_ZERO); /* the result is kept nowhere else */
	return block;
}

void aml_notify(struct aml *a, const char *device, uint8_t value)
{
	aml_byte(a, AML_NOTIFY);
	aml_path(a, device);
	aml_integer(a, value);
}

struct aml_block aml_if(struct aml *a, const char *name)
{
	struct aml_block block;

	aml_byte(a, AML_IF);
	block = aml_begin(a);
	aml_path(a, name);
	return block;
}

void aml_return(struct aml *a, const char *name)
{
	aml_byte(a, AML_RETURN);
	aml_path(a, name);
}

void aml_store_arg0(struct aml *a, const char *name)
{
	aml_byte(a, AML_STORE);
	aml_byte(a, AML_ARG0);
	aml_path(a, name);
}

struct aml_resources aml_resources(struct aml *a)
{
	struct aml_resources r;
	const uint16_t none = 0;

	aml_byte(a, AML_BUFFER);
	r.block = aml_begin(a);
	aml_byte(a, AML_WORD);
	r.length_at = a->used;
	aml_bytes(a, &none, sizeof(none));
	return r;
}

void aml_io(struct aml *a, uint16_t port, uint8_t count)
{
	aml_byte(a, RESOURCE_IO);
	aml_byte(a, RESOURCE_IO_16);
	aml_bytes(a, &port, sizeof(port)); /* lowest and highest base */
	aml_bytes(a, &port, sizeof(port));
	aml_byte(a, 1); /* alignment */
	aml_byte(a, count);
}

void aml_irqs(struct aml *a, uint16_t mask)
{
	aml_byte(a, RESOURCE_IRQ);
	aml_bytes(a, &mask, sizeof(mask));
}

void aml_memory(struct aml *a, uint32_t base, uint32_t size)
{
	const uint16_t length = 1 + sizeof(base) + sizeof(size);

	aml_byte(a, RESOURCE_MEMORY);
	aml_bytes(a, &length, sizeof(length));
	aml_byte(a, RESOURCE_MEMORY_RW);
	aml_bytes(a, &base, sizeof(base));
	aml_bytes(a, &size, sizeof(size));
}

static void aml_window_bounds(struct aml *a, unsigned width, uint64_t first, uint64_t last)
{
	const uint64_t bounds[] = {0 /* granularity */, first, last, 0 /* translation */,
				   last - first + 1};
	unsigned i;

	for (i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		aml_bytes(a, &bounds[i], width);
}

void aml_window(struct aml *a, enum aml_window what, uint64_t first, uint64_t last)
{
	static const uint8_t flags[] = {
		[AML_WINDOW_PREFETCHABLE] = WINDOW_RW | WINDOW_PREFETCHABLE,
		[AML_WINDOW_MEMORY] = WINDOW_RW,
		[AML_WINDOW_IO] = WINDOW_ALL_IO,
		[AML_WINDOW_BUS] = 0,
	};
	bool memory = what == AML_WINDOW_MEMORY || what == AML_WINDOW_PREFETCHABLE;
	unsigned width = !memory ? 2 : last > UINT32_MAX ? 8 : 4;
	const uint16_t length = (uint16_t)(3 + 5 * width); /* type, flags, bounds */

	aml_byte(a, width == 8 ? RESOURCE_QWORD : width == 4 ? RESOURCE_DWORD : RESOURCE_WORD);
	aml_bytes(a, &length, sizeof(length));
	aml_byte(a, memory ? AML_WINDOW_MEMORY : (uint8_t)what);
	aml_byte(a, WINDOW_FLAGS);
	aml_byte(a, flags[what]);
	aml_window_bounds(a, width, first, last);
}

void aml_resources_end(struct aml *a, struct aml_resources r)
{
	uint16_t length;

	aml_byte(a, RESOURCE_END);
	aml_byte(a, 0); /* no checksum */
	length = (uint16_t)(a->used - r.length_at - sizeof(length));
	if (!a->overflow)
		memcpy(a->buf + r.length_at, &length, sizeof(length));
	aml_end(a, r.block);
}
