/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/generic.c devices/generic_ranges.c devices/hostdev/host_device.c */
/* test-sources: devices/hostdev/host_args.c vmm/device_key_value.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: devices/hostdev/machine_memory.c lib/parse.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/* The generic device: its ranges, what becomes of accesses, and host devices behind it. */
#include "devices/hostdev/host_args.h"
#include "devices/hostdev/host_device.h"
#include "devices/hostdev/machine_ports.h"
#include "drivers/device_memory.h"
#include "kernel/slab.h"
#include "tests/host/devices/fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The machine. */

static uint32_t open_first, open_count;
static uint32_t last_out;
static unsigned outs;

static uint32_t claimed; /* ports */

/* Port 0x3f8 is ours. */
int machine_ports_claim(struct device *dev, uint16_t first, uint32_t count)
{
	bool ours = first <= 0x3f8 && first + count > 0x3f8;

	if (ours)
		device_log(dev, LOG_ERROR, "0x3f8 is the hypervisor's");
	else
		claimed += count;
	return ours ? -EPERM : 0;
}

/* Nobody else's while the guest still reaches them. */
void machine_ports_release(struct vm *vm, uint16_t first, uint32_t count)
{
	(void)vm;
	assert_false(open_count && first == open_first);
	assert_true(count <= claimed);
	claimed -= count;
}

void machine_ports_open(struct vm *vm, uint16_t first, uint32_t count)
{
	(void)vm;
	open_first = first;
	open_count = count;
}

void machine_ports_close(struct vm *vm, uint16_t first, uint32_t count)
{
	(void)vm;
	assert_true(first == open_first && count == open_count);
	open_count = 0;
}

uint32_t machine_ports_read(uint16_t port, unsigned width)
{
	return 0x10000u * width + port;
}

void machine_ports_write(uint16_t port, unsigned width, uint32_t value)
{
	last_out = 0x10000u * width + port;
	outs += value == 0x77;
}

/* Three pages of a device at CARD; the page behind them is RAM. */

#define CARD	  0xfd000000u
#define CARD_SIZE 0x3000u

static uint8_t card[CARD_SIZE];
static gpa_t mapped_first;
static uint64_t mapped_size;
static unsigned flushes;
static int map_error;
static struct hook_maps hooks = {.live = true};

int device_memory_map(uint64_t phys, uint64_t size, volatile void **memory, const char **why)
{
	*why = phys < CARD || phys + size > CARD + CARD_SIZE ? "is RAM" : NULL;
	if (*why)
		return -EPERM;
	*memory = card + (phys - CARD);
	return 0;
}

uint64_t device_memory_read(const volatile void *at, unsigned width)
{
	uint64_t value = 0;

	memcpy(&value, (const void *)at, width);
	return value;
}

void device_memory_write(volatile void *at, unsigned width, uint64_t value)
{
	memcpy((void *)at, &value, width);
}

int guest_memory_map_machine(struct vm *vm, gpa_t gpa, uint64_t size)
{
	(void)vm;
	assert_true(size && gpa % 4096 == 0 && size % 4096 == 0);
	mapped_first = gpa;
	mapped_size = size;
	return map_error;
}

void guest_memory_unmap_device(struct vm *vm, gpa_t gpa, uint64_t size)
{
	(void)vm;
	assert_true(gpa == mapped_first && size == mapped_size);
	mapped_size = 0;
}

/* What was straight is not any more. */
void vm_flush(struct vm *vm)
{
	(void)vm;
	assert_int_equal(mapped_size, 0);
	flushes++;
}

/* A host device: region 1 has 16 ports, region 2 a page of memory. */

static unsigned hosts;
static uint8_t host_memory[4096];
static char host_path[64];
static uint64_t host_size;

static int host_open(struct host_device *hd, const char *path, const struct host_args *args)
{
	snprintf(host_path, sizeof(host_path), "%s", path);
	host_size = host_args_uint(args, "size");
	if (!strcmp(path, "busy"))
		return -EBUSY;
	hd->state = host_memory;
	hd->regions[1] = (struct host_region){.size = 16, .io = true};
	hd->regions[2] = (struct host_region){.size = sizeof(host_memory)};
	hosts++;
	return 0;
}

static void host_close(struct host_device *hd)
{
	assert_ptr_equal(hd->state, host_memory);
	hosts--;
}

static int host_read(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		     uint64_t *value)
{
	if (region == 1)
		return -EIO;
	*value = 0;
	memcpy(value, (uint8_t *)hd->state + offset, width);
	return 0;
}

static int host_write(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		      uint64_t value)
{
	if (region == 1)
		return -EIO;
	memcpy((uint8_t *)hd->state + offset, &value, width);
	return 0;
}

