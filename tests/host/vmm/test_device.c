/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/vm_config_text.c */
/* test-sources: vmm/device_key_value.c vmm/device_defer.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c */
/* test-sources: vmm/frontend.c vmm/char_frontend.c vmm/irq.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c */
/* test-sources: vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
/* test-sources: tests/host/vmm/device_world.c */
/* The device manager: order, transactions, errors, ends; that nothing is ever left. */
#include "tests/host/vmm/device_world.h"
#include "vmm/char_frontend.h"
#include "vmm/device_internal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BUS(id)	 "[device \"" id "\"]\ntype = bus\n"
#define DISK(id) "[device \"" id "\"]\ntype = disk\nbus = bus0\n"

static int setup(void **state)
{
	static bool once;

	(void)state;
	if (!once && device_types_init())
		return -1;
	/* The index stays. */
	fake_objects = 0;
	once = true;
	return 0;
}

static void expect_error(const char *text, int err, const char *message)
{
	assert_int_equal(world_start(text), err);
	if (!fake_logged(message))
		fail_msg("expected '%s' in: %s", message, fake_log);
	assert_true(!world_vm.devices || list_empty(&world_vm.devices->devices));
	world_end();
}

static void test_order(void **state)
{
	(void)state;
	assert_int_equal(world_start(DISK("d1") DISK("d0") "[device \"bus0\"]\ntype = bus\n"
							   "parent = root\n" BUS("root")),
			 0);
	assert_string_equal(world_story, "+root +bus0 +d1 +d0 ");
	world_story[0] = '\0';
	device_reset_all(&world_vm);
	assert_string_equal(world_story, "!root !bus0 !d1 !d0 ");
	world_story[0] = '\0';
	world_end();
	assert_string_equal(world_story, "-d0 -d1 -bus0 -root ");
}

static void test_reference_errors(void **state)
{
	(void)state;
	expect_error(DISK("d0"), -EINVAL, "t.cfg:6: bus: device d0 needs device bus0");
	expect_error(
		"[device \"a\"]\ntype = bus\nparent = b\n[device \"b\"]\ntype = bus\nparent = a\n",
		-EINVAL, "t.cfg:6: parent: device a needs device b, which itself needs a");
	expect_error("[device \"a\"]\ntype = bus\nparent = a\n", -EINVAL,
		     "t.cfg:6: parent: device a needs device a");
	expect_error(
		"[device \"x\"]\ntype = bus\nparent = a\n"
		"[device \"a\"]\ntype = bus\nparent = b\n[device \"b\"]\ntype = bus\nparent = a\n",
		-EINVAL, "needs device");
}

static void test_key_errors(void **state)
{
	(void)state;
	expect_error("[device \"a\"]\n", -EINVAL, "t.cfg:4: type: missing in device a");
	expect_error("[device \"a\"]\ntype = nope\n", -EINVAL,
		     "t.cfg:5: type: no device type 'nope' is built in");
	expect_error("[device \"a\"]\ntype = disk\n", -EINVAL,
		     "t.cfg:4: bus: missing in device a of type disk: expected the id of a device "
		     "(where it sits)");
	expect_error(BUS("bus0") DISK("a") "size = 3x\n", -EINVAL,
		     "t.cfg:9: size: expected a number of bytes (K, M, G) from 512 to 1048576, got "
		     "'3x'");
	expect_error(BUS("bus0") DISK("a") "size = 2M\n", -EINVAL, "t.cfg:9: size: expected");
	expect_error(BUS("bus0") DISK("a") "size = 1\n", -EINVAL, "t.cfg:9: size: expected");
	expect_error(BUS("bus0") DISK("a") "addr = -1\n", -EINVAL,
		     "t.cfg:9: addr: expected a number from 0 to 18446744073709551615, got '-1'");
	expect_error(BUS("bus0") DISK("a") "broken = perhaps\n", -EINVAL,
		     "t.cfg:9: broken: expected true or false, got 'perhaps'");
	expect_error(BUS("bus0") DISK("a") "mode = wo\n", -EINVAL,
		     "t.cfg:9: mode: expected one of ro|rw, got 'wo'");
	expect_error(BUS("bus0") DISK("a") "image = module:x\n", -EINVAL,
		     "t.cfg:9: image: expected module:NAME of a loaded module");
	expect_error(BUS("bus0") DISK("a") "colour = red\n", -EINVAL,
		     "t.cfg:9: colour: type disk has no such key: expected one of type, bus, size");
	expect_error(BUS("bus0") DISK("a") "addr = 1\naddr = 2\n", -EINVAL,
		     "t.cfg:10: addr: given already in line 9");
	expect_error("[device \"a\"]\ntype = disk\nbus = \"x y\"\n", -EINVAL,
		     "t.cfg:6: bus: expected the id of a device, got 'x y'");
}

