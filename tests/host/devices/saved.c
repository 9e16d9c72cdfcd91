/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/devices/saved.h"

#include "vmm/device_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FLIPS_MAX 4000 /* of a state that is longer, some of its bits, evenly */

static uint8_t *saved;
static size_t saved_len;

void saved_take(struct device *dev)
{
	const struct device_state *type = dev->type->saved;

	assert_non_null(type);
	assert_string_equal(type->name, dev->type->name);
	assert_null(device_state_lacks(type, dev->state));
	device_state_pre_save(type, dev->state);
	saved_len = device_state_save(type, dev->state, NULL, 0);
	free(saved);
	saved = malloc(saved_len);
	assert_int_equal(device_state_save(type, dev->state, saved, saved_len), saved_len);
}

bool saved_is(struct device *dev)
{
	uint8_t *now = malloc(saved_len);
	bool same = device_state_save(dev->type->saved, dev->state, now, saved_len) == saved_len &&
		    !memcmp(now, saved, saved_len);

	free(now);
	return same;
}

void saved_give(struct device *dev)
{
	const struct device_state *type = dev->type->saved;
	char why[256];

	if (device_state_check(type, dev->state, saved, saved_len, why, sizeof(why)))
		fail_msg("%s: %s", dev->id, why);
	assert_int_equal(device_state_load(type, dev->state, saved, saved_len, why, sizeof(why)),
			 0);
	/* What was loaded is what was saved. */
	assert_true(saved_is(dev));
	assert_null(device_state_post_load(type, dev->state));
}

static bool flip_is_loaded(struct device *dev, const uint8_t *data)
{
	const struct device_state *type = dev->type->saved;
	char why[256];

	if (device_state_check(type, dev->state, data, saved_len, why, sizeof(why)))
		return false;
	assert_int_equal(device_state_load(type, dev->state, data, saved_len, why, sizeof(why)), 0);
	return !device_state_post_load(type, dev->state);
}

unsigned saved_flips(struct device *(*make)(void), void (*use)(void), void (*end)(void))
{
	uint8_t *data = malloc(saved_len);
	size_t bits = 8 * saved_len, step = bits / FLIPS_MAX + 1;
	unsigned loaded = 0;

	memcpy(data, saved, saved_len);
	for (size_t bit = 0; bit < bits; bit += step) {
		struct device *dev = make();

		data[bit / 8] ^= 1u << bit % 8;
		if (flip_is_loaded(dev, data)) {
			use();
			loaded++;
		}
		data[bit / 8] ^= 1u << bit % 8;
		end();
	}
	free(data);
	return loaded;
}
