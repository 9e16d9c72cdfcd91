/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/generic.h"

#include "devices/hostdev/host_device.h"
#include "lib/parse.h"
#include "vmm/device.h"
#include "vmm/guest_memory.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define GENERIC_TEXT_MAX 95 /* bytes of a range in the config */

/* A range's text, and how to complain of it. */
struct generic_text {
	const struct generic *g;
	const char *key;
	char text[GENERIC_TEXT_MAX + 1];
};

static int __printf(2, 3) generic_bad(const struct generic_text *t, const char *fmt, ...)
{
	char why[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	device_log(t->g->dev, LOG_ERROR, "%s: '%s': %s", t->key, t->text, why);
	return -EINVAL;
}

/* FIRST[-LAST]:MODE[=ARG]. */
static bool generic_split(struct generic_range *r, char *text)
{
	char *mode = strchr(text, ':'), *last, *arg;
	uint64_t index;

	if (!mode)
		return false;
	*mode++ = '\0';
	arg = strchr(mode, '=');
	if (arg)
		*arg++ = '\0';
	last = strchr(text, '-');
	if (last)
		*last++ = '\0';
	if (!parse_uint(text, &r->first) || !parse_uint(last ? last : text, &r->last) ||
	    !parse_choice(mode, GENERIC_MODES, &index))
		return false;
	r->mode = (enum generic_mode)index;
	r->arg = r->mode == GENERIC_FORWARD ? 0 : UINT64_MAX;
	if (!arg)
		return true;
	return !generic_passes(r->mode) && parse_uint(arg, &r->arg);
}

static bool generic_meets(uint64_t first, uint64_t last, uint64_t start, uint64_t end)
{
	return start < end && first < end && last >= start;
}

static bool generic_is_ram(const struct guest_memory *m, const struct generic_range *r)
{
	return m && (generic_meets(r->first, r->last, 0, MIN(m->low_end, GUEST_VGA_BASE)) ||
		     generic_meets(r->first, r->last, GUEST_VGA_END, m->low_end) ||
		     generic_meets(r->first, r->last, GUEST_HIGH_BASE, m->high_end));
}

static int generic_check_forward(const struct generic_text *t, const struct generic_range *r)
{
	const struct host_region *region;

	if (!r->g->hostdev)
		return generic_bad(t, "forward needs the key hostdev");
	region = r->arg < HOST_REGIONS ? &r->g->hostdev->regions[r->arg] : NULL;
	if (!region || !region->size)
		return generic_bad(t, "the host device has no region %lu", r->arg);
	if (region->io == r->memory)
		return generic_bad(t, "region %lu of the host device is %s", r->arg,
				   region->io ? "ports" : "memory");
	if (r->last - r->first >= region->size)
		return generic_bad(t, "region %lu of the host device has only %lu bytes", r->arg,
				   region->size);
	return 0;
}

static int generic_check(const struct generic_text *t, const struct generic_range *r)
{
	uint64_t limit = r->memory ? BIT(GPA_BITS_MAX) - 1 : UINT16_MAX;
	const struct generic_range *other;

	if (r->first > r->last || r->last > limit)
		return generic_bad(t, "expected FIRST up to LAST, both up to 0x%lx", limit);
	for (other = t->g->ranges; other < r; other++)
		if (other->memory == r->memory && r->first <= other->last &&
		    r->last >= other->first)
			return generic_bad(t, "overlaps 0x%lx-0x%lx", other->first, other->last);
	if (r->memory && generic_is_ram(r->g->dev->vm->memory, r))
		return generic_bad(t, "the VM has RAM there");
	return r->mode == GENERIC_FORWARD ? generic_check_forward(t, r) : 0;
}

/* The @len bytes at @item, without blanks around them. */
static int generic_parse(struct generic_text *t, const char *item, size_t len,
			 struct generic_range *r)
{
	char copy[GENERIC_TEXT_MAX + 1];

	while (len && *item == ' ') {
		item++;
		len--;
	}
	while (len && item[len - 1] == ' ')
		len--;
	snprintf(t->text, sizeof(t->text), "%.*s", (int)MIN(len, (size_t)GENERIC_TEXT_MAX), item);
	strcpy(copy, t->text);
	if (len > GENERIC_TEXT_MAX || !generic_split(r, copy))
		return generic_bad(t,
				   "expected FIRST[-LAST]:MODE[=VALUE], where MODE is one of "
				   "%s",
				   GENERIC_MODES);
	return generic_check(t, r);
}

int generic_ranges_parse(struct generic *g, bool memory, const char *text)
{
	struct generic_text t = {.g = g, .key = memory ? "memory" : "ports"};
	struct generic_range *r;
	size_t len;
	int err = 0;

	for (; *text && !err; text += len + (text[len] == ',')) {
		if (g->count == GENERIC_RANGES_MAX) {
			device_log(g->dev, LOG_ERROR, "%s: more than %u ranges", t.key,
				   GENERIC_RANGES_MAX);
			return -EINVAL;
		}
		len = strcspn(text, ",");
		r = &g->ranges[g->count++];
		r->g = g;
		r->memory = memory;
		err = generic_parse(&t, text, len, r);
	}
	return err;
}
