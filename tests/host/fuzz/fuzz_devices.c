/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that does anything to all devices of a PC: accesses of all widths,
 * time that passes or jumps, interrupts taken or not, input, resets. The
 * sanitizers watch. How many accesses each type has had is told at the end.
 *
 * fuzz-runs: 2500
 */
/* test-sources: devices/chipset/acpi.c devices/chipset/acpi_tables.c devices/chipset/bios_stub.c */
/* test-sources: devices/chipset/acpi_dsdt.c devices/chipset/acpi_pci.c */
/* test-sources: devices/chipset/acpi_hotplug.c devices/chipset/aml.c devices/chipset/mp_table.c */
/* test-sources: devices/chipset/lapic.c devices/chipset/lapic_access.c */
/* test-sources: devices/chipset/lapic_state.c */
/* test-sources: devices/chipset/lapic_msr.c devices/chipset/lapic_ipi.c */
/* test-sources: devices/chipset/lapic_timer.c devices/chipset/lapic_virtual.c */
/* test-sources: devices/chipset/ioapic.c devices/chipset/pic.c */
/* test-sources: devices/chipset/pit.c devices/chipset/pm.c devices/chipset/reset_control.c */
/* test-sources: devices/chipset/rtc.c devices/chipset/rtc_nvram.c lib/date.c */
/* test-sources: devices/chipset/ps2.c devices/chipset/ps2_port.c devices/chipset/ps2_keys.c */
/* test-sources: devices/chipset/fw_cfg.c vmm/load/e820.c */
/* test-sources: devices/chipset/debug_exit.c devices/chipset/debug_console.c */
/* test-sources: devices/guest_lines.c */
/* test-sources: devices/serial/uart16550.c devices/serial/uart16550_line.c vmm/char_frontend.c */
/* test-sources: devices/pv/pvclock.c vmm/irq.c */
/* test-sources: devices/pci tests/host/devices/pci_info_fake.c */
/* test-sources: kernel/boot_info.c */
/* test-sources: devices/vga/vga.c devices/vga/vga_regs.c devices/vga/vga_memory.c */
/* test-sources: devices/vga/vga_text.c vmm/console_frontend.c vmm/hook/hook_mapped.c */
/* test-sources: devices/backend/screen.c devices/backend/screen_draw.c */
/* test-sources: devices/backend/screen_keys.c devices/backend/cp437.c */
/* test-sources: vmm/vm_console.c lib/ring.c lib/parse.c */
/* test-sources: devices/backend/char_pair.c devices/backend/char_log.c */
/* test-sources: devices/backend/char_uart.c tests/host/fake/drivers/fake_serial_port.c */
/* test-sources: devices/generic.c devices/generic_ranges.c devices/hostdev/host_device.c */
/* test-sources: devices/hostdev/host_args.c vmm/device_key_value.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c tests/host/fake/kernel/fake_work.c */
/* test-sources: devices/hostdev/machine_ports.c devices/hostdev/machine_memory.c */
/* test-sources: devices/hostdev/scratch.c devices/backend/char_console.c */
/* test-sources: devices/cpu/stored_msr.c devices/cpu/family_msrs.c devices/cpu/machine_check.c */
/* test-sources: devices/cpu/mtrr.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "drivers/device_memory.h"
#include "drivers/ports.h"
#include "tests/host/devices/fake.h"
#include "tests/host/fake/drivers/fake_serial_port.h"
#include "tests/host/fake/kernel/fake_work.h"
#include "vmm/char_frontend.h"
#include "vmm/cpu_model.h"
#include "vmm/loader.h"
#include "vmm/vm_console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPUS 3

static const char *const types[] = {"lapic",	 "ioapic",     "pic",		"pit",
				    "rtc",	 "pm",	       "ps2",		"reset-control",
				    "uart16550", "pvclock",    "pci",		"acpi",
				    "fw-cfg",	 "debug-exit", "debug-console", "vga",
				    "screen",	 "mtrr",       "family-msrs",	"machine-check"};

/* And these, with keys of their own. */
static const struct {
	const char *type, *id, *keys[4];
} more[] = {
	{"uart16550", "com2", {"io=0x2f8", "irq=3"}},
	{"uart16550", "com3", {"io=0x3e8", "irq=4"}},
	{"uart16550", "com4", {"io=0x2e8", "irq=3"}},
	{"char-pair", "end2", {"frontend=com2", "name=cable"}},
	{"char-pair", "end3", {"frontend=com3", "name=cable"}},
	{"char-log", "log", {"frontend=com4"}},
	{"uart16550", "com5", {"io=0x2a0", "irq=5"}},
	{"char-console", "console", {"frontend=com5"}},
	{"char-uart", "line", {"frontend=uart16550"}},
	{"pci-hotplug", "hotplug", {"bus=pci", "events=pm"}},
	{"generic",
	 "generic",
	 {"ports=0x80-0x83:ignore=0x5a,0x84:print-and-ignore,0x85-0x88:print-and-passthrough,"
	  "0x89-0x8c:forward",
	  "memory=0xb0000000-0xb00003ff:print-and-ignore,0xb0000400-0xb00007ff:passthrough,"
	  "0xb0000800-0xb0000bff:forward=1,0xb0000c00-0xb0000c0f:forward=2",
	  "hostdev=scratch:?ports=4&memory=1K"}},
};

