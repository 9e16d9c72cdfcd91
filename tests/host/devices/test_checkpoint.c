/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/checkpoint/place.c */
/* test-sources: vmm/vm_config_text.c */
/* test-sources: vmm/device_key_value.c vmm/device_defer.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c */
/* test-sources: vmm/frontend.c vmm/char_frontend.c vmm/console_frontend.c vmm/irq.c */
/* test-sources: vmm/block_frontend.c vmm/net_frontend.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c vmm/vm_config_sections.c */
/* test-sources: vmm/hook/hook.c vmm/hook/hook_call.c vmm/hook/hook_cpuid.c vmm/hook/hook_io.c */
/* test-sources: vmm/hook/hook_memory.c vmm/hook/hook_msr.c vmm/hook/hook_range.c */
/* test-sources: vmm/hook/hook_table.c vmm/hook/hook_mapped.c vmm/vm_console.c vmm/load/e820.c */
/* test-sources: lib/range_map.c lib/ini.c lib/parse.c lib/ring.c lib/date.c kernel/time.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c tests/host/devices/plug_world.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
/* test-sources: tests/host/fake/drivers/fake_serial_port.c */
/* test-sources: tests/host/devices/plug_bars.c */
/* test-sources: tests/host/devices/plug_sockets.c tests/host/devices/plug_machine.c */
/* test-sources: tests/host/fake/kernel/fake_random.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_time.c */
/* test-sources: vmm/device_state.c vmm/device_state_load.c */
/* test-sources: vmm/checkpoint/stream.c vmm/checkpoint/save.c vmm/checkpoint/restore.c */
/* test-sources: vmm/guest_past.c */
/* test-sources: vmm/checkpoint/machine.c vmm/checkpoint/memory.c vmm/checkpoint/vcpu_state.c */
/* test-sources: lib/crc32c.c kernel/fast_crc32c.c tests/host/devices/ckpt_world.c */
/*
 * A VM's checkpoint as a whole: saved, printed by the tool, and loaded into a VM
 * made anew; and what is refused, before anything was loaded.
 */
#include "devices/serial/uart16550_line.h"
#include "kernel/fast_crc32c.h"
#include "kernel/time.h"
#include "tests/host/devices/ckpt_world.h"
#include "tests/host/devices/plug_world.h"
#include "vmm/checkpoint/checkpoint.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/hook/hook_io.h"
#include "vmm/vcpu_saved.h"
#include "vmm/vm.h"
#include "vmm/vm_debug.h"
#include "vmm/vm_config.h"
#include "vmm/vm_life.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TOOL "tools/alcazar-checkpoint"

static void test_goes_on(void **state)
{
	(void)state;
	ckpt_make_stream();
	for (gpa_t gpa = 0; gpa < 0xa0000; gpa += 0x1000)
		assert_int_equal(guest_fill(plug_vm, gpa, 0xee, 0x1000), 0);
	if (ckpt_restore(DEVICES))
		fail_msg("%s", ckpt_why);
	assert_int_equal(ckpt_set_vcpus, 2);
	assert_int_equal(hook_io_read(plug_vm->vcpus[0], 0x2ff, 1), 0x5a);
	assert_int_equal(ckpt_peek(0), 0);
	assert_int_equal(ckpt_peek(0x1000), 1);
	assert_int_equal(ckpt_peek(0x2000), 0);
	assert_int_equal(ckpt_peek(0x5ff8), 2);
	assert_int_equal(ckpt_peek(0x6000), 3);
	assert_int_equal(ckpt_peek(0x7000), 0);
	assert_int_equal(ckpt_peek(0x1ff000), 4);
	/* Of the config, the devices that there were, with their keys. */
	assert_non_null(vm_config_section(ckpt_given, "device", "com2"));
	assert_string_equal(
		vm_config_find_key(vm_config_section(ckpt_given, "device", "com2"), "io")->value,
		"0x2f8");
	vm_config_free(ckpt_given);
	plug_end();
}

