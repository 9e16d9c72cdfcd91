/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/backend/char_uart.c tests/host/fake/drivers/fake_serial_port.c */
/* test-sources: lib/ring.c tests/host/backend/world.c tests/host/backend/ports.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/vm_config_text.c */
/* test-sources: vmm/device_key_value.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c */
/* test-sources: vmm/frontend.c vmm/char_frontend.c vmm/irq.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c */
/* test-sources: vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
/* char-uart behind a port that takes as much as the test lets it, on a line that is not there. */
#include "kernel/slab.h"
#include "tests/host/backend/ports.h"
#include "tests/host/backend/world.h"
#include "tests/host/fake/drivers/fake_serial_port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* On a line of the machine: what is said goes out, what comes goes in, and there is one of it. */
static void test_uart(void **state)
{
	struct fake_serial_port *line = &fake_serial_port;
	char text[300];
	long i;

	(void)state;
	world_start();
	assert_non_null(world_add(0, "port", "port", ""));
	assert_non_null(world_add(1, "port", "port", ""));
	assert_non_null(world_add(0, "char-uart", "line", "frontend = port\nspeed = 9600\n"));
	assert_int_equal(line->speed, 9600);
	assert_true(line->dtr && !line->rts); /* the guest's */
	memset(text, 'x', sizeof(text));
	assert_int_equal(send_bytes(port(0), text, sizeof(text)), 256);
	send_break(0);
	assert_false(line->breaks);
	port(0)->room = 100;
	fake_serial_port_turn();
	assert_int_equal(port(0)->ready, 1);
	assert_int_equal(port(0)->count, 101);
	assert_memory_equal(port(0)->got, "!xxxx", 5);
	assert_int_equal(line->ready, 0);
	let_in(0, 1000);
	assert_int_equal(line->ready, 1);
	world_refused(1, "char-uart", "line", "frontend = port\n",
		      "com2 is in use, by vm a's line;");
	world_refused(1, "char-uart", "line", "frontend = port\nport = com1\n",
		      "com1 is in use, by the serial console;");
	/* The guest's port goes first: what comes then goes nowhere. */
	world_del(0, "port");
	fake_serial_port_turn();
	assert_int_equal(line->len, 0);
	world_del(0, "line");
	assert_int_equal(line->speed, 0);
	line->absent = true;
	world_refused(1, "char-uart", "line", "frontend = port\n", "has no com2");
	world_refused(1, "char-uart", "line", "frontend = port\nspeed = 76800\n",
		      "speed: expected 115200 or what divides it");
	line->absent = false;
	for (i = 0; i < 20; i++) {
		fake_memory_left = i;
		if (world_add(1, "char-uart", "line", "frontend = port\n"))
			break;
		assert_int_equal(line->speed, 0);
	}
	fake_memory_left = -1;
	assert_in_range(i, 3, 19);
	assert_int_equal(send(1, "hello"), 5);
	assert_memory_equal(line->said, "hello", 5);
	world_del(1, "line");
	assert_int_equal(line->speed, 0);
	assert_int_equal(send(1, "nobody"), 0);
	world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_uart)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