static const struct device_key host_keys[] = {
	{.name = "size", .kind = KEY_SIZE, .def = "4K", .min = 1, .max = 8192, .help = "a size"},
	{.name = "name", .kind = KEY_STRING, .def = "", .help = "a name"},
	{},
};

HOST_SCHEME(trial_scheme, .name = "trial", .help = "for tests", .bus = HOST_BUS_DIRECT,
	    .path_help = "anything", .keys = host_keys, .open = host_open, .close = host_close,
	    .read = host_read, .write = host_write);
HOST_SCHEME(pci_scheme, .name = "card", .help = "for tests", .bus = HOST_BUS_PCI, .open = host_open,
	    .close = host_close, .read = host_read, .write = host_write);

static int setup(void **state)
{
	(void)state;
	fake_start(2);
	fake_vm.hooks = &hooks;
	memset(host_memory, 0, sizeof(host_memory));
	for (unsigned i = 0; i < CARD_SIZE; i++)
		card[i] = (uint8_t)(i * 7);
	mapped_first = flushes = 0;
	map_error = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	assert_int_equal(hosts, 0);
	assert_int_equal(open_count, 0);
	assert_int_equal(mapped_size, 0);
	return 0;
}

static struct device *make(const char *ports, const char *memory, const char *hostdev)
{
	char keys[3][512];
	const char *const list[] = {keys[0], keys[1], keys[2], NULL};

	snprintf(keys[0], sizeof(keys[0]), "ports=%s", ports);
	snprintf(keys[1], sizeof(keys[1]), "memory=%s", memory);
	snprintf(keys[2], sizeof(keys[2]), "hostdev=%s", hostdev);
	return fake_create("generic", "watch", list);
}

static void refuse(const char *ports, const char *memory, const char *hostdev, const char *message)
{
	assert_null(make(ports, memory, hostdev));
	if (!strstr(fake_last_log, message))
		fail_msg("expected '%s' in: %s", message, fake_last_log);
	fake_end();
	assert_int_equal(hosts, 0);
	fake_start(2);
	fake_vm.hooks = &hooks;
}

static void test_ignore(void **state)
{
	(void)state;
	assert_non_null(make("0x80-0x8f:ignore, 0x300:ignore=0x5a",
			     "0xfed40000-0xfed40fff:ignore=0x1122334455667788", ""));
	assert_int_equal(fake_in(0x80, 4), 0xffffffff);
	assert_int_equal(fake_in(0x300, 1), 0x5a);
	assert_int_equal(fake_in(0x300, 2), 0xff5a);
	fake_out(0x80, 1, 1);
	assert_int_equal(fake_mmio_read(0, 0xfed40000, 8), 0x1122334455667788);
	assert_int_equal(fake_mmio_read(0, 0xfed40fff, 1), 0x88);
	fake_mmio_write(0, 0xfed40008, 4, 1);
	assert_string_equal(fake_last_log, "");
}

static void test_print(void **state)
{
	(void)state;
	assert_non_null(make("0x80:print-and-ignore=0x12", "0xe0000000:print-and-ignore", ""));
	fake_vm.vcpus[0]->rip = 0xffffffff81000042;
	fake_out(0x80, 1, 0x77);
	assert_string_equal(fake_last_log,
			    "watch: vCPU 0 at 0xffffffff81000042 writes port 0x80, 1 bytes: 0x77");
	assert_int_equal(fake_in(0x80, 1), 0x12);
	assert_string_equal(fake_last_log,
			    "watch: vCPU 0 at 0xffffffff81000042 reads port 0x80, 1 bytes: 0x12");
	fake_vm.vcpus[1]->rip = 0x7c00;
	assert_int_equal(fake_mmio_read(1, 0xe0000000, 1), 0xff);
	assert_string_equal(fake_last_log,
			    "watch: vCPU 1 at 0x7c00 reads memory 0xe0000000, 1 bytes: 0xff");
}

static void test_pass(void **state)
{
	(void)state;
	assert_non_null(make("0x300-0x30f:passthrough,0x400-0x401:print-and-passthrough", "", ""));
	assert_int_equal(open_first, 0x300);
	assert_int_equal(open_count, 16);
	assert_int_equal(claimed, 18);
	/* Those that exit all the same. */
	assert_int_equal(fake_in(0x30c, 4), 0x4030c);
	assert_int_equal(fake_in(0x400, 2), 0x20400 & 0xffff);
	outs = 0;
	fake_out(0x401, 1, 0x77);
	assert_int_equal(last_out, 0x10401);
	assert_int_equal(outs, 1);
	assert_non_null(strstr(fake_last_log, "writes port 0x401, 1 bytes: 0x77"));
}