static void expect_refused(const char *devices, const char *what)
{
	fake_log_clear();
	assert_true(ckpt_restore(devices) < 0);
	if (!strstr(ckpt_why, what))
		fail_msg("expected %s, got %s", what, ckpt_why);
	assert_int_equal(ckpt_set_vcpus, 0);
}

static void test_other_machines(void **state)
{
	(void)state;
	ckpt_make_stream();
	expect_refused("[device \"pic\"]\ntype = pic\n",
		       "record 5 (device pit): this VM has no such device");
	expect_refused(DEVICES "[device \"rtc\"]\ntype = rtc\n", "no record (device rtc)");
	expect_refused("[device \"pic\"]\ntype = pic\n[device \"pit\"]\ntype = rtc\n"
		       "[device \"com2\"]\ntype = uart16550\n"
		       "[device \"log\"]\ntype = char-log\nfrontend = com2\n",
		       "device pit): is of type pit, not rtc");
	ckpt_cpuid_eax = 1;
	expect_refused(DEVICES, "record 0 (machine plug): cpuid: leaf 0x1 differs");
	ckpt_cpuid_eax = 0;
	ckpt_bad_vcpu = true;
	expect_refused(DEVICES, "record 3 (vcpu 1): pat 0x2");
	ckpt_bad_vcpu = false;
	plug_vm->vcpu_count = 1;
}

/* What a disk has of its own comes along, zeroes too. */
static void test_disk(void **state)
{
	const struct device_pages *pages;
	void *r;

	(void)state;
	ckpt_start(CKPT_DISK);
	pages = ckpt_disk_pages(&r);
	memset(pages->write(r, 0), 0x11, 4096);
	memset(pages->write(r, 0x1000), 0, 4096);
	memset(pages->write(r, 0x4ff000), 0x33, 4096);
	assert_int_equal(ckpt_save(), 0);
	plug_end();
	if (ckpt_restore(CKPT_DISK))
		fail_msg("%s", ckpt_why);
	pages = ckpt_disk_pages(&r);
	assert_int_equal(pages->read(r, 0)[4095], 0x11);
	assert_int_equal(pages->read(r, 0x1000)[0], 0);
	assert_null(pages->read(r, 0x2000));
	assert_int_equal(pages->read(r, 0x4ff000)[0], 0x33);
	vm_config_free(ckpt_given);
	plug_end();
	expect_refused(DEVICES "[device \"f\"]\ntype = socket\n"
			       "[device \"disk\"]\ntype = ramdisk\nfrontend = f\nsize = 4M\n",
		       "pages that this VM does not have");
}

/* What packs well is packed, what does not is as it is; both come back. */
static void test_packed(void **state)
{
	uint64_t random = 1;

	(void)state;
	ckpt_start(DEVICES);
	for (gpa_t gpa = 0x10000; gpa < 0x20000; gpa += 8)
		ckpt_poke(gpa, gpa / 64);
	for (gpa_t gpa = 0x20000; gpa < 0x30000; gpa += 8) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		ckpt_poke(gpa, random ^ random >> 29);
	}
	assert_int_equal(ckpt_save(), 0);
	plug_end();
	assert_true(ckpt_stream_len > 0x10000 && ckpt_stream_len < 0x18000);
	if (ckpt_restore(DEVICES))
		fail_msg("%s", ckpt_why);
	for (gpa_t gpa = 0x10000; gpa < 0x20000; gpa += 8)
		assert_int_equal(ckpt_peek(gpa), gpa / 64);
	assert_int_equal(ckpt_peek(0x2fff8), random ^ random >> 29);
	assert_int_equal(ckpt_peek(0x30000), 0);
	vm_config_free(ckpt_given);
	plug_end();
}

