/* SPDX-License-Identifier: BSD-2-Clause */
/* The PCI bus from the inside, by configuration mechanism #1. */
#include "tests/guest/lib/guest.h"

#define ADDRESS 0xcf8
#define DATA	0xcfc
#define RESET	0xcf9
#define ENABLE	0x80000000u

#define HOST_ID	     0x00081b36u
#define HOST_CLASS   0x060000u
#define ISA_BRIDGE   0x1f
#define ISA_CLASS    0x060100u
#define COMMAND	     0x04
#define COMMAND_SERR 0x100
#define HEADER_TYPE  0x0e
#define SUBSYSTEM    0x2c
#define BRIDGE	     4 /* the config's, with bus 1 behind it and another bridge there */
#define BRIDGE_ID    0x00011b36u
#define ECAM	     0xe0000000ul
#define DEVICES	     32
#define FUNCTIONS    8
#define BUSES	     256

static void select(unsigned bus, unsigned device, unsigned function, unsigned offset)
{
	outl(ADDRESS, ENABLE | bus << 16 | device << 11 | function << 8 | (offset & 0xfc));
}

/* As BIOSes and Linux look for the mechanism. */
GUEST_TEST(mechanism_1_is_there)
{
	uint32_t before;

	outb(ADDRESS + 3, 1);
	before = inl(ADDRESS);
	outl(ADDRESS, ENABLE);
	CHECK(inl(ADDRESS) == ENABLE, "0x%x", inl(ADDRESS));
	outl(ADDRESS, before);
	CHECK(inl(ADDRESS) == before, "0x%x", inl(ADDRESS));
}

GUEST_TEST(reserved_bits_of_the_address_are_0)
{
	outl(ADDRESS, 0xffffffff);
	CHECK(inl(ADDRESS) == 0x80fffffc, "0x%x", inl(ADDRESS));
	outl(ADDRESS, 0);
	CHECK(inl(ADDRESS) == 0, "0x%x", inl(ADDRESS));
}

GUEST_TEST(host_bridge)
{
	select(0, 0, 0, 0);
	CHECK(inl(DATA) == HOST_ID, "0x%x", inl(DATA));
	select(0, 0, 0, 8);
	CHECK(inl(DATA) >> 8 == HOST_CLASS, "0x%x", inl(DATA));
	select(0, 0, 0, HEADER_TYPE);
	CHECK(inb(DATA + 2) == 0, "header type 0x%x", inb(DATA + 2));
}

GUEST_TEST(isa_bridge)
{
	select(0, ISA_BRIDGE, 0, 8);
	CHECK(inl(DATA) >> 8 == ISA_CLASS, "0x%x", inl(DATA));
}

GUEST_TEST(nothing_without_the_enable_bit)
{
	outl(ADDRESS, 0);
	CHECK(inl(DATA) == 0xffffffff, "0x%x", inl(DATA));
}

GUEST_TEST(absent_functions_read_all_ones)
{
	unsigned bus, device, function;

	for (device = 0; device < DEVICES; device++)
		for (function = 0; function < FUNCTIONS; function++) {
			if (!function && (device == 0 || device == ISA_BRIDGE || device == BRIDGE))
				continue;
			select(0, device, function, 0);
			outl(DATA, 0);
			CHECK(inl(DATA) == 0xffffffff, "%x.%u: 0x%x", device, function, inl(DATA));
		}
	for (bus = 1; bus < BUSES; bus++) {
		select(bus, 1, 0, 0); /* 00.0 of bus 1 is the inner bridge */
		CHECK(inl(DATA) == 0xffffffff, "bus %u: 0x%x", bus, inl(DATA));
	}
}

GUEST_TEST(parts_of_a_register)
{
	uint32_t id;
	unsigned i;

	select(0, 0, 0, 0);
	id = inl(DATA);
	for (i = 0; i < 4; i++)
		CHECK(inb((uint16_t)(DATA + i)) == (uint8_t)(id >> (8 * i)), "byte %u: 0x%x", i,
		      inb((uint16_t)(DATA + i)));
	for (i = 0; i < 3; i++)
		CHECK(inw((uint16_t)(DATA + i)) == (uint16_t)(id >> (8 * i)), "word at %u: 0x%x", i,
		      inw((uint16_t)(DATA + i)));
	/* Bits 1:0 come from the port alone. */
	outl(ADDRESS, ENABLE | 3);
	CHECK(inl(DATA) == id, "0x%x", inl(DATA));
	/* Behind the last data port there is nobody. */
	CHECK(inl(DATA + 2) == (id >> 16 | 0xffff0000), "0x%x", inl(DATA + 2));
	CHECK(inw(DATA + 3) == (id >> 24 | 0xff00), "0x%x", inw(DATA + 3));
}

