/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device for what has no model, and for watching: any number of ranges of
 * ports and memory, each with what becomes of accesses. They are ignored (reads
 * give a value), printed, passed to the machine, or forwarded to a host device.
 *
 * Keys: ports, memory, hostdev. docs/vm-config.md says how ranges are written.
 * No lock: nothing changes after create().
 */
#include "devices/generic.h"

#include "devices/hostdev/host_device.h"
#include "devices/hostdev/machine_ports.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>

/* The log has the time. */
static void generic_print(const struct generic_range *r, const struct vcpu *vcpu, const char *what,
			  uint64_t offset, unsigned width, uint64_t value)
{
	if (r->mode != GENERIC_PRINT_IGNORE && r->mode != GENERIC_PRINT_PASS)
		return;
	vm_log_guest(vcpu->vm, LOG_INFO, "%s: vCPU %u at %#lx %s %s %#lx, %u bytes: %#lx",
		     r->g->dev->id, vcpu->index, vcpu->rip, what, r->memory ? "memory" : "port",
		     r->first + offset, width, value);
}

static int generic_read(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width,
			uint64_t *value)
{
	const struct generic_range *r = opaque;
	int err = 0;

	switch (r->mode) {
	case GENERIC_FORWARD:
		err = host_device_read(r->g->hostdev, (unsigned)r->arg, offset, width, value);
		break;
	case GENERIC_PASS:
	case GENERIC_PRINT_PASS:
		*value = r->memory ? machine_memory_read(&r->machine, offset, width)
				   : machine_ports_read((uint16_t)(r->first + offset), width);
		break;
	default:
		*value = r->arg;
	}
	if (!err)
		generic_print(r, vcpu, "reads", offset, width,
			      *value & (UINT64_MAX >> (64 - 8 * width)));
	return err;
}

static int generic_write(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width,
			 uint64_t value)
{
	const struct generic_range *r = opaque;

	generic_print(r, vcpu, "writes", offset, width, value);
	if (r->mode == GENERIC_FORWARD)
		return host_device_write(r->g->hostdev, (unsigned)r->arg, offset, width, value);
	if (generic_passes(r->mode) && r->memory)
		machine_memory_write(&r->machine, offset, width, value);
	else if (generic_passes(r->mode))
		machine_ports_write((uint16_t)(r->first + offset), width, (uint32_t)value);
	return 0;
}

static const struct hook_ops generic_ops = {.read = generic_read, .write = generic_write};

/* A resource: goes before the hook, so that the ports are never open and not owned. */
static void generic_close_ports(void *opaque)
{
	const struct generic_range *r = opaque;

	machine_ports_close(r->g->dev->vm, (uint16_t)r->first, (uint32_t)(r->last - r->first + 1));
}

static void generic_release_ports(void *opaque)
{
	const struct generic_range *r = opaque;

	machine_ports_release(r->g->dev->vm, (uint16_t)r->first,
			      (uint32_t)(r->last - r->first + 1));
}

/* A resource, too: they are another VM's to have when the guest does not reach them any more. */
static int generic_claim_ports(struct device *dev, struct generic_range *r, uint32_t count)
{
	int err = machine_ports_claim(dev, (uint16_t)r->first, count);

	if (err)
		return err;
	err = device_own(dev, generic_release_ports, r);
	if (err)
		generic_release_ports(r);
	return err;
}

static int generic_take_ports(struct device *dev, struct generic_range *r)
{
	uint32_t count = (uint32_t)(r->last - r->first + 1);
	int err = 0;

	if (generic_passes(r->mode))
		err = generic_claim_ports(dev, r, count);
	if (!err)
		err = device_hook_io(dev, (uint16_t)r->first, count, &generic_ops, r);
	if (err || !generic_passes(r->mode))
		return err;
	device_log(dev, LOG_WARN, "the guest reaches the machine's ports %#lx-%#lx", r->first,
		   r->last);
	if (r->mode == GENERIC_PRINT_PASS)
		return 0;
	err = device_own(dev, generic_close_ports, r);
	if (!err)
		machine_ports_open(dev->vm, (uint16_t)r->first, count);
	return err;
}

static int generic_take_memory(struct device *dev, struct generic_range *r)
{
	int err = 0;

	if (generic_passes(r->mode))
		err = machine_memory_claim(dev, &r->machine, r->first, r->last);
	if (!err)
		err = device_hook_memory(dev, r->first, r->last - r->first + 1, HOOK_MEMORY_FULL,
					 &generic_ops, r);
	if (err || !generic_passes(r->mode))
		return err;
	device_log(dev, LOG_WARN, "the guest reaches the machine's memory %#lx-%#lx", r->first,
		   r->last);
	return r->mode == GENERIC_PASS ? machine_memory_open(dev, &r->machine) : 0;
}

/* What the guest has of the machine itself is no state of ours. */
static size_t generic_passed_count(const void *state)
{
	const struct generic *g = state;
	size_t count = 0;

	for (size_t i = 0; i < g->count; i++)
		count += generic_passes(g->ranges[i].mode);
	return count;
}

static const struct device_state *generic_passed_type(const void *state __unused, const char **name)
{
	*name = "what it passes through";
	return NULL;
}

static const struct device_ref generic_passed = {
	.type_of = generic_passed_type,
	.count = generic_passed_count,
};

static const struct device_field generic_fields[] = {
	{.name = "passed",
	 .offset = offsetof(struct generic, dev),
	 .kind = DEVICE_FIELD_REF_KIND,
	 .count = 1,
	 .ref = &generic_passed},
	DEVICE_FIELD_REF(struct generic, hostdev, &host_device_ref),
	{},
};

static const struct device_state generic_saved = {
	.name = "generic",
	.version = 1,
	.size = sizeof(struct generic),
	.fields = generic_fields,
};

static void generic_destroy(struct device *dev)
{
	struct generic *g = dev->state;

	host_device_close(g->hostdev);
	kfree(g);
}

static int generic_create(struct device *dev, const struct device_config *config)
{
	const char *url = device_config_string(config, "hostdev");
	struct generic *g = kzalloc(sizeof(*g));
	struct generic_range *r;
	int err = 0;

	if (!g)
		return -ENOMEM;
	dev->state = g;
	g->dev = dev;
	if (*url)
		err = host_device_open(dev, url, HOST_BUS_DIRECT, NULL, NULL, &g->hostdev);
	if (!err)
		err = generic_ranges_parse(g, false, device_config_string(config, "ports"));
	if (!err)
		err = generic_ranges_parse(g, true, device_config_string(config, "memory"));
	for (r = g->ranges; r < g->ranges + g->count && !err; r++)
		err = r->memory ? generic_take_memory(dev, r) : generic_take_ports(dev, r);
	return err;
}

static const struct device_key generic_keys[] = {
	{.name = "ports",
	 .kind = KEY_STRING,
	 .def = "",
	 .help = "FIRST[-LAST]:MODE[=VALUE], … of I/O ports; MODE: " GENERIC_MODES},
	{.name = "memory", .kind = KEY_STRING, .def = "", .help = "the same of physical memory"},
	{.name = "hostdev",
	 .kind = KEY_STRING,
	 .def = "",
	 .help = "URL of the host device that `forward` goes to"},
	{},
};

DEVICE_TYPE(generic_type, .name = "generic",
	    .help = "ranges that are ignored, printed, passed through or forwarded",
	    .keys = generic_keys, .create = generic_create, .destroy = generic_destroy,
	    .saved = &generic_saved);
