/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: tests/host/fake/drivers/fake_serial_port.c */
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
/* test-sources: tests/host/devices/plug_bars.c */
/* test-sources: tests/host/devices/plug_sockets.c tests/host/devices/plug_machine.c */
/* test-sources: tests/host/fake/kernel/fake_random.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_time.c */
/* test-sources: vmm/device_state.c vmm/device_state_load.c */
/* test-sources: vmm/checkpoint/stream.c vmm/checkpoint/save.c vmm/checkpoint/restore.c */
/* test-sources: vmm/guest_past.c */
/* test-sources: vmm/checkpoint/machine.c vmm/checkpoint/memory.c vmm/checkpoint/vcpu_state.c */
/* test-sources: lib/crc32c.c kernel/fast_crc32c.c tests/host/devices/ckpt_world.c */
/* A VM that goes on while it is saved: what is saved is what it was, and what it changes is not
 * lost; what ends that; and a restore whose reads fail. */
#include "tests/host/devices/ckpt_world.h"
#include "tests/host/devices/plug_world.h"
#include "vmm/checkpoint/checkpoint.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void change_all(void)
{
	const struct device_pages *pages;
	void *r;

	pages = ckpt_disk_pages(&r);
	memset(pages->write(r, 0), 0x77, 4096);
	memset(pages->write(r, 0x3000), 0x88, 4096);
	ckpt_poke(0x1000, 99);
}

/* It is as it was when the VM stood still; what it made of it goes on, and nothing is lost. */
static void test_runs_meanwhile(void **state)
{
	const struct device_pages *pages;
	void *r;

	(void)state;
	ckpt_start(CKPT_DISK);
	plug_vm->state = VM_RUNNING;
	pages = ckpt_disk_pages(&r);
	memset(pages->write(r, 0), 0x11, 4096);
	ckpt_poke(0x1000, 1);
	ckpt_meanwhile = change_all;
	assert_int_equal(ckpt_save(), 0);
	assert_null(ckpt_meanwhile);
	assert_int_equal(ckpt_peek(0x1000), 99);
	assert_int_equal(pages->read(r, 0)[0], 0x77);
	plug_end();
	if (ckpt_restore(CKPT_DISK))
		fail_msg("%s", ckpt_why);
	pages = ckpt_disk_pages(&r);
	assert_int_equal(ckpt_peek(0x1000), 1);
	assert_int_equal(pages->read(r, 0)[0], 0x11);
	assert_null(pages->read(r, 0x3000));
	vm_config_free(ckpt_given);
	plug_end();
}

static void give_up(void)
{
	plug_vm->saving = VM_SAVING_GIVEN_UP;
}

static bool no_more(struct checkpoint_writer *w, uint64_t done, uint64_t total)
{
	(void)w;
	assert_true(done && done <= total);
	return true;
}

static void test_given_up(void **state)
{
	(void)state;
	ckpt_start(CKPT_DISK);
	plug_vm->state = VM_RUNNING;
	ckpt_meanwhile = give_up;
	assert_int_equal(ckpt_save(), -EAGAIN);
	assert_non_null(strstr(ckpt_why, "it has ended meanwhile"));
	ckpt_step = no_more;
	assert_int_equal(ckpt_save(), -ECANCELED);
	ckpt_step = NULL;
	assert_int_equal(plug_vm->saving, VM_SAVING_NONE);
	assert_int_equal(ckpt_save(), 0);
	plug_end();
}

/* A disk that can be read until read @reads_left; from then on there are zeroes. */
static unsigned reads_left;
static bool read_failed;

static void read_or_fail(void *opaque, uint64_t at, void *buf, size_t len)
{
	read_failed |= !reads_left;
	reads_left -= !read_failed;
	if (read_failed)
		memset(buf, 0, len);
	else
		ckpt_read_part(opaque, at, buf, len);
}

/* Whichever read of a restore fails, there is no VM of zeroes. */
static void test_reads_fail(void **state)
{
	struct checkpoint_source source;
	unsigned reads = 0;
	int err;

	(void)state;
	ckpt_make_stream();
	do {
		source = (struct checkpoint_source){.size = ckpt_stream_len,
						    .read = read_or_fail,
						    .opaque = ckpt_stream,
						    .failed = &read_failed};
		reads_left = reads;
		read_failed = false;
		err = ckpt_restore_from(&source, DEVICES, NULL);
		assert_int_equal(!err, !read_failed);
		reads++;
	} while (err);
	assert_true(reads > 50);
	vm_config_free(ckpt_given);
	plug_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_meanwhile),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_reads_fail),
	};
	int failed;

	if (ckpt_init())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(ckpt_stream);
	return failed;
}
