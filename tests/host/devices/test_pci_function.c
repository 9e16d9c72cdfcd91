/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/pci vmm/irq.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: vmm/device_key_value.c lib/parse.c kernel/boot_info.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/devices/pci_world.c tests/host/devices/pci_info_fake.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/* What every function does: its header, BARs and where they are seen, capabilities. */
#include "tests/host/devices/pci_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEVFN  PCI_DEVFN(3, 0)
#define BAR(n) (PCI_BAR0 + 4 * (n))

static struct world_function *w;
static struct pci_bus *bus;

static int setup(void **state)
{
	(void)state;
	world_start();
	bus = world_bus("pci0");
	w = world_function("card");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_end();
	return 0;
}

/* One of each kind. */
#define IO_SIZE	  0x20u
#define MEM_SIZE  0x1000u
#define WIDE_SIZE 0x4000u
#define ROM_SIZE  0x10000u
static void add_card(void)
{
	world_bar(w, 0, (struct pci_bar){.size = IO_SIZE, .io = true});
	world_bar(w, 1, (struct pci_bar){.size = MEM_SIZE});
	world_bar(w, 2, (struct pci_bar){.size = WIDE_SIZE, .wide = true, .prefetchable = true});
	world_bar(w, 4, (struct pci_bar){.size = MEM_SIZE, .prefetchable = true});
	world_bar(w, PCI_BAR_ROM, (struct pci_bar){.size = ROM_SIZE});
	assert_int_equal(world_add(w, bus, DEVFN), 0);
}

/* After a reset of the VM: addresses and decoding as firmware leaves them. */
static void power_on(void)
{
	fake_reset();
	world_story(w);
}

static uint64_t bar_address(unsigned n)
{
	uint64_t low = config_in(DEVFN, BAR(n), 4);

	if (low & PCI_BAR_IO)
		return low & ~3u;
	if (low & PCI_BAR_WIDE)
		low |= (uint64_t)config_in(DEVFN, BAR(n + 1), 4) << 32;
	return low & ~UINT64_C(0xf);
}

static void check_memory(uint64_t gpa, const char *story)
{
	world_story(w);
	fake_mmio_read(0, gpa, 4);
	assert_string_equal(world_story(w), story);
}

static void check_port(uint16_t port, const char *story)
{
	world_story(w);
	fake_in(port, 1);
	assert_string_equal(world_story(w), story);
}

static void test_assigned(void **state)
{
	uint64_t io, mem, wide;

	(void)state;
	add_card();
	/* A function that comes has none. */
	assert_int_equal(config_in(DEVFN, BAR(0), 4), PCI_BAR_IO);
	assert_int_equal(config_in(DEVFN, BAR(1), 4), 0);
	assert_int_equal(config_in(DEVFN, BAR(2), 4), PCI_BAR_WIDE | PCI_BAR_PREFETCHABLE);
	assert_int_equal(config_in(DEVFN, PCI_COMMAND, 2), 0);
	fake_reset();
	assert_non_null(strstr(world_story(w), "c3 "));
	io = bar_address(0);
	mem = bar_address(1);
	wide = bar_address(2);
	assert_in_range(io, 0x1000, 0xffff);
	assert_int_equal(io % IO_SIZE, 0);
	assert_true(mem >= 0xc0000000 && mem + MEM_SIZE <= 0xfec00000);
	assert_true(mem + MEM_SIZE <= 0xe0000000 || mem >= 0xf0000000);
	assert_true(wide >= BIT(32));
	assert_int_equal(wide % WIDE_SIZE, 0);
	assert_int_equal(config_in(DEVFN, PCI_COMMAND, 2), 3);
	assert_int_equal(config_in(DEVFN, PCI_ROM, 4) & PCI_ROM_ENABLE, 0);
	assert_int_not_equal(config_in(DEVFN, PCI_ROM, 4) & PCI_ROM_MASK, 0);
	check_port((uint16_t)io, "r0/1 ");
	check_port((uint16_t)(io + IO_SIZE - 1), "r1f/1 ");
	check_port((uint16_t)(io + IO_SIZE), "");
	check_port((uint16_t)(io - 1), "");
	check_memory(mem, "r0/4 ");
	check_memory(mem + MEM_SIZE - 4, "rffc/4 ");
	check_memory(0xfebffffc, "");
	check_memory(wide + WIDE_SIZE, "");
	check_memory(wide - 4, "");
	check_memory(wide + WIDE_SIZE - 4, "r3ffc/4 ");
}

