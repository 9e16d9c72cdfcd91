/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/vmm/device_world.h"

#include "kernel/slab.h"
#include "vmm/char_frontend.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct vm world_vm = {.name = "world", .state = VM_RUNNING};
unsigned world_states;
char world_story[1024];
unsigned world_fired;
bool (*world_disk_stays)(struct device *dev);
uint64_t world_fired_at;

struct state {
	struct device *dev;
	struct char_frontend frontend;
	struct frontend *peer;
	struct device_timer *timer;
	struct irq_line *line;
	struct irq_sink sink;
};

static void tell(char what, const struct device *dev)
{
	size_t at = strlen(world_story);

	snprintf(world_story + at, sizeof(world_story) - at, "%c%s ", what, dev->id);
}

static struct state *make_state(struct device *dev)
{
	struct state *s = kzalloc(sizeof(*s));

	if (!s)
		return NULL;
	s->dev = dev;
	dev->state = s;
	world_states++;
	tell('+', dev);
	return s;
}

static void destroy(struct device *dev)
{
	tell('-', dev);
	assert_true(list_empty(&dev->resources));
	world_states--;
	kfree(dev->state);
}

static void reset(struct device *dev)
{
	tell('!', dev);
}

static int bus_create(struct device *dev, const struct device_config *config)
{
	struct state *s = make_state(dev);

	(void)config;
	return s ? device_provide(dev, "bus", s) : -ENOMEM;
}

static const struct device_key bus_keys[] = {
	{.name = "parent", .kind = KEY_DEVICE, .def = "", .help = "bus above"},
	{},
};

DEVICE_TYPE(bus_type, .name = "bus", .help = "a bus", .keys = bus_keys, .create = bus_create,
	    .destroy = destroy, .reset = reset);

static int disk_create(struct device *dev, const struct device_config *config)
{
	struct state *s = make_state(dev);

	if (!s)
		return -ENOMEM;
	assert_non_null(device_iface(dev->vm, device_config_device(config, "bus")->id, "bus"));
	assert_int_equal(device_config_uint(config, "size") % 512, 0);
	return device_config_bool(config, "broken") ? -EIO : 0;
}

static const struct device_key disk_keys[] = {
	{.name = "bus", .kind = KEY_DEVICE, .help = "where it sits"},
	{.name = "size",
	 .kind = KEY_SIZE,
	 .def = "4K",
	 .min = 512,
	 .max = 1 << 20,
	 .help = "bytes"},
	{.name = "addr", .kind = KEY_UINT, .def = "0", .help = "address"},
	{.name = "broken", .kind = KEY_BOOL, .def = "no", .help = "fails"},
	{.name = "mode", .kind = KEY_CHOICE, .def = "rw", .choices = "ro|rw", .help = "access"},
	{.name = "image", .kind = KEY_MODULE, .def = "", .help = "content"},
	{.name = "label", .kind = KEY_STRING, .def = "none", .help = "name"},
	{},
};

/* Ends itself. */
static void disk_deferred(struct device *dev)
{
	tell('~', dev);
	if (world_disk_stays && world_disk_stays(dev))
		return;
	if (device_destroy(dev))
		abort();
}

DEVICE_TYPE(disk_type, .name = "disk", .help = "a disk", .keys = disk_keys, .create = disk_create,
	    .destroy = destroy, .reset = reset, .deferred = disk_deferred);

static void fire(void *opaque)
{
	(void)opaque;
	world_fired++;
	world_fired_at = vm_time_ns(&world_vm);
}

static void no_cpuid(void *opaque, struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf,
		     struct cpuid_regs *regs)
{
	(void)opaque;
	(void)vcpu;
	(void)leaf;
	(void)subleaf;
	(void)regs;
}

static int64_t no_call(void *opaque, struct vcpu *vcpu, uint64_t number, const uint64_t args[4])
{
	(void)opaque;
	(void)vcpu;
	(void)number;
	(void)args;
	return 0;
}

static void no_set(void *opaque, unsigned line, bool level)
{
	(void)opaque;
	(void)line;
	(void)level;
}

static void own_released(void *opaque)
{
	tell('o', ((struct state *)opaque)->dev);
}