GUEST_TEST(writes_reach_what_is_writable)
{
	uint32_t id;
	uint16_t command;

	select(0, 0, 0, 0);
	id = inl(DATA);
	outl(DATA, ~id);
	CHECK(inl(DATA) == id, "the id is now 0x%x", inl(DATA));
	select(0, 0, 0, COMMAND);
	command = inw(DATA);
	outb(DATA + 1, COMMAND_SERR >> 8);
	CHECK(inw(DATA) == (command | COMMAND_SERR), "0x%x, then 0x%x", command, inw(DATA));
	outl(DATA, 0xffff0000 | command);
	CHECK(inl(DATA) == command, "0x%x, then 0x%x", command, inl(DATA));
	select(0, 0, 0, SUBSYSTEM);
	outl(DATA, 0xffffffff);
	CHECK(inl(DATA) == 0, "0x%x", inl(DATA));
}

static uint32_t config(unsigned bus, unsigned device, unsigned offset)
{
	select(bus, device, 0, offset);
	return inl(DATA);
}

static volatile uint32_t *ecam(unsigned bus, unsigned device, unsigned offset)
{
	return (volatile uint32_t *)(ECAM + (bus << 20 | device << 15 | offset));
}

/* As firmware leaves them: numbered, with windows, decoding. */
GUEST_TEST(bridges)
{
	uint32_t outer, inner;

	CHECK(config(0, BRIDGE, 0) == BRIDGE_ID, "0x%x", config(0, BRIDGE, 0));
	CHECK(config(0, BRIDGE, 0x18) == 0x00020100, "buses 0x%x", config(0, BRIDGE, 0x18));
	CHECK(config(1, 0, 0) == BRIDGE_ID, "0x%x", config(1, 0, 0));
	CHECK(config(1, 0, 0x18) == 0x00020201, "buses 0x%x", config(1, 0, 0x18));
	CHECK((config(0, BRIDGE, COMMAND) & 7) == 7, "0x%x", config(0, BRIDGE, COMMAND));
	outer = config(0, BRIDGE, 0x20);
	inner = config(1, 0, 0x20);
	CHECK((outer & 0xfff0) >= 0xc000, "memory 0x%x", outer);
	CHECK((outer & 0xfff0) <= (inner & 0xfff0) && inner >> 16 <= outer >> 16,
	      "memory 0x%x within 0x%x", inner, outer);
	/* The guest's own numbers. */
	select(0, BRIDGE, 0, 0x18);
	outl(DATA, 0x00998000);
	CHECK(config(1, 0, 0) == 0xffffffff, "0x%x", config(1, 0, 0));
	CHECK(config(0x80, 0, 0) == BRIDGE_ID, "0x%x", config(0x80, 0, 0));
	select(0, BRIDGE, 0, 0x18);
	outl(DATA, 0x00020100);
	CHECK(config(1, 0, 0) == BRIDGE_ID, "0x%x", config(1, 0, 0));
}

GUEST_TEST(configuration_in_memory)
{
	unsigned offset;

	for (offset = 0; offset < 256; offset += 4) {
		CHECK(*ecam(0, 0, offset) == config(0, 0, offset), "00.0 at 0x%x", offset);
		CHECK(*ecam(1, 0, offset) == config(1, 0, offset), "bus 1 at 0x%x", offset);
	}
	CHECK(*ecam(0, 0, 0x100) == 0xffffffff, "0x%x", *ecam(0, 0, 0x100));
	CHECK(*ecam(0, 2, 0) == 0xffffffff, "0x%x", *ecam(0, 2, 0));
	CHECK(*ecam(200, 0, 0) == 0xffffffff, "0x%x", *ecam(200, 0, 0));
	CHECK(*(volatile uint8_t *)ecam(0, 0, 0) == (uint8_t)HOST_ID, "a byte");
	*ecam(0, BRIDGE, 0x0c) = 0x1010;
	CHECK((config(0, BRIDGE, 0x0c) & 0xffff) == 0x1010, "0x%x", config(0, BRIDGE, 0x0c));
}

/* Nobody has these: not the board, and no BAR. */
GUEST_TEST(empty_addresses)
{
	volatile uint64_t *memory = (volatile uint64_t *)0xd0000000ul;

	CHECK(inl(0xe000) == 0xffffffff, "port: 0x%x", inl(0xe000));
	outl(0xe000, 0);
	CHECK(*memory == ~0ull, "memory: 0x%llx", (unsigned long long)*memory);
	*memory = 0;
	CHECK(*memory == ~0ull, "memory: 0x%llx", (unsigned long long)*memory);
}

/* The last is guest `reset`'s: a byte with both bits is one. */
GUEST_TEST(resets_by_a_byte_only)
{
	outl(ADDRESS, ENABLE | 0x0600);
	CHECK(inl(ADDRESS) == (ENABLE | 0x0600), "0x%x", inl(ADDRESS));
	outw(ADDRESS, 0x0600);
	outw(RESET, 0x0606);
	outl(RESET, 0x06060606);
	outl(ADDRESS - 1, 0x06060606);
	CHECK(inl(ADDRESS) == (ENABLE | 0x0600), "0x%x", inl(ADDRESS));
	CHECK(inw(ADDRESS) == 0xffff, "0x%x", inw(ADDRESS));
	outb(RESET, 0x02);
	CHECK(inb(RESET) == 0x02, "0x%x", inb(RESET));
	CHECK(inl(ADDRESS) == (ENABLE | 0x0600), "0x%x", inl(ADDRESS));
	outb(RESET, 0);
}