static void test_values(void **state)
{
	uint64_t mem;

	(void)state;
	add_card();
	power_on();
	mem = bar_address(1);
	assert_int_equal(fake_mmio_read(0, mem + 0x10, 8), UINT64_C(0xf0f0f0f0f0f00010));
	assert_int_equal(fake_mmio_read(0, mem + 0x12, 1), 0x12);
	fake_mmio_write(0, mem + 8, 8, UINT64_C(0x1122334455667788));
	assert_int_equal(w->last, UINT64_C(0x1122334455667788));
	fake_out((uint16_t)(bar_address(0) + 4), 4, 0xcafe);
	assert_int_equal(w->last, 0xcafe);
}

/* What reaches beyond the end goes to the neighbour, or nowhere. */
static void test_across_the_ends(void **state)
{
	uint64_t mem, io;

	(void)state;
	add_card();
	power_on();
	mem = bar_address(1);
	io = bar_address(0);
	config_out(DEVFN, BAR(4), 4, 0xd0000000);
	config_out(DEVFN, BAR(1), 4, 0xd0002000);
	mem = 0xd0002000;
	world_story(w);
	assert_int_equal(fake_mmio_read(0, mem + MEM_SIZE - 2, 4), 0xffff0ffe);
	assert_string_equal(world_story(w), "rffe/2 ");
	assert_int_equal(fake_mmio_read(0, mem - 1, 2), 0x00ff);
	assert_string_equal(world_story(w), "r0/1 ");
	fake_mmio_write(0, mem + MEM_SIZE - 4, 8, UINT64_C(0x1111222233334444));
	assert_string_equal(world_story(w), "Wffc/4=33334444 ");
	/* Two BARs side by side. */
	config_out(DEVFN, BAR(4), 4, 0xd0001000);
	world_story(w);
	fake_mmio_write(0, mem - 4, 8, UINT64_C(0x1111222233334444));
	assert_string_equal(world_story(w), "Wffc/4=33334444 W0/4=11112222 ");
	assert_int_equal(fake_in((uint16_t)(io + IO_SIZE - 1), 2), 0xff1f);
	assert_string_equal(world_story(w), "r1f/1 ");
}

static void test_sizing_moves_nothing(void **state)
{
	static const struct {
		unsigned bar;
		uint32_t answer;
	} sizes[] = {{0, ~(IO_SIZE - 1) | PCI_BAR_IO},
		     {1, ~(MEM_SIZE - 1)},
		     {2, ~(WIDE_SIZE - 1) | PCI_BAR_WIDE | PCI_BAR_PREFETCHABLE},
		     {3, UINT32_MAX},
		     {4, ~(MEM_SIZE - 1) | PCI_BAR_PREFETCHABLE},
		     {5, 0}};
	uint64_t io, mem, wide;
	uint32_t before;
	unsigned i;

	(void)state;
	add_card();
	power_on();
	io = bar_address(0);
	mem = bar_address(1);
	wide = bar_address(2);
	/* With decoding on, as careless kernels do it. */
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		before = config_in(DEVFN, BAR(sizes[i].bar), 4);
		config_out(DEVFN, BAR(sizes[i].bar), 4, UINT32_MAX);
		assert_int_equal(config_in(DEVFN, BAR(sizes[i].bar), 4), sizes[i].answer);
		check_port((uint16_t)io, "r0/1 ");
		check_memory(mem, "r0/4 ");
		check_memory(wide, "r0/4 ");
		config_out(DEVFN, BAR(sizes[i].bar), 4, before);
		assert_int_equal(config_in(DEVFN, BAR(sizes[i].bar), 4), before);
	}
	before = config_in(DEVFN, PCI_ROM, 4);
	config_out(DEVFN, PCI_ROM, 4, PCI_ROM_MASK);
	assert_int_equal(config_in(DEVFN, PCI_ROM, 4), ~(ROM_SIZE - 1));
	config_out(DEVFN, PCI_ROM, 4, before);
	check_port((uint16_t)io, "r0/1 ");
	check_memory(mem, "r0/4 ");
	check_memory(wide, "r0/4 ");
}