static void test_a_broken_device_takes_all_back(void **state)
{
	(void)state;
	expect_error(BUS("bus0") DISK("a") DISK("b") "broken = yes\n" DISK("c"), -EIO,
		     "vm world: b: t.cfg:9: the device of type disk cannot be made (error 5)");
	assert_string_equal(world_story, "+bus0 +a +b -b -a -bus0 ");
}

static void test_conflicts(void **state)
{
	(void)state;
	expect_error("[device \"a\"]\ntype = taker\n[device \"b\"]\ntype = taker\n", -EBUSY,
		     "0x100: owned by a, wanted by b");
}

static int liner_create(struct device *dev, const struct device_config *config)
{
	const char *sharers = device_config_string(config, "sharers");
	struct irq_line *line;

	return device_irq(dev, 5, *sharers ? !strcmp(sharers, "a") ? "a" : "b" : NULL, &line);
}

static const struct device_key liner_keys[] = {
	{.name = "sharers", .kind = KEY_STRING, .def = "", .help = "with whom"},
	{},
};

DEVICE_TYPE(liner_type, .name = "liner", .help = "has line 5", .keys = liner_keys,
	    .create = liner_create);

#define LINER(id, keys) "[device \"" id "\"]\ntype = liner\n" keys

/* A line is one device's, but for those that share it by design. */
static void test_line_conflicts(void **state)
{
	struct vm_config_key key = {.name = (char[]){"sharers"}, .value = (char[]){"a"}};
	const struct vm_config_section section = {.file = "test", .keys = &key};
	struct device *dev = NULL;
	char id[16];
	unsigned i;

	(void)state;
	expect_error(LINER("x", "") LINER("y", ""), -EBUSY,
		     "y: interrupt line 5 is device x's: expected a free one");
	expect_error(LINER("x", "sharers = a\n") LINER("y", ""), -EBUSY,
		     "y: interrupt line 5 is device x's");
	expect_error(LINER("x", "") LINER("y", "sharers = a\n"), -EBUSY,
		     "y: interrupt line 5 is device x's");
	expect_error(LINER("x", "sharers = a\n") LINER("y", "sharers = b\n"), -EBUSY,
		     "y: interrupt line 5 is device x's");
	assert_int_equal(world_start(LINER("x", "sharers = a\n") LINER("y", "sharers = a\n")), 0);
	for (i = 2; i < IRQ_LINE_USERS_MAX; i++) {
		snprintf(id, sizeof(id), "line%u", i);
		assert_int_equal(device_create(&world_vm, "liner", id, &section, &dev), 0);
	}
	assert_int_equal(device_create(&world_vm, "liner", "z", &section, &dev), -ENOSPC);
	assert_true(fake_logged("z: interrupt line 5 has 32 users already: x y line2 line3"));
	assert_true(fake_logged("…"));
	world_end();
}

static void test_each_step_fails(void **state)
{
	char text[64];
	unsigned step;

	(void)state;
	for (step = 0; step < 14; step++) {
		snprintf(text, sizeof(text), "[device \"t\"]\ntype = taker\nfail-at = %u\n", step);
		assert_int_equal(world_start(text), -EIO);
		assert_int_equal(world_states, 0);
		assert_int_equal(fake_hooks, 0);
		world_end();
	}
}

static void test_each_allocation_fails(void **state)
{
	static const char text[] = BUS("bus0") "[device \"t\"]\ntype = taker\n" DISK(
		"d") "[device \"p\"]\ntype = port\n[device \"c\"]\ntype = backend\nfrontend = p\n";
	long left;
	int err;

	(void)state;
	for (left = 0;; left++) {
		fake_memory_left = left;
		err = world_start(text);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(world_states, 0);
		assert_int_equal(fake_hooks, 0);
		assert_true(!world_vm.devices || list_empty(&world_vm.devices->devices));
		world_end();
	}
	assert_true(left > 30);
	world_end();
}

static void count_devices(void *opaque, struct device *dev)
{
	unsigned *n = opaque;

	++*n;
	if (!strcmp(dev->id, "t")) {
		assert_int_equal(dev->counts[DEVICE_IO], 2);
		assert_int_equal(dev->counts[DEVICE_TIMER], 1);
		assert_int_equal(dev->counts[DEVICE_OTHER], 4);
	}
}