/*
 * Where ranges of hooked ports begin; the accesses around them reach over their ends. Twice and
 * more: devices that have nothing else, or answer one width alone.
 */
static const uint16_t ports[] = {0x20,	0x40,  0x60,  0x61,  0x64,   0x70,   0x92,   0xa0,  0xe9,
				 0xf4,	0x3f8, 0x3fc, 0x4d0, 0x510,  0x514,  0x518,  0x600, 0x604,
				 0x608, 0x620, 0xcf8, 0xcf9, 0xcfc,  0x3b4,  0x3ba,  0x3c0, 0x3c4,
				 0x3c8, 0x3ce, 0x3d4, 0x3da, 0x2f8,  0x2fc,  0x3e8,  0x3ec, 0x2e8,
				 0x80,	0x84,  0x88,  0x2a0, 0xae00, 0xae04, 0xae08, 0x70,  0xe9,
				 0xe9,	0xf4,  0xcf9, 0xcf9, 0xcf9,  0xcf9,  0xcf9,  0xcf9};
static const uint32_t msrs[] = {
	/* The local APIC's, and the clock's. */
	0x1b, 0x6e0, 0x800, 0x808, 0x80b, 0x80f, 0x820, 0x830, 0x832, 0x838, 0x83e, 0x4b564d00,
	0x4b564d01, 0x4b564d01, 0x4b564d01, 0x4b564d00, 0x4b564d01,
	/* mtrr, machine-check, and either family's. */
	0xfe, 0x200, 0x207, 0x250, 0x258, 0x268, 0x26c, 0x2ff, 0x179, 0x17a, 0x17a, 0x17a, 0x179,
	0x179, 0x17, 0x3a, 0x79, 0x8b, 0xce, 0x140, 0x1a0, 0xc0010010, 0xc0010015, 0xc001001a,
	0xc0010020, 0xc0010055, 0xc0010140, 0xc0011020, 0xc0011028};

/*
 * What the fuzzer has thought of, and behind it as much again that follows from it by chance: to
 * make all devices takes longer than many accesses.
 */
#define TAIL 16000 /* bytes */

struct input {
	const uint8_t *data;
	size_t left;
	uint64_t random;
	size_t tail;
};

static struct input input(const uint8_t *data, size_t size)
{
	struct input in = {data, size, 0x9e3779b97f4a7c15, TAIL};

	for (size_t i = 0; i < size; i++)
		in.random = (in.random ^ data[i]) * 0x100000001b3;
	return in;
}

static bool goes_on(const struct input *in)
{
	return in->left || in->tail;
}

static uint8_t take_byte(struct input *in)
{
	if (in->left) {
		in->left--;
		return *in->data++;
	}
	in->tail -= !!in->tail;
	/* Knuth's MMIX generator. */
	in->random = in->random * 6364136223846793005 + 1442695040888963407;
	return (uint8_t)(in->random >> 56);
}

static uint64_t take(struct input *in, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value |= (uint64_t)take_byte(in) << (8 * i);
	return value;
}

static size_t appetite;