static void test_moves(void **state)
{
	uint64_t mem, wide;
	uint32_t other;

	(void)state;
	add_card();
	power_on();
	mem = bar_address(1);
	wide = bar_address(2);
	config_out(DEVFN, BAR(0), 4, 0x2000);
	check_port(0x2000, "r0/1 ");
	config_out(DEVFN, BAR(1), 4, 0xd1234567);
	assert_int_equal(config_in(DEVFN, BAR(1), 4), 0xd1234000);
	check_memory(mem, "");
	check_memory(0xd1234000, "r0/4 ");
	/* Half by half. */
	config_out(DEVFN, BAR(2), 4, 0x00008000);
	config_out(DEVFN, BAR(3), 4, 0x12);
	check_memory(wide, "");
	check_memory(UINT64_C(0x1200008000) + 0x123c, "r123c/4 ");
	/* Below 4 GiB, too; and byte by byte, which leaves the neighbours alone. */
	config_out(DEVFN, BAR(3), 4, 0);
	config_out(DEVFN, BAR(2) + 3, 1, 0xd2);
	check_memory(0xd2008000, "r0/4 ");
	config_out(DEVFN, BAR(1) + 2, 2, 0xd300);
	assert_int_equal(config_in(DEVFN, BAR(1), 4), 0xd3004000);
	check_memory(0xd3004000, "r0/4 ");
	check_memory(0xd2008000, "r0/4 ");
	/* One write over two BARs' ends, by memory. */
	other = config_in(DEVFN, BAR(4), 4);
	ecam_out(DEVFN, BAR(3) + 2, 4, 0xd5550000);
	assert_int_equal(config_in(DEVFN, BAR(3), 4), 0);
	assert_int_equal(config_in(DEVFN, BAR(4), 4), (other & 0xffff0000) | 0xd008);
}

/* Beyond what can be decoded, and 0, which stands for no address. */
static void test_nowhere(void **state)
{
	(void)state;
	add_card();
	power_on();
	config_out(DEVFN, BAR(1), 4, 0);
	check_memory(0, "");
	check_memory(FAKE_RAM_SIZE, "");
	config_out(DEVFN, BAR(0), 4, 0);
	check_port(0, "");
	config_out(DEVFN, BAR(0), 4, 0x12000);
	check_port(0x2000, "");
	config_out(DEVFN, BAR(3), 4, 0x00100000);
	config_out(DEVFN, BAR(2), 4, 0);
	check_memory(BIT(52), "");
	assert_int_equal(config_in(DEVFN, BAR(3), 4), 0x00100000);
	config_out(DEVFN, BAR(3), 4, 0x000fffff);
	config_out(DEVFN, BAR(2), 4, 0xffffc000);
	check_memory(BIT(52) - WIDE_SIZE, "r0/4 ");
	check_memory(BIT(52) - 4, "r3ffc/4 ");
}