static void test_hot_plug(void **state)
{
	struct device *bus, *other = NULL, *taker;
	char id[DEVICE_ID_MAX + 2];
	unsigned n = 0;

	(void)state;
	assert_int_equal(world_start(BUS("bus0") DISK("d")), 0);
	assert_int_equal(device_create(&world_vm, "taker", "t", NULL, &taker), 0);
	assert_ptr_equal(device_find(&world_vm, "t"), taker);
	assert_int_equal(device_create(&world_vm, "taker", "t", NULL, &other), -EEXIST);
	assert_int_equal(device_create(&world_vm, "nope", "n", NULL, &other), -ENOENT);
	assert_int_equal(device_create(&world_vm, "disk", "n", NULL, &other), -EINVAL);
	memset(id, 'i', sizeof(id));
	id[DEVICE_ID_MAX + 1] = '\0';
	assert_int_equal(device_create(&world_vm, "bus", id, NULL, &other), -EINVAL);
	id[DEVICE_ID_MAX] = '\0';
	assert_int_equal(device_create(&world_vm, "bus", id, NULL, &other), 0);
	assert_string_equal(other->id, id);
	device_for_each(&world_vm, count_devices, &n);
	assert_int_equal(n, 4);

	bus = device_find(&world_vm, "bus0");
	fake_log_clear();
	fake_guest_lines = 0;
	assert_int_equal(device_destroy(bus), -EBUSY);
	assert_true(fake_logged("bus0: device d refers to it"));
	assert_int_equal(fake_guest_lines, 1); /* guests eject, too */
	assert_int_equal(device_destroy(device_find(&world_vm, "d")), 0);
	assert_int_equal(device_destroy(bus), 0);
	n = fake_grace_periods;
	world_story[0] = '\0';
	assert_int_equal(device_destroy(taker), 0);
	assert_string_equal(world_story, "ot -t ");
	assert_true(fake_grace_periods > n);
	assert_null(device_find(&world_vm, "t"));
	assert_null(world_timer("t"));
	world_end();
}

static unsigned queued;

void work_queue(struct work *work)
{
	assert_ptr_equal(work, &world_vm.request_work);
	queued++;
}

static void test_deferred(void **state)
{
	(void)state;
	assert_int_equal(world_start(BUS("bus0") DISK("d") DISK("e") DISK("f")), 0);
	queued = 0;
	device_defer(device_find(&world_vm, "f"));
	device_defer(device_find(&world_vm, "d"));
	device_defer(device_find(&world_vm, "d"));
	assert_int_equal(queued, 3);
	assert_int_equal(world_vm.requests, 1u << VM_REQUEST_DEVICES);
	world_story[0] = '\0';
	device_run_deferred(&world_vm);
	assert_string_equal(world_story, "~d -d ~f -f ");
	device_run_deferred(&world_vm);
	assert_string_equal(world_story, "~d -d ~f -f ");
	assert_non_null(device_find(&world_vm, "e"));
	world_end();
}

static unsigned asks;

static bool asks_again(struct device *dev)
{
	if (!asks)
		return false;
	asks--;
	device_defer(dev);
	return true;
}

/* As by vCPUs that write to a register all the time: others get the VM's life in between. */
static void test_deferred_for_the_next_pass(void **state)
{
	(void)state;
	assert_int_equal(world_start(BUS("bus0") DISK("d") DISK("e")), 0);
	device_defer(device_find(&world_vm, "d"));
	device_defer(device_find(&world_vm, "e"));
	asks = 3;
	world_disk_stays = asks_again;
	world_vm.requests = queued = 0;
	world_story[0] = '\0';
	device_run_deferred(&world_vm);
	assert_string_equal(world_story, "~d ~e ");
	assert_int_equal(queued, 2);
	assert_int_equal(world_vm.requests, 1u << VM_REQUEST_DEVICES);
	device_run_deferred(&world_vm);
	assert_string_equal(world_story, "~d ~e ~d ~e -e ");
	device_run_deferred(&world_vm);
	assert_string_equal(world_story, "~d ~e ~d ~e -e ~d -d ");
	world_disk_stays = NULL;
	world_end();
}