static int taker_take(struct device *dev, struct state *s, unsigned step)
{
	static const struct hook_ops ops;
	static const struct irq_controller_ops controller;
	static const struct irq_ext_ops ext;

	switch (step) {
	case 0:
		return device_hook_io(dev, 0x100, 8, &ops, s);
	case 1:
		return device_hook_msr(dev, 0x40000000, 1, &ops, s);
	case 2:
		return device_hook_memory(dev, 0xfec00000, 0x1000, HOOK_MEMORY_FULL, &ops, s);
	case 3:
		return device_hook_cpuid(dev, 0x40000000, 0x40000001, no_cpuid, s);
	case 4:
		return device_hook_call(dev, 1, 2, no_call, s);
	case 5:
		return device_irq(dev, 4, NULL, &s->line);
	case 6:
		s->sink.set = no_set;
		return device_irq_sink(dev, &s->sink);
	case 7:
		return device_irq_controller(dev, &controller, s);
	case 8:
		return device_irq_ext(dev, &ext, s);
	case 9:
		return device_timer(dev, fire, s, &s->timer);
	case 10:
		return device_provide(dev, "timer", s->timer);
	case 11:
		return device_hook_io_rest(dev, &ops, s);
	case 12:
		return device_hook_memory_rest(dev, &ops, NULL, s);
	default:
		return device_own(dev, own_released, s);
	}
}
#define TAKER_STEPS 14

static int taker_create(struct device *dev, const struct device_config *config)
{
	struct state *s = make_state(dev);
	uint64_t fail_at = device_config_uint(config, "fail-at");
	unsigned step;
	int err = s ? 0 : -ENOMEM;

	for (step = 0; step < TAKER_STEPS && !err; step++)
		err = step == fail_at ? -EIO : taker_take(dev, s, step);
	if (!err) {
		device_timer_arm(s->timer, 1000);
		irq_line_set(s->line, true);
	}
	return err;
}

static const struct device_key taker_keys[] = {
	{.name = "fail-at", .kind = KEY_UINT, .def = "99", .help = "step of create that fails"},
	{},
};

DEVICE_TYPE(taker_type, .name = "taker", .help = "takes everything", .keys = taker_keys,
	    .create = taker_create, .destroy = destroy, .reset = reset);

/* The two ends of a character connection. */

static size_t port_input(void *opaque, const uint8_t *data, size_t len)
{
	struct state *s = opaque;

	/* What comes in goes out. */
	spin_lock(&s->frontend.base.lock);
	if (char_backend(&s->frontend))
		len = char_backend(&s->frontend)
			      ->output(s->frontend.base.backend_opaque, data, len);
	spin_unlock(&s->frontend.base.lock);
	return len;
}

static void port_output_ready(void *opaque)
{
	(void)opaque; /* it keeps nothing */
}

static int port_create(struct device *dev, const struct device_config *config)
{
	struct state *s = make_state(dev);

	(void)config;
	if (!s)
		return -ENOMEM;
	char_frontend_init(&s->frontend);
	s->frontend.input = port_input;
	s->frontend.output_ready = port_output_ready;
	s->frontend.opaque = s;
	return device_provide_frontend(dev, &s->frontend.base);
}

DEVICE_TYPE(port_type, .name = "port", .help = "a character frontend", .create = port_create,
	    .destroy = destroy);

static size_t backend_output(void *opaque, const uint8_t *data, size_t len)
{
	(void)data;
	tell('>', ((struct state *)opaque)->dev);
	return len;
}

static void backend_gone(void *opaque)
{
	struct state *s = opaque;

	tell('g', s->dev);
	s->peer = NULL;
}

static const struct char_backend_ops backend_ops = {
	.base.gone = backend_gone,
	.output = backend_output,
};

static int backend_create(struct device *dev, const struct device_config *config)
{
	struct state *s = make_state(dev);
	struct device *port = device_config_device(config, "frontend");

	if (!s)
		return -ENOMEM;
	return device_connect(dev, port->id, &char_frontend_kind, &backend_ops.base, s, &s->peer);
}

static const struct device_key backend_keys[] = {
	{.name = "frontend", .kind = KEY_FRONTEND, .help = "a port"},
	{},
};

DEVICE_TYPE(backend_type, .name = "backend", .help = "a character backend", .keys = backend_keys,
	    .create = backend_create, .destroy = destroy);

/* The world. */

int world_start(const char *text)
{
	static const char vm_text[] = "[vm \"world\"]\nmemory = 1M\nmachine = none\n";
	char whole[16384];
	int err;

	fake_log_clear();
	world_story[0] = '\0';
	snprintf(whole, sizeof(whole), "%s%s", vm_text, text);
	err = vm_config_parse("t.cfg", whole, strlen(whole), &world_vm.config);
	if (!err)
		err = irq_create(&world_vm);
	if (!err)
		err = device_manager_create(&world_vm);
	if (!err)
		err = device_create_all(&world_vm);
	return err;
}

void world_end(void)
{
	fake_memory_left = -1;
	device_manager_destroy(&world_vm);
	irq_destroy(&world_vm);
	vm_config_free(world_vm.config);
	world_vm.config = NULL;
	assert_int_equal(world_states, 0);
	assert_int_equal(fake_hooks, 0);
	assert_int_equal(fake_objects, 0);
}

struct device_timer *world_timer(const char *id)
{
	return device_iface(&world_vm, id, "timer");
}

void task_yield(void)
{
}

void task_share(void)
{
	task_yield();
}