/* This machine's TSC is told to be a little faster: deadlines in ns and vCPUs' TSCs go on. */
static void test_other_tsc(void **state)
{
	const uint64_t clock = 123456789;
	uint64_t ns;

	(void)state;
	ckpt_start(DEVICES);
	plug_vm->tsc_paused = clock;
	ns = vm_time_ns(plug_vm);
	assert_int_equal(ckpt_save(), 0);
	plug_end();
	time_init(1000500);
	if (ckpt_restore(DEVICES))
		fail_msg("%s", ckpt_why);
	assert_int_equal(plug_vm->tsc_paused, time_ns_to_tsc(ns));
	assert_int_equal(plug_vm->tsc_paused + ckpt_set_ahead, clock + 5);
	vm_config_free(ckpt_given);
	plug_end();
	time_init(1002000);
	expect_refused(DEVICES, "tsc_khz has a value");
	time_init(1000000);
}

/* Each byte that is changed, in a stream that is otherwise as it should be. */
static void test_each_byte(void **state)
{
	(void)state;
	ckpt_make_stream();
	for (size_t at = 0; at < ckpt_stream_len; at += at < 64 ? 1 : ckpt_stream_len / 61) {
		ckpt_stream[at] ^= 0x10;
		assert_int_equal(ckpt_restore(DEVICES), -EINVAL);
		assert_true(strstr(ckpt_why, "record") || strstr(ckpt_why, "header"));
		ckpt_stream[at] ^= 0x10;
	}
}

static void test_not_saved(void **state)
{
	static struct vm_debug debug;

	(void)state;
	ckpt_start(DEVICES "[device \"g\"]\ntype = generic\nports = 0x300-0x30f:passthrough\n");
	assert_int_equal(ckpt_save(), -ENOTSUP);
	assert_int_equal(ckpt_stream_len, 0);
	assert_string_equal(
		ckpt_why,
		"device g of type generic: what it passes through has no state that can be saved");
	plug_vm->requests = 1u << VM_REQUEST_RESET;
	assert_int_equal(ckpt_save(), -EAGAIN);
	assert_string_equal(ckpt_why, "it is just about to end, or to reset: try again");
	plug_vm->requests = 0;
	plug_vm->state = VM_STOPPED;
	assert_int_equal(ckpt_save(), -ENOTSUP);
	assert_string_equal(ckpt_why, "it is state: start it first");
	plug_vm->state = VM_PAUSED;
	plug_vm->debug = &debug;
	assert_int_equal(ckpt_save(), -EBUSY);
	assert_non_null(strstr(ckpt_why, "a debugger is there"));
	plug_vm->debug = NULL;
	assert_int_equal(ckpt_stills, 0);
	plug_end();
	ckpt_start(DEVICES);
	ckpt_stream_full = true;
	assert_int_equal(ckpt_save(), -ENOSPC);
	assert_string_equal(ckpt_why, "there is room for 0 KiB of it, and it may need 2048");
	ckpt_stream_full = false;
	plug_end();
}

static int run_tool(void)
{
	char path[] = "/tmp/checkpoint-XXXXXX", line[128];
	int fd = mkstemp(path), status;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, ckpt_stream, ckpt_stream_len), ckpt_stream_len);
	close(fd);
	snprintf(line, sizeof(line), TOOL " %s > %s.said 2>&1", path, path);
	status = system(line);
	snprintf(line, sizeof(line), "LC_ALL=C grep -aq '[[:cntrl:]]' %s.said", path);
	assert_int_not_equal(system(line), 0);
	snprintf(line, sizeof(line), "%s.said", path);
	unlink(line);
	unlink(path);
	return status;
}

/* All records' sums are right again. */
static void mend(void)
{
	struct checkpoint_source source = {
		.size = ckpt_stream_len, .read = ckpt_read_part, .opaque = ckpt_stream};
	struct checkpoint_record r = {.at = 0};
	uint32_t crc;

	do {
		checkpoint_next(&source, &r);
		crc = fast_crc32c(0, ckpt_stream + r.at - 24, 24 + r.length);
		memcpy(ckpt_stream + r.at + r.length, &crc, sizeof(crc));
	} while (r.kind != CHECKPOINT_END);
}

/* As who knows the format makes one: its @from is @to, which is as long. */
static void forge(const char *from, const char *to, size_t len)
{
	uint8_t *at = memmem(ckpt_stream, ckpt_stream_len, from, len);

	assert_non_null(at);
	memcpy(at, to, len);
	mend();
}

