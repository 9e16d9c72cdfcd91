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
#include "devices/hostdev/host_device.h"
#include "kernel/slab.h"
#include "kernel/spinlock.h"
#include "lib/parse.h"
#include "vmm/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SCRATCH_PORTS	   0
#define SCRATCH_MEMORY	   1
#define SCRATCH_COUNTERS   2
#define SCRATCH_PORTS_MAX  UINT64_C(0x1000)
#define SCRATCH_MEMORY_MAX UINT64_C(0x100000)
#define SCRATCH_ARG_MAX	   32 /* bytes of KEY=VALUE */

struct scratch {
	struct spinlock lock;
	uint64_t counters[2]; /* reads, writes */
	uint8_t *bytes;	      /* of the ports, then of the memory */
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

/* KEY=VALUE of @len bytes, to the size of a region. */
static bool scratch_arg(struct host_device *hd, const char *arg, size_t len)
{
	static const uint64_t max[] = {
		[SCRATCH_PORTS] = SCRATCH_PORTS_MAX, [SCRATCH_MEMORY] = SCRATCH_MEMORY_MAX};
	char text[SCRATCH_ARG_MAX + 1], *value;
	uint64_t region, size;

	if (len > SCRATCH_ARG_MAX)
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)len, arg);
	value = strchr(text, '=');
	if (!value)
		return false;
	*value++ = '\0';
	if (!parse_choice(text, "ports|memory", &region) || !parse_size(value, &size) || !size ||
	    size > max[region])
		return false;
	hd->regions[region].size = size;
	return true;
}

static int scratch_open(struct host_device *hd, const char *path, const char *args)
{
	struct scratch *s;
	size_t len;

	hd->regions[SCRATCH_PORTS].io = true;
	hd->regions[SCRATCH_COUNTERS].size = sizeof(s->counters);
	for (; *args; args += len + (args[len] == '&')) {
		len = strcspn(args, "&");
		if (!scratch_arg(hd, args, len)) {
			device_log(hd->owner, LOG_ERROR,
				   "scratch: '%.*s': expected ports=SIZE (1 to 4K) or memory=SIZE "
				   "(1 to 1M)",
				   (int)len, args);
			return -EINVAL;
		}
	}
	if (*path) {
		device_log(hd->owner, LOG_ERROR, "scratch: '%s': expected nothing before the `?`",
			   path);
		return -EINVAL;
	}
	s = kzalloc(sizeof(*s));
	if (!s)
		goto no_memory;
	s->bytes = kzalloc(MAX(UINT64_C(1),
			       hd->regions[SCRATCH_PORTS].size + hd->regions[SCRATCH_MEMORY].size));
	if (!s->bytes)
		goto free_state;
	spinlock_init(&s->lock);
	hd->state = s;
	return 0;
free_state:
	kfree(s);
no_memory:
	device_log(hd->owner, LOG_ERROR, "scratch: no memory for its bytes");
	return -ENOMEM;
}

static void scratch_close(struct host_device *hd)
{
	struct scratch *s = hd->state;

	kfree(s->bytes);
	kfree(s);
}

HOST_SCHEME(scratch_scheme, .name = "scratch", .help = "bytes that keep what is written to them",
	    .bus = HOST_BUS_DIRECT, .open = scratch_open, .close = scratch_close,
	    .read = scratch_read, .write = scratch_write);
