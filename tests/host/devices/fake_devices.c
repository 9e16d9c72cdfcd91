/* SPDX-License-Identifier: BSD-2-Clause */
/* The device manager and the hook maps of the stand-in: lists that are walked. */
#include "tests/host/devices/fake_devices.h"

#include "tests/host/devices/fake.h"
#include "vmm/char_frontend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_MAX_DEVICES 40
#define FAKE_MAX_TYPES	 64
#define FAKE_MAX_IFACES	 64
#define FAKE_MAX_LINES	 64
#define FAKE_MAX_OWNED	 512

TABLE_DECLARE(device_types, struct device_type);

struct device_config {
	const struct device_type *type;
	const char *const *keys;
};

struct fake_map fake_io, fake_msr, fake_memory, fake_leaves;
struct fake_hook fake_io_rest, fake_memory_rest;
static struct device fake_devices[FAKE_MAX_DEVICES];
static unsigned fake_device_count;
static struct {
	struct device *dev;
	const char *kind;
	void *iface;
} fake_ifaces[FAKE_MAX_IFACES];
static unsigned fake_iface_count;
static struct irq_line fake_lines[FAKE_MAX_LINES];
static unsigned fake_line_count;
static struct {
	struct device *dev;
	void (*release)(void *opaque);
	void *opaque;
} fake_owned[FAKE_MAX_OWNED];
static unsigned fake_owned_count;
static uint64_t fake_accesses[FAKE_MAX_TYPES]; /* by type, since the program began */

void fake_devices_start(void)
{
	fake_io.count = fake_msr.count = fake_memory.count = fake_leaves.count = 0;
	fake_io_rest = fake_memory_rest = (struct fake_hook){};
	fake_device_count = fake_iface_count = fake_line_count = fake_owned_count = 0;
}

void fake_devices_end(void)
{
	while (fake_owned_count) {
		fake_owned_count--;
		fake_owned[fake_owned_count].release(fake_owned[fake_owned_count].opaque);
	}
	while (fake_line_count)
		irq_line_detach(&fake_lines[--fake_line_count]);
	/* What still runs does not find the lines any more. */
	memset(fake_lines, 0xff, sizeof(fake_lines));
	fake_time_end();
	while (fake_device_count) {
		struct device *dev = &fake_devices[--fake_device_count];

		if (dev->type->destroy && dev->state)
			dev->type->destroy(dev);
	}
}

/* Config. */

static const struct device_key *fake_key(const struct device_config *config, const char *name)
{
	const struct device_key *key;

	for (key = config->type->keys; key && key->name; key++)
		if (!strcmp(key->name, name))
			return key;
	fprintf(stderr, "%s has no key %s\n", config->type->name, name);
	abort();
}

const char *device_config_string(const struct device_config *config, const char *name)
{
	const struct device_key *key = fake_key(config, name);
	size_t len = strlen(name);
	unsigned i;

	for (i = 0; config->keys && config->keys[i]; i++)
		if (!strncmp(config->keys[i], name, len) && config->keys[i][len] == '=')
			return config->keys[i] + len + 1;
	if (!key->def)
		abort();
	return key->def;
}

uint64_t device_config_uint(const struct device_config *config, const char *name)
{
	const struct device_key *key = fake_key(config, name);
	const char *text = device_config_string(config, name);
	const char *word = key->choices;
	uint64_t index = 0;

	if (key->kind != KEY_CHOICE)
		return strtoull(text, NULL, 0);
	while (strncmp(word, text, strcspn(word, "|")) || text[strcspn(word, "|")]) {
		word += strcspn(word, "|") + 1;
		index++;
	}
	return index;
}

bool device_config_bool(const struct device_config *config, const char *name)
{
	const char *text = device_config_string(config, name);

	return !strcmp(text, "true") || !strcmp(text, "on") || !strcmp(text, "yes");
}

struct device *device_config_device(const struct device_config *config, const char *name)
{
	const char *id = device_config_string(config, name);
	unsigned i;

	for (i = 0; i < fake_device_count; i++)
		if (!strcmp(fake_devices[i].id, id))
			return &fake_devices[i];
	return NULL;
}

struct device *fake_create(const char *type, const char *id, const char *const keys[])
{
	const struct device_type *t = TABLE_START(device_types);
	struct device *dev = &fake_devices[fake_device_count];
	struct device_config config = {.keys = keys};