static void set_u64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

/* The same, where @to is longer by @more: lengths and the end's count are right as well. */
static void forge_longer(const char *from, size_t len, const char *to, size_t more)
{
	struct checkpoint_source source = {
		.size = ckpt_stream_len, .read = ckpt_read_part, .opaque = ckpt_stream};
	struct checkpoint_record r = {.at = 0};
	uint8_t *found = memmem(ckpt_stream, ckpt_stream_len, from, len);
	size_t at = (size_t)(found - ckpt_stream);

	assert_non_null(found);
	while (checkpoint_next(&source, &r))
		if (r.at <= at && at < r.at + r.length)
			set_u64(ckpt_stream + r.at - 8, r.length + more);
	set_u64(ckpt_stream + r.at + 8, r.at + more - 24);
	memmove(found + len + more, found + len, ckpt_stream_len - at - len);
	memcpy(found, to, len + more);
	ckpt_stream_len += more;
	forge(to, to, len + more);
}

/* A number that is written otherwise is another name: two records would be one vCPU's. */
static void test_long_number(void **state)
{
	(void)state;
	ckpt_make_stream();
	forge_longer("\1\x31\4vcpu", 7, "\2\x30\x31\4vcpu", 1);
	expect_refused(DEVICES, "record 3 (vcpu 01): this VM has no such vCPU");
}

/* Names of no config, and what a terminal would take for an order, are not taken and not said. */
static void test_names(void **state)
{
	static const struct {
		const char *from, *to, *said;
	} names[] = {
		{"\4com2\11uart", "\4co\0332\11uart", "record 6 (device ): it has no name"},
		{"\4com2\11uart", "\4co\0002\11uart", "record 6 (device ): it has no name"},
		{"\4com2\11uart", "\4com2\11u\033rt", "is of type u?rt16550, not uart16550"},
		{"\1\x31\4vcpu", "\1\x41\4vcpu", "record 3 (vcpu A): this VM has no such vCPU"},
		{"\1\x31\4vcpu", "\1\x32\4vcpu", "record 3 (vcpu 2): this VM has no such vCPU"},
		{"\1\x31\4vcpu", "\1\x30\4vcpu", "more than one record (vcpu 0)"},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		ckpt_make_stream();
		forge(names[i].from, names[i].to, i < 3 ? 10 : 7);
		expect_refused(DEVICES, names[i].said);
		/* The tool knows no tables. */
		assert_int_equal(run_tool() != 0, i != 2);
	}
}

/* Of packed pages, and of what says which they are, each byte: no more than those pages changes, if
 * it is not refused. */
static void test_block_damage(void **state)
{
	uint64_t len;
	uint8_t *at;

	(void)state;
	ckpt_make_stream();
	at = memmem(ckpt_stream, ckpt_stream_len, "memory\0\0", 8);
	assert_non_null(at);
	memcpy(&len, at + 16, sizeof(len));
	assert_true(len < 4096);
	for (uint8_t *byte = at + 24; byte < at + 24 + len; byte++)
		for (unsigned flip = 1; flip < 256; flip <<= 1) {
			*byte ^= (uint8_t)flip;
			mend();
			if (!ckpt_restore(DEVICES)) {
				assert_int_equal(ckpt_peek(0x10000), 0);
				assert_int_equal(ckpt_peek(0x1ff000), 4);
				vm_config_free(ckpt_given);
				plug_end();
			} else if (!strstr(ckpt_why, "record 8 (memory): ") &&
				   !strstr(ckpt_why, "record 9 (memory): an address")) {
				fail_msg("byte %td: %s", byte - at, ckpt_why);
			}
			*byte ^= (uint8_t)flip;
		}
}