static size_t output(void *opaque, const uint8_t *data, size_t len)
{
	size_t i;

	(void)opaque;
	for (i = 0; i < len; i++)
		if (data[i] == 0xff) /* looks at all of them */
			break;
	return MIN(len, appetite);
}

static void input_ready(void *opaque)
{
	(void)opaque;
}

static void set_break(void *opaque, bool on)
{
	(void)opaque;
	(void)on;
}

static const struct char_backend_ops backend = {
	.output = output,
	.input_ready = input_ready,
	.set_break = set_break,
};

static void do_io(struct input *in, bool write)
{
	uint16_t port = ports[take(in, 1) % ARRAY_SIZE(ports)];
	uint8_t how = (uint8_t)take(in, 1);
	unsigned width = 1u << (how & 3) % 3;

	/* Half of them at the range's beginning, the others in it and around it. */
	if (how & 0x80)
		port = (uint16_t)(port + (how >> 2 & 7) - (how >> 5 & 1));
	if (write)
		fake_out(port, width, (uint32_t)take(in, width));
	else
		fake_in(port, width);
}

static void do_mmio(struct input *in, bool write)
{
	uint8_t how = (uint8_t)take(in, 1);
	static const gpa_t bases[8] = {0xfee00000, 0xfec00000, 0xfee00000, 0xa0000,
				       0xb0000000, 0xfec00000, 0xa0000,	   0xb0000000};
	unsigned base = how >> 5;
	gpa_t gpa = bases[base] + (base % 4 == 3 ? take(in, 3) & 0x1ffff : take(in, 2) & 0xfff);
	unsigned width = 1u << (how & 3);

	/* Registers of the APICs. */
	if (base == 2 || base == 5)
		gpa &= ~UINT64_C(0xf);
	if (write)
		fake_mmio_write(how >> 2 & 1, gpa, width, take(in, width));
	else
		fake_mmio_read(how >> 2 & 1, gpa, width);
}

static void do_msr(struct input *in, bool write)
{
	uint8_t how = take_byte(in);
	uint32_t index = msrs[take_byte(in) % ARRAY_SIZE(msrs)] + (how & 0x80 ? how & 7 : 0);
	unsigned cpu = (unsigned)take(in, 1) % CPUS;
	uint64_t value;
	int err;

	if (write)
		err = fake_wrmsr(cpu, index, take(in, 8));
	else
		err = fake_rdmsr(cpu, index, &value);
	(void)err;
}

static struct vm_console *console;

static void wake(void *opaque)
{
	(void)opaque;
}

/* Somebody looks at the screen, and types. */
static void do_console(struct input *in)
{
	uint8_t data[64];
	size_t n = take(in, 1) % sizeof(data);

	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)take(in, 1);
	vm_console_input(console, data, n);
	for (n = take(in, 1); n; n--)
		vm_console_read(console, data, sizeof(data));
}

static void do_input(struct input *in)
{
	struct char_frontend *f = device_iface(&fake_vm, NULL, char_frontend_kind.name);
	uint8_t data[32];
	size_t n = take(in, 1) % sizeof(data);

	memset(data, 'i', sizeof(data));
	appetite = take(in, 1);
	if (appetite & 0x80)
		do_console(in);
	f->base.backend = take(in, 1) & 1 ? &backend.base : NULL;
	f->input(f->opaque, data, n);
	f->output_ready(f->opaque);
	if (n == 7)
		f->input_break(f->opaque);
}

/* The machine. */

enum cpu_line cpu_model_line(const struct vm *vm)
{
	(void)vm;
	return CPU_LINE_AMD;
}

const char *ports_claim(uint16_t first, uint32_t count, const void *owner, const char *user)
{
	(void)first;
	(void)count;
	(void)owner;
	(void)user;
	return NULL;
}

void ports_release(uint16_t first, uint32_t count, const void *owner)
{
	(void)first;
	(void)count;
	(void)owner;
}

uint32_t ports_read(uint16_t port, unsigned width)
{
	return port * width;
}

void ports_write(uint16_t port, unsigned width, uint32_t value)
{
	(void)port;
	(void)width;
	(void)value;
}

static uint8_t card[0x1000]; /* memory that is passed through */