static void test_pass_ports_refused(void **state)
{
	(void)state;
	refuse("0x3f0-0x3ff:passthrough", "", "", "0x3f8 is the hypervisor's");
	refuse("0x3f8:print-and-passthrough", "", "", "0x3f8 is the hypervisor's");
	refuse("0x300:passthrough, 0x3f8:passthrough", "", "", "0x3f8 is the hypervisor's");
	assert_int_equal(open_count, 0);
	assert_int_equal(claimed, 0);
	assert_non_null(make("0x3f8-0x3ff:print-and-ignore", "", ""));
}

/* Whole pages are reached straight; what is left of the range, and all accesses that exit all the
 * same, are done here. */
static void test_pass_memory(void **state)
{
	(void)state;
	assert_non_null(make("", "0xfd000ff0-0xfd00200f:passthrough", ""));
	assert_int_equal(mapped_first, CARD + 0x1000);
	assert_int_equal(mapped_size, 0x1000);
	assert_string_equal(fake_last_log, "the guest reaches the machine's memory "
					   "0xfd000ff0-0xfd00200f");
	assert_int_equal(fake_mmio_read(0, CARD + 0xff0, 1), card[0xff0]);
	assert_int_equal(fake_mmio_read(1, CARD + 0x200f, 1), card[0x200f]);
	fake_mmio_write(0, CARD + 0x1ffc, 8, 0x8877665544332211);
	assert_int_equal(card[0x1ffc], 0x11);
	assert_int_equal(card[0x2003], 0x88);
	assert_int_equal(fake_mmio_read(0, CARD + 0x2000, 4), 0x88776655);
	/* Nobody's. */
	assert_int_equal(fake_mmio_read(0, CARD + 0xfef, 1), 0xff);
	assert_int_equal(fake_mmio_read(0, CARD + 0x2010, 1), 0xff);
	fake_end();
	assert_int_equal(mapped_size, 0);
	assert_int_equal(flushes, 1);
	/* And it can be had again. */
	setup(NULL);
	assert_non_null(make("", "0xfd000000-0xfd002fff:passthrough", ""));
	assert_int_equal(mapped_size, CARD_SIZE);
}

static void test_pass_less_than_a_page(void **state)
{
	(void)state;
	assert_non_null(make(
		"", "0xfd000010-0xfd00001f:passthrough,0xfd000800-0xfd000fff:passthrough", ""));
	assert_int_equal(mapped_first, 0);
	fake_mmio_write(0, CARD + 0x1c, 4, 0x12345678);
	assert_int_equal(card[0x1f], 0x12);
	assert_int_equal(fake_mmio_read(0, CARD + 0x800, 2), card[0x800] | card[0x801] << 8);
}

static void test_print_and_pass_memory(void **state)
{
	(void)state;
	assert_non_null(make("", "0xfd000000-0xfd000fff:print-and-passthrough", ""));
	assert_int_equal(mapped_first, 0);
	fake_vm.vcpus[1]->rip = 0x1234;
	fake_mmio_write(1, CARD + 8, 4, 0xcafef00d);
	assert_string_equal(fake_last_log, "watch: vCPU 1 at 0x1234 writes memory 0xfd000008, "
					   "4 bytes: 0xcafef00d");
	assert_int_equal(card[11], 0xca);
	assert_int_equal(fake_mmio_read(1, CARD + 10, 2), 0xcafe);
	assert_string_equal(fake_last_log, "watch: vCPU 1 at 0x1234 reads memory 0xfd00000a, "
					   "2 bytes: 0xcafe");
}

static void test_pass_memory_refused(void **state)
{
	(void)state;
	refuse("", "0xfd000000-0xfd003000:passthrough", "",
	       "memory 0xfd000000-0xfd003000 of the machine is RAM");
	refuse("", "0xfcffffff:print-and-passthrough", "", "0xfcffffff of the machine is RAM");
	refuse("", "0xffffffffff-0x10000000000:passthrough", "", "expected an end within 40 bits");
	assert_int_equal(mapped_size, 0);
	map_error = -ENOMEM;
	refuse("", "0xfd000000-0xfd000fff:passthrough", "", "no memory to map");
	assert_int_equal(mapped_size, 0);
	map_error = 0;
	/* Another device has a byte of the page: what is straight comes in pages. */
	assert_non_null(make("", "0xfd000000-0xfd00000f:passthrough", ""));
	assert_null(fake_create(
		"generic", "other",
		(const char *const[]){"memory=0xfd000ff0-0xfd001fff:passthrough", NULL}));
	assert_non_null(strstr(fake_last_log, "memory 0xfd000ff0-0xfd001fff of the machine: "
					      "device watch of vm "));
	assert_non_null(fake_create(
		"generic", "third",
		(const char *const[]){"memory=0xfd001000-0xfd001fff:passthrough", NULL}));
}

