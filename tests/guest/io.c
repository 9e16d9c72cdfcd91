/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports: nobody's read all ones, every width works everywhere, strings move in bulk. */
#include "tests/guest/lib/guest.h"

#include <string.h>

#define NOBODY	0x1240 /* a port that no device of the PC owns */
#define SCRATCH (GUEST_SERIAL_PORT + 7)

/* Ports whose use ends or resets the VM, or floods its console, and are not poked blindly. */
static bool is_dangerous(uint32_t port)
{
	return port == 0x64 || port == 0x92 || port == 0xb2 || port == 0xcf9 ||
	       (port >= GUEST_EXIT_PORT && port < GUEST_EXIT_PORT + 4) ||
	       (port >= 0x600 && port < 0x640) || (port >= GUEST_SERIAL_PORT && port <= SCRATCH) ||
	       port == 0xe9 || port == 0x402;
}

GUEST_TEST(unowned_ports_float)
{
	outb(NOBODY, 0);
	outw(NOBODY, 0);
	outl(NOBODY, 0);
	CHECK(inb(NOBODY) == 0xff, "0x%x", inb(NOBODY));
	CHECK(inw(NOBODY) == 0xffff, "0x%x", inw(NOBODY));
	CHECK(inl(NOBODY) == 0xffffffff, "0x%x", inl(NOBODY));
	CHECK(inl(0xffff) == 0xffffffff, "the last port: 0x%x", inl(0xffff));
}

GUEST_TEST(access_over_two_owners_is_split)
{
	outb(SCRATCH, 0x42);
	CHECK(inw(SCRATCH) == 0xff42, "0x%x", inw(SCRATCH));
	outw(SCRATCH - 1, 0x1700);
	CHECK(inb(SCRATCH) == 0x17, "0x%x", inb(SCRATCH));
}

static void rep_insb(uint16_t port, void *to, uint64_t count)
{
	__asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(port) : "memory");
}
static void rep_outsb(uint16_t port, const void *from, uint64_t count)
{
	__asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(port) : "memory");
}

GUEST_TEST(strings)
{
	static uint8_t buf[10000];
	static const char text[] = "# this line came by rep outsb\n";
	uint8_t *end = buf + 100;
	uint64_t count = 100;
	unsigned i;

	memset(buf, 0, sizeof(buf));
	rep_insb(NOBODY, buf, sizeof(buf) - 1);
	for (i = 0; i < sizeof(buf) - 1; i++)
		if (buf[i] != 0xff)
			break;
	CHECK(i == sizeof(buf) - 1 && buf[i] == 0, "byte %u is 0x%x", i, buf[i]);
	rep_outsb(GUEST_SERIAL_PORT, text, sizeof(text) - 1);
	outb(SCRATCH, 0x3c);
	__asm__ volatile("std; rep insb; cld" : "+D"(end), "+c"(count) : "d"(SCRATCH) : "memory");
	CHECK(end == buf && count == 0 && buf[1] == 0x3c && buf[100] == 0x3c && buf[0] == 0xff,
	      "downwards: %ld left", (long)count);
}

static void ins_to_nowhere(void *arg)
{
	rep_insb(NOBODY, arg, 8192);
}

GUEST_TEST(strings_fault_as_the_cpu_does)
{
	struct guest_fault f = {0};

	CHECK(guest_faults(ins_to_nowhere, (void *)0xfffff000, &f) == true, "no fault");
	CHECK(f.vector == 14 && f.cr2 == 0x100000000 && (f.error & 3) == 2,
	      "vector %u cr2 0x%llx error 0x%llx", f.vector, (unsigned long long)f.cr2,
	      (unsigned long long)f.error);
}

GUEST_TEST(every_port_can_be_read)
{
	uint32_t port;

	for (port = 0; port <= 0xffff; port++) {
		(void)inb((uint16_t)port);
		(void)inw((uint16_t)port);
		(void)inl((uint16_t)port);
	}
}

GUEST_TEST(every_port_can_be_written)
{
	uint32_t port;

	for (port = 0; port <= 0xffff; port++) {
		if (is_dangerous(port) || is_dangerous(port + 1) || is_dangerous(port + 2) ||
		    is_dangerous(port + 3))
			continue;
		outb((uint16_t)port, 0xff);
		outw((uint16_t)port, 0);
		outl((uint16_t)port, 0xa5a5a5a5);
	}
}
