/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/pci vmm/irq.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: vmm/device_key_value.c lib/parse.c kernel/boot_info.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/devices/pci_world.c tests/host/devices/pci_card.c */
/* test-sources: tests/host/devices/pci_info_fake.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/* BARs: assigned, sized, moved, overlapping, in any number; who answers where. */
#include "tests/host/devices/pci_card.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, card_setup, card_teardown)

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
		TEST(test_many),
		TEST(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