	while (t < TABLE_END(device_types) && strcmp(t->name, type))
		t++;
	if (t == TABLE_END(device_types) || fake_device_count == FAKE_MAX_DEVICES)
		abort();
	config.type = t;
	memset(dev, 0, sizeof(*dev));
	snprintf(dev->id, sizeof(dev->id), "%s", id);
	dev->type = t;
	dev->vm = &fake_vm;
	fake_device_count++;
	return t->create(dev, &config) ? NULL : dev;
}

static uint64_t *fake_accesses_of(const struct device_type *type)
{
	size_t index = (size_t)(type - TABLE_START(device_types));

	if (index >= FAKE_MAX_TYPES)
		abort();
	return &fake_accesses[index];
}

void fake_for_each_accesses(void (*fn)(const char *type, uint64_t accesses))
{
	const struct device_type *type;

	for (type = TABLE_START(device_types); type < TABLE_END(device_types); type++)
		fn(type->name, *fake_accesses_of(type));
}

void device_for_each(struct vm *vm __unused, void (*fn)(void *opaque, struct device *dev),
		     void *opaque)
{
	unsigned i;

	for (i = 0; i < fake_device_count; i++)
		fn(opaque, &fake_devices[i]);
}

void fake_reset(void)
{
	unsigned i;

	for (i = 0; i < fake_device_count; i++)
		if (fake_devices[i].type->reset)
			fake_devices[i].type->reset(&fake_devices[i]);
}

/* Resources. */

static FAKE_UNTRACED int fake_add(struct fake_map *map, struct device *dev, uint64_t first,
				  uint64_t count, const struct fake_hook *hook)
{
	struct fake_hook *h = &map->hooks[map->count];
	unsigned i;

	for (i = 0; i < map->count; i++)
		if (first <= map->hooks[i].last && map->hooks[i].first <= first + count - 1)
			return -EBUSY;
	if (map->count++ == FAKE_MAX_HOOKS)
		abort();
	*h = *hook;
	h->first = first;
	h->last = first + count - 1;
	h->accesses = fake_accesses_of(dev->type);
	return 0;
}

int device_hook_io(struct device *dev, uint16_t first, uint32_t count, const struct hook_ops *ops,
		   void *opaque)
{
	return fake_add(&fake_io, dev, first, count,
			&(struct fake_hook){.ops = ops, .opaque = opaque});
}

int device_hook_io_register(struct device *dev, uint16_t port, unsigned width,
			    const struct hook_ops *ops, void *opaque)
{
	return fake_add(&fake_io, dev, port, 1,
			&(struct fake_hook){.ops = ops, .opaque = opaque, .width = width});
}

int device_hook_msr(struct device *dev, uint32_t first, uint32_t count, const struct hook_ops *ops,
		    void *opaque)
{
	return fake_add(&fake_msr, dev, first, count,
			&(struct fake_hook){.ops = ops, .opaque = opaque});
}

int device_hook_memory(struct device *dev, gpa_t gpa, uint64_t size,
		       enum hook_memory_mode mode __unused, const struct hook_ops *ops,
		       void *opaque)
{
	return fake_add(&fake_memory, dev, gpa, size,
			&(struct fake_hook){.ops = ops, .opaque = opaque});
}

int device_hook_io_rest(struct device *dev, const struct hook_ops *ops, void *opaque)
{
	fake_io_rest = (struct fake_hook){
		.ops = ops, .opaque = opaque, .accesses = fake_accesses_of(dev->type)};
	return 0;
}

int device_hook_memory_rest(struct device *dev, const struct hook_ops *ops,
			    hook_changed_fn changed __unused, void *opaque)
{
	fake_memory_rest = (struct fake_hook){
		.ops = ops, .opaque = opaque, .accesses = fake_accesses_of(dev->type)};
	return 0;
}

int device_hook_cpuid(struct device *dev, uint32_t first, uint32_t last, hook_cpuid_fn fn,
		      void *opaque)
{
	return fake_add(&fake_leaves, dev, first, (uint64_t)last - first + 1,
			&(struct fake_hook){.cpuid = fn, .opaque = opaque});
}