static void test_either_side_of_a_connection_goes_first(void **state)
{
	static const char text[] = "[device \"c\"]\ntype = backend\nfrontend = p\n"
				   "[device \"p\"]\ntype = port\n";
	struct device *other;

	(void)state;
	assert_int_equal(world_start(text), 0);
	assert_int_equal(device_destroy(device_find(&world_vm, "p")), 0);
	assert_string_equal(world_story, "+p +c gc -p ");
	world_end();
	assert_int_equal(world_start(text), 0);
	assert_int_equal(device_destroy(device_find(&world_vm, "c")), 0);
	assert_int_equal(device_destroy(device_find(&world_vm, "p")), 0);
	assert_string_equal(world_story, "+p +c -c -p ");
	world_end();
	/* A frontend of the same id that came later is none of the backend's. */
	assert_int_equal(world_start(text), 0);
	assert_int_equal(device_destroy(device_find(&world_vm, "p")), 0);
	assert_int_equal(device_create(&world_vm, "port", "p", NULL, &other), 0);
	world_end();
}

static void test_connection_errors(void **state)
{
	(void)state;
	expect_error("[device \"p\"]\ntype = port\n[device \"c\"]\ntype = backend\nfrontend = p\n"
		     "[device \"e\"]\ntype = backend\nfrontend = p\n",
		     -EBUSY, "character frontend p has a backend already");
	expect_error(BUS("bus0") "[device \"c\"]\ntype = backend\nfrontend = bus0\n", -EINVAL,
		     "device bus0 is no character frontend");
	expect_error("[device \"c\"]\ntype = backend\nfrontend = p\n", -EINVAL,
		     "t.cfg:6: frontend: device c needs device p");
}

/* Whatever a device was told: there is no connection to nothing. */
static void test_connection_to_nothing(void **state)
{
	static const struct backend_ops ops;
	struct frontend *frontend = NULL;
	struct device *dev;

	(void)state;
	assert_int_equal(world_start(BUS("bus0")), 0);
	dev = device_find(&world_vm, "bus0");
	assert_int_equal(device_connect(dev, "p", &char_frontend_kind, &ops, NULL, &frontend),
			 -ENOENT);
	assert_true(fake_logged("no device p to connect a character backend to"));
	assert_null(frontend);
	assert_int_equal(dev->counts[DEVICE_CONNECTION], 0);
	world_end();
}

static void take_timer_ns(void *opaque, const struct device *dev, uint64_t ns)
{
	assert_string_equal(dev->id, "t");
	*(uint64_t *)opaque = ns;
}

static void test_timer(void **state)
{
	struct device_timer *timer;
	uint64_t ns = 0;

	(void)state;
	fake_tsc = 0;
	world_fired = 0;
	assert_int_equal(world_start("[device \"t\"]\ntype = taker\n"), 0); /* armed for 1000 */
	timer = world_timer("t");
	device_timer_for_each(&world_vm, take_timer_ns, &ns);
	assert_int_equal(ns, 1000);
	fake_run_until(999);
	assert_int_equal(world_fired, 0);
	fake_run_until(1000);
	assert_int_equal(world_fired, 1);
	fake_run_until(5000);
	assert_int_equal(world_fired, 1);
	device_timer_for_each(&world_vm, take_timer_ns, &ns);
	assert_true(ns == UINT64_MAX);

	/* A pause of 10000 ns moves it by as much. */
	device_timer_arm(timer, 6000);
	device_timers_pause(&world_vm);
	fake_run_until(15000);
	assert_int_equal(world_fired, 1);
	device_timer_arm(timer, 7000);
	fake_vm_lag = 10000;
	device_timers_resume(&world_vm);
	fake_run_until(16999);
	assert_int_equal(world_fired, 1);
	fake_run_until(17000);
	assert_int_equal(world_fired, 2);
	assert_int_equal(world_fired_at, 7000);

	device_timer_arm(timer, 8000);
	device_timer_cancel(timer);
	fake_run_until(30000);
	assert_int_equal(world_fired, 2);
	device_timer_arm(timer, 1); /* past */
	fake_run_until(30000);
	assert_int_equal(world_fired, 3);
	device_timer_arm(timer, 40000);
	world_end();
	fake_run_until(90000);
	assert_int_equal(world_fired, 3);
	fake_vm_lag = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_reference_errors),
		cmocka_unit_test(test_key_errors),
		cmocka_unit_test(test_a_broken_device_takes_all_back),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_line_conflicts),
		cmocka_unit_test(test_each_step_fails),
		cmocka_unit_test(test_each_allocation_fails),
		cmocka_unit_test(test_hot_plug),
		cmocka_unit_test(test_deferred),
		cmocka_unit_test(test_deferred_for_the_next_pass),
		cmocka_unit_test(test_either_side_of_a_connection_goes_first),
		cmocka_unit_test(test_connection_errors),
		cmocka_unit_test(test_connection_to_nothing),
		cmocka_unit_test(test_timer),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