/* Devices that have come are in the config, those that are gone are not. */
static void test_plugged(void **state)
{
	(void)state;
	ckpt_start(DEVICES);
	assert_int_equal(plug_add("uart16550", "com3", "io = 0x3e8\n"), 0);
	plug_remove("pit");
	assert_int_equal(ckpt_save(), 0);
	plug_end();
	if (ckpt_restore("[device \"pic\"]\ntype = pic\n"
			 "[device \"com2\"]\ntype = uart16550\nio = 0x2f8\nirq = 3\n"
			 "[device \"log\"]\ntype = char-log\nfrontend = com2\n"
			 "[device \"com3\"]\ntype = uart16550\nio = 0x3e8\n"))
		fail_msg("%s", ckpt_why);
	assert_null(vm_config_section(ckpt_given, "device", "pit"));
	assert_string_equal(
		vm_config_find_key(vm_config_section(ckpt_given, "device", "com3"), "io")->value,
		"0x3e8");
	vm_config_free(ckpt_given);
	plug_end();
}

/* A PC's 8259s, and a UART that interrupts for what comes in. */
static void let_interrupt(void)
{
	static const uint16_t writes[][2] = {{0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 1},
					     {0x21, 0},	   {0x2fa, 1},	 {0x2f9, 1}};

	for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
		hook_io_write(plug_vm->vcpus[0], writes[i][0], 1, writes[i][1]);
}

static bool com2_is_requested(void)
{
	hook_io_write(plug_vm->vcpus[0], 0x20, 1, 0x0a);
	return hook_io_read(plug_vm->vcpus[0], 0x20, 1) & 1u << 3;
}

/* What comes when the interrupt chips are saved and the device is not yet: here and there. */
static void test_input_while_saved(void **state)
{
	(void)state;
	ckpt_start(DEVICES);
	let_interrupt();
	ckpt_typed_between = "x";
	assert_int_equal(ckpt_save(), 0);
	assert_null(ckpt_typed_between);
	assert_true(com2_is_requested());
	plug_end();
	if (ckpt_restore(DEVICES))
		fail_msg("%s", ckpt_why);
	assert_int_equal(hook_io_read(plug_vm->vcpus[0], 0x2fd, 1) & UART_LSR_DR, UART_LSR_DR);
	assert_true(com2_is_requested());
	vm_config_free(ckpt_given);
	plug_end();
}

/* A VM that is there and stopped keeps its definition. */
static void test_as_another(void **state)
{
	(void)state;
	ckpt_make_stream();
	assert_int_equal(ckpt_restore_as(DEVICES, "plug"), -EEXIST);
	assert_string_equal(ckpt_why,
			    "vm plug is defined: undefine it first, or take another name");
	assert_int_equal(ckpt_set_vcpus, 0);
}

/* Whatever the backend that was there was refused, the one that is there now is told of room. */
static void test_room_for_input(void **state)
{
	struct uart *u;

	(void)state;
	ckpt_make_stream();
	ckpt_typed_early = true;
	if (ckpt_restore(DEVICES))
		fail_msg("%s", ckpt_why);
	ckpt_typed_early = false;
	u = device_find(plug_vm, "com2")->state;
	assert_int_equal(u->rx_count, 0);
	assert_int_equal(ckpt_asked_for_input, 1);
	vm_config_free(ckpt_given);
	plug_end();
}

static void test_tool(void **state)
{
	(void)state;
	ckpt_make_stream();
	assert_int_equal(access(TOOL, X_OK), 0);
	assert_int_equal(run_tool(), 0);
	ckpt_stream[ckpt_stream_len / 2] ^= 1;
	assert_int_not_equal(run_tool(), 0);
	ckpt_stream[ckpt_stream_len / 2] ^= 1;
	ckpt_stream_len--;
	assert_int_not_equal(run_tool(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_other_machines),
		cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_not_saved),
		cmocka_unit_test(test_plugged),
		cmocka_unit_test(test_other_tsc),
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_packed),
		cmocka_unit_test(test_block_damage),
		cmocka_unit_test(test_tool),
		cmocka_unit_test(test_input_while_saved),
		cmocka_unit_test(test_as_another),
		cmocka_unit_test(test_room_for_input),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_number),
	};
	int failed;

	if (ckpt_init())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(ckpt_stream);
	return failed;
}
