/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/checkpoint/place.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct checkpoint_place *checkpoint_place_of(const char **name)
{
	const struct checkpoint_place *place, *other = NULL;

	for (place = TABLE_START(checkpoint_places); place < TABLE_END(checkpoint_places);
	     place++) {
		size_t len = strlen(place->scheme);

		if (!len)
			other = place;
		if (!len || strncmp(*name, place->scheme, len))
			continue;
		*name += len;
		return place;
	}
	return other;
}

int checkpoint_why(char *why, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, CHECKPOINT_WHY_MAX, fmt, args);
	va_end(args);
	return err;
}
