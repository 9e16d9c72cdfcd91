/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `scratch:?ports=SIZE&memory=SIZE`: bytes that are what was last written to
 * them, behind ports (region 0) and memory (region 1), and read-only counters
 * (region 2): how many reads and writes the other two have had. For trying the
 * generic device, and for software that probes a card by writing to it.
 *
 * Counters, little endian: 0: reads, 8: writes. 8 bytes each.
 *
 * Lock: lock over bytes and counters.
 */
#include "devices/hostdev/host_args.h"
#include "devices/hostdev/host_device.h"
#include "kernel/slab.h"
#include "kernel/spinlock.h"
#include "vmm/device.h"
#include "vmm/device_state.h"

#include <errno.h>
#include <string.h>

#define SCRATCH_PORTS	   0
#define SCRATCH_MEMORY	   1
#define SCRATCH_COUNTERS   2
#define SCRATCH_PORTS_MAX  UINT64_C(0x1000)
#define SCRATCH_MEMORY_MAX UINT64_C(0x100000)

struct scratch {
	struct spinlock lock;
	uint64_t counters[2]; /* reads, writes */
	uint8_t *bytes;	      /* of the ports, then of the memory: */
	size_t size;
};

static uint8_t *scratch_at(const struct host_device *hd, unsigned region, uint64_t offset)
{
	struct scratch *s = hd->state;

	if (region == SCRATCH_COUNTERS)
		return (uint8_t *)s->counters + offset;
	return s->bytes + (region == SCRATCH_MEMORY ? hd->regions[SCRATCH_PORTS].size : 0) + offset;
}

static int scratch_read(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
			uint64_t *value)
{
	struct scratch *s = hd->state;

	*value = 0;
	spin_lock(&s->lock);
	memcpy(value, scratch_at(hd, region, offset), width);
	if (region != SCRATCH_COUNTERS)
		s->counters[0]++;
	spin_unlock(&s->lock);
	return 0;
}

static int scratch_write(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
			 uint64_t value)
{
	struct scratch *s = hd->state;

	if (region == SCRATCH_COUNTERS)
		return 0;
	spin_lock(&s->lock);
	memcpy(scratch_at(hd, region, offset), &value, width);
	s->counters[1]++;
	spin_unlock(&s->lock);
	return 0;
}

static int scratch_open(struct host_device *hd, const char *path __unused,
			const struct host_args *args)
{
	uint64_t ports = host_args_uint(args, "ports"), memory = host_args_uint(args, "memory");
	struct scratch *s = kzalloc(sizeof(*s));

	if (s)
		s->bytes = kzalloc(MAX(UINT64_C(1), ports + memory));
	if (!s || !s->bytes) {
		kfree(s);
		return -ENOMEM;
	}
	s->size = ports + memory;
	spinlock_init(&s->lock);
	hd->regions[SCRATCH_PORTS] = (struct host_region){.size = ports, .io = true};
	hd->regions[SCRATCH_MEMORY].size = memory;
	hd->regions[SCRATCH_COUNTERS].size = sizeof(s->counters);
	hd->state = s;
	return 0;
}

static void scratch_close(struct host_device *hd)
{
	struct scratch *s = hd->state;

	kfree(s->bytes);
	kfree(s);
}

static size_t scratch_bytes_save(void *state, uint8_t *buf, size_t size)
{
	const struct scratch *s = state;

	if (size >= s->size)
		memcpy(buf, s->bytes, s->size);
	return s->size;
}

static const char *scratch_bytes_check(const void *state, const uint8_t *data __unused, size_t len)
{
	return len == ((const struct scratch *)state)->size ? NULL : "of another size";
}

static const char *scratch_bytes_load(void *state, const uint8_t *data, size_t len)
{
	memcpy(((struct scratch *)state)->bytes, data, len);
	return NULL;
}

static const struct device_blob scratch_bytes = {
	.save = scratch_bytes_save,
	.check = scratch_bytes_check,
	.load = scratch_bytes_load,
};

static const struct device_field scratch_fields[] = {
	DEVICE_FIELD(struct scratch, counters),
	DEVICE_FIELD_BLOB("bytes", &scratch_bytes),
	{},
};

static const struct device_state scratch_saved = {
	.name = "scratch",
	.version = 1,
	.size = sizeof(struct scratch),
	.lock = DEVICE_STATE_LOCK(struct scratch, lock),
	.fields = scratch_fields,
};

static const struct device_key scratch_keys[] = {
	{.name = "ports",
	 .kind = KEY_SIZE,
	 .def = "0",
	 .max = SCRATCH_PORTS_MAX,
	 .help = "bytes of ports, region 0"},
	{.name = "memory",
	 .kind = KEY_SIZE,
	 .def = "0",
	 .max = SCRATCH_MEMORY_MAX,
	 .help = "bytes of memory, region 1"},
	{},
};

HOST_SCHEME(scratch_scheme, .name = "scratch", .help = "bytes that keep what is written to them",
	    .bus = HOST_BUS_DIRECT, .keys = scratch_keys, .open = scratch_open,
	    .close = scratch_close, .read = scratch_read, .write = scratch_write,
	    .saved = &scratch_saved);