static void test_forward(void **state)
{
	(void)state;
	assert_non_null(make("0x300-0x30f:forward=1", "0xe0000000-0xe0000fff:forward=2",
			     "trial:a/b?size=2K&name=x"));
	assert_string_equal(host_path, "a/b");
	assert_int_equal(host_size, 2048);
	assert_int_equal(hosts, 1);
	fake_mmio_write(0, 0xe0000ffc, 4, 0x12345678);
	assert_int_equal(fake_mmio_read(0, 0xe0000ffe, 2), 0x1234);
	assert_int_equal(host_memory[4095], 0x12);
	/* An error is what nobody would answer. */
	assert_int_equal(fake_in(0x300, 1), 0xff);
	fake_out(0x300, 1, 1);
}

static void test_ranges_refused(void **state)
{
	(void)state;
	refuse("0x80-0x8g:ignore", "", "",
	       "ports: '0x80-0x8g:ignore': expected FIRST[-LAST]:MODE[=VALUE]");
	refuse("0x80", "", "", "ports: '0x80': expected FIRST");
	refuse("0x80:ignore,", "0x80:watch", "", "memory: '0x80:watch': expected FIRST");
	refuse("0x80:ignore,,0x81:ignore", "", "", "ports: '': expected FIRST");
	refuse("0x80:passthrough=1", "", "", "expected FIRST");
	refuse("0x80:ignore=", "", "", "expected FIRST");
	refuse("0x8f-0x80:ignore", "", "", "expected FIRST up to LAST, both up to 0xffff");
	refuse("0xffff-0x10000:ignore", "", "", "expected FIRST up to LAST, both up to 0xffff");
	refuse("", "0xf0000000-0xffffffffffffffff:ignore", "", "both up to 0xfffffffffffff");
	refuse("0x80-0x8f:ignore, 0x8f:ignore", "", "", "ports: '0x8f:ignore': overlaps 0x80-0x8f");
	refuse("", "0x1ff000-0x20ffff:ignore", "", "the VM has RAM there");
	refuse("", "0xbffff-0xc0000:ignore", "", "the VM has RAM there");
	refuse("", "0x9ffff:ignore", "", "the VM has RAM there");
	assert_non_null(make("", "0xa0000-0xbffff:ignore,0x200000-0xbfffffff:ignore", ""));
}

static void test_hosts_refused(void **state)
{
	(void)state;
	refuse("0x80:forward", "", "", "forward needs the key hostdev");
	refuse("0x80:forward=9", "", "trial:", "the host device has no region 9");
	refuse("0x80:forward=4294967297", "", "trial:", "the host device has no region");
	refuse("0x80:forward", "", "trial:", "the host device has no region 0");
	refuse("0x80:forward=2", "", "trial:", "region 2 of the host device is memory");
	refuse("0x80-0x90:forward=1", "", "trial:", "region 1 of the host device has only 16");
	refuse("", "", "trial", "'trial': expected a host device's URL");
	refuse("", "", ":x", "expected a host device's URL");
	refuse("", "", "tria:x", "'tria:x': no host device of that scheme");
	refuse("", "", "card:x", "'card:x' is a pci device: expected a direct one");
	refuse("", "", "trial:busy", "");
	refuse("", "", "trial:?sise=1", "'sise' is no argument of it: expected size, name");
	refuse("", "", "trial:?size", "argument size has no value: expected KEY=VALUE");
	refuse("", "", "trial:?size=1&size=2", "argument size is given twice");
	refuse("", "", "trial:?size=9000", "expected a number of bytes (K, M, G) from 1 to 8192");
	refuse("", "", "trial:?size=1&&", "'' is no argument of it");
}

static void test_many(void **state)
{
	char text[65 * 16] = "", whole[65 * 16 + 8];
	unsigned i;

	(void)state;
	for (i = 0; i < 65; i++)
		sprintf(text + strlen(text), "%s%u:ignore", i ? "," : "", 1000 + i);
	snprintf(whole, sizeof(whole), "ports=%s", text);
	assert_null(fake_create("generic", "watch", (const char *const[]){whole, NULL}));
	assert_non_null(strstr(fake_last_log, "ports: more than 64 ranges"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ignore),
		TEST(test_print),
		TEST(test_pass),
		TEST(test_pass_ports_refused),
		TEST(test_pass_memory),
		TEST(test_pass_less_than_a_page),
		TEST(test_print_and_pass_memory),
		TEST(test_pass_memory_refused),
		TEST(test_forward),
		TEST(test_ranges_refused),
		TEST(test_hosts_refused),
		TEST(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