int device_memory_map(uint64_t phys, uint64_t size, volatile void **memory, const char **why)
{
	*memory = card + phys % sizeof(card);
	*why = NULL;
	return size <= sizeof(card) - phys % sizeof(card) ? 0 : -EPERM;
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

/* It has no whole page. */
int guest_memory_map_machine(struct vm *vm, gpa_t gpa, uint64_t size)
{
	(void)vm;
	(void)gpa;
	(void)size;
	abort();
}

void guest_memory_unmap_device(struct vm *vm, gpa_t gpa, uint64_t size)
{
	(void)guest_memory_map_machine(vm, gpa, size);
}

static bool amd;

bool cpu_model_is_amd(void)
{
	return amd;
}

/* None of the generic device's ports are open. */
void vm_flush(struct vm *vm)
{
	(void)vm;
	abort();
}

static void do_rest(struct input *in, uint8_t op, struct irq_line *line)
{
	struct firmware_tables *tables;

	switch (op < 2 ? 8 + op : op % 8) { /* the last two take as long as a thousand others */
	case 0:
		fake_work_one();
		fake_serial_port_turn();
		fake_advance(take(in, 3));
		break;
	case 1: /* everything is late */
		fake_now += take(in, 6);
		fake_advance(0);
		break;
	case 2:
		fake_interrupt((unsigned)take(in, 1) % CPUS);
		break;
	case 3:
		irq_line_set(line, take(in, 1) & 1);
		break;
	case 4:
		irq_message(&fake_vm, take(in, 8), (uint32_t)take(in, 4));
		break;
	case 5:
		do_input(in);
		break;
	case 6:
		fake_cr8[take(in, 1) % CPUS] = take(in, 1) & 15;
		break;
	case 7:
		irq_reset(fake_vm.vcpus[take(in, 1) % CPUS]);
		break;
	case 8:
		fake_reset();
		break;
	case 10:
		fake_run_deferred();
		break;
	case 9:
		tables = device_iface(&fake_vm, FIRMWARE_ID, FIRMWARE_KIND);
		if (tables->build(tables))
			abort();
		break;
	}
}

static void do_one(struct input *in, uint8_t op, struct irq_line *line)
{
	if (op < 18)
		do_io(in, op & 1);
	else if (op < 24)
		do_mmio(in, op & 1);
	else if (op < 30)
		do_msr(in, op & 1);
	else
		do_rest(in, take_byte(in) % 64, line);
}

/* What a guest reaches through others alone. */
static const char *const indirect[] = {"acpi",	     "pci-bridge",   "pci-front",
				       "isa-bridge", "screen",	     "char-pair",
				       "char-log",   "char-console", "char-uart"};

static uint64_t runs;
static bool too_few;

/* A model that a guest hardly reaches is not tested: many runs reach each, over and over. */
static void print_accesses(const char *type, uint64_t accesses)
{
	for (unsigned i = 0; i < ARRAY_SIZE(indirect); i++)
		if (!strcmp(type, indirect[i]))
			return;
	fprintf(stderr, "%12lu accesses to %s\n", accesses, type);
	if (runs >= 1000 && accesses < 10 * runs) {
		fprintf(stderr, "too few accesses to %s in %lu runs\n", type, runs);
		too_few = true;
	}
}

static void print_all_accesses(void)
{
	fake_for_each_accesses(print_accesses);
	if (too_few)
		_Exit(1);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return atexit(print_all_accesses);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = {"frontend=vga", "keyboard=ps2", NULL};
	static const struct vm_console_viewer viewer = {.wake = wake};
	struct input in = input(data, size);
	struct irq_line line = {0};
	unsigned i;

	runs++;
	fake_start(CPUS);
	amd = take(&in, 1) & 1;
	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (!fake_create(types[i], types[i], keys))
			abort();
	for (i = 0; i < ARRAY_SIZE(more); i++)
		if (!fake_create(more[i].type, more[i].id, more[i].keys))
			abort();
	if (vm_console_attach(&fake_vm, "screen", &viewer, &console))
		abort();
	if (irq_line_attach(&fake_vm, &line, (unsigned)take(&in, 1) % IRQ_LINES))
		abort();
	while (goes_on(&in))
		do_one(&in, take_byte(&in) % 32, &line);
	irq_line_detach(&line);
	vm_console_detach(console);
	fake_end();
	vm_console_forget(&fake_vm);
	while (fake_work_one())
		;
	return 0;
}