int device_irq(struct device *dev __unused, unsigned gsi, const char *sharers __unused,
	       struct irq_line **line)
{
	if (fake_line_count == FAKE_MAX_LINES)
		abort();
	*line = &fake_lines[fake_line_count];
	memset(*line, 0, sizeof(**line));
	if (irq_line_attach(&fake_vm, *line, gsi))
		return -EINVAL;
	fake_line_count++;
	return 0;
}

int device_irq_controller(struct device *dev __unused, const struct irq_controller_ops *ops,
			  void *opaque)
{
	return irq_set_controller(&fake_vm, ops, opaque);
}

int device_irq_ext(struct device *dev __unused, const struct irq_ext_ops *ops, void *opaque)
{
	return irq_set_ext(&fake_vm, ops, opaque);
}

int device_irq_sink(struct device *dev __unused, struct irq_sink *sink)
{
	return irq_add_sink(&fake_vm, sink);
}

int device_dma_window(struct device *dev __unused, gpa_t base __unused, uint64_t size __unused)
{
	return 0;
}

int device_own_as(struct device *dev, enum device_resource_kind kind __unused,
		  void (*release)(void *opaque), void *opaque)
{
	if (fake_owned_count == FAKE_MAX_OWNED)
		abort();
	fake_owned[fake_owned_count].dev = dev;
	fake_owned[fake_owned_count].release = release;
	fake_owned[fake_owned_count++].opaque = opaque;
	return 0;
}

/* What it owns and its state; hooks stay. */
int device_destroy(struct device *dev)
{
	unsigned i, kept = 0;

	for (i = fake_owned_count; i-- > 0;)
		if (fake_owned[i].dev == dev)
			fake_owned[i].release(fake_owned[i].opaque);
	for (i = 0; i < fake_owned_count; i++)
		if (fake_owned[i].dev != dev)
			fake_owned[kept++] = fake_owned[i];
	fake_owned_count = kept;
	if (dev->type->destroy && dev->state)
		dev->type->destroy(dev);
	dev->state = NULL;
	return 0;
}

void device_defer(struct device *dev)
{
	dev->wants_deferred = true;
}

void fake_run_deferred(void)
{
	unsigned i;

	for (i = 0; i < fake_device_count; i++) {
		if (!fake_devices[i].wants_deferred)
			continue;
		fake_devices[i].wants_deferred = false;
		fake_devices[i].type->deferred(&fake_devices[i]);
	}
}

void fake_release(void *opaque)
{
	unsigned i;

	for (i = fake_owned_count; i-- > 0;) {
		if (fake_owned[i].opaque != opaque)
			continue;
		fake_owned[i].release(opaque);
		memmove(&fake_owned[i], &fake_owned[i + 1],
			(--fake_owned_count - i) * sizeof(fake_owned[0]));
		return;
	}
	abort();
}

int device_provide(struct device *dev, const char *kind, void *iface)
{
	if (fake_iface_count == FAKE_MAX_IFACES)
		abort();
	fake_ifaces[fake_iface_count].dev = dev;
	fake_ifaces[fake_iface_count].kind = kind;
	fake_ifaces[fake_iface_count++].iface = iface;
	return 0;
}

int device_provide_frontend(struct device *dev, struct frontend *frontend)
{
	return device_provide(dev, frontend->kind->name, frontend);
}

static void fake_disconnect(void *opaque)
{
	((struct frontend *)opaque)->backend = NULL;
}

int device_connect(struct device *dev, const char *id, const struct frontend_kind *kind,
		   const struct backend_ops *ops, void *opaque, struct frontend **out)
{
	*out = device_iface(&fake_vm, id, kind->name);
	if (!*out || (*out)->backend)
		return -EINVAL;
	(*out)->backend = ops;
	(*out)->backend_opaque = opaque;
	return device_own(dev, fake_disconnect, *out);
}

void *device_iface(struct vm *vm __unused, const char *id, const char *kind)
{
	unsigned i;

	for (i = 0; i < fake_iface_count; i++)
		if ((!id || !strcmp(fake_ifaces[i].dev->id, id)) &&
		    !strcmp(fake_ifaces[i].kind, kind))
			return fake_ifaces[i].iface;
	return NULL;
}

void hook_report(struct vm *vm __unused, const char *what, uint64_t address, const char *owner,
		 int err)
{
	log_msg(LOG_WARN, "%s: error %d at %s 0x%lx", owner, err, what, address);
}