static void test_decode_bits(void **state)
{
	uint64_t io, mem, rom;

	(void)state;
	add_card();
	power_on();
	io = bar_address(0);
	mem = bar_address(1);
	rom = config_in(DEVFN, PCI_ROM, 4) & PCI_ROM_MASK;
	config_out(DEVFN, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_string_equal(world_story(w), "c2 w4/2=2 ");
	check_port((uint16_t)io, "");
	check_memory(mem, "r0/4 ");
	config_out(DEVFN, PCI_COMMAND, 1, PCI_COMMAND_IO);
	check_port((uint16_t)io, "r0/1 ");
	check_memory(mem, "");
	config_out(DEVFN, PCI_COMMAND, 2, 7);
	assert_string_equal(world_story(w), "c7 w4/2=7 ");
	config_out(DEVFN, PCI_COMMAND, 2, 7);
	assert_string_equal(world_story(w), "w4/2=7 ");
	/* The ROM has a bit of its own, and needs both. */
	check_memory(rom, "");
	config_out(DEVFN, PCI_ROM, 4, (uint32_t)rom | PCI_ROM_ENABLE);
	check_memory(rom + 0x100, "r100/4 ");
	config_out(DEVFN, PCI_COMMAND, 2, 0);
	check_memory(rom, "");
	check_memory(mem, "");
}

/* A ROM's enable bit where there is no ROM. */
static void test_no_rom(void **state)
{
	(void)state;
	assert_int_equal(world_add(w, bus, DEVFN), 0);
	power_on();
	config_out(DEVFN, PCI_ROM, 4, 0xd0000001);
	assert_int_equal(config_in(DEVFN, PCI_ROM, 4), 0);
	config_out(DEVFN, PCI_COMMAND, 2, 0xffff);
	/* Nothing to decode: these bits are not there. */
	assert_int_equal(config_in(DEVFN, PCI_COMMAND, 2), PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
								   PCI_COMMAND_SERR |
								   PCI_COMMAND_INTX);
	check_memory(0xd0000000, "");
}

/* The one that begins first has what is common; of two that begin together, the older. */
static void test_overlaps(void **state)
{
	struct world_function *other = world_function("other");

	(void)state;
	add_card();
	world_bar(other, 0, (struct pci_bar){.size = 0x4000});
	assert_int_equal(world_add(other, bus, PCI_DEVFN(2, 0)), 0);
	power_on();
	config_out(DEVFN, BAR(1), 4, 0xd0003000);
	config_out(PCI_DEVFN(2, 0), BAR(0), 4, 0xd0000000);
	assert_non_null(strstr(fake_last_log, "told once"));
	fake_last_log[0] = 0;
	check_memory(0xd0003000, "");
	world_story(other);
	fake_mmio_read(0, 0xd0003ffc, 4);
	assert_string_equal(world_story(other), "r3ffc/4 ");
	config_out(DEVFN, BAR(1), 4, 0xd0000000);
	check_memory(0xd0000000, "r0/4 ");
	fake_mmio_read(0, 0xd0001000, 4);
	assert_string_equal(world_story(other), "r1000/4 ");
	assert_string_equal(fake_last_log, "");
	/* Two of its own. */
	config_out(DEVFN, BAR(4), 4, 0xd0000000);
	check_memory(0xd0000ffc, "rffc/4 ");
	/* And away again. */
	config_out(PCI_DEVFN(2, 0), BAR(0), 4, 0xd8000000);
	config_out(DEVFN, BAR(1), 4, 0xd0003000);
	check_memory(0xd0003000, "r0/4 ");
}

/* Hooks and RAM come first. */
static void test_below_others(void **state)
{
	(void)state;
	add_card();
	power_on();
	config_out(DEVFN, BAR(0), 4, 0xce0);
	check_port(0xce1, "r1/1 ");
	fake_out(0xcf8, 4, 0x80000000);
	world_story(w);
	assert_int_equal(fake_in(0xcf8, 4), 0x80000000);
	assert_int_equal(fake_in(0xcfc, 4), 0x00081b36);
	assert_string_equal(world_story(w), "");
	check_port(0xcfa, "r1a/1 ");
	config_out(DEVFN, BAR(1), 4, WORLD_ECAM);
	world_story(w);
	assert_int_equal(ecam_in(0, 0, 4), 0x00081b36);
	assert_string_equal(world_story(w), "");
}

static void test_header(void **state)
{
	(void)state;
	w->config[PCI_STATUS + 1] = 0x02; /* medium devsel */
	w->config[PCI_COMMAND] = 0x07;	  /* what only software sets is not taken */
	add_card();
	power_on();
	assert_int_equal(config_in(DEVFN, PCI_STATUS, 2), 0x0200);
	config_out(DEVFN, PCI_VENDOR_ID, 4, 0);
	assert_int_equal(config_in(DEVFN, PCI_VENDOR_ID, 4), 0x00011234);
	config_out(DEVFN, PCI_INTERRUPT_LINE, 2, 0xffff);
	assert_int_equal(config_in(DEVFN, PCI_INTERRUPT_LINE, 2), 0x01ff);
	config_out(DEVFN, PCI_CACHE_LINE, 4, 0xffff1010);
	assert_int_equal(config_in(DEVFN, PCI_CACHE_LINE, 4), 0x00001010);
	fake_reset();
	assert_int_equal(config_in(DEVFN, PCI_CACHE_LINE, 4), 0);
	assert_int_equal(config_in(DEVFN, PCI_INTERRUPT_LINE, 1), 11); /* 3.0, pin A: line 3 */
}

static void test_multi_function(void **state)
{
	struct world_function *second = world_function("second");

	(void)state;
	add_card();
	assert_int_equal(config_in(DEVFN, PCI_HEADER_TYPE, 1), 0);
	assert_int_equal(world_add(second, bus, DEVFN + 1), 0);
	assert_int_equal(config_in(DEVFN, PCI_HEADER_TYPE, 1), 0x80);
	assert_int_equal(config_in(DEVFN + 1, PCI_HEADER_TYPE, 1), 0x80);
	fake_reset();
	assert_int_equal(config_in(DEVFN, PCI_HEADER_TYPE, 1), 0x80);
	world_remove(second);
	assert_int_equal(config_in(DEVFN, PCI_HEADER_TYPE, 1), 0);
	assert_int_equal(config_in(DEVFN + 1, PCI_VENDOR_ID, 4), UINT32_MAX);
	world_remove(w);
	second = world_function("hidden");
	assert_int_equal(world_add(second, bus, DEVFN + 2), 0);
	fake_reset();
	assert_non_null(strstr(fake_last_log, "there is no 03.0"));
}

/* Told what is written, asked for what is volatile. */
static void read_volatile(void *opaque, unsigned offset, unsigned width, uint32_t *value)
{
	(void)opaque;
	if (offset <= 0x80 && 0x80 < offset + width)
		*value ^= UINT32_C(0x5a) << (8 * (0x80 - offset));
}

static void test_callbacks(void **state)
{
	static struct pci_function_ops ops;

	(void)state;
	ops = *w->desc.ops;
	ops.config_read = read_volatile;
	w->desc.ops = &ops;
	w->config[0x80] = 0x10;
	add_card();
	assert_int_equal(config_in(DEVFN, 0x80, 4), 0x4a);
	assert_int_equal(ecam_in(DEVFN, 0x7c, 8), UINT64_C(0x4a00000000));
	world_story(w);
	config_out(DEVFN, 0x81, 2, 0xbeef);
	assert_string_equal(world_story(w), "w81/2=beef ");
	ecam_out(DEVFN, 0x7f, 4, 0x44332211);
	assert_string_equal(world_story(w), "w7f/1=11 w80/2=3322 w82/1=44 ");
	assert_int_equal(pci_function_config(w->f, 0x80, 1), 0x10);
}

static void test_ecam(void **state)
{
	unsigned offset;

	(void)state;
	w->desc.config_size = PCI_CONFIG_SIZE_EXT;
	for (offset = 0x40; offset < PCI_CONFIG_SIZE_EXT; offset++)
		w->config[offset] = (uint8_t)(offset * 7);
	memset(w->config + PCI_EXT_FIRST, 0, 4);
	add_card();
	for (offset = 0; offset < PCI_CONFIG_SIZE; offset += 4)
		assert_int_equal(ecam_in(DEVFN, offset, 4), config_in(DEVFN, offset, 4));
	assert_int_equal(ecam_in(DEVFN, 0xfff, 1), (uint8_t)(0xfff * 7));
	assert_int_equal(ecam_in(DEVFN, 0x101, 2), 0);
	/* Across the end of the function, and where there is none. */
	assert_int_equal(ecam_in(DEVFN, 0xfff, 2), 0xff00 | (uint8_t)(0xfff * 7));
	assert_int_equal(ecam_in(DEVFN + 1, 0, 8), UINT64_MAX);
	assert_int_equal(ecam_in(0x0100, 0, 4), UINT32_MAX);
	/* 256 bytes behind mechanism #1's functions. */
	assert_int_equal(ecam_in(0, 0x100, 4), UINT32_MAX);
	ecam_out(0, 0x100, 4, 0);
	assert_int_equal(ecam_in(0, 0, 8), UINT64_C(0x0000000600081b36));
}

/* Power management. */

static void add_pm(uint8_t flags)
{
	world_cap(w, 0x40, PCI_CAP_PM);
	w->config[0x42] = 3;
	w->config[0x44] = flags;
	add_card();
	power_on();
}

static void test_power(void **state)
{
	uint64_t mem;

	(void)state;
	add_pm(0);
	mem = bar_address(1);
	assert_int_equal(config_in(DEVFN, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES,
			 PCI_STATUS_CAPABILITIES);
	config_out(DEVFN, PCI_COMMAND, 2, 7);
	assert_true(pci_function_master(w->f));
	/* D1 and D2, which it has not. */
	config_out(DEVFN, 0x44, 2, 1);
	config_out(DEVFN, 0x44, 2, 2);
	assert_int_equal(config_in(DEVFN, 0x44, 2), 0);
	world_story(w);
	config_out(DEVFN, 0x44, 2, 3);
	assert_string_equal(world_story(w), "c400 w44/2=3 ");
	assert_false(pci_function_master(w->f));
	check_memory(mem, "");
	assert_int_equal(bar_address(1), mem);
	/* It comes back reset, with nothing decoded. */
	world_story(w);
	config_out(DEVFN, 0x44, 2, 0);
	assert_string_equal(world_story(w), "c0 reset w44/2=0 ");
	assert_int_equal(bar_address(1), 0);
	assert_int_equal(config_in(DEVFN, PCI_COMMAND, 2), 0);
}

static void test_power_without_reset(void **state)
{
	uint64_t mem;

	(void)state;
	add_pm(PCI_PM_NO_SOFT_RESET);
	mem = bar_address(1);
	config_out(DEVFN, 0x44, 1, 3);
	check_memory(mem, "");
	config_out(DEVFN, 0x44, 1, 0);
	assert_null(strstr(world_story(w), "reset"));
	check_memory(mem, "r0/4 ");
}

static void test_pcie(void **state)
{
	uint64_t mem;

	(void)state;
	world_cap(w, 0x60, PCI_CAP_PCIE);
	w->config[0x62] = 0x02;	    /* an endpoint, version 2 */
	w->config[0x64 + 3] = 0x10; /* FLR */
	w->config[0x6a] = 0x0f;	    /* errors that were seen */
	add_card();
	power_on();
	mem = bar_address(1);
	config_out(DEVFN, 0x68, 2, 0x7fff);
	assert_int_equal(config_in(DEVFN, 0x68, 4), 0x000f7fff);
	config_out(DEVFN, 0x6a, 2, 0x05);
	assert_int_equal(config_in(DEVFN, 0x6a, 2), 0x0a);
	check_memory(mem, "r0/4 ");
	world_story(w);
	config_out(DEVFN, 0x69, 1, 0x80);
	assert_string_equal(world_story(w), "c0 reset w69/1=80 ");
	assert_int_equal(config_in(DEVFN, 0x68, 2), 0);
	check_memory(mem, "");
	/* Not where it is not told of. */
	config_out(DEVFN, 0x64, 4, 0);
	assert_int_equal(config_in(DEVFN, 0x64, 4), 0x10000000);
}

static void test_extended(void **state)
{
	(void)state;
	w->desc.config_size = PCI_CONFIG_SIZE_EXT;
	w->config[0x100] = PCI_EXT_AER;
	w->config[0x102] = 1;
	w->config[0x103] = 0x15;
	w->config[0x104] = 0x10; /* a data link protocol error was seen */
	w->config[0x10c] = 0x30;
	w->config[0x150] = 3; /* serial number */
	w->config[0x154] = 0x77;
	add_card();
	ecam_out(DEVFN, 0x104, 4, UINT32_MAX);
	assert_int_equal(ecam_in(DEVFN, 0x104, 4), 0);
	ecam_out(DEVFN, 0x108, 4, UINT32_MAX);
	assert_int_equal(ecam_in(DEVFN, 0x108, 4), PCI_AER_UNCORRECTED);
	ecam_out(DEVFN, 0x154, 4, UINT32_MAX);
	assert_int_equal(ecam_in(DEVFN, 0x154, 4), 0x77);
	ecam_out(DEVFN, 0x100, 4, 0);
	assert_int_equal(ecam_in(DEVFN, 0x100, 4), 0x15010001);
}

/* What a device may not ask for. */

static void refused(const char *why)
{
	unsigned errors = fake_errors;

	assert_int_equal(world_add(w, bus, DEVFN), -EINVAL);
	if (!strstr(fake_last_log, why))
		fail_msg("'%s' is not in '%s'", why, fake_last_log);
	assert_int_equal(fake_errors, errors + 1);
	assert_int_equal(config_in(DEVFN, 0, 4), UINT32_MAX);
	memset(w->config + PCI_CAP_FIRST, 0, sizeof(w->config) - PCI_CAP_FIRST);
	w->config[PCI_CAPABILITIES] = 0;
	memset(w->desc.bars, 0, sizeof(w->desc.bars));
	w->desc.rom.size = 0;
}

static void test_bad_bars(void **state)
{
	(void)state;
	world_bar(w, 0, (struct pci_bar){.size = 0x1001});
	refused("power of two");
	world_bar(w, 0, (struct pci_bar){.size = 8});
	refused("0x10 to");
	world_bar(w, 0, (struct pci_bar){.size = 2, .io = true});
	refused("0x4 to");
	world_bar(w, 0, (struct pci_bar){.size = 0x2000, .io = true});
	refused("to 0x1000");
	world_bar(w, 0, (struct pci_bar){.size = BIT(30)});
	refused("to 0x20000000");
	world_bar(w, 0, (struct pci_bar){.size = BIT(41), .wide = true});
	refused("to 0x10000000000");
	world_bar(w, 5, (struct pci_bar){.size = 0x1000, .wide = true});
	refused("next one's place");
	world_bar(w, 0, (struct pci_bar){.size = 0x1000, .wide = true});
	world_bar(w, 1, (struct pci_bar){.size = 0x1000});
	refused("is a 64-bit one's");
	world_bar(w, 0, (struct pci_bar){.size = 0x10, .io = true, .prefetchable = true});
	refused("not prefetchable");
	world_bar(w, PCI_BAR_ROM, (struct pci_bar){.size = 0x400});
	refused("ROM");
	world_bar(w, PCI_BAR_ROM, (struct pci_bar){.size = 0x2000000});
	refused("ROM");
	w->desc.bars[0] = (struct pci_bar){.size = 0x1000};
	refused("without handlers");
	w->desc.config_size = 300;
	refused("256 nor 4096");
	w->desc.config_size = PCI_CONFIG_SIZE;
	w->config[PCI_HEADER_TYPE] = 2;
	refused("unknown type");
	w->config[PCI_HEADER_TYPE] = 1;
	world_bar(w, 2, (struct pci_bar){.size = 0x1000});
	refused("two BARs");
	w->config[PCI_HEADER_TYPE] = 0;
	w->config[PCI_INTERRUPT_PIN] = 5;
	refused("pin");
	w->config[PCI_INTERRUPT_PIN] = 1;
	add_card();
}

/* Lists that have no end, or lead out of the space. */
static void test_bad_capabilities(void **state)
{
	unsigned i;

	(void)state;
	world_cap(w, 0x40, PCI_CAP_VENDOR);
	w->config[0x41] = 0x40;
	refused("no end");
	w->config[PCI_CAPABILITIES] = 0x10;
	refused("within the header");
	world_cap(w, 0xfc, PCI_CAP_PM);
	refused("PM at 0xfc reaches beyond");
	world_cap(w, 0xf0, PCI_CAP_MSI);
	w->config[0xf2] = 0x80; /* 64-bit: 0xe bytes and two reserved ones: it fits */
	w->config[0xf3] = 0x01; /* with masks it does not */
	refused("MSI at 0xf0 reaches beyond");
	world_cap(w, 0xf8, PCI_CAP_MSIX);
	refused("MSI-X at 0xf8 reaches beyond");
	world_cap(w, 0xe0, PCI_CAP_PCIE);
	w->config[0xe2] = 2;
	refused("PCI Express at 0xe0 reaches beyond");
	w->desc.config_size = PCI_CONFIG_SIZE_EXT;
	w->config[0x100] = PCI_EXT_AER;
	w->config[0x103] = 0x10;
	refused("no end");
	w->config[0x102] = 0xc0;
	w->config[0x103] = 0xff;
	w->config[0xffc] = PCI_EXT_AER;
	refused("AER at 0xffc reaches beyond");
	w->config[0x103] = 0x04;
	refused("at 0x40");
	/* As long as can be. */
	for (i = 0; i < 48; i++)
		world_cap(w, (uint8_t)(0x40 + 4 * i), PCI_CAP_VENDOR);
	add_card();
}

static void test_bad_msix(void **state)
{
	(void)state;
	world_cap(w, 0x50, PCI_CAP_MSIX);
	refused("MSI-X: table of 1 entries"); /* there is no BAR 0 */
	world_cap(w, 0x50, PCI_CAP_MSIX);
	world_bar(w, 0, (struct pci_bar){.size = 0x100, .io = true});
	w->config[0x58] = 0x80;
	refused("MSI-X");
	world_cap(w, 0x50, PCI_CAP_MSIX);
	world_bar(w, 0, (struct pci_bar){.size = 0x1000});
	w->config[0x52] = 0xff; /* 256 entries fill it */
	w->config[0x59] = 0x10;
	refused("MSI-X");
	world_cap(w, 0x50, PCI_CAP_MSIX);
	world_bar(w, 0, (struct pci_bar){.size = 0x1000});
	w->config[0x52] = 1;
	w->config[0x58] = 0x18; /* into the table's second entry */
	refused("apart");
	world_cap(w, 0x50, PCI_CAP_MSIX);
	world_bar(w, 0, (struct pci_bar){.size = 0x1000});
	w->config[0x54] = 0x07;
	refused("MSI-X");
}

static void check_address(const char *text, int err, uint8_t devfn)
{
	uint8_t out = 0;

	assert_int_equal(pci_address_parse(&w->dev, bus, "addr", text, &out), err);
	if (!err)
		assert_int_equal(out, devfn);
	else
		assert_non_null(strstr(fake_last_log, "key addr"));
}

static void test_addresses(void **state)
{
	unsigned i;

	(void)state;
	check_address("", 0, PCI_DEVFN(1, 0));
	check_address("3", 0, PCI_DEVFN(3, 0));
	check_address("1F.7", 0, 0xff);
	check_address("0a.1", 0, PCI_DEVFN(10, 1));
	check_address("20", -EINVAL, 0);
	check_address("100000000", -EINVAL, 0);
	check_address("1.8", -EINVAL, 0);
	check_address("1.", -EINVAL, 0);
	check_address(".1", -EINVAL, 0);
	check_address("1.0.0", -EINVAL, 0);
	check_address(" 1", -EINVAL, 0);
	check_address("0x1", -EINVAL, 0);
	for (i = 1; i < PCI_SLOTS; i++)
		assert_int_equal(world_add(world_function("filler"), bus, PCI_DEVFN(i, i % 8)), 0);
	check_address("", -ENOSPC, 0);
}

/* Gone: its BARs, its configuration, its interrupt; what still calls does no harm. */
static void test_removal(void **state)
{
	uint64_t mem, io;

	(void)state;
	add_card();
	power_on();
	mem = bar_address(1);
	io = bar_address(0);
	config_out(DEVFN, PCI_COMMAND, 2, 7);
	pci_function_intx(w->f, true);
	assert_true(fake_line(19));
	world_remove(w);
	assert_false(fake_line(19));
	check_memory(mem, "");
	check_port((uint16_t)io, "");
	assert_int_equal(config_in(DEVFN, 0, 4), UINT32_MAX);
	config_out(DEVFN, PCI_COMMAND, 2, 7);
	pci_function_intx(w->f, false);
	pci_function_intx(w->f, true);
	assert_false(fake_line(19));
	assert_false(pci_function_master(w->f));
	assert_string_equal(world_story(w), "");
}

/* As many as there may be, in any order, moved about. */
static void test_many(void **state)
{
	struct world_function *many[PCI_FUNCTIONS_MAX];
	unsigned i, n = 0;
	uint32_t at;

	(void)state;
	for (i = 1; i < PCI_DEVFNS; i++) {
		many[n] = world_function("many");
		world_bar(many[n], 0, (struct pci_bar){.size = 0x1000});
		world_bar(many[n], 1, (struct pci_bar){.size = 0x10, .io = true});
		assert_int_equal(world_add(many[n++], bus, (uint8_t)i), 0);
	}
	fake_reset();
	for (i = 1; i < PCI_DEVFNS; i++) {
		at = 0xd0000000 + ((i * 179) % 256 << 12);
		config_out((uint16_t)i, BAR(0), 4, at);
		config_out((uint16_t)i, BAR(1), 4, 0x8000 + ((i * 83) % 256 << 4));
	}
	for (i = 1; i < PCI_DEVFNS; i++) {
		at = 0xd0000000 + ((i * 179) % 256 << 12);
		world_story(many[i - 1]);
		fake_mmio_read(0, at + 8, 4);
		fake_in((uint16_t)(0x8000 + ((i * 83) % 256 << 4)), 2);
		assert_string_equal(world_story(many[i - 1]), "r8/4 r0/2 ");
	}
	assert_int_equal(fake_mmio_read(0, 0xd0000000, 4), UINT32_MAX);
	assert_int_equal(fake_mmio_read(0, 0xd0100000, 4), UINT32_MAX);
}

static int broken_read(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width,
		       uint64_t *value)
{
	(void)opaque;
	(void)vcpu;
	(void)offset;
	(void)width;
	*value = 0x1234;
	return -EIO;
}

/* As hardware answers where there is nothing. */
static void test_errors(void **state)
{
	static const struct hook_ops broken = {.read = broken_read}, none;

	(void)state;
	w->desc.bars[0] = (struct pci_bar){.size = 0x1000, .ops = &broken};
	w->desc.bars[1] = (struct pci_bar){.size = 0x1000, .ops = &none};
	assert_int_equal(world_add(w, bus, DEVFN), 0);
	power_on();
	assert_int_equal(fake_mmio_read(0, bar_address(0), 8), UINT64_MAX);
	assert_non_null(strstr(fake_last_log, "card: error -5"));
	assert_int_equal(fake_mmio_read(0, bar_address(1), 4), UINT32_MAX);
	fake_mmio_write(0, bar_address(0), 4, 1);
	fake_mmio_write(0, bar_address(1), 4, 1);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_assigned),
		TEST(test_values),
		TEST(test_across_the_ends),
		TEST(test_sizing_moves_nothing),
		TEST(test_moves),
		TEST(test_nowhere),
		TEST(test_decode_bits),
		TEST(test_no_rom),
		TEST(test_overlaps),
		TEST(test_below_others),
		TEST(test_header),
		TEST(test_multi_function),
		TEST(test_callbacks),
		TEST(test_ecam),
		TEST(test_power),
		TEST(test_power_without_reset),
		TEST(test_pcie),
		TEST(test_extended),
		TEST(test_bad_bars),
		TEST(test_bad_capabilities),
		TEST(test_bad_msix),
		TEST(test_addresses),
		TEST(test_removal),
		TEST(test_many),
		TEST(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
