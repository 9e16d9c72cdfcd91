/* SPDX-License-Identifier: BSD-2-Clause */
/* The device types that are linked in, sorted by name. */
#include "vmm/device.h"

#include "kernel/slab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

TABLE_DECLARE(device_types, struct device_type);

/* Made once at boot, then only read. */
static const struct device_type **types;
static size_t type_count;

static int device_type_compare(const void *a, const void *b)
{
	const struct device_type *const *type_a = a, *const *type_b = b;

	return strcmp((*type_a)->name, (*type_b)->name);
}

/* Keeps the first of each name. */
static int device_types_refuse_twins(void)
{
	size_t from, to = 0;
	int err = 0;

	for (from = 0; from < type_count; from++) {
		if (to && !strcmp(types[to - 1]->name, types[from]->name)) {
			log_error("device type %s is defined twice, by %s and %s: leave one out",
				  types[from]->name, types[to - 1]->file, types[from]->file);
			err = -EEXIST;
			continue;
		}
		types[to++] = types[from];
	}
	type_count = to;
	return err;
}

int device_types_init(void)
{
	size_t i, n = TABLE_END(device_types) - TABLE_START(device_types);

	if (!n)
		return 0;
	types = kcalloc(n, sizeof(*types));
	if (!types)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		types[i] = TABLE_START(device_types) + i;
	type_count = n;
	qsort(types, n, sizeof(*types), device_type_compare);
	return device_types_refuse_twins();
}

const struct device_type *device_type_find(const char *name)
{
	size_t low = 0, high = type_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(name, types[mid]->name);

		if (order == 0)
			return types[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

void device_type_for_each(void (*fn)(void *opaque, const struct device_type *type), void *opaque)
{
	size_t i;

	for (i = 0; i < type_count; i++)
		fn(opaque, types[i]);
}
